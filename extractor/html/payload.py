"""Build the JSON that a page's script reads about each article, safe inside a script element."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from mahdar.html.texts import Presence
from mahdar.schemas.records import Evidence, Extraction, Meeting, Record, Stance

# `<` could end the element or open a comment; line separators end a line in scripts; directional controls would change
# the visible order of the source.
_UNSAFE: Final = re.compile("[<>&\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\uffff]")

_WEB: Final = re.compile(r"https?://[^\s\"'<>\\^`{|}]+", re.IGNORECASE)
_KNOWN: Final[Mapping[type[Record], str]] = {Meeting: "meetings", Stance: "stances"}


def safe_json(value: Any) -> str:
    """Return JSON that is safe in a script element; Arabic stays readable."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def article(found: Extraction, text: str | None, presence: Presence) -> dict[str, Any]:
    """Return the JSON values of one article.

    Args:
        found: its extraction.
        text: the text it was extracted from; None if unknown.
        presence: whether the text was found, or why not.
    """
    names = ("tokens_in", "tokens_out", "cost", "cached", "seconds", "reasks")
    made: dict[str, Any] = {"by": list(dict.fromkeys(found.provenance.made_by.values()))}
    made |= {name: getattr(found.provenance, name) for name in names}
    return {
        "id": found.document_id,
        "language": found.language,
        **_kept(found.kept),
        "published": found.published_at.isoformat() if found.published_at else None,
        "presence": presence,
        **({"text": text} if text is not None else {}),
        "records": [_record(record, task, text) for task, records in found.records.items() for record in records],
        "rejected": [one.model_dump(mode="json") for one in found.rejected],
        "made": {name: value for name, value in made.items() if value},
    }


def _kept(kept: Mapping[str, str]) -> dict[str, Any]:
    """Return headline, web link and the other kept fields; a `url` that is no web address is an ordinary field."""
    apart = ("title", "url") if _WEB.fullmatch(kept.get("url", "")) else ("title",)
    rest = {name: text for name, text in kept.items() if name not in apart}
    parts: dict[str, Any] = {**{name: kept.get(name) for name in apart}, "kept": rest}
    return {name: part for name, part in parts.items() if part}


def _record(record: Record, task: str, text: str | None) -> dict[str, Any]:
    """Return a record; its task is set last, since a further task's fields may have any name."""
    shown = record.model_dump(mode="json", exclude_defaults=True, exclude_none=True, exclude={"evidence"})
    evidence = [_evidence(piece, text) for piece in record.evidence]
    return {**shown, "evidence": evidence, "task": _KNOWN.get(type(record), f"more.{task}")}


def _evidence(piece: Evidence, text: str | None) -> dict[str, Any]:
    """Return a piece of evidence; its quote only if the text is unknown, or does not have it at the offsets."""
    place: dict[str, Any] = {"start": piece.start, "end": piece.end, "match": piece.match}
    if text is None:
        return {"quote": piece.quote, **place}
    return place if text[piece.start : piece.end] == piece.quote else {"quote": piece.quote, "lost": True, **place}
