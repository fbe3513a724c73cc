"""Show an article's text on a terminal, with the evidence of its records marked."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions
from rich.text import Text

from mahdar.documents.bidi import END, ISOLATE, printable
from mahdar.schemas.records import Record

_PARAGRAPH: Final = re.compile(r"[^\n\r]*\S[^\n\r]*")
_RIGHT_TO_LEFT: Final = "\u2067"
_LEFT_TO_RIGHT: Final = "\u2066"
EVIDENCE: Final = "bold underline"
MARK: Final = "**"
"""Put around evidence if no colours are shown."""
_NO_BREAK: Final = "\u00a0"

Span = tuple[int, int, tuple[str, ...]]
"""start and end offset, and the ids of the records whose evidence it is"""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text, wrapped at the width of the console and isolated by its direction."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        direction = _direction(self.text.plain)
        for line in self.text.wrap(console, options.max_width):
            line.rstrip()
            yield Text.assemble(direction, line, END)


def marked(text: str, records: Iterable[Record], *, whole: bool, coloured: bool) -> Iterator[Paragraph]:
    """Yield the paragraphs of an article, with evidence marked and followed by the ids of its records.

    Args:
        text: the article.
        records: the records whose evidence is marked.
        whole: also yield paragraphs without evidence.
        coloured: mark evidence by style; else by `MARK` around it.
    """
    sign = "" if coloured else MARK
    spans = _merged([(piece.start, piece.end, record.id) for record in records for piece in record.evidence])
    for found in _PARAGRAPH.finditer(text):
        start, end = found.span()
        within = [(max(a, start), min(b, end), ids) for a, b, ids in spans if a < end and b > start]
        if not (within or whole):
            continue
        paragraph, reached = Text(), start
        for begin, until, ids in within:
            paragraph.append(printable(text[reached:begin]))
            paragraph.append(f"{sign}{printable(text[begin:until]).rstrip()}{sign}", EVIDENCE)
            paragraph.append(f"{_NO_BREAK}{ISOLATE}[{_NO_BREAK.join(map(printable, ids))}]{END}", "dim")
            paragraph.append("" if text[until : until + 1].isspace() else " ")
            reached = until
        paragraph.append(printable(text[reached:end]))
        yield Paragraph(paragraph)


def _merged(pieces: Iterable[tuple[int, int, str]]) -> list[Span]:
    """Merge overlapping evidence into spans, each with all records that it belongs to."""
    merged: list[Span] = []
    for start, end, id_ in sorted(pieces):
        if merged and start < merged[-1][1]:
            begin, until, ids = merged[-1]
            merged[-1] = begin, max(until, end), tuple(dict.fromkeys((*ids, id_)))
        else:
            merged.append((start, end, (id_,)))
    return merged


def _direction(text: str) -> str:
    """Return the isolate of the first letter's direction, for all lines of a paragraph alike."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"R", "AL"}:
            return _RIGHT_TO_LEFT
        if kind == "L":
            break
    return _LEFT_TO_RIGHT
