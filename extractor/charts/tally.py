"""Count everything that figures show, in one pass over the extractions."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from mahdar.documents.bidi import clean
from mahdar.documents.folding import fold
from mahdar.schemas.edtf import parse
from mahdar.schemas.enums import Status
from mahdar.schemas.records import Actor, Extraction, Meeting, Stance

STANDINGS: Final[dict[Status, str]] = {
    "held": "held",
    "ongoing": "held",
    "planned": "ahead",
    "proposed": "ahead",
    "postponed": "off",
    "cancelled": "off",
    "denied": "off",
}
"""Status → whether the meeting took place, lies ahead, or is off: three colours are easier to read than seven."""
_NAMELESS: Final = frozenset({"role", "delegation", "people"})
"""Actor types whose name means somebody else in another article, unless the country is the same."""

Key = str
"""Folded name, which is compared between articles."""


@dataclass(slots=True)
class ActorForms:
    """Spellings and countries of actors or targets, by key."""

    forms: dict[Key, Counter[str]] = field(default_factory=dict)
    countries: dict[Key, Counter[str]] = field(default_factory=dict)

    def add(self, actor: Actor) -> Key:
        """Count the name and country of an actor, and return its key."""
        country = actor.country or "" if actor.type in _NAMELESS else ""
        key = self.add_text(actor.name, country)
        if actor.country:
            self.countries.setdefault(key, Counter())[actor.country] += 1
        return key

    def add_text(self, text: str, apart: str = "") -> Key:
        """Count a spelling, and return its key; `apart` distinguishes equal spellings."""
        key = f"{fold(text).replace(' ', '')}{apart}"
        self.forms.setdefault(key, Counter())[clean(text)] += 1
        return key

    def name(self, key: Key) -> str:
        """Return the most frequent spelling."""
        return self.forms[key].most_common(1)[0][0]

    def country(self, key: Key) -> str | None:
        """Return the most frequent country; None if none is known."""
        found = self.countries.get(key)
        return found.most_common(1)[0][0] if found else None


@dataclass(slots=True)
class Tally:
    """Counts over extractions, each by the parts that a figure needs."""

    articles: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """(language, `both`, `meetings`, `stances` or `neither`)"""
    meetings: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """(kind, standing)"""
    dates: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """(EDTF value, standing)"""
    topics: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    """(code, month as `2020-07`)"""
    countries: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """(country, `meetings` or `stances`)"""
    acts: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """(act, polarity)"""
    encounters: Counter[tuple[Key, Key]] = field(default_factory=Counter)
    """two actors who met, sorted"""
    present: Counter[Key] = field(default_factory=Counter)
    """meetings of each actor who met another"""
    stands: Counter[tuple[Key, Key, str]] = field(default_factory=Counter)
    """(holder, target, polarity)"""
    actors: ActorForms = field(default_factory=ActorForms)
    targets: ActorForms = field(default_factory=ActorForms)
    not_met: int = 0
    """meetings that did not take place"""
    alone: int = 0
    """meetings held without two sides"""

    def add(self, extraction: Extraction) -> None:
        """Count an article and its records."""
        language = clean(extraction.language).partition("-")[0] if extraction.language else None
        found = [name for name in ("meetings", "stances") if getattr(extraction, name)]
        self.articles[language, "both" if len(found) > 1 else found[0] if found else "neither"] += 1
        for meeting in extraction.meetings:
            self._add_meeting(meeting)
        for stance in extraction.stances:
            self._add_stance(stance)

    def _add_meeting(self, meeting: Meeting) -> None:
        standing, value = STANDINGS[meeting.status], meeting.date.value if meeting.date else None
        self.meetings[meeting.kind, standing] += 1
        self.dates[value, standing] += 1
        self.topics.update((code, month(value)) for code in {topic.code for topic in meeting.topics})
        self.countries.update((country, "meetings") for country in {actor.country for actor in meeting.principals})
        pairs = set(_pairs([(self.actors.add(actor), actor.country) for actor in meeting.principals]))
        if standing != "held":
            self.not_met += 1
        elif not pairs:
            self.alone += 1
        else:
            self.encounters.update(pairs)
            self.present.update({key for pair in pairs for key in pair})

    def _add_stance(self, stance: Stance) -> None:
        target = stance.target
        stood_on = self.targets.add(target.actor) if target.actor else self.targets.add_text(target.text)
        holders = {self.actors.add(holder) for holder in stance.holders}
        self.acts[stance.act, stance.polarity] += 1
        self.countries.update((country, "stances") for country in {holder.country for holder in stance.holders})
        self.stands.update((holder, stood_on, stance.polarity) for holder in holders)


def tally(extractions: Iterable[Extraction]) -> Tally:
    """Count all extractions."""
    counted = Tally()
    for extraction in extractions:
        counted.add(extraction)
    return counted


def month(value: str | None) -> str | None:
    """Return the month in which an EDTF date or interval begins; None if year or month is unknown."""
    span = parse(value) if value else None
    if span is None or span.start.year is None or span.start.month is None:
        return None
    return f"{span.start.year:04}-{span.start.month:02}"


def _pairs(met: list[tuple[Key, str | None]]) -> Iterator[tuple[Key, Key]]:
    """Yield the pairs who met. Actors of one country are one side, unless all are of that country."""
    domestic = len({country for _key, country in met}) == 1
    for (one, mine), (other, theirs) in combinations(sorted(set(met), key=str), 2):
        if one != other and (domestic or mine is None or mine != theirs):
            yield (one, other) if one < other else (other, one)
