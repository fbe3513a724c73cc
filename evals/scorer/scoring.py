"""Score one article: which labels an extraction found, how correctly, and which records it made up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mahdar.evals.scorer.alignment import Alignment, Pair, align_meetings, align_stances
from mahdar.evals.scorer.config import SCORING, Scoring
from mahdar.evals.scorer.fields import MEETING_FIELDS, STANCE_FIELDS, Field, Judgement, is_accepted
from mahdar.evals.scorer.grounding import Grounding, grounding, is_only_in_noise
from mahdar.evals.scorer.rates import (
    ClassCounts,
    ClassScore,
    Counts,
    FieldCounts,
    FieldScore,
    RecordCounts,
    RecordRates,
)
from mahdar.evals.scorer.reference import Reference
from mahdar.schemas.labels import LabelledStance, Labels
from mahdar.schemas.records import Extraction, Provenance, Stance

POLARITIES: Final = ("favor", "against")
AFFIRMING: Final = "affirm_importance"
"""Act that is so frequent in news that analysts filter it: stances are scored with and without it."""


@dataclass(frozen=True, slots=True)
class PairScore:
    """A gold record and the predicted one aligned with it, by their ids; identity and quality are from 0 to 1."""

    gold: str
    predicted: str
    identity: float
    quality: float
    fields: Mapping[str, Judgement]


@dataclass(frozen=True, slots=True)
class TypeScore:
    """Score of one article's records of one type."""

    counts: RecordCounts
    rates: RecordRates
    fields: Mapping[str, FieldScore]
    pairs: tuple[PairScore, ...]
    missed: tuple[str, ...]
    """ids of gold records without a partner"""
    spurious: tuple[str, ...]
    """ids of predicted records without a partner"""
    duplicates: tuple[str, ...]
    """ids of spurious records whose gold record is paired with another one"""
    only_in_noise: tuple[str, ...]
    """ids of predicted records, paired or not, whose evidence is all outside the body"""


@dataclass(frozen=True, slots=True)
class Slice:
    """Score of a part of the records."""

    counts: RecordCounts
    rates: RecordRates


@dataclass(frozen=True, slots=True)
class Effort(Counts):
    """Calls, tokens, seconds and cost of extractions."""

    valid_at_first: int = 0
    """articles whose answers were all valid without a re-ask"""
    calls: int = 0
    attempts: int = 0
    reasks: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    """US dollars, of articles whose price is known"""
    unpriced: int = 0
    """articles whose price is not known"""


@dataclass(frozen=True, slots=True)
class ArticleScore:
    """Score of one article."""

    document_id: str
    failed: bool
    """whether there is no extraction; the article then scores zero and still counts"""
    scoring_sha256: str
    meetings: TypeScore
    stances: TypeScore
    stances_not_affirming: Slice
    polarity: Mapping[str, ClassScore]
    grounding: Grounding
    effort: Effort


def score_article(
    gold: Labels, predicted: Extraction | None, text: str | None, scoring: Scoring = SCORING
) -> ArticleScore:
    """Compare an extraction with the labels of its article.

    Args:
        gold: the labels.
        predicted: None if extraction failed or the article is missing; it then scores zero.
        text: the article; without it, evidence overlaps only if one quote contains another, and stays unchecked.
        scoring: weights and thresholds.

    Raises:
        ValueError: labels and extraction have different document ids.
    """
    if predicted is not None and predicted.document_id != gold.document_id:
        raise ValueError(
            f"document_id: labels are of {gold.document_id!r}, the extraction of {predicted.document_id!r}: "
            "score each with its own"
        )
    found = predicted or Extraction(document_id=gold.document_id, text_sha256="", provenance=Provenance())
    ref = Reference.of(gold, text, scoring)
    meetings, stances = align_meetings(found.meetings, ref), align_stances(found.stances, ref)
    failed = predicted is None
    affirming = _not_affirming(stances, gold.stances, found.stances)
    return ArticleScore(
        document_id=gold.document_id,
        failed=failed,
        scoring_sha256=scoring.sha256,
        meetings=_type_score(meetings, gold.meetings, found.meetings, ref, MEETING_FIELDS, failed=failed),
        stances=_type_score(stances, gold.stances, found.stances, ref, STANCE_FIELDS, failed=failed),
        stances_not_affirming=Slice(affirming, _rates(affirming, failed=failed)),
        polarity={value: _polarity(value, stances, gold.stances, found.stances) for value in POLARITIES},
        grounding=grounding(found, text),
        effort=Effort() if failed else _effort(found.provenance),
    )


