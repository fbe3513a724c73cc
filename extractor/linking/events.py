"""Cluster encounters into events.

Two encounters are one event if the same sides met and their days, channels and places do not exclude each other. The
surest pairs are joined first. An article never reports one event twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from mahdar.documents.folding import fold
from mahdar.linking.actors import MOST_OF_A_KEY
from mahdar.linking.clusters import Join
from mahdar.linking.duplicates import Originals
from mahdar.linking.encounters import Encounter, EncounterParty, stand_for_each_other
from mahdar.linking.sounds import can_be_written

DAYS_MISTAKEN: Final = 1
"""Maximum days between the dates of two reports of one meeting that agree otherwise; shown as a contradiction."""
PUBLISHED_TOGETHER: Final = 2
"""Maximum days between the publication of two articles that differ in the date of one meeting."""
WEEK: Final = 7
WEEKS: Final = 10
"""An encounter without an exact day is compared with those in so many weeks after its first one."""

_USUAL: Final = {"ongoing": "held", **dict.fromkeys(("negotiation", "talks", "summit", "visit", "other"), "met")}
"""Statuses and kinds that articles use for the same meeting; meetings of other kinds are never one with these."""


@dataclass(frozen=True, slots=True)
class EventMatch:
    """Evidence that two encounters are one.

    Attributes:
        strength: sort key; the lower, the surer.
    """

    strength: tuple[int, ...]
    reasons: list[str]


@dataclass(eq=False, slots=True)
class Event:
    """The encounters that are one meeting so far; `into` is the event that it was joined to."""

    encounters: list[Encounter]
    joins: list[Join] = field(default_factory=list)
    event_id: str | None = None
    into: "Event | None" = None


@dataclass(frozen=True, slots=True)
class EventDoubt:
    """Two encounters that may be one, with the evidence for and against it."""

    left: Encounter
    right: Encounter
    for_: list[str]
    against: list[str]


def link_encounters(encounters: Sequence[Encounter], originals: Originals) -> tuple[list[Event], list[EventDoubt]]:
    """Cluster encounters into events, in the order of their first encounter; also return the doubtful pairs.

    Args:
        encounters: in the order of articles and meetings.
        originals: the article that each article copies.
    """
    events = {one.key: Event([one], event_id=one.event_id) for one in encounters}
    doubts: list[EventDoubt] = []
    _join_known(events)
    pairs: list[tuple[EventMatch, Encounter, Encounter]] = []
    for a, b in _candidates(encounters):
        against, match = compare(a, b, copies=originals[a.article] == originals[b.article])
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
        against = _against(left, right, originals)
        if against:
            doubts.append(EventDoubt(a, b, match.reasons, against))
        else:
            _join(left, right, a, b, match.reasons)
    return [event for event in events.values() if event.into is None], doubts


def compare(a: Encounter, b: Encounter, *, copies: bool = False) -> tuple[list[str], EventMatch | None]:
    """Weigh the evidence that two encounters of different articles are one meeting.

    Args:
        a: an encounter.
        b: an encounter of another article.
        copies: whether both articles have the same text.

    Returns:
        The reasons against it, and the evidence for it; None for the latter if they are plainly two.
    """
    if (
        _USUAL.get(a.status, a.status) != _USUAL.get(b.status, b.status)
        or _USUAL.get(a.kind, a.kind) != _USUAL.get(b.kind, b.kind)
        or (a.channel != b.channel and "unspecified" not in {a.channel, b.channel})
    ):
        return [], None
    same, common = _parties_fit(a.principals, b.principals)
    apart = a.span.days_to(b.span) if a.span and b.span else 0
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
    days_apart = abs((a.published - b.published).days) if a.published and b.published else None
    mistaken = place and topics and days_apart is not None and days_apart <= PUBLISHED_TOGETHER
    told_in_part = exact and place is not False and topics and min(len(a.principals), len(b.principals)) > 1
    against = [
        "" if same or told_in_part else "principals: one more",
        "" if copies or (a.span and b.span) else "day: not known",
        "" if not apart or copies or mistaken else f"day: {a.date.get('value')} and {b.date.get('value')}",
        "" if place is not False or (exact and same) else f"place: {a.city} and {b.city}",
    ]
    strength = (-copies, -exact, -same, -(place is True), -len(common), -len(topics), apart)
    return list(filter(None, against)), EventMatch(strength, list(filter(None, for_)))


def _parties_fit(a: Sequence[EncounterParty], b: Sequence[EncounterParty]) -> tuple[bool, list[str]]:
    """Return whether the same sides met, and the names of the principals, or sides, common to both.

    A country, government or delegation stands for all persons of its country; an office for its holder.
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


