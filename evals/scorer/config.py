"""The weights and thresholds of the score, in one value with a version and a hash that is printed with every score."""

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any

from mahdar.schemas.json_schema import content_hash


@dataclass(frozen=True, slots=True)
class MeetingWeights:
    """What each field of a meeting is worth; they add up to 1."""

    participants: float = 0.45
    date: float = 0.15
    place: float = 0.10
    kind: float = 0.08
    status: float = 0.07
    channel: float = 0.05
    topics: float = 0.05
    outcomes: float = 0.05


@dataclass(frozen=True, slots=True)
class StanceWeights:
    """What each field of a stance is worth; they add up to 1."""

    holders: float = 0.25
    polarity: float = 0.20
    target: float = 0.20
    act: float = 0.15
    proposition: float = 0.10
    attribution: float = 0.05
    speech: float = 0.05


@dataclass(frozen=True, slots=True)
class NameMatching:
    """When two names are one actor's."""

    ratio: float = 85.0
    """of the whole names: at 85 spelling variants are in and other people out"""
    token_ratio: float = 75.0
    """of their words: «المالطي» and «الليبي» are below it"""
    letters: int = 4
    """of a word that can stand for a name alone"""
    joined: tuple[str, ...] = ("عبد", "ابو", "بن", "ال")
    """written with or without a space before the word that follows; folded: «أبو», «آل»"""


@dataclass(frozen=True, slots=True)
class RecordMatching:
    """When a predicted record is about the same thing as a gold one, and how much that counts."""

    meeting: float = 0.70
    holders: float = 0.5
    overlap: float = 0.5
    text: float = 0.35
    institution: float = 0.5
    """worth of a person where gold has their institution, and the reverse"""
    holders_weight: float = 0.4
    overlap_weight: float = 0.2
    text_weight: float = 0.4
    polarity_bonus: float = 0.2
    quality_weight: float = 0.1
    """of the field score beside identity: decides between candidates of equal identity"""
    joint_bodies: tuple[str, ...] = (
        *("لجنه", "اللجنه", "مجلس", "المجلس", "هيئه", "الهيئه", "مجموعه", "المجموعه", "منتدي", "المنتدي"),
        *("commission", "committee", "council", "board", "group", "forum", "comite", "conseil", "groupe"),
    )
    """words, folded, that name a body two states sit in"""


@dataclass(frozen=True, slots=True)
class FieldCredit:
    """How much a field that is neither right nor wrong is worth."""

    participant: float = 0.8
    participant_country: float = 0.1
    participant_capacity: float = 0.1
    date_coarser: float = 0.5
    date_text: float = 0.8
    venue: float = 0.5
    outcome: float = 0.4
    act_family: float = 0.5
    act_families: tuple[tuple[str, ...], ...] = (
        ("support", "praise", "thank", "recognize"),
        ("call_for", "demand"),
        ("reject", "condemn", "accuse"),
        ("affirm_importance", "accord", "optimism"),
    )
    correct_from: float = 0.5
    """a graded field (names, phrases, sets) counts as correct from here; a closed one and a date only at 1"""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How uncertainty is estimated; the article is the unit."""

    level: float = 0.95
    bootstrap_from: int = 15
    """articles; the bootstrap covers too little below"""
    resamples: int = 9_999
    seed: int = 20_200_720
    exact_up_to: int = 20
    """articles whose 2^n exchanges are all tried; above, a seeded sample of `resamples`"""


@dataclass(frozen=True, slots=True)
class Scoring:
    """All that a score depends on. `version` rises when the code changes a score and no number here does."""

    version: str = "1.0.0"
    meeting: MeetingWeights = MeetingWeights()
    stance: StanceWeights = StanceWeights()
    names: NameMatching = NameMatching()
    identity: RecordMatching = RecordMatching()
    fields: FieldCredit = FieldCredit()
    resampling: Resampling = Resampling()

    @property
    def sha256(self) -> str:
        """The hash of every value in it."""
        return _sha256(self)


@cache
def _sha256(scoring: Scoring) -> str:
    """Computed once: every article's score carries it."""
    return content_hash(as_json(scoring))


def as_json(value: Any) -> Any:
    """A dataclass of this package as JSON has it: lists for tuples."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    return [as_json(part) for part in value] if isinstance(value, tuple | list) else value


SCORING = Scoring()
