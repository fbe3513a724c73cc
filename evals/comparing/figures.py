"""Name the numbers of a summary, each from 0 to 1 and higher if better, so that one gate fits all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, Literal

from mahdar.evals.scorer.rates import RecordRates  # noqa: TC001  # what getattr gives
from mahdar.evals.scorer.scoring import ArticleScore
from mahdar.evals.scorer.summary import Summary, TypeSummary, summarise

HEADLINES: Final = ("meetings.soft_f1", "stances.soft_f1")

Average = Literal["micro", "macro"]
Figures = Mapping[str, float]
"""Name → value: `meetings.soft_f1`, `stances.fields.act`, `evidence.found`."""


@dataclass(frozen=True, slots=True)
class RecordFigures:
    """Figures of a run for one record type, to assert on in a test; each from 0 to 1."""

    soft_f1: float
    """the headline"""
    f1: float
    precision: float
    recall: float
    fields: Mapping[str, float]
    """F1 of each field"""

    @classmethod
    def of(cls, summary: TypeSummary, average: Average = "micro") -> "RecordFigures":
        """Return the figures of a summary."""
        rates: RecordRates = getattr(summary, average)
        fields = {name: score.rates.f1 for name, score in summary.fields.items()}
        return cls(rates.soft.f1, rates.records.f1, rates.records.precision, rates.records.recall, fields)


def mean(found: Sequence[Figures]) -> Figures:
    """Return the mean of every figure over repeats."""
    return {name: fmean(one[name] for one in found) for name in found[0]}


def figures(summary: Summary) -> Figures:
    """Return every figure of a run."""
    return dict(_figures(summary, "micro"))


def figures_of(article: ArticleScore) -> Figures:
    """Return every figure of one article; zero if extraction failed, even if there was nothing to find."""
    return dict(_figures(summarise([article]), "macro"))


def _figures(summary: Summary, average: Average) -> Iterator[tuple[str, float]]:
    for name, records in (("meetings", summary.meetings), ("stances", summary.stances)):
        found = RecordFigures.of(records, average)
        yield from ((f"{name}.{figure}", getattr(found, figure)) for figure in ("soft_f1", "f1", "precision", "recall"))
        yield from ((f"{name}.fields.{field}", value) for field, value in found.fields.items())
    yield "stances.soft_f1_not_affirming", getattr(summary.stances_not_affirming, average).soft.f1
    for value, score in summary.polarity.items():
        yield f"stances.polarity_{value}", score.rates.f1
    evidence = summary.grounding
    pieces = evidence.exact + evidence.folded + evidence.not_found
    if not evidence.unchecked:
        yield "evidence.found", _share(evidence.exact + evidence.folded, pieces)
        yield "evidence.exact", _share(evidence.exact, pieces)
    types = (summary.meetings, summary.stances)
    predicted = sum(one.counts.predicted for one in types)
    yield "records.in_body", 1 - _share(sum(one.only_in_noise for one in types), predicted, empty=0.0)
    yield "records.distinct", 1 - _share(sum(one.duplicates for one in types), predicted, empty=0.0)
    yield "articles.extracted", 1 - _share(summary.failed, summary.articles)
    yield "articles.valid_at_first", _share(summary.effort.valid_at_first, summary.articles)


def _share(part: int, whole: int, *, empty: float = 1.0) -> float:
    return part / whole if whole else empty
