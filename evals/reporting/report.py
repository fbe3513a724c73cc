"""The page of a run: what changed since another one, scores and fields with their intervals, and every record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from mahdar.documents.bidi import clean
from mahdar.evals.comparing.compare import RecordChange, RunComparison, compare_runs
from mahdar.evals.comparing.tables import signed
from mahdar.evals.reporting.telling import Line, Told, accepted, lines, told
from mahdar.evals.running import runs
from mahdar.evals.running.runs import CaseResult, Run
from mahdar.evals.scorer.rates import FieldScore, RecordRates
from mahdar.evals.scorer.scoring import PairScore, TypeScore
from mahdar.evals.scorer.uncertainty import ArticleCounts, Interval, RecordType, micro_interval
from mahdar.evals.tables import number
from mahdar.html import page
from mahdar.html.page import Language, PageSource

SOURCE: Final = PageSource(
    "mahdar.evals.reporting", "evaluation.html.j2", ("page.css", "evaluation.css"), ("page.js", "evaluation.js")
)
TYPES: Final[tuple[RecordType, ...]] = ("meetings", "stances")


@dataclass(frozen=True, slots=True)
class ScoreBar:
    """A score as a bar with its interval; None where there is none."""

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, value: float, interval: Interval) -> "ScoreBar":
        """A bar that keeps within 0 and 1, as an interval of few articles may not."""
        low, high = interval.low, interval.high
        return cls(value, None if low is None else max(0.0, low), None if high is None else min(1.0, high))


@dataclass(frozen=True, slots=True)
class Headline:
    """The score of a type of records, or of a part of them."""

    name: str
    rates: RecordRates
    bar: ScoreBar
    counts: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field over all articles."""

    name: str
    score: FieldScore
    bar: ScoreBar


@dataclass(frozen=True, slots=True)
class Judged:
    """A field of an aligned pair: label, prediction, and the mark."""

    field: str
    gold: tuple[Line, ...]
    predicted: tuple[Line, ...]
    outcome: str
    score: float
    accepted: Line


@dataclass(frozen=True, slots=True)
class PairView:
    """A label and the prediction aligned with it."""

    gold: str
    predicted: str
    quality: float
    fields: tuple[Judged, ...]
    note: str | None
    quotes: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def is_right(self) -> bool:
        """Whether nothing in it is to be looked at."""
        return all(one.outcome == "correct" for one in self.fields)


@dataclass(frozen=True, slots=True)
class Alone:
    """A record without a partner."""

    id: str
    fields: tuple[Told, ...]
    quotes: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeView:
    """One article's records of one type."""

    name: RecordType
    soft_f1: float
    pairs: tuple[PairView, ...]
    missed: tuple[Alone, ...]
    made_up: tuple[Alone, ...]

    @property
    def is_right(self) -> bool:
        """Whether nothing in it is to be looked at."""
        return not (self.missed or self.made_up) and all(pair.is_right for pair in self.pairs)


