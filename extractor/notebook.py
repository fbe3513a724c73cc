"""Render an extraction as HTML for a notebook, without scripts, style sheets, or requests to a network."""

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


@dataclass(frozen=True, slots=True)
class ExtractionWithArticle:
    """An extraction with the text of its article, which a notebook shows with the evidence marked."""

    extraction: Extraction
    text: str

    def _repr_html_(self) -> str:
        return str(_page(self.extraction, _article(self.extraction, self.text)))


def render(extraction: Extraction) -> str:
    """Return an extraction as HTML: its records as tables, each with its quotes."""
    return str(_page(extraction, Markup()))


def _page(extraction: Extraction, article: Markup) -> Markup:
    direction = "rtl" if (extraction.language or "").partition("-")[0] in RIGHT_TO_LEFT else "ltr"
    counts = ", ".join(f"{task} {len(records)}" for task, records in extraction.records.items())
    facts = " · ".join(filter(None, (extraction.language, str(extraction.published_at or ""), counts)))
    heading = Markup('<p><strong>{}</strong> <bdi dir="ltr">{}</bdi></p>').format(
        foreign(extraction.document_id), visible(facts)
    )
    tables = (_table(task, records) for task, records in extraction.records.items() if records)
    return Markup('<div dir="{}">{}</div>').format(direction, Markup("").join((heading, article, *tables)))


def _table(task: str, records: tuple[Record, ...]) -> Markup:
    """Return a task's records as a table, one a row, without columns that are empty in all of them."""
    rows = [_cells(record) for record in records]
    columns = list(dict.fromkeys(name for row in rows for name, cell in row.items() if cell))
    head = Markup("").join(
        Markup('<th scope="col" style="{}">{}</th>').format(_CELL, foreign(name)) for name in columns
    )
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup('<td style="{}">{}</td>').format(_CELL, row.get(name) or "") for name in columns)
        )
        for row in rows
    )
    return Markup("<table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        foreign(task), head, body
    )


def _cells(record: Record) -> Mapping[str, Markup]:
    """Return a record's fields by name: the id first, attribution and evidence last."""
    fields = record.model_dump(mode="json", exclude_none=True)
    others = {name: value for name, value in fields.items() if name not in {"id", "evidence", "attribution"}}
    attribution = {"attribution": fields["attribution"]} if fields.get("attribution") else {}
    cells = {name: _value(value) for name, value in ({"id": record.id} | others | attribution).items()}
    return {**cells, "evidence": Markup("<br>").join(foreign(piece.quote) for piece in record.evidence)}


def _value(value: Any) -> Markup:
    """Return the value of a field: a list as lines, an object as its values in one line."""
    match value:
        case list():
            return Markup("<br>").join(_value(member) for member in value)
        case dict():
            return Markup(" · ").join(_value(part) for part in value.values() if part not in (None, [], {}))
        case _:
            return foreign(value)


def _article(extraction: Extraction, text: str) -> Markup:
    """Return the article with the evidence marked; a note instead, if the text is another one."""
    if hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != extraction.text_sha256:
        return Markup("<p><em>another text than the one that was extracted: it is not shown</em></p>")
    records = [record for of_task in extraction.records.values() for record in of_task]
    spans = [(piece.start, piece.end) for record in records for piece in record.evidence]
    parts = Markup("").join(_mark(text, spans))
    return Markup('<div dir="auto" style="white-space:pre-wrap;overflow-wrap:anywhere">{}</div>').format(parts)


def _mark(text: str, marked: list[tuple[int, int]]) -> Iterator[Markup]:
    """Yield the pieces of a text, marked where they lie in a span."""
    cuts = sorted({0, len(text), *(min(at, len(text)) for span in marked for at in span)})
    for start, end in pairwise(cuts):
        piece = visible(text[start:end])
        if any(first <= start and end <= last for first, last in marked):
            yield Markup('<mark style="{}">{}</mark>').format(_MARK, piece)
        else:
            yield Markup.escape(piece)
