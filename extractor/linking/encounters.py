"""Encounters: a meeting as one article tells it, with the days on which it can have been."""

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
"""Types of actors that may stand for a side, in place of its persons."""
_DAYS_TOLD_LATE: Final = dt.timedelta(days=4)
"""So long after it, articles tell of a meeting without its day."""
_DAYS_ANNOUNCED: Final = dt.timedelta(days=60)
"""So long before it, articles announce one."""


class DaySpan(NamedTuple):
    """The first and the last day on which a meeting can have begun."""

    first: dt.date
    last: dt.date

    @property
    def is_day(self) -> bool:
        """Whether the day is known."""
        return self.first == self.last

    def days_to(self, other: "DaySpan") -> int:
        """How many days lie between the two; 0 where they overlap."""
        return max((other.first - self.last).days, (self.first - other.last).days, 0)


class MeetingParty(NamedTuple):
    """A participant."""

    actor_id: str
    name: str
    type: str
    country: str | None
    capacity: str
    offices: frozenset[Office]

    @property
    def is_collective(self) -> bool:
        """Whether it may stand for its side's persons."""
        return self.type in COLLECTIVE and self.country is not None


@dataclass(eq=False, slots=True)
class ToldMeeting:
    """A meeting in one article."""

    article: str
    meeting: str
    published: dt.date | None
    kind: str
    channel: str
    status: str
    date: Mapping[str, Any]
    place: Mapping[str, Any]
    parties: tuple[MeetingParty, ...]
    topics: tuple[str, ...]
    span: DaySpan | None
    is_told: bool
    """whether the article tells the day, so that the span is not by its publication alone"""
    event_id: str | None

    @property
    def principals(self) -> tuple[MeetingParty, ...]:
        """Those who met; where none is marked so, all who took part."""
        return tuple(party for party in self.parties if party.capacity == "principal") or self.parties

    @property
    def key(self) -> tuple[str, str]:
        """Where it stands."""
        return self.article, self.meeting

    @property
    def label(self) -> str:
        """Where it stands, in one word."""
        return f"{self.article}/{self.meeting}"


def encounters_in(line: Mapping[str, Any], actors: Mapping[str, Profile]) -> Iterator[ToldMeeting]:
    """The meetings of an article.

    Args:
        line: the article's extraction as JSON.
        actors: name in this article → its actor.
    """
    published = line.get("published_at")
    day = dt.date.fromisoformat(published[:10]) if published else None
    for meeting in line["meetings"]:
        date = meeting.get("date") or {}
        told = span_of(date.get("value"))
        yield ToldMeeting(
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
            span=told or _by_publication(day, meeting["status"]),
            is_told=told is not None,
            event_id=meeting.get("event_id"),
        )


def span_of(value: str | None) -> DaySpan | None:
    """The days that an EDTF value can mean; None where its year is not known, or it is no value."""
    first, last = (first_day(value), last_day(value)) if value else (None, None)
    return DaySpan(first, last) if first and last else None


def stand_for_each_other(a: MeetingParty, b: MeetingParty) -> bool:
    """Whether two participants are one, or one of them stands for the other's side or office."""
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
    """When a meeting without a day can have been, by when it was told."""
    if day is None:
        return None
    if status in {"planned", "proposed", "postponed", "cancelled"}:
        return DaySpan(day, day + _DAYS_ANNOUNCED)
    return DaySpan(day - _DAYS_TOLD_LATE, day)


def _party(participant: Mapping[str, Any], actor: Profile) -> MeetingParty:
    return MeetingParty(
        actor.actor_id,
        actor.name,
        "country" if actor.type == "country" else intern(participant["type"]),
        participant.get("country") or actor.country,
        intern(participant.get("capacity") or "principal"),
        actor.offices,
    )
