"""Score each field of an aligned record, from 0 to 1."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from mahdar.evals.scorer.gazetteer import is_same_city
from mahdar.evals.scorer.matching import form, is_short, is_spelled_alike
from mahdar.evals.scorer.pairing import set_f1, soft_f1
from mahdar.evals.scorer.reference import Reference
from mahdar.evals.scorer.text import similarity
from mahdar.schemas import edtf
from mahdar.schemas.labels import (
    LabelledActor,
    LabelledMeeting,
    LabelledParticipant,
    LabelledPlace,
    LabelledSpot,
    LabelledStance,
)
from mahdar.schemas.records import Actor, Meeting, Participant, Place, Stance

Outcome = Literal["correct", "incorrect", "missing", "spurious"]
_ALONE: Final = frozenset({"person", "role"})
"""Actor types that are one human being; the others are bodies."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Score of a field of an aligned pair, from 0 to 1, and its class."""

    score: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Field:
    """A scored field: whether a record states it, how a prediction is scored, and whether it can be partly right."""

    is_stated: Callable[[Any], bool]
    score: Callable[[Any, Any, Reference], float]
    is_graded: bool = False


def judged(fields: Mapping[str, Field], gold: Any, predicted: Any, ref: Reference) -> dict[str, Judgement]:
    """Judge the fields that gold or prediction states."""
    judgements: dict[str, Judgement] = {}
    for name, field in fields.items():
        in_gold, in_prediction = field.is_stated(gold), field.is_stated(predicted)
        if in_gold or in_prediction:
            score = field.score(gold, predicted, ref)
            outcome: Outcome = "incorrect" if in_prediction else "missing"
            if score >= (ref.scoring.fields.correct_from if field.is_graded else 1.0):
                outcome = "correct"
            elif not in_gold:
                outcome = "spurious"
            judgements[name] = Judgement(score, outcome)
    return judgements


def quality(judgements: Mapping[str, Judgement], weights: Any) -> float:
    """Return the weighted mean of the judged fields; 1 if their weights are all 0."""
    worth: dict[str, float] = {name: weight for name, weight in asdict(weights).items() if name in judgements}
    total = sum(worth.values())
    return sum(weight * judgements[name].score for name, weight in worth.items()) / total if total else 1.0


def holder_f1(gold: Iterable[LabelledActor], predicted: Iterable[Actor], ref: Reference) -> float:
    """Return F1 of two holder sets, in which a person and their own institution match half."""
    ours, theirs = tuple(gold), tuple(predicted)
    return soft_f1([[_holder_worth(one, other, ref) for other in theirs] for one in ours], len(ours), len(theirs))


def is_accepted(field: str, gold: Any, value: str) -> bool:
    """Return whether a closed field has gold's value or one of its alternatives."""
    return value == getattr(gold, field) or value in getattr(gold.alternatives, field)


def _participants(gold: LabelledMeeting, predicted: Meeting, ref: Reference) -> float:
    ours, theirs = gold.participants, predicted.participants
    worth = [[_participant_worth(one, other, ref) for other in theirs] for one in ours]
    return soft_f1(worth, len(ours), len(theirs))


def _participant_worth(gold: LabelledParticipant, predicted: Participant, ref: Reference) -> float:
    if not ref.cast.is_match(gold, predicted.name):
        return 0.0
    fields = ref.scoring.fields
    country = fields.participant_country * (gold.country == predicted.country)
    return fields.participant + country + fields.participant_capacity * (gold.capacity == predicted.capacity)


def _has_date(record: LabelledMeeting | Meeting) -> bool:
    return record.date is not None and (record.date.text is not None or record.date.value is not None)


def _date(gold: LabelledMeeting, predicted: Meeting, ref: Reference) -> float:
    value = predicted.date.value if predicted.date else None
    if gold.date is None:
        return 0.0
    if value in gold.date.accept:
        return 1.0
    if gold.date.value is None:
        # The day cannot be known: the words count, and a computed day is wrong.
        said = predicted.date.text if predicted.date and value is None else None
        alike = similarity(said, gold.date.text) if said and gold.date.text else 0.0
        return float(alike >= ref.scoring.fields.date_text)
    if value is None:
        return 0.0
    if value == gold.date.value or edtf.parse(value) == edtf.parse(gold.date.value) is not None:
        return 1.0
    return ref.scoring.fields.date_coarser * edtf.is_coarser(value, gold.date.value)


def _has_place(record: LabelledMeeting | Meeting) -> bool:
    place = record.place
    return place is not None and any((place.venue, place.city, place.country))


def _place(gold: LabelledMeeting, predicted: Meeting, ref: Reference) -> float:
    """Return the best score over the places that gold accepts; if it also accepts none, a part may be left out."""
    if gold.place is None:
        return 0.0
    may_omit = None in gold.place.accept
    accepted = [gold.place, *(spot for spot in gold.place.accept if spot is not None)]
    return max(_spot(spot, predicted.place or Place(), ref, may_omit=may_omit) for spot in accepted)


