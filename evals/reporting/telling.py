"""Show the fields of a record, label or prediction, as lines of words, terms and codes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mahdar.evals.scorer.fields import MEETING_FIELDS, STANCE_FIELDS

Kind = Literal["words", "term", "code"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a line: words of the article, the name of a term of the interface, or a code."""

    kind: Kind
    text: str


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Field of a record with its lines."""

    field: str
    lines: tuple[Line, ...]


def told(record: Any) -> tuple[Told, ...]:
    """Return the scored fields that a record states."""
    names = STANCE_FIELDS if hasattr(record, "act") else MEETING_FIELDS
    found = (Told(name, lines(name, record)) for name in names)
    return tuple(one for one in found if one.lines)


def lines(field: str, record: Any) -> tuple[Line, ...]:
    """Return the lines of one field; none if the record does not state it."""
    return tuple(line for line in _TELLING[field](record) if line)


def accepted(field: str, label: Any) -> Line:
    """Return the further values of a field that the label accepts."""
    if field == "date" and label.date:
        return tuple(Piece("code", value or "–") for value in label.date.accept)
    return tuple(Piece("term", f"{field}.{value}") for value in getattr(label.alternatives, field, ()))


def _line(*pieces: tuple[Kind, str | None]) -> Line:
    return tuple(Piece(kind, text) for kind, text in pieces if text)


def _participants(record: Any) -> Iterator[Line]:
    for actor in record.participants:
        capacity = None if actor.capacity == "principal" else f"capacity.{actor.capacity}"
        yield _line(("words", actor.name), ("code", actor.country), ("term", capacity))


def _holders(record: Any) -> Iterator[Line]:
    yield from (_line(("words", actor.name), ("code", actor.country)) for actor in record.holders)


def _date(record: Any) -> Iterator[Line]:
    if record.date:
        yield _line(("code", record.date.value), ("words", record.date.text))


def _place(record: Any) -> Iterator[Line]:
    if record.place:
        yield _line(("words", record.place.venue), ("words", record.place.city), ("code", record.place.country))


def _target(record: Any) -> Iterator[Line]:
    yield _line(("words", record.target.text))
    if record.target.actor and record.target.actor.name != record.target.text:
        yield _line(("words", record.target.actor.name), ("code", record.target.actor.country))


def _coded(field: str, code: str, terms: str) -> Callable[[Any], Iterable[Line]]:
    """Return a function that shows words with their code of a closed list."""
    return lambda record: (
        _line(("words", one.text), ("term", f"{terms}.{getattr(one, code)}")) for one in getattr(record, field)
    )


def _closed(field: str) -> Callable[[Any], Iterable[Line]]:
    return lambda record: [_line(("term", f"{field}.{getattr(record, field)}"))]


_TELLING: Final[Mapping[str, Callable[[Any], Iterable[Line]]]] = {
    "participants": _participants,
    "date": _date,
    "place": _place,
    "topics": _coded("topics", "code", "topic"),
    "outcomes": _coded("outcomes", "type", "outcome"),
    "holders": _holders,
    "target": _target,
    "proposition": lambda record: [_line(("words", record.proposition))],
    "attribution": lambda record: [_line(("words", source)) for source in record.attribution],
    **{name: _closed(name) for name in ("kind", "status", "channel", "act", "polarity", "speech")},
}
