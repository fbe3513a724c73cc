"""Weights and thresholds of the score: one value with a version, and a hash that is printed with every score."""

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any

from mahdar.schemas.json_schema import content_hash


@dataclass(frozen=True, slots=True)
class MeetingWeights:
    """Weight of each field of a meeting; they add up to 1."""

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
    """Weight of each field of a stance; they add up to 1."""

    holders: float = 0.25
    polarity: float = 0.20
    target: float = 0.20
    act: float = 0.15
    proposition: float = 0.10
    attribution: float = 0.05
    speech: float = 0.05


@dataclass(frozen=True, slots=True)
class NameMatching:
    """Thresholds for two names of one actor; ratios are rapidfuzz's, from 0 to 100."""

    ratio: float = 85.0
    """least ratio of whole names: 85 admits spelling variants and excludes other people"""
    token_ratio: float = 75.0
    """least ratio of their words: «المالطي» and «الليبي» are below it"""
    letters: int = 4
    """least length of a word that may stand alone for a name"""
    joined: tuple[str, ...] = ("عبد", "ابو", "بن", "ال")
    """folded words («أبو», «آل») that are joined to the next one, since the space between is often left out"""


@dataclass(frozen=True, slots=True)
class RecordMatching:
    """Thresholds for a predicted record to be a gold one, and weights of the parts of its identity."""

    meeting: float = 0.70
    holders: float = 0.5
    overlap: float = 0.5
    text: float = 0.35
    institution: float = 0.5
    """credit for a person in place of their institution, and the reverse"""
    holders_weight: float = 0.4
    overlap_weight: float = 0.2
    text_weight: float = 0.4
    polarity_bonus: float = 0.2
    quality_weight: float = 0.1
    """weight of quality beside identity: decides between candidates of equal identity"""
    joint_bodies: tuple[str, ...] = (
        *("لجنه", "اللجنه", "مجلس", "المجلس", "هيئه", "الهيئه", "مجموعه", "المجموعه", "منتدي", "المنتدي"),
        *("commission", "committee", "council", "board", "group", "forum", "comite", "conseil", "groupe"),
    )
    """folded words that name a body in which several states sit"""


@dataclass(frozen=True, slots=True)
class FieldCredit:
    """Credit for fields that are partly right, and least similarities for any credit."""

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
    """least score of a graded field (names, phrases, sets) to count as correct; closed fields and dates need 1"""


@dataclass(frozen=True, slots=True)
class Resampling:
    """Parameters of intervals and tests, which resample articles."""

    level: float = 0.95
    bootstrap_from: int = 15
    """articles; with fewer, bootstrap intervals are too narrow"""
    resamples: int = 9_999
    seed: int = 20_200_720
    exact_up_to: int = 20
    """articles up to which all 2^n exchanges are tried; with more, a seeded sample of `resamples`"""


@dataclass(frozen=True, slots=True)
class Scoring:
    """Everything that a score depends on. Raise `version` when code changes scores and no number here does."""

    version: str = "1.0.0"
    meeting: MeetingWeights = MeetingWeights()
    stance: StanceWeights = StanceWeights()
    names: NameMatching = NameMatching()
    identity: RecordMatching = RecordMatching()
    fields: FieldCredit = FieldCredit()
    resampling: Resampling = Resampling()

    @property
    def sha256(self) -> str:
        """SHA-256 of all values."""
        return _sha256(self)


@cache
def _sha256(scoring: Scoring) -> str:
    """Hash a scoring once, since every article's score carries the hash."""
    return content_hash(as_json(scoring))


def as_json(value: Any) -> Any:
    """Return a dataclass as JSON values, with lists for tuples."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    return [as_json(part) for part in value] if isinstance(value, tuple | list) else value


SCORING = Scoring()
