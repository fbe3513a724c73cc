"""Rows: the articles of a JSONL, CSV or Parquet file, one at a time; a row that is none says where and why."""

import codecs
import csv
import datetime as dt
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from extractor.documents.document import MAX_BYTES, BadInput, Document, as_date
from extractor.errors import BadInputError, MahdarError, UsageError
from extractor.runs.locations import CSV, JSONL, REMEDY, Location, printable

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

MAX_LINE: Final = 8 * MAX_BYTES
"""Bytes of a line of JSON: the longest article with every letter escaped, and columns beside it."""
BATCH: Final = 64
"""Rows of Parquet in memory at once: each may be an article of `MAX_BYTES`."""
_DELIMITERS: Final = ",;\t|"
_SHOWN: Final = 40
"""Characters of a value in a message."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what. One that is not named is `id`, or `published_at`, where there is such a column."""

    text: str = "text"
    id: str | None = None
    date: str | None = None

    @property
    def wanted(self) -> tuple[str, str, str]:
        """All that may be read."""
        return self.text, self.id or "id", self.date or "published_at"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row."""

    reason: str


Row = tuple[int, Mapping[str, Any] | Fault]
"""a line's number, or a row's, from 1, and its columns"""


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file of rows.

    Attributes:
        source: names it in the ids of articles that have none.
        columns: which columns hold what.
        published_at: the day of articles that have none.
        language: the language of all of them.
    """

    location: Location
    source: str
    columns: Columns = Columns()
    published_at: dt.date | None = None
    language: str | None = None

    def articles(self) -> Iterator[tuple[Document | BadInput, str]]:
        """Every article, and its place."""
        number = 0
        try:
            for number, row in _rows(self.location, self.columns):
                yield self._article(number, row), self._place(number)
        except MahdarError:
            raise
        except Exception as error:  # noqa: BLE001  # every kind of storage and compression has errors of its own
            said = f"and what follows cannot be read: {self.location.fault(error)}"
            yield self._bad(number + 1, said), self._place(number + 1)

    def _article(self, number: int, row: Mapping[str, Any] | Fault) -> Document | BadInput:
        if isinstance(row, Fault):
            return self._bad(number, row.reason)
        id_ = self._default_id(number)
        try:
            id_ = _id(row, self.columns) or id_
            day = _day(row, self.columns) or self.published_at
            return Document(id_, _text(row, self.columns), day, self.language)
        except BadInputError as error:
            return BadInput(id_, f"{self._place(number)} {error}")

    def _bad(self, number: int, reason: str) -> BadInput:
        return BadInput(self._default_id(number), f"{self._place(number)} {reason}")

    def _default_id(self, number: int) -> str:
        return f"{self.source}:{number}"

    def _place(self, number: int) -> str:
        return f"{self.location.shown}:{number}"


def check_table(location: Location, columns: Columns) -> None:
    """Look for the text's column before any row is read. What cannot be opened is told when its rows are.

    Raises:
        UsageError: a CSV or Parquet file has no such column, or reading it takes a library that is not installed.
    """
    try:
        _look(location, columns)
    except MahdarError:
        raise
    except Exception:  # noqa: BLE001  # every kind of storage and compression has errors of its own
        return


def _look(location: Location, columns: Columns) -> None:
    if location.form in JSONL or (location.files is None and not Path(location.name).is_file()):
        return  # a pipe can be read but once
    with location.stream() as stream:
        _need(columns, _csv_names(stream) if location.form in CSV else _parquet_names(stream), location)


def _need(columns: Columns, names: Sequence[str], location: Location) -> None:
    """Refuse a table that has no column with texts."""
    if columns.text not in names:
        said = ", ".join(map(repr, names)) or "nothing"
        raise UsageError(f"{location.shown} has no column {columns.text!r}, but {said}: name it with --text-column")


def _rows(location: Location, columns: Columns) -> Iterator[Row]:
    with location.stream() as stream:
        if location.form in JSONL:
            yield from _json_rows(stream)
        elif location.form in CSV:
            yield from _csv_rows(stream, columns, location)
        else:
            yield from _parquet_rows(stream, columns, location)


def _id(row: Mapping[str, Any], columns: Columns) -> str:
    """The article's id; empty where it has none and need not have one."""
    value = row.get(columns.id or "id")
    if value is not None and not isinstance(value, str | int | float):
        raise BadInputError(f"has an id that is no text and no number: {_short(value)}")
    if value is None or not str(value).strip():
        if columns.id:
            raise BadInputError(f"has no id in {columns.id!r}; its columns are {_names(row)}")
        return ""
    return printable(str(value).strip())


