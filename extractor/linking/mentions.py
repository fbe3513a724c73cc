"""Read records, and collect the mentions of actors in them: one a name and article."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any, Final, get_args

from mahdar.errors import UsageError
from mahdar.linking.readings import ActorReading, offices_of, read
from mahdar.resolving.offices import Office
from mahdar.runs.outputs import Line, as_extraction, lines
from mahdar.schemas.enums import ActorType

_TYPES: Final = frozenset(get_args(ActorType))
_MEETING: Final = frozenset({"id", "kind", "channel", "status", "participants"})
_STATED: Final = ("role", "organization", "country", "actor_id")


@dataclass(frozen=True, slots=True)
class NameMention:
    """One actor of one article by one name, with all that the records of the article say under that name.

    Attributes:
        article: the article's id.
        place: its index among the actors of the article, in the order of the records.
        name: the name in the records.
        type: the type in the first record.
        country: the first code in the records; None if they have none.
        day: when the article was published; None if unknown.
        actor_id: the id from an earlier run, if any.
    """

    article: str
    place: int
    name: str
    type: str
    roles: tuple[str, ...]
    organizations: tuple[str, ...]
    country: str | None
    day: dt.date | None
    actor_id: str | None
    reading: ActorReading

    @property
    def offices(self) -> frozenset[Office]:
        """Offices in its roles."""
        return offices_of(self.roles, self.country)


def articles_in(
    paths: Iterable[Path], repeated: Callable[[str], None] = lambda _: None, *, checked: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every article with its place, such as `records.jsonl:3`; skip failures and repeated articles.

    Each call reads the files again, since they may be larger than memory.

    Args:
        paths: files of records.
        repeated: called with the id of every article that is skipped because an earlier line has it.
        checked: whether an earlier call has checked the lines.

    Raises:
        UsageError: a file cannot be read, a line is no extraction, or two lines of one article differ in its text.
    """
    seen: dict[str, str] = {}
    for path in paths:
        for place, line in lines(path):
            if "failure" in line:
                continue
            if not checked:
                _check(place, line)
            text = line["text_sha256"]
            known = seen.setdefault(line["document_id"], text)
            if known is not text and known == text:
                repeated(line["document_id"])
                continue
            if known != text:
                raise UsageError(
                    f"{place}: another article has the id {line['document_id']!r} already: give each an id of its own"
                )
            yield place, dict(line)


def mentions_of(line: Line) -> list[NameMention]:
    """Return the mentions of an article, one a name, in the order of its records."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for actor in actors_in((line["meetings"], line["stances"], line.get("more") or {})):
        by_name.setdefault(actor["name"], []).append(actor)
    day = _day(line.get("published_at"))
    article = intern(line["document_id"])
    return [_mention(article, place, name, actors, day) for place, (name, actors) in enumerate(by_name.items())]


def actors_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every actor in records as JSON, at any depth: every object with a name and an actor's type."""
    if isinstance(value, dict):
        if value.get("type") in _TYPES and isinstance(value.get("name"), str):
            yield value
        for part in value.values():
            if isinstance(part, (dict, list)):
                yield from actors_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from actors_in(part)


def _mention(article: str, place: int, name: str, actors: list[Mapping[str, Any]], day: dt.date | None) -> NameMention:
    country = next((actor["country"] for actor in actors if actor.get("country")), None)
    type_ = intern(actors[0]["type"])
    return NameMention(
        article,
        place,
        intern(name),
        type_,
        _stated(actors, "role"),
        _stated(actors, "organization"),
        country and intern(country),
        day,
        next((intern(actor["actor_id"]) for actor in actors if actor.get("actor_id")), None),
        read(name, type_, country),
    )


def _stated(actors: list[Mapping[str, Any]], field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(intern(actor[field]) for actor in actors if actor.get(field)))


def _day(value: Any) -> dt.date | None:
    return dt.date.fromisoformat(value[:10]) if isinstance(value, str) else None


def _check(place: str, line: Line) -> None:
    """An article's id, text hash and records must be there; else pydantic tells what is wrong."""
    if not _is_whole(line):
        as_extraction(place, line)
        raise UsageError(f"{place}: a field is missing or of another type than `mahdar extract -o FILE` writes")


def _is_whole(line: Line) -> bool:
    """Return whether a line has all that linking reads; takes a tenth of the time of validating the line."""
    try:
        _day(line.get("published_at"))
        meetings, stances, more = line["meetings"], line["stances"], line.get("more") or {}
        records = [*meetings, *stances, *(record for task in more.values() for record in task)]
        parties = [one for meeting in meetings for one in meeting["participants"]]
        pieces = [piece for record in records for piece in record["evidence"]]
        texts = [
            *(line[field] for field in ("document_id", "text_sha256")),
            *(meeting[field] for meeting in meetings for field in _MEETING - {"participants"}),
            *(one[field] for one in parties for field in ("name", "type")),
            *(piece["quote"] for piece in pieces),
            *(topic["code"] for meeting in meetings for topic in meeting.get("topics") or ()),
        ]
        optional = [
            line.get("published_at"),
            *(meeting.get("event_id") for meeting in meetings),
            *(one.get("capacity") for one in parties),
            *(actor.get(field) for actor in actors_in((meetings, stances, more)) for field in _STATED),
            *(
                part.get(field)
                for meeting in meetings
                for part in (meeting.get("date") or {}, meeting.get("place") or {})
                for field in ("text", "value", "venue", "city", "country")
            ),
        ]
        return (
            all(isinstance(text, str) for text in texts)
            and all(text is None or isinstance(text, str) for text in optional)
            and all(isinstance(piece.get("start", 0), int) for piece in pieces)
            and all(one["type"] in _TYPES for one in parties)
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
