"""Make encounters: meetings as one article reports them, with the days on which they can have taken place."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any, Final, NamedTuple

from mahdar.linking.profiles import Profile
from mahdar.resolving.names import is_part
from mahdar.resolving.offices import Office
from mahdar.schemas.edtf import first_day, last_day

COLLECTIVE: Final = frozenset({"country", "government", "delegation", "organization"})
"""Types of actors that may stand for the persons of a side."""
_DAYS_TOLD_LATE: Final = dt.timedelta(days=4)
"""Maximum days after a meeting until an article reports it without its day."""
_DAYS_ANNOUNCED: Final = dt.timedelta(days=60)
"""Maximum days before a meeting that an article announces it."""


class DaySpan(NamedTuple):
    """First and last day on which a meeting can have begun."""

    first: dt.date
    last: dt.date

    @property
    def is_day(self) -> bool:
        """Whether it is a single day."""
        return self.first == self.last

    def days_to(self, other: "DaySpan") -> int:
        """Return the number of days between two spans; 0 if they overlap."""
        return max((other.first - self.last).days, (self.first - other.last).days, 0)


class EncounterParty(NamedTuple):
    """A participant of a meeting."""

    actor_id: str
    name: str
    type: str
    country: str | None
    capacity: str
    offices: frozenset[Office]

    @property
    def is_collective(self) -> bool:
        """Whether it may stand for the persons of its side."""
        return self.type in COLLECTIVE and self.country is not None


@dataclass(eq=False, slots=True)
class Encounter:
    """A meeting in one article."""

    article: str
    meeting: str
    published: dt.date | None
    kind: str
    channel: str
    status: str
    date: Mapping[str, Any]
    place: Mapping[str, Any]
    parties: tuple[EncounterParty, ...]
    topics: tuple[str, ...]
    span: DaySpan | None
    is_told: bool
    """whether the article gives the day; else the span is derived from its publication"""
    event_id: str | None

    @property
    def principals(self) -> tuple[EncounterParty, ...]:
        """Participants that are principals; all participants if none is."""
        return tuple(party for party in self.parties if party.capacity == "principal") or self.parties

    @property
    def city(self) -> str | None:
        """City of its place."""
        return self.place.get("city") or None

    @property
    def key(self) -> tuple[str, str]:
        """Article and id of the meeting."""
        return self.article, self.meeting

    @property
    def label(self) -> str:
        """Article and id of the meeting, as one text."""
        return f"{self.article}/{self.meeting}"


def encounters_in(line: Mapping[str, Any], actors: Mapping[str, Profile]) -> Iterator[Encounter]:
    """Yield the meetings of an article.

    Args:
        line: the article's extraction as JSON.
        actors: the actors of the article by name.
    """
    published = line.get("published_at")
    day = dt.date.fromisoformat(published[:10]) if published else None
    for meeting in line["meetings"]:
        date = meeting.get("date") or {}
        span = span_of(date.get("value"))
        yield Encounter(
            article=intern(line["document_id"]),
            meeting=intern(meeting["id"]),
            published=day,
            kind=intern(meeting["kind"]),
            channel=intern(meeting["channel"]),
            status=intern(meeting["status"]),
            date=date,
            place=meeting.get("place") or {},
            parties=tuple(_party(one, actors[one["name"]]) for one in meeting["participants"]),
            topics=tuple(dict.fromkeys(intern(topic["code"]) for topic in meeting.get("topics") or ())),
            span=span or _by_publication(day, meeting["status"]),
            is_told=span is not None,
            event_id=meeting.get("event_id"),
        )


def span_of(value: str | None) -> DaySpan | None:
    """Return the days that an EDTF value can mean; None if there is no value, or its year is not known."""
    first, last = (first_day(value), last_day(value)) if value else (None, None)
    return DaySpan(first, last) if first and last else None


def stand_for_each_other(a: EncounterParty, b: EncounterParty) -> bool:
    """Return whether two participants are one actor, or one stands for the side or the office of the other."""
    if a.actor_id == b.actor_id:
        return True
    if a.country is None or a.country != b.country:
        return False
    if a.is_collective or b.is_collective:
        return True
    if "role" not in {a.type, b.type}:
        return False
    return any(is_part(one, other, (), ()) or is_part(other, one, (), ()) for one in a.offices for other in b.offices)


def _by_publication(day: dt.date | None, status: str) -> DaySpan | None:
    """Return the days on which a meeting can have been, by its article's day; None if that is not known either."""
    if day is None:
        return None
    if status in {"planned", "proposed", "postponed", "cancelled"}:
        return DaySpan(day, day + _DAYS_ANNOUNCED)
    return DaySpan(day - _DAYS_TOLD_LATE, day)


def _party(participant: Mapping[str, Any], actor: Profile) -> EncounterParty:
    return EncounterParty(
        actor.actor_id,
        actor.name,
        "country" if actor.type == "country" else intern(participant["type"]),
        participant.get("country") or actor.country,
        intern(participant.get("capacity") or "principal"),
        actor.offices,
    )
