"""The tally: everything that figures count, in one pass over extractions of which none is kept."""

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
"""What a status says of whether they met: seven colours would say less than three."""
_NAMELESS: Final = frozenset({"role", "delegation", "people"})
"""Types whose words name somebody else in the next article, unless the country is the same."""

Key = str
"""A name as it is compared between articles"""


@dataclass(slots=True)
class ActorForms:
    """Who goes by which key: every form met, and every country."""

    forms: dict[Key, Counter[str]] = field(default_factory=dict)
    countries: dict[Key, Counter[str]] = field(default_factory=dict)

    def add(self, actor: Actor) -> Key:
        """Note a name; the key it goes by."""
        country = actor.country or "" if actor.type in _NAMELESS else ""
        key = self.add_text(actor.name, country)
        if actor.country:
            self.countries.setdefault(key, Counter())[actor.country] += 1
        return key

    def add_text(self, text: str, apart: str = "") -> Key:
        """Note words that stand for somebody or something."""
        key = f"{fold(text).replace(' ', '')}{apart}"
        self.forms.setdefault(key, Counter())[clean(text)] += 1
        return key

    def name(self, key: Key) -> str:
        """The form met most often."""
        return self.forms[key].most_common(1)[0][0]

    def country(self, key: Key) -> str | None:
        """The country met most often."""
        found = self.countries.get(key)
        return found.most_common(1)[0][0] if found else None


@dataclass(slots=True)
class Tally:
    """Counts, by what tells apart what is counted."""

    articles: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """language, what the article holds"""
    meetings: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """kind, standing"""
    dates: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """EDTF value, standing"""
    topics: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    """code, month as `2020-07`"""
    countries: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """country, meetings or stances"""
    acts: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """act, polarity"""
    encounters: Counter[tuple[Key, Key]] = field(default_factory=Counter)
    """two who met"""
    present: Counter[Key] = field(default_factory=Counter)
    """meetings of each who met"""
    stands: Counter[tuple[Key, Key, str]] = field(default_factory=Counter)
    """holder, target, polarity"""
    actors: ActorForms = field(default_factory=ActorForms)
    targets: ActorForms = field(default_factory=ActorForms)
    not_met: int = 0
    alone: int = 0

    def add(self, extraction: Extraction) -> None:
        """Count one article and its records."""
        language = clean(extraction.language).partition("-")[0] if extraction.language else None
        self.articles[language, _holding(extraction)] += 1
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
        self._add_encounters(meeting, standing)

    def _add_encounters(self, meeting: Meeting, standing: str) -> None:
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
    """Count them all."""
    counted = Tally()
    for extraction in extractions:
        counted.add(extraction)
    return counted


def month(value: str | None) -> str | None:
    """The month in which a date or an interval begins; None where year or month is not known."""
    span = parse(value) if value else None
    if span is None or span.start.year is None or span.start.month is None:
        return None
    return f"{span.start.year:04}-{span.start.month:02}"


def _holding(extraction: Extraction) -> str:
    if extraction.meetings and extraction.stances:
        return "both"
    if extraction.meetings:
        return "meetings"
    return "stances" if extraction.stances else "neither"


def _pairs(met: list[tuple[Key, str | None]]) -> Iterator[tuple[Key, Key]]:
    """Who met whom: those of one country sit on one side, unless nobody else is there."""
    domestic = len({country for _key, country in met}) == 1
    for (one, mine), (other, theirs) in combinations(sorted(set(met), key=str), 2):
        if one != other and (domestic or mine is None or mine != theirs):
            yield (one, other) if one < other else (other, one)
