"""The payload: what the page's script is given of an article, small, and safe inside a script element."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from extractor.reporting.outputs import Output
from extractor.reporting.texts import Presence
from schemas.records import Evidence, Extraction, Provenance, Record

# `<` would end the element, or open a comment in it; line separators end a line for scripts; controls of direction
# would show the source in an order that is not its own.
_UNSAFE: Final = re.compile("[<>&\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\uffff]")


def safe_json(value: Any) -> str:
    """JSON that may stand in a script element; Arabic as Arabic."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def article(output: Output, text: str | None, presence: Presence) -> dict[str, Any]:
    """What is shown of one article.

    Args:
        output: its extraction.
        text: what it was extracted from, where that is at hand.
        presence: why there is no text, where there is none.
    """
    found = output.extraction
    return {
        "id": found.document_id,
        "language": found.language,
        "published": found.published_at.isoformat() if found.published_at else None,
        "presence": presence,
        **({"text": text} if text is not None else {}),
        "records": [record for task in ("meetings", "stances") for record in _records(found, task, text)],
        **_further(output),
        "rejected": [one.model_dump(mode="json") for one in found.rejected],
        "made": _made(found.provenance),
    }


def _records(found: Extraction, task: str, text: str | None) -> list[dict[str, Any]]:
    return [_record(record, task, text) for record in found.records[task]]


def _record(record: Record, task: str, text: str | None) -> dict[str, Any]:
    shown = record.model_dump(mode="json", exclude_defaults=True, exclude_none=True, exclude={"evidence"})
    return {"task": task, **shown, "evidence": [_evidence(piece, text) for piece in record.evidence]}


def _evidence(piece: Evidence, text: str | None) -> dict[str, Any]:
    """Where the text has the quote, the offsets say it all; where it has not, the page says so."""
    place: dict[str, Any] = {"start": piece.start, "end": piece.end, "match": piece.match}
    if text is None:
        return {"quote": piece.quote, **place}
    return place if text[piece.start : piece.end] == piece.quote else {"quote": piece.quote, "lost": True, **place}


def _further(output: Output) -> dict[str, Any]:
    """Records of further tasks, as they stand in the file: their classes may not be installed here."""
    more = output.line.get("more")
    if not isinstance(more, Mapping) or not more:
        return {}
    return {"more": {task: records for task, records in more.items() if isinstance(records, list)}}


def _made(made: Provenance) -> dict[str, Any]:
    names = ("model", "tokens_in", "tokens_out", "cost", "cached", "seconds", "reasks")
    return {name: getattr(made, name) for name in names if getattr(made, name)}
