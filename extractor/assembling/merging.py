"""Merge records that report the same thing, and number them in the order of mention.

An article reports the same meeting in the headline, the lead and a quote, and a long article is read in passages. Two
records of one meeting or stance become one with the evidence of both, and two actors who are one person become one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from mahdar.resolving.names import canonical
from mahdar.schemas.records import Actor, Meeting, Record, Stance, Value

R = TypeVar("R", bound=Record)


def merge(records: Mapping[str, Sequence[Record]], article: str) -> dict[str, tuple[Record, ...]]:
    """Merge the actors and records of one article, number the records, and link stances to meetings.

    Args:
        records: the records of each task.
        article: the text of the article.
    """
    actors = [actor for of_task in records.values() for record in of_task for actor in _actors_in(record)]
    merged_actors = canonical(actors, article=article)
    merged: dict[str, tuple[Record, ...]] = {}
    for task, of_task in records.items():
        distinct = _merge_same(_with_actors(record, merged_actors) for record in of_task)
        ordered = sorted(distinct, key=lambda record: record.position)
        merged[task] = tuple(record.renumbered(number) for number, record in enumerate(ordered, 1))
    meetings = [record for record in merged.get("meetings", ()) if isinstance(record, Meeting)]
    return {
        task: tuple(_with_meeting(record, meetings) if isinstance(record, Stance) else record for record in of_task)
        for task, of_task in merged.items()
    }


def _actors_in(value: Value) -> Iterator[Actor]:
    """Yield every actor in a record, at any depth."""
    if isinstance(value, Actor):
        yield value
        return
    for name in type(value).model_fields:
        part = getattr(value, name)
        for inner in part if isinstance(part, tuple) else (part,):
            if isinstance(inner, Value):
                yield from _actors_in(inner)


def _with_actors(value: Any, actors: Mapping[str, Actor]) -> Any:
    """Replace every actor in a value by its merged form; a value without changes is returned itself."""
    if isinstance(value, tuple):
        return tuple(_with_actors(part, actors) for part in value)
    if not isinstance(value, Value):
        return value
    if isinstance(value, Actor) and value.name in actors:
        fields = {name: getattr(actors[value.name], name) for name in Actor.model_fields}
    else:
        fields = {name: _with_actors(getattr(value, name), actors) for name in type(value).model_fields}
    changed = {name: new for name, new in fields.items() if getattr(value, name) != new}
    return value.model_copy(update=changed) if changed else value


def _merge_same(records: Iterable[R]) -> list[R]:
    """Merge records that report the same thing into the first of them."""
    distinct: list[R] = []
    for record in records:
        same = next((index for index, other in enumerate(distinct) if other.same_as(record)), None)
        if same is None:
            distinct.append(record)
        else:
            distinct[same] = distinct[same].joined(record)
    return distinct


def _with_meeting(stance: Stance, meetings: list[Meeting]) -> Stance:
    """Link a stance to the last meeting mentioned before it in which all its holders took part."""
    holders = {actor.name for actor in stance.holders}
    attended = [
        meeting
        for meeting in meetings
        if holders <= {actor.name for actor in meeting.participants} and meeting.position <= stance.position
    ]
    return stance.model_copy(update={"meeting": attended[-1].id}) if attended else stance