def _candidates(encounters: Iterable[Encounter]) -> Iterator[tuple[Encounter, Encounter]]:
    """Yield the pairs of different articles that share two principals, or countries, and a week; each once."""
    blocks = defaultdict[tuple[object, ...], list[Encounter]](list)
    for encounter in encounters:
        for key in sorted(_keys(encounter), key=repr):
            blocks[key].append(encounter)
    seen = set[tuple[tuple[str, str], tuple[str, str]]]()
    for block in blocks.values():
        if len(block) > MOST_OF_A_KEY:
            continue
        for a, b in combinations(block, 2):
            if a.article != b.article and (a.key, b.key) not in seen:
                seen.add((a.key, b.key))
                yield a, b


def _keys(encounter: Encounter) -> set[tuple[object, ...]]:
    """Return the keys of an encounter: two principals or countries, and a week that it may fall in, or None."""
    names = sorted({party.actor_id for party in encounter.principals})
    countries = sorted({party.country for party in encounter.principals if party.country})
    pairs: set[tuple[str, ...]] = {*combinations(names, 2), *combinations(countries, 2)}
    if len(names) == 1:
        pairs.add((names[0],))
    if len(countries) == 1:
        pairs |= {(countries[0], name) for name in names}
    if encounter.span is None:
        return {(*pair, None) for pair in pairs}
    first = (encounter.span.first.toordinal() - DAYS_MISTAKEN) // WEEK
    last = (encounter.span.last.toordinal() + DAYS_MISTAKEN) // WEEK
    return {(*pair, week) for pair in pairs for week in range(first, min(last, first + WEEKS) + 1)}


def _places_fit(a: Encounter, b: Encounter) -> bool | None:
    """Return whether two places are the same; None if one of them is not known."""
    if a.city and b.city:
        one, other = (fold(city).removeprefix("ال").replace(" ", "") for city in (a.city, b.city))
        if one == other:
            return True
        if one.isascii() == other.isascii():
            return False
        if can_be_written(one, other):
            return True
    countries = [one.place.get("country") for one in (a, b)]
    return countries[0] == countries[1] if all(countries) else None


def _join_known(events: Mapping[tuple[str, str], Event]) -> None:
    """Join the encounters that have one id from an earlier run."""
    first: dict[str, Event] = {}
    for event in events.values():
        if event.event_id:
            known = first.setdefault(event.event_id, event)
            if known is not event:
                known.encounters += event.encounters
                event.into = known


def _against(left: Event, right: Event, originals: Originals) -> list[str]:
    """Return the reason why two events cannot be one; empty if there is none."""
    if left.event_id and right.event_id and left.event_id != right.event_id:
        return [f"ids: {left.event_id} and {right.event_id} stand in earlier results"]
    shared = {one.article for one in left.encounters} & {one.article for one in right.encounters}
    if shared:
        return [f"article: {min(shared)} has both, as two"]
    for a in left.encounters:
        for b in right.encounters:
            against, match = compare(a, b, copies=originals[a.article] == originals[b.article])
            if match is None or any(not reason.startswith("day: not known") for reason in against):
                return [f"{a.label} and {b.label}: {'; '.join(against) or 'two meetings'}"]
    return []


def _join(left: Event, right: Event, a: Encounter, b: Encounter, reasons: list[str]) -> None:
    keeper, other = sorted((left, right), key=lambda event: (event.event_id is None, event.encounters[0].key))
    keeper.encounters += other.encounters
    keeper.joins += [*other.joins, Join(a.label, b.label, reasons)]
    other.into = keeper


def _final(event: Event) -> Event:
    while event.into is not None:
        event = event.into
    return event
