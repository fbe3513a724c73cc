"""Compare two runs over the same articles, by figure, article and record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mahdar.errors import UsageError
from mahdar.evals.comparing.figures import figures, figures_of, mean
from mahdar.evals.running.runs import CaseResult, Run
from mahdar.evals.scorer.scoring import PairScore, TypeScore
from mahdar.evals.scorer.uncertainty import Comparison, RecordType, compare

TYPES: Final[tuple[RecordType, ...]] = ("meetings", "stances")
_TIE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Move:
    """Figure in both runs, each from 0 to 1."""

    figure: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """Gain of the second run; negative for a loss."""
        found = self.after - self.before
        return found if abs(found) > _TIE else 0.0


@dataclass(frozen=True, slots=True)
class RecordChange:
    """Record that differs between the two runs.

    Attributes:
        article: id of the article.
        gold: the labelled record; None if one run made the record up.
        before: record of the first run, if it has one.
        after: record of the second run, if it has one.
        worth: quality in both runs, from 0 to 1.
        fields: fields that are judged differently: `date: correct 1.00 → missing 0.00`.
    """

    article: str
    gold: Any | None
    before: Any | None
    after: Any | None
    worth: tuple[float, float]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Differences of two runs."""

    tests: Mapping[RecordType, Comparison]
    """paired permutation of soft F1, the article as the unit"""
    moves: tuple[Move, ...]
    """figures over all articles that differ between the runs"""
    articles: Mapping[str, tuple[Move, ...]]
    """all figures of each article that differs"""
    changes: tuple[RecordChange, ...]
    """records that differ, in the first repeat of both runs"""


def compare_runs(before: Run, after: Run) -> RunComparison:
    """Compare two runs.

    Raises:
        UsageError: the runs have different articles, labels or numbers of repeats.
    """
    _check(before, after)
    by_id = [sorted(run.outcomes, key=lambda one: one.document_id) for run in (before, after)]
    pairs = list(zip(*by_id, strict=True))
    totals = [mean([figures(summary) for summary in run.summaries]) for run in (before, after)]
    ours, theirs = ({one[0].document_id: one for one in zip(*run.repeats, strict=True)} for run in (before, after))
    by_article = {
        id_: _moves(*(mean([figures_of(one.score) for one in found[id_]]) for found in (ours, theirs)))
        for id_ in sorted(ours)
    }
    return RunComparison(
        tests={records: compare(before.rows(records), after.rows(records)) for records in TYPES},
        moves=tuple(move for move in _moves(*totals) if move.difference),
        articles={id_: moves for id_, moves in by_article.items() if any(move.difference for move in moves)},
        changes=tuple(change for old, new in pairs for records in TYPES for change in _changes(old, new, records)),
    )


def _check(before: Run, after: Run) -> None:
    ours, theirs = ({one.document_id: one.labels for one in run.outcomes} for run in (before, after))
    apart = sorted(ours.keys() ^ theirs.keys())
    if apart:
        raise UsageError(f"runs of different articles cannot be compared: {', '.join(apart)} is in one of them alone")
    relabelled = sorted(name for name, labels in ours.items() if theirs[name] != labels)
    if relabelled:
        raise UsageError(
            f"{', '.join(relabelled)}: labelled differently in the two runs: score both again (mahdar eval score)"
        )
    if len(before.repeats) != len(after.repeats):
        raise UsageError(f"{len(before.repeats)} and {len(after.repeats)} repeats: run both as often (--repeat)")


def _moves(before: Mapping[str, float], after: Mapping[str, float]) -> tuple[Move, ...]:
    return tuple(Move(name, before[name], after[name]) for name in before if name in after)


def _changes(old: CaseResult, new: CaseResult, records: RecordType) -> Iterator[RecordChange]:
    ours, theirs = _found(old, records), _found(new, records)
    scores: tuple[TypeScore, TypeScore] = getattr(old.score, records), getattr(new.score, records)
    pairs = tuple({pair.gold: pair for pair in score.pairs} for score in scores)
    for gold in getattr(old.labels, records):
        first, second = (found.get(gold.id) for found in pairs)
        if _differ(first, second):
            yield RecordChange(
                article=old.document_id,
                gold=gold,
                before=ours.get(first.predicted) if first else None,
                after=theirs.get(second.predicted) if second else None,
                worth=(first.quality if first else 0.0, second.quality if second else 0.0),
                fields=_outcomes(first, second),
            )
    yield from _made_up(
        old.document_id, [ours[id_] for id_ in scores[0].spurious], [theirs[id_] for id_ in scores[1].spurious]
    )


def _found(outcome: CaseResult, records: RecordType) -> dict[str, Any]:
    return {record.id: record for record in getattr(outcome.extraction, records)} if outcome.extraction else {}


def _differ(first: PairScore | None, second: PairScore | None) -> bool:
    if first is None or second is None:
        return first is not second
    return abs(first.quality - second.quality) > _TIE or bool(_outcomes(first, second))


def _outcomes(first: PairScore | None, second: PairScore | None) -> tuple[str, ...]:
    """Name the fields that are judged differently, if both runs have the record."""
    if first is None or second is None:
        return ()
    names = [name for name in {**first.fields, **second.fields} if first.fields.get(name) != second.fields.get(name)]
    return tuple(f"{name}: {_said(first, name)} → {_said(second, name)}" for name in names)


def _said(pair: PairScore, name: str) -> str:
    judgement = pair.fields.get(name)
    return f"{judgement.outcome} {judgement.score:.2f}" if judgement else "not stated"


def _made_up(article: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[RecordChange]:
    """Yield records without a gold one that only one run has, compared without their ids."""
    ours, theirs = (
        {record.model_dump_json(exclude={"id", "meeting"}): record for record in found} for found in (before, after)
    )
    for content in {**ours, **theirs}:
        if not (content in ours and content in theirs):
            yield RecordChange(article, None, ours.get(content), theirs.get(content), (0.0, 0.0))