def _text(row: Mapping[str, Any], columns: Columns) -> str:
    value = row.get(columns.text)
    if columns.text not in row:
        raise BadInputError(f"has no column {columns.text!r}, but {_names(row)}: name it with --text-column")
    if not isinstance(value, str):
        raise BadInputError(f"has no text in {columns.text!r}: {_short(value)}")
    if not value.strip():
        raise BadInputError(f"is empty: {columns.text!r} has no text")
    return value


def _day(row: Mapping[str, Any], columns: Columns) -> dt.date | None:
    """A day, or a moment of it."""
    value = row.get(columns.date or "published_at")
    if value is None or value == "":
        if columns.date and columns.date not in row:
            raise BadInputError(f"has no column {columns.date!r}, but {_names(row)}: name it with --date-column")
        return None
    if isinstance(value, dt.date):
        return as_date(value)
    if not isinstance(value, str):
        raise BadInputError(f"has a date that is no text: {_short(value)}")
    try:
        return dt.datetime.fromisoformat(value).date() if "T" in value or " " in value else as_date(value)
    except ValueError:
        raise BadInputError(
            f"has the date {_short(value)}: write it as year-month-day, for example 2020-07-20"
        ) from None


def _json_rows(stream: BinaryIO) -> Iterator[Row]:
    for number, line in _lines(stream):
        if line is None:
            yield number, Fault(f"is longer than {MAX_LINE:,} bytes")
        elif line.strip():
            yield number, _json(line)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None for one that is too long to be an article's."""
    number, inside = 0, False
    while line := stream.readline(MAX_LINE):
        ends = line.endswith(b"\n") or len(line) < MAX_LINE
        number += not inside
        if not inside:
            yield number, line.removeprefix(codecs.BOM_UTF8) if ends else None
        inside = not ends


def _json(line: bytes) -> Mapping[str, Any] | Fault:
    try:
        value = json.loads(line)
    except UnicodeDecodeError as error:
        return Fault(f"is not UTF-8 at byte {error.start}: save the file as UTF-8")
    except ValueError as error:
        return Fault(f"is no JSON: {error}")
    except RecursionError:
        return Fault("is JSON too deeply nested to be an article")
    return value if isinstance(value, dict) else Fault(f"is no JSON object: {_short(value)}")


@contextmanager
def _csv_text(stream: BinaryIO) -> Iterator[io.TextIOWrapper]:
    csv.field_size_limit(MAX_BYTES)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield text
    finally:
        text.detach()  # who opened the stream closes it


def _csv_names(stream: BinaryIO) -> Sequence[str]:
    with _csv_text(stream) as text:
        return _heading(text)[0]


def _csv_rows(stream: BinaryIO, columns: Columns, location: Location) -> Iterator[Row]:
    with _csv_text(stream) as text:
        names, delimiter = _heading(text)
        _need(columns, names, location)
        yield from _csv_of(text, names, delimiter)


def _heading(text: io.TextIOWrapper) -> tuple[Sequence[str], str]:
    """The names of the columns, and what stands between two."""
    heading = text.readline(MAX_LINE)
    delimiter = max(_DELIMITERS, key=heading.count)
    return next(csv.reader([heading], delimiter=delimiter), []), delimiter


def _csv_of(text: io.TextIOWrapper, names: Sequence[str], delimiter: str) -> Iterator[Row]:
    rows = csv.reader(text, delimiter=delimiter)
    while True:
        start = rows.line_num + 2  # the heading is not counted
        try:
            cells = next(rows, None)
        except csv.Error as error:
            yield start, Fault(f"is no CSV: {error}")
            continue
        if cells is None:
            return
        if cells:
            yield start, _cells(names, cells)


def _cells(names: Sequence[str], cells: Sequence[str]) -> Mapping[str, Any] | Fault:
    if len(cells) != len(names):
        return Fault(f"has {len(cells)} cells where the heading has {len(names)}: put quotes around texts with commas")
    if any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
        return Fault("is not UTF-8: save the file as UTF-8")
    return dict(zip(names, cells, strict=True))


def _parquet_names(stream: BinaryIO) -> Sequence[str]:
    with _parquet(stream) as file:
        return list(file.schema_arrow.names)


def _parquet_rows(stream: BinaryIO, columns: Columns, location: Location) -> Iterator[Row]:
    with _parquet(stream) as file:
        _need(columns, file.schema_arrow.names, location)
        there = [name for name in columns.wanted if name in file.schema_arrow.names]
        number = 0
        for batch in file.iter_batches(BATCH, columns=there, use_threads=False):
            for row in batch.to_pylist():
                number += 1
                yield number, row


def _parquet(stream: BinaryIO) -> "ParquetFile":
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UsageError(f"reading Parquet takes pyarrow; {REMEDY}") from None
    return ParquetFile(stream, pre_buffer=False)


def _names(row: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, row)) or "nothing"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
