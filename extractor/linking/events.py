"""Events: encounters that several articles tell are put together, or left apart.

Two are one meeting where the same sides met, on days, in ways and at places that do not exclude each other. The surest
pairs are joined first; an article never tells one event twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from mahdar.documents.folding import fold
from mahdar.linking.actors import MOST_OF_A_KEY
from mahdar.linking.clusters import Join
from mahdar.linking.encounters import MeetingParty, ToldMeeting, stand_for_each_other
from mahdar.linking.sounds import can_be_written

DAYS_MISTAKEN: Final = 1
"""By so many days two reports of one meeting may differ, where all else is the same; it is shown as a contradiction."""
PUBLISHED_TOGETHER: Final = 2
"""Days between two articles that may contradict each other about one meeting, and not tell of two."""
WEEK: Final = 7

_STATUS: Final = {"ongoing": "held"}
_KIND: Final = {"negotiation": "met", "talks": "met", "summit": "met", "visit": "met", "other": "met"}
"""Kinds that articles exchange for each other; the others are meetings of their own."""


@dataclass(frozen=True, slots=True)
class EventMatch:
    """What two encounters have in common."""

    strength: tuple[int, ...]
    reasons: list[str]


@dataclass(eq=False, slots=True)
class Event:
    """A meeting in the making: the encounters that are one so far."""

    encounters: list[ToldMeeting]
    joins: list[Join] = field(default_factory=list)
    event_id: str | None = None
    into: "Event | None" = None


@dataclass(frozen=True, slots=True)
class EventDoubt:
    """Two encounters that may be one, and what speaks for and against it."""

    left: ToldMeeting
    right: ToldMeeting
    for_: list[str]
    against: list[str]


def link_encounters(
    encounters: Sequence[ToldMeeting], copy_of: Mapping[str, str]
) -> tuple[list[Event], list[EventDoubt]]:
    """Put encounters together to events, in the order of their first encounter.

    Args:
        encounters: in the order of articles and meetings.
        copy_of: article → the one of which it is a near-duplicate.
    """
    events = {one.key: Event([one], event_id=one.event_id) for one in encounters}
    doubts: list[EventDoubt] = []
    _join_known(events)
    pairs: list[tuple[EventMatch, ToldMeeting, ToldMeeting]] = []
    for a, b in _candidates(encounters):
        copies = copy_of.get(a.article, a.article) == copy_of.get(b.article, b.article)
        against, match = compare(a, b, copies=copies)
        if match is None:
            continue
        if against:
            doubts.append(EventDoubt(a, b, match.reasons, against))
        else:
            pairs.append((match, a, b))
    for match, a, b in sorted(pairs, key=lambda pair: (pair[0].strength, pair[1].key, pair[2].key)):
        left, right = _final(events[a.key]), _final(events[b.key])
        if left is right:
            continue
        against = _against(left, right, copy_of)
        if against:
            doubts.append(EventDoubt(a, b, match.reasons, against))
        else:
            _join(left, right, a, b, match.reasons)
    return [event for event in events.values() if event.into is None], doubts


def compare(a: ToldMeeting, b: ToldMeeting, *, copies: bool = False) -> tuple[list[str], EventMatch | None]:
    """Weigh two meetings.

    Args:
        a: one.
        b: another, of another article.
        copies: both articles have the same text.

    Returns:
        What speaks against their being one, and what for it; None where they are plainly two.
    """
    if _status(a) != _status(b) or _kind(a) != _kind(b) or not _channels_fit(a.channel, b.channel):
        return [], None
    same, common = _parties_fit(a.principals, b.principals)
    apart = _days_apart(a, b)
    if not common or (not same and len(common) < 2) or apart > (DAYS_MISTAKEN if a.is_told and b.is_told else 0):
        return [], None
    exact = a.is_told and b.is_told and a.span == b.span and a.span is not None and a.span.is_day
    place = _places_fit(a, b)
    topics = sorted(set(a.topics) & set(b.topics))
    for_ = [
        f"principals: {', '.join(common)}",
        f"day: {a.date.get('value')}" if exact else "days: do not exclude each other" if apart == 0 else "",
        "place: the same" if place else "",
        f"topics: {', '.join(topics)}" if topics else "",
        "articles: near-duplicates" if copies else "",
    ]
    mistaken = place and topics and _published_together(a, b)
    told_in_part = exact and place is not False and topics and min(len(a.principals), len(b.principals)) > 1
    against = [
        "" if same or told_in_part else "principals: one more",
        "" if copies or (a.span and b.span) else "day: not known",
        "" if not apart or copies or mistaken else f"day: {a.date.get('value')} and {b.date.get('value')}",
        "" if place is not False or (exact and same) else f"place: {_city(a)} and {_city(b)}",
    ]
    strength = (-copies, -exact, -same, -(place is True), -len(common), -len(topics), apart)
    return list(filter(None, against)), EventMatch(strength, list(filter(None, for_)))


def _days_apart(a: ToldMeeting, b: ToldMeeting) -> int:
    return a.span.days_to(b.span) if a.span and b.span else 0


def _parties_fit(a: Sequence[MeetingParty], b: Sequence[MeetingParty]) -> tuple[bool, list[str]]:
    """Whether the same sides met, and which principals, or sides, are common to both.

    A country, government or delegation stands for the persons of its country, as many as they are; an office for who
    holds it.
    """
    common: list[str] = []
    uncovered = 0
    for party in a:
        name = next((party.name for other in b if stand_for_each_other(party, other)), None)
        if name:
            common.append(name)
        else:
            uncovered += 1
    uncovered_b = sum(not any(stand_for_each_other(party, other) for other in a) for party in b)
    sides = {party.country or party.actor_id for party in a}, {party.country or party.actor_id for party in b}
    same = bool(common) and uncovered == uncovered_b == 0 and sides[0] == sides[1]
    one_more = uncovered + uncovered_b == 1
    return same, common if same or one_more else []


def _candidates(encounters: Iterable[ToldMeeting]) -> Iterator[tuple[ToldMeeting, ToldMeeting]]:
    """Pairs of different articles that share two principals, or sides, and a week; each once."""
    blocks = defaultdict[tuple[object, ...], list[ToldMeeting]](list)
    for encounter in encounters:
        for key in _keys(encounter):
            blocks[key].append(encounter)
    seen = set[tuple[tuple[str, str], tuple[str, str]]]()
    for block in blocks.values():
        if len(block) > MOST_OF_A_KEY:
            continue
        for a, b in combinations(block, 2):
            if a.article != b.article and (a.key, b.key) not in seen:
                seen.add((a.key, b.key))
                yield a, b


def _keys(encounter: ToldMeeting) -> set[tuple[object, ...]]:
    names = sorted({party.actor_id for party in encounter.principals})
    countries = sorted({party.country for party in encounter.principals if party.country})
    pairs: set[tuple[str, ...]] = {*combinations(names, 2), *combinations(countries, 2)}
    if len(names) == 1:
        pairs.add((names[0],))
    if len(countries) == 1:
        pairs |= {(countries[0], name) for name in names}
    return {(*pair, week) for pair in pairs for week in _weeks(encounter)}


def _weeks(encounter: ToldMeeting) -> Iterable[int | None]:
    """The weeks that an encounter may fall in; it is compared with those in the same. None where nothing is known."""
    span = encounter.span
    if span is None:
        return (None,)
    first, last = span.first.toordinal() - DAYS_MISTAKEN, span.last.toordinal() + DAYS_MISTAKEN
    return range(first // WEEK, min(last // WEEK, first // WEEK + 10) + 1)


def _status(encounter: ToldMeeting) -> str:
    return _STATUS.get(encounter.status, encounter.status)


def _kind(encounter: ToldMeeting) -> str:
    return _KIND.get(encounter.kind, encounter.kind)


def _channels_fit(a: str, b: str) -> bool:
    return a == b or "unspecified" in {a, b}


def _places_fit(a: ToldMeeting, b: ToldMeeting) -> bool | None:
    """Whether two places are the same; None where one of them is not told."""
    cities = [_city(one) for one in (a, b)]
    if all(cities):
        one, other = (fold(city or "").removeprefix("ال").replace(" ", "") for city in cities)
        if one == other:
            return True
        if one.isascii() == other.isascii():
            return False
        arabic, latin = (other, one) if one.isascii() else (one, other)
        if can_be_written(arabic, latin):
            return True
    countries = [one.place.get("country") for one in (a, b)]
    return countries[0] == countries[1] if all(countries) else None


def _city(encounter: ToldMeeting) -> str | None:
    city = encounter.place.get("city")
    return str(city) if city else None


def _published_together(a: ToldMeeting, b: ToldMeeting) -> bool:
    if a.published is None or b.published is None:
        return False
    return abs((a.published - b.published).days) <= PUBLISHED_TOGETHER


def _join_known(events: Mapping[tuple[str, str], Event]) -> None:
    """Encounters that an earlier run made one stay so."""
    first: dict[str, Event] = {}
    for event in events.values():
        if event.event_id:
            known = first.setdefault(event.event_id, event)
            if known is not event:
                known.encounters += event.encounters
                event.into = known


def _against(left: Event, right: Event, copy_of: Mapping[str, str]) -> list[str]:
    if left.event_id and right.event_id and left.event_id != right.event_id:
        return [f"ids: {left.event_id} and {right.event_id} stand in earlier results"]
    shared = {one.article for one in left.encounters} & {one.article for one in right.encounters}
    if shared:
        return [f"article: {min(shared)} has both, as two"]
    for a in left.encounters:
        for b in right.encounters:
            copies = copy_of.get(a.article, a.article) == copy_of.get(b.article, b.article)
            against, match = compare(a, b, copies=copies)
            if match is None or any(not reason.startswith("day: not known") for reason in against):
                return [f"{a.label} and {b.label}: {'; '.join(against) or 'two meetings'}"]
    return []


def _join(left: Event, right: Event, a: ToldMeeting, b: ToldMeeting, reasons: list[str]) -> None:
    keeper, other = sorted((left, right), key=lambda event: (event.event_id is None, event.encounters[0].key))
    keeper.encounters += other.encounters
    keeper.joins += [*other.joins, Join(a.label, b.label, reasons)]
    other.into = keeper


def _final(event: Event) -> Event:
    while event.into is not None:
        event = event.into
    return event
