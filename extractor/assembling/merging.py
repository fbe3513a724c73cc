"""Merging: one actor a person, one record an encounter or position, numbered in the order of mention.

An article tells the same meeting in the headline, the lead and a quote; a long article is read in passages. What is
told twice becomes one record with the evidence of both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from mahdar.resolving.names import canonical
from mahdar.schemas.records import Actor, Meeting, Record, Stance, Value

R = TypeVar("R", bound=Record)


def merged(records: Mapping[str, Sequence[Record]], article: str) -> dict[str, tuple[Record, ...]]:
    """The records of all tasks in one article: names agreed between them, doubles joined, linked and numbered."""
    named = {task: [tuple(actors_of(record)) for record in found] for task, found in records.items()}
    every = [actor for found in named.values() for actors in found for actor in actors]
    agreed_on = canonical(every, article=article)
    agreed = {
        task: [
            _renamed(record, agreed_on) if any(_changes(actor, agreed_on) for actor in actors) else record
            for record, actors in zip(found, named[task], strict=True)
        ]
        for task, found in records.items()
    }
    numbered = {task: _numbered(_joined(found)) for task, found in agreed.items()}
    return _linked(numbered)


def actors_of(value: Value) -> Iterator[Actor]:
    """Every actor in a record, wherever it stands."""
    if isinstance(value, Actor):
        yield value
        return
    for name in type(value).model_fields:
        for part in _parts(getattr(value, name)):
            yield from actors_of(part)


def _parts(value: Any) -> Iterator[Value]:
    if isinstance(value, Value):
        yield value
    elif isinstance(value, tuple):
        yield from (part for part in value if isinstance(part, Value))


def _changes(actor: Actor, agreed_on: Mapping[str, Actor]) -> bool:
    """Whether an actor's agreed form differs from its own."""
    agreed = agreed_on.get(actor.name)
    return agreed is not None and any(getattr(agreed, name) != getattr(actor, name) for name in Actor.model_fields)


def _renamed(value: Any, actors: Mapping[str, Actor]) -> Any:
    """The same value with every actor under the form that the article's other records agree on."""
    if isinstance(value, tuple):
        return tuple(_renamed(part, actors) for part in value)
    if isinstance(value, Actor) and value.name in actors:
        agreed = actors[value.name]
        return _with(value, {name: getattr(agreed, name) for name in Actor.model_fields})
    if isinstance(value, Value):
        return _with(value, {name: _renamed(getattr(value, name), actors) for name in type(value).model_fields})
    return value


def _with(value: Value, fields: Mapping[str, Any]) -> Value:
    """The value with these fields; itself where it has them already."""
    changed = {name: new for name, new in fields.items() if getattr(value, name) != new}
    return value.model_copy(update=changed) if changed else value


def _joined(records: Iterable[R]) -> list[R]:
    kept: list[R] = []
    for record in records:
        double = next((index for index, other in enumerate(kept) if other.same_as(record)), None)
        if double is None:
            kept.append(record)
        else:
            kept[double] = kept[double].joined(record)
    return kept


def _numbered(records: Iterable[R]) -> tuple[R, ...]:
    ordered = sorted(records, key=lambda record: record.position)
    return tuple(record.renumbered(number) for number, record in enumerate(ordered, 1))


def _linked(records: dict[str, tuple[Record, ...]]) -> dict[str, tuple[Record, ...]]:
    """Stances with the meeting at which they were expressed, where that is plain."""
    meetings = [record for record in records.get("meetings", ()) if isinstance(record, Meeting)]
    return {
        task: tuple(_with_meeting(record, meetings) if isinstance(record, Stance) else record for record in found)
        for task, found in records.items()
    }


def _with_meeting(stance: Stance, meetings: list[Meeting]) -> Stance:
    """The last meeting told before the stance in which all its holders took part."""
    holders = {actor.name for actor in stance.holders}
    attended = [
        meeting
        for meeting in meetings
        if holders <= {actor.name for actor in meeting.participants} and meeting.position <= stance.position
    ]
    return stance.model_copy(update={"meeting": attended[-1].id}) if attended else stance
