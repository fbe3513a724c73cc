"""Align predicted records with gold records, one to one, admitting only pairs whose identity is high enough.

Without that gate, a record about the wrong parties would be rewarded for the day and city that it shares with the right
one. Candidates are sorted by content, so that the order of records does not change the alignment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mahdar.evals.scorer import sides
from mahdar.evals.scorer.fields import (
    MEETING_FIELDS,
    STANCE_FIELDS,
    Field,
    Judgement,
    holder_f1,
    is_accepted,
    judged,
    quality,
)
from mahdar.evals.scorer.pairing import best_pairs
from mahdar.evals.scorer.reference import Reference
from mahdar.evals.scorer.text import similarity
from mahdar.schemas.labels import LabelledMeeting, LabelledStance
from mahdar.schemas.records import Meeting, Stance

Records = Sequence[Any]
"""Records of one type: labelled or extracted, meetings or stances."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A gold and a predicted record that may be the same, by their indices; identity and quality are from 0 to 1."""

    gold: int
    predicted: int
    identity: float
    quality: float
    fields: Mapping[str, Judgement]


@dataclass(frozen=True, slots=True)
class Alignment:
    """The chosen pairs, and the indices of predicted records whose gold record is paired with another one."""

    pairs: tuple[Pair, ...]
    duplicates: tuple[int, ...]


def align_meetings(predicted: Sequence[Meeting], ref: Reference) -> Alignment:
    """Align the meetings of one article."""
    gold = ref.labels.meetings
    common = sides.hub(gold, ref.cast)

    def identity(one: LabelledMeeting, other: Meeting) -> float | None:
        found = sides.identity(one, other, common, ref)
        return found if found >= ref.scoring.identity.meeting else None

    return _align(gold, predicted, identity, ref, fields=MEETING_FIELDS, weights=ref.scoring.meeting)


def align_stances(predicted: Sequence[Stance], ref: Reference) -> Alignment:
    """Align the stances of one article, by holders, evidence and wording."""
    gate = ref.scoring.identity

    def identity(one: LabelledStance, other: Stance) -> float | None:
        held = holder_f1(one.holders, other.holders, ref)
        if held < gate.holders:
            return None
        overlap = ref.overlap(one.evidence, other.evidence)
        alike = max(similarity(other.proposition, one.proposition), similarity(other.target.text, one.target.text))
        if overlap < gate.overlap and alike < gate.text:
            return None
        agreed = gate.polarity_bonus * is_accepted("polarity", one, other.polarity)
        return gate.holders_weight * held + gate.overlap_weight * overlap + gate.text_weight * alike + agreed

    return _align(ref.labels.stances, predicted, identity, ref, fields=STANCE_FIELDS, weights=ref.scoring.stance)


def _align(
    gold: Records,
    predicted: Records,
    identity: Callable[[Any, Any], float | None],
    ref: Reference,
    *,
    fields: Mapping[str, Field],
    weights: Any,
) -> Alignment:
    candidates: dict[tuple[int, int], Pair] = {}
    for row, one in enumerate(gold):
        for column, other in enumerate(predicted):
            same = identity(one, other)
            if same is not None:
                judgements = judged(fields, one, other, ref)
                candidates[row, column] = Pair(row, column, same, quality(judgements, weights), judgements)
    weight = ref.scoring.identity.quality_weight
    worth = {at: pair.identity + weight * pair.quality for at, pair in candidates.items()}
    rows, columns = _by_content(gold), _by_content(predicted)
    best = best_pairs([[worth.get((row, column), 0.0) for column in columns] for row in rows])
    pairs = tuple(candidates[rows[row], columns[column]] for row, column in best)
    taken = {pair.predicted for pair in pairs}
    return Alignment(pairs, tuple(sorted({column for _row, column in candidates} - taken)))


def _by_content(records: Records) -> list[int]:
    """Return the indices of records, sorted by their content without ids and notes."""
    content = [record.model_dump_json(exclude={"id", "meeting", "note"}) for record in records]
    return sorted(range(len(records)), key=content.__getitem__)