def _spot(gold: LabelledSpot | LabelledPlace, predicted: Place, ref: Reference, *, may_omit: bool) -> float:
    venue = similarity(predicted.venue, gold.venue) if gold.venue and predicted.venue else 0.0
    worth = {
        "venue": venue if venue >= ref.scoring.fields.venue else 0.0,
        "city": gold.city and predicted.city and is_same_city(gold.city, predicted.city, gold.country),
        "country": gold.country == predicted.country,
    }
    counted = [name for name in worth if getattr(predicted, name) or (getattr(gold, name) and not may_omit)]
    return sum(float(worth[name] or 0.0) for name in counted) / len(counted) if counted else 1.0


def _outcomes(gold: LabelledMeeting, predicted: Meeting, ref: Reference) -> float:
    """Return soft F1, where a pair of the same type is worth its similarity if that reaches the threshold."""
    alike = (
        [similarity(other.text, one.text) if one.type == other.type else 0.0 for other in predicted.outcomes]
        for one in gold.outcomes
    )
    worth = [[value if value >= ref.scoring.fields.outcome else 0.0 for value in row] for row in alike]
    return soft_f1(worth, len(gold.outcomes), len(predicted.outcomes))


def _holder_worth(gold: LabelledActor, predicted: Actor, ref: Reference) -> float:
    if ref.cast.is_match(gold, predicted.name):
        return 1.0
    person, body = (gold, predicted) if gold.type in _ALONE else (predicted, gold)
    if person.type not in _ALONE or body.type in _ALONE or not person.organization:
        return 0.0
    return ref.scoring.identity.institution * _is_institution(person.organization, body, ref)


def _is_institution(organization: str, body: LabelledActor | Actor, ref: Reference) -> bool:
    names = ref.scoring.names
    own = form(organization, names.joined)
    others = [form(text, names.joined) for text in (body.name, *getattr(body, "aliases", ()))]
    return any(is_spelled_alike(own, one, names) or is_short(own, one, frozenset(), names) for one in others)


def _target(gold: LabelledStance, predicted: Stance, ref: Reference) -> float:
    """Score the target by similarity; 1 if the prediction is exactly the name of gold's target actor."""
    if gold.target.actor and ref.cast.is_whole(gold.target.actor, predicted.target.text):
        return 1.0
    return similarity(predicted.target.text, gold.target.text)


def _act(gold: LabelledStance, predicted: Stance, ref: Reference) -> float:
    if is_accepted("act", gold, predicted.act):
        return 1.0
    accepted = {gold.act, *gold.alternatives.act}
    families = ref.scoring.fields.act_families
    related = any(predicted.act in family and not accepted.isdisjoint(family) for family in families)
    return ref.scoring.fields.act_family * related


def _attribution(gold: LabelledStance, predicted: Stance, ref: Reference) -> float:
    """Compare the innermost sources as names of actors."""
    if not gold.attribution or not predicted.attribution:
        return 0.0
    return float(ref.cast.is_match_of(ref.cast.named(gold.attribution[-1]), predicted.attribution[-1]))


def _closed(name: str) -> Field:
    """Return a field with a closed list of values, which is right or wrong."""

    def score(gold: Any, predicted: Any, _ref: Reference) -> float:
        return float(is_accepted(name, gold, getattr(predicted, name)))

    return Field(lambda _record: True, score)


def _listed(name: str) -> Callable[[Any], bool]:
    return lambda record: bool(getattr(record, name))


MEETING_FIELDS: Final[Mapping[str, Field]] = {
    "participants": Field(_listed("participants"), _participants, is_graded=True),
    "date": Field(_has_date, _date),
    "place": Field(_has_place, _place, is_graded=True),
    "kind": _closed("kind"),
    "status": _closed("status"),
    "channel": _closed("channel"),
    "topics": Field(
        _listed("topics"),
        lambda gold, found, _ref: set_f1(*([topic.code for topic in record.topics] for record in (gold, found))),
        is_graded=True,
    ),
    "outcomes": Field(_listed("outcomes"), _outcomes, is_graded=True),
}
STANCE_FIELDS: Final[Mapping[str, Field]] = {
    "holders": Field(
        _listed("holders"), lambda gold, found, ref: holder_f1(gold.holders, found.holders, ref), is_graded=True
    ),
    "polarity": _closed("polarity"),
    "target": Field(_listed("target"), _target, is_graded=True),
    "act": Field(lambda _record: True, _act),
    "proposition": Field(
        _listed("proposition"), lambda gold, found, _: similarity(found.proposition, gold.proposition), is_graded=True
    ),
    "attribution": Field(_listed("attribution"), _attribution),
    "speech": _closed("speech"),
}
