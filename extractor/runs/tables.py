"""Flat tables of extractions, for pandas, R and SQL: one row an article, a meeting, a participant, a stance, a quote.

A column that would hold several texts holds them all, with ` | ` between them. Every row names its article and record,
and `evidence` has every quote with its offsets, so that each row can be proven.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

BETWEEN: Final = " | "

Record = Mapping[str, Any]
Cells = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns with their types, and its rows of one extraction."""

    name: str
    columns: Mapping[str, type]
    rows: Callable[[Record], Iterator[Cells]]


def _articles(one: Record) -> Iterator[Cells]:
    made = one["provenance"]
    published = one["published_at"]
    yield (
        one["document_id"],
        one["text_sha256"],
        one["language"],
        dt.date.fromisoformat(published) if published else None,
        len(one["meetings"]),
        len(one["stances"]),
        len(one["rejected"]),
        BETWEEN.join(dict.fromkeys(_makers(one).values())) or None,
        *(made[name] for name in ("tokens_in", "tokens_out", "cost", "cached", "seconds")),
    )


def _meetings(one: Record) -> Iterator[Cells]:
    for meeting in one["meetings"]:
        date, place = meeting["date"] or {}, meeting["place"] or {}
        yield (
            one["document_id"],
            *(meeting[name] for name in ("id", "kind", "channel", "status", "format", "cameo", "plover")),
            *(date.get(name) for name in ("value", "text", "resolution")),
            *(place.get(name) for name in ("venue", "city", "country")),
            *(_joined(meeting["topics"], name) for name in ("code", "text")),
            *(_joined(meeting["outcomes"], name) for name in ("type", "text")),
            len(meeting["participants"]),
            *_source(meeting),
            _makers(one).get("meetings"),
        )


def _participants(one: Record) -> Iterator[Cells]:
    for meeting in one["meetings"]:
        for number, actor in enumerate(meeting["participants"], 1):
            yield one["document_id"], meeting["id"], number, *(actor[name] for name in _ACTOR), actor["capacity"]


def _stances(one: Record) -> Iterator[Cells]:
    for stance in one["stances"]:
        target = stance["target"]
        whom = target["actor"] or {}
        yield (
            one["document_id"],
            stance["id"],
            stance["meeting"],
            *(_joined(stance["holders"], name) for name in _ACTOR),
            *(stance[name] for name in ("holder_mode", "on_behalf_of")),
            target["text"],
            *(whom.get(name) for name in ("name", "country")),
            *(stance[name] for name in ("addressee", "polarity", "act", "proposition", "speech", "cameo", "plover")),
            *_source(stance),
            _makers(one).get("stances"),
        )


def _evidence(one: Record) -> Iterator[Cells]:
    for record in (*one["meetings"], *one["stances"]):
        for number, piece in enumerate(record["evidence"], 1):
            yield one["document_id"], record["id"], number, *(piece[name] for name in _PIECE)


def _makers(one: Record) -> Mapping[str, str]:
    """Who made the records of an extraction, by task; nobody is named in one that an older version wrote."""
    return one["provenance"].get("made_by") or {}


def _source(record: Record) -> Cells:
    """Who reports it, and the first quote."""
    first = record["evidence"][0]
    return BETWEEN.join(record["attribution"]) or None, first["quote"], first["start"], first["end"]


def _joined(parts: Iterable[Record], name: str) -> str | None:
    """One text of all parts; where none of them has it, nothing."""
    texts = [part[name] or "" for part in parts]
    return BETWEEN.join(texts) if any(texts) else None


def _text(*names: str) -> dict[str, type]:
    return dict.fromkeys(names, str)


_ACTOR: Final = ("name", "name_latin", "type", "role", "organization", "country")
_PIECE: Final = ("quote", "start", "end", "match")
_SOURCE: Final = {**_text("attribution", "quote"), "start": int, "end": int}

TABLES: Final = (
    Table(
        "articles",
        {
            **_text("document_id", "text_sha256", "language"),
            "published_at": dt.date,
            **dict.fromkeys(("meetings", "stances", "rejected"), int),
            "made_by": str,
            **dict.fromkeys(("tokens_in", "tokens_out"), int),
            "cost": float,
            "cached": bool,
            "seconds": float,
        },
        _articles,
    ),
    Table(
        "meetings",
        {
            **_text("document_id", "id", "kind", "channel", "status", "format", "cameo", "plover"),
            **_text("date", "date_text", "date_resolution", "venue", "city", "country"),
            **_text("topics", "topic_texts", "outcomes", "outcome_texts"),
            "participants": int,
            **_SOURCE,
            "made_by": str,
        },
        _meetings,
    ),
    Table(
        "participants",
        {**_text("document_id", "meeting"), "number": int, **_text(*_ACTOR, "capacity")},
        _participants,
    ),
    Table(
        "stances",
        {
            **_text("document_id", "id", "meeting"),
            **_text(*(f"holder_{name}" for name in _ACTOR)),
            **_text("holder_mode", "on_behalf_of", "target", "target_name", "target_country", "addressee"),
            **_text("polarity", "act", "proposition", "speech", "cameo", "plover"),
            **_SOURCE,
            "made_by": str,
        },
        _stances,
    ),
    Table(
        "evidence",
        {
            **_text("document_id", "record"),
            "number": int,
            "quote": str,
            "start": int,
            "end": int,
            "match": str,
        },
        _evidence,
    ),
)
