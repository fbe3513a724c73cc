"""Gate a run on accepted figures, over all articles and for each.

The accepted figures have a small file, the baseline, so that a review of its changes shows what was lowered.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree as ET

from pydantic import ValidationError

from mahdar.documents.bidi import clean
from mahdar.errors import UsageError
from mahdar.evals.comparing.figures import Figures, figures, figures_of, mean
from mahdar.evals.running.runs import Asked, Run, RunModel, read_json
from mahdar.evals.scorer.config import SCORING
from mahdar.runs.outputs import problem

VERSION: Final = 1
DIGITS: Final = 6
SHOWN: Final = 12
"""Fallen figures that are listed."""
ALL: Final = "all articles"
_TIE: Final = 10.0**-DIGITS


class Allowances(RunModel):
    """How far a figure may fall.

    A replay is exact: a figure falls only if something was changed. The allowance is for harmless changes, such as a
    newer gazetteer.
    """

    corpus: float = 0.01
    """over all articles"""
    article: float = 0.05
    """in one article, where one record more or less moves a figure far"""
    figures: Mapping[str, float] = {}
    """figure → allowance over all articles, in place of `corpus`"""

    def of(self, figure: str, article: str) -> float:
        """Return the allowance of one figure in one article, or in `ALL`."""
        return self.figures.get(figure, self.corpus) if article == ALL else self.article


class Baseline(RunModel):
    """Accepted figures, and the scoring, model and labels that they were measured with."""

    version: Literal[1] = 1
    scoring_version: str
    scoring_sha256: str
    when: dt.datetime
    asked: Asked
    labels: Mapping[str, str]
    """article → SHA-256 of its labels"""
    allowances: Allowances = Allowances()
    figures: Figures
    articles: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class FigureCheck:
    """One figure in one article, or in all, beside the accepted one."""

    figure: str
    article: str
    accepted: float
    found: float
    allowance: float

    @property
    def fell(self) -> bool:
        """Whether the figure fell by more than is allowed."""
        return self.accepted - self.found > self.allowance + _TIE

    def __str__(self) -> str:
        fallen = self.accepted - self.found
        return (
            f"{self.figure}, {clean(self.article)}: {self.accepted:.3f} → {self.found:.3f}, "
            f"a fall of {fallen:.3f}, allowed are {self.allowance:g}"
        )


def baseline(run: Run, allowances: Allowances = Allowances()) -> Baseline:  # noqa: B008  # frozen
    """Return the baseline that accepting a run would write."""
    return Baseline(
        scoring_version=run.scoring_version,
        scoring_sha256=run.scoring_sha256,
        when=run.when,
        asked=run.asked,
        labels={
            one.document_id: hashlib.sha256(one.labels.model_dump_json().encode()).hexdigest() for one in run.outcomes
        },
        allowances=allowances,
        figures=_rounded(mean([figures(summary) for summary in run.summaries])),
        articles={
            repeats[0].document_id: _rounded(mean([figures_of(one.score) for one in repeats]))
            for repeats in zip(*run.repeats, strict=True)
        },
    )


def gate(
    run: Run, accepted: Baseline, *, place: str = "baseline", max_drop: float | None = None
) -> tuple[FigureCheck, ...]:
    """Compare every accepted figure with the run's, first over all articles.

    Args:
        run: the run to check.
        accepted: the baseline that it must reach.
        place: names the baseline in messages.
        max_drop: replaces all allowances.

    Raises:
        UsageError: the baseline was measured with other weights, articles or labels.
    """
    found = baseline(run)
    if accepted.scoring_sha256 != SCORING.sha256:
        raise UsageError(
            f"{place}: scored by version {accepted.scoring_version} ({accepted.scoring_sha256[:8]}), this is "
            f"{SCORING.version} ({SCORING.sha256[:8]}): accept a run that is scored by it (mahdar eval accept)"
        )
    apart = sorted(found.labels.keys() ^ accepted.labels.keys())
    if apart:
        raise UsageError(f"{place}: of other articles than the run; {', '.join(apart)} is in one of them alone")
    changed = sorted(name for name, hash_ in found.labels.items() if accepted.labels[name] != hash_)
    if changed:
        raise UsageError(
            f"{place}: the labels of {', '.join(changed)} have changed since: what fell and what was relabelled cannot "
            "be told apart; look at the figures and accept them (mahdar eval accept)"
        )
    return tuple(_cases(found, accepted, max_drop))


def lowered(old: Baseline, new: Baseline) -> tuple[FigureCheck, ...]:
    """Return the figures that accepting a run would lower, by however little."""
    shared = old.articles.keys() & new.articles.keys()
    narrowed = old.model_copy(update={"articles": {name: old.articles[name] for name in sorted(shared)}})
    return tuple(case for case in _cases(new, narrowed, 0.0) if case.fell)


def announced(old: Baseline | None, new: Baseline) -> Iterator[str]:
    """Yield the changes that accepting a run would make, one line for each lowered figure."""
    if old is None:
        yield f"no baseline yet: {len(new.figures)} figures of {len(new.articles)} articles"
        return
    for name, side, other in (("no longer judged", old, new), ("new", new, old)):
        articles = sorted(side.articles.keys() - other.articles.keys())
        if articles:
            yield f"{name}: {', '.join(map(clean, articles))}"
    if old.scoring_sha256 != new.scoring_sha256:
        yield f"scored by version {old.scoring_version} before, now by {new.scoring_version}: not comparable"
    relabelled = sorted(id_ for id_, hash_ in new.labels.items() if old.labels.get(id_, hash_) != hash_)
    if relabelled:
        yield f"relabelled: {', '.join(map(clean, relabelled))}"
    below = lowered(old, new)
    for case in below:
        yield f"lowers {case.figure}, {clean(case.article)}: {case.accepted:.3f} → {case.found:.3f}"
    yield f"{len(below)} figures lowered, {len(lowered(new, old))} raised"


def read(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        UsageError: the file is no baseline.
    """
    text, _ = read_json(path)
    try:
        return Baseline.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(f"{path}: {problem(error)}: no baseline; `mahdar eval accept RUN.json` writes one") from None


def reason(cases: tuple[FigureCheck, ...]) -> Iterator[str]:
    """Yield the fallen figures, those over all articles first, and their number."""
    fallen = [case for case in cases if case.fell]
    yield from map(str, fallen[:SHOWN])
    if len(fallen) > SHOWN:
        yield f"and {len(fallen) - SHOWN} more"
    yield f"{len(cases)} figures, {len(fallen)} fell by more than is allowed"


def junit(cases: tuple[FigureCheck, ...]) -> str:
    """Return the checks as JUnit XML: one test case for each figure and article."""
    fallen = sum(case.fell for case in cases)
    suite = ET.Element("testsuite", name="mahdar eval gate", tests=str(len(cases)), failures=str(fallen))
    for case in cases:
        test = ET.SubElement(suite, "testcase", classname=case.figure, name=clean(case.article))
        if case.fell:
            ET.SubElement(test, "failure", message=str(case), type="regression")
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _cases(found: Baseline, accepted: Baseline, max_drop: float | None) -> Iterator[FigureCheck]:
    pairs = [(ALL, accepted.figures, found.figures)]
    pairs += [(article, known, found.articles[article]) for article, known in accepted.articles.items()]
    for article, known, now in pairs:
        for figure, value in known.items():
            allowance = accepted.allowances.of(figure, article) if max_drop is None else max_drop
            yield FigureCheck(figure, article, value, now.get(figure, 0.0), allowance)


def _rounded(found: Figures) -> Figures:
    return {name: round(value, DIGITS) for name, value in found.items()}