def _type_score(
    alignment: Alignment,
    gold: Sequence[Any],
    predicted: Sequence[Any],
    ref: Reference,
    fields: Mapping[str, Field],
    *,
    failed: bool,
) -> TypeScore:
    pairs = alignment.pairs
    missed = [record for at, record in enumerate(gold) if at not in {pair.gold for pair in pairs}]
    spurious = [record for at, record in enumerate(predicted) if at not in {pair.predicted for pair in pairs}]
    counts = RecordCounts(len(pairs), len(predicted), len(gold), sum(pair.quality for pair in pairs))
    return TypeScore(
        counts=counts,
        rates=_rates(counts, failed=failed),
        fields={name: FieldScore.of(_field(name, fields[name], pairs, missed, spurious)) for name in fields},
        pairs=tuple(
            PairScore(gold[pair.gold].id, predicted[pair.predicted].id, pair.identity, pair.quality, pair.fields)
            for pair in pairs
        ),
        missed=_ids(missed),
        spurious=_ids(spurious),
        duplicates=_ids(predicted[at] for at in alignment.duplicates),
        only_in_noise=_ids(record for record in predicted if is_only_in_noise(record, ref.text)),
    )


def _rates(counts: RecordCounts, *, failed: bool) -> RecordRates:
    return RecordRates.zero() if failed else RecordRates.of(counts)


def _ids(records: Iterable[Any]) -> tuple[str, ...]:
    return tuple(record.id for record in records)


def _field(
    name: str, field: Field, pairs: Sequence[Pair], missed: Sequence[Any], spurious: Sequence[Any]
) -> FieldCounts:
    judgements = [pair.fields[name] for pair in pairs if name in pair.fields]
    outcomes = [judgement.outcome for judgement in judgements]
    return FieldCounts(
        correct=outcomes.count("correct"),
        incorrect=outcomes.count("incorrect"),
        missing=outcomes.count("missing") + sum(map(field.is_stated, missed)),
        spurious=outcomes.count("spurious") + sum(map(field.is_stated, spurious)),
        judged=len(judgements),
        credit=sum(judgement.score for judgement in judgements),
    )


def _effective(
    field: str, alignment: Alignment, gold: Sequence[LabelledStance], predicted: Sequence[Stance]
) -> list[str]:
    """Return gold's values of a closed field, replaced by predicted ones that are accepted alternatives."""
    values: list[str] = [getattr(stance, field) for stance in gold]
    for pair in alignment.pairs:
        value = getattr(predicted[pair.predicted], field)
        if is_accepted(field, gold[pair.gold], value):
            values[pair.gold] = value
    return values


def _not_affirming(alignment: Alignment, gold: Sequence[LabelledStance], predicted: Sequence[Stance]) -> RecordCounts:
    """Return the counts of stances of other acts than `AFFIRMING`, which is filtered from both sides."""
    ours = [act != AFFIRMING for act in _effective("act", alignment, gold, predicted)]
    theirs = [stance.act != AFFIRMING for stance in predicted]
    kept = [pair for pair in alignment.pairs if ours[pair.gold] and theirs[pair.predicted]]
    return RecordCounts(len(kept), sum(theirs), sum(ours), sum(pair.quality for pair in kept))


def _polarity(
    value: str, alignment: Alignment, gold: Sequence[LabelledStance], predicted: Sequence[Stance]
) -> ClassScore:
    ours = _effective("polarity", alignment, gold, predicted)
    theirs: list[str] = [stance.polarity for stance in predicted]
    right = sum(ours[pair.gold] == value == theirs[pair.predicted] for pair in alignment.pairs)
    return ClassScore.of(ClassCounts(right, theirs.count(value), ours.count(value)))


def _effort(provenance: Provenance) -> Effort:
    return Effort(
        valid_at_first=int(provenance.valid_at_first),
        calls=provenance.calls,
        attempts=provenance.attempts,
        reasks=provenance.reasks,
        tokens_in=provenance.tokens_in,
        tokens_out=provenance.tokens_out,
        seconds=provenance.seconds,
        cost=provenance.cost or 0.0,
        unpriced=int(provenance.cost is None),
    )
