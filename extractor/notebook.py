"""How an extraction shows itself in a notebook: HTML without scripts, styles of others, or anything from a network."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from markupsafe import Markup

from mahdar.html.page import RIGHT_TO_LEFT, foreign, visible
from mahdar.schemas.records import Extraction, Record

_MARK: Final = "background:#fde68a;color:#1f2937"
_CELL: Final = "text-align:start;vertical-align:top;padding:.2em .6em;overflow-wrap:anywhere"
_SHOWN_APART: Final = {"id", "evidence", "attribution"}


@dataclass(frozen=True, slots=True)
class Beside:
    """An extraction beside the text of its article, with the words marked that say its records."""

    extraction: Extraction
    text: str

    def _repr_html_(self) -> str:
        return str(_whole(self.extraction, _marked(self.extraction, self.text)))


def html_of(extraction: Extraction) -> str:
    """An extraction as HTML: its records as tables, each with its quotes."""
    return str(_whole(extraction, Markup()))


def _whole(found: Extraction, article: Markup) -> Markup:
    direction = "rtl" if (found.language or "").partition("-")[0] in RIGHT_TO_LEFT else "ltr"
    parts = [_heading(found), article, *(_table(task, records) for task, records in found.records.items() if records)]
    return Markup('<div dir="{}">{}</div>').format(direction, Markup("").join(parts))


def _heading(found: Extraction) -> Markup:
    counts = ", ".join(f"{task} {len(records)}" for task, records in found.records.items())
    said = " · ".join(filter(None, (found.language, str(found.published_at or ""), counts)))
    return Markup('<p><strong>{}</strong> <bdi dir="ltr">{}</bdi></p>').format(
        foreign(found.document_id), visible(said)
    )


def _table(task: str, records: tuple[Record, ...]) -> Markup:
    """A task's records, a row each; columns that are empty in all of them are left out."""
    rows = [{**_fields(one), "evidence": _quotes(one)} for one in records]
    columns = list(dict.fromkeys(name for row in rows for name, cell in row.items() if cell))
    head = Markup("").join(Markup('<th scope="col" style="{}">{}</th>').format(_CELL, foreign(one)) for one in columns)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup('<td style="{}">{}</td>').format(_CELL, row.get(one) or "") for one in columns)
        )
        for row in rows
    )
    return Markup("<table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        foreign(task), head, body
    )


def _fields(record: Record) -> Mapping[str, Markup]:
    dumped = record.model_dump(mode="json", exclude_none=True)
    shown = {name: value for name, value in dumped.items() if name not in _SHOWN_APART}
    attribution = {"attribution": dumped["attribution"]} if dumped.get("attribution") else {}
    return {name: _value(value) for name, value in ({"id": record.id} | shown | attribution).items()}


def _value(value: Any) -> Markup:
    """A field: a list as lines, an object by its parts, a name before what describes it."""
    match value:
        case list():
            return Markup("<br>").join(_value(one) for one in value)
        case dict():
            return Markup(" · ").join(_value(one) for one in value.values() if one not in (None, [], {}))
        case _:
            return foreign(value)


def _quotes(record: Record) -> Markup:
    return Markup("<br>").join(foreign(piece.quote) for piece in record.evidence)


def _marked(found: Extraction, text: str) -> Markup:
    """The article with the words marked that say a record; why not, where it is another text."""
    if hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != found.text_sha256:
        return Markup("<p><em>another text than the one that was extracted: it is not shown</em></p>")
    pieces = [(one.start, one.end) for records in found.records.values() for each in records for one in each.evidence]
    parts = Markup("").join(_pieces(text, pieces))
    return Markup('<div dir="auto" style="white-space:pre-wrap;overflow-wrap:anywhere">{}</div>').format(parts)


def _pieces(text: str, marked: list[tuple[int, int]]) -> Iterator[Markup]:
    cuts = sorted({0, len(text), *(min(at, len(text)) for span in marked for at in span)})
    for start, end in pairwise(cuts):
        piece = visible(text[start:end])
        if any(first <= start and end <= last for first, last in marked):
            yield Markup('<mark style="{}">{}</mark>').format(_MARK, piece)
        else:
            yield Markup.escape(piece)