@dataclass(frozen=True, slots=True)
class ArticleView:
    """One article."""

    id: str
    failed: str | None
    message: str | None
    language: str | None
    types: tuple[TypeView, ...]

    @property
    def is_right(self) -> bool:
        """Whether nothing in it is to be looked at."""
        return not self.failed and all(one.is_right for one in self.types)


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A record that two runs have differently."""

    article: str
    gold: Alone | None
    before: Alone | None
    after: Alone | None
    worth: tuple[float, float]
    fields: tuple[str, ...]

    @property
    def difference(self) -> float:
        """What was won; a record made up anew is a loss, one no longer made up a gain."""
        if self.gold is None:
            return 1.0 if self.after is None else -1.0
        return self.worth[1] - self.worth[0]


def of_runs(run: Path, against: Path | None, name: str, language: Language) -> Iterator[tuple[str, str]]:
    """The page of a run file.

    Args:
        run: the file.
        against: the run before it.
        name: the page's file name.
        language: of the interface, until the reader takes another.

    Raises:
        UsageError: a file is no run file, or the two cannot be compared.
    """
    made = runs.read(run)
    yield name, render(made, runs.read(against) if against else None, title=run.name, language=language)


def render(run: Run, before: Run | None = None, *, title: str, language: Language = "en") -> str:
    """The page of a run, with what changed since another where there is one."""
    compared = compare_runs(before, run) if before else None
    interval = run.summary.meetings.micro_interval
    return page.render(
        SOURCE,
        language=language,
        title=title,
        asked=_asked(run),
        before=_asked(before) if before else None,
        compared=compared,
        changes=sorted(map(_change, compared.changes), key=lambda one: one.difference) if compared else [],
        moves=sorted(compared.moves, key=lambda one: one.difference) if compared else [],
        most=max((abs(move.difference) for move in compared.moves), default=1.0) if compared else 1.0,
        tests=_tests(compared) if compared else [],
        headlines=list(_headlines(run)),
        interval={
            "method": interval.method,
            "articles": interval.articles,
            "level": f"{interval.level:.0%}",
        },
        fields={records: list(_fields(run, records)) for records in TYPES},
        repeats=len(run.repeats),
        articles=[_article(one) for one in run.outcomes],
        scoring=f"scoring {run.scoring_version} sha256:{run.scoring_sha256[:12]}",
        number=lambda value: page.numeral(number(value)),
        signed=lambda value: page.numeral(signed(value)),
        plain=number,
        span=_span,
    )


def _span(bar: ScoreBar) -> Markup:
    known = bar.low is not None and bar.high is not None
    return page.numeral(f"[{number(bar.low)}, {number(bar.high)}]" if known else "–")


def _asked(run: Run) -> tuple[str, ...]:
    asked = run.asked
    who = f"{asked.system} · {asked.makers} · {run.run_mode} · {run.when:%Y-%m-%d %H:%M} UTC"
    said = (clean(asked.said),) if asked.said else ()
    return (clean(who), *said, *(clean(f"{task}: {prompt}") for task, prompt in asked.prompts.items()))


def _tests(compared: RunComparison) -> list[Mapping[str, Any]]:
    return [
        {
            "records": records,
            "note": test.note,
            "told": {
                "difference": signed(test.difference),
                "wins": test.wins,
                "losses": test.losses,
                "ties": test.articles - test.wins - test.losses,
                "articles": test.articles,
                "p": f"{test.p_value:.3g}",
            },
        }
        for records, test in compared.tests.items()
    ]


def _headlines(run: Run) -> Iterator[Headline]:
    summary = run.summary
    for name in TYPES:
        found = getattr(summary, name)
        bar = ScoreBar.of(found.micro.soft.f1, found.micro_interval)
        yield Headline(f"total.{name}", found.micro, bar, _counts(found.counts))
    part = summary.stances_not_affirming
    yield Headline("eval.not_affirming", part.micro, ScoreBar(part.micro.soft.f1), _counts(part.counts))


def _counts(counts: Any) -> tuple[int, int, int]:
    return counts.aligned, counts.predicted, counts.gold


def _fields(run: Run, records: RecordType) -> Iterator[FieldLine]:
    for name, score in getattr(run.summary, records).fields.items():
        rows = [_row(one, records, name) for one in run.outcomes]
        yield FieldLine(name, score, ScoreBar.of(score.rates.f1, micro_interval(rows)))


def _row(outcome: CaseResult, records: RecordType, field: str) -> ArticleCounts:
    """An article's part of a field's F1, which resamples as the headline does: twice the right over all stated."""
    score: FieldScore = getattr(outcome.score, records).fields[field]
    counts = score.counts
    stated = counts.correct + counts.incorrect
    predicted, gold = stated + counts.spurious, stated + counts.missing
    return ArticleCounts(outcome.document_id, counts.correct, predicted, gold, score.rates.f1)


def _article(outcome: CaseResult) -> ArticleView:
    failed = outcome.failed
    return ArticleView(
        id=outcome.document_id,
        failed=failed.failure if failed else None,
        message=failed.message if failed else None,
        language=outcome.labels.language,
        types=tuple(_type(outcome, records) for records in TYPES),
    )


def _type(outcome: CaseResult, records: RecordType) -> TypeView:
    score: TypeScore = getattr(outcome.score, records)
    gold = {one.id: one for one in getattr(outcome.labels, records)}
    found = {one.id: one for one in getattr(outcome.extraction, records)} if outcome.extraction else {}
    return TypeView(
        name=records,
        soft_f1=score.rates.soft.f1,
        pairs=tuple(_pair(pair, gold[pair.gold], found[pair.predicted]) for pair in score.pairs),
        missed=tuple(_alone(gold[id_]) for id_ in score.missed),
        made_up=tuple(_alone(found[id_], *_remarks(id_, score)) for id_ in score.spurious),
    )


def _pair(pair: PairScore, gold: Any, predicted: Any) -> PairView:
    fields = tuple(
        Judged(name, lines(name, gold), lines(name, predicted), one.outcome, one.score, accepted(name, gold))
        for name, one in pair.fields.items()
    )
    return PairView(pair.gold, pair.predicted, pair.quality, fields, gold.note, (_quotes(gold), _quotes(predicted)))


def _alone(record: Any, *remarks: str) -> Alone:
    return Alone(record.id, told(record), _quotes(record), remarks)


def _remarks(id_: str, score: TypeScore) -> Sequence[str]:
    found = {"eval.duplicate": score.duplicates, "eval.noise": score.only_in_noise}
    return [remark for remark, ids in found.items() if id_ in ids]


def _quotes(record: Any) -> tuple[str, ...]:
    return tuple(piece.quote for piece in record.evidence)


def _change(change: RecordChange) -> ChangeView:
    gold, before, after = (_alone(one) if one else None for one in (change.gold, change.before, change.after))
    return ChangeView(change.article, gold, before, after, change.worth, change.fields)
