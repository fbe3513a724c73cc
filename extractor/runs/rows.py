"""Read the articles of JSONL, CSV and Parquet files row by row; an unusable row becomes a `BadInput` with its place."""

import codecs
import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from mahdar.documents.checks import MAX_BYTES, check_text, too_long
from mahdar.documents.document import BadInput, Document, as_date, encodable, parse_day
from mahdar.documents.pages import REMEDY as PAGES_REMEDY
from mahdar.documents.pages import PagesUnreadableError, is_page, read_page
from mahdar.errors import BadInputError, MahdarError, UsageError
from mahdar.runs.csv_rows import TOO_LONG, CsvRows, Fault, Row, numbered_lines
from mahdar.runs.locations import CSV, JSONL, REMEDY, Location
from mahdar.runs.parquet_pages import pages

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

BATCH_ROWS: Final = 64
"""Rows of Parquet in memory at once: each may be an article of `MAX_BYTES`."""
MAX_UNPACKED_BYTES: Final = BATCH_ROWS * MAX_BYTES
"""Bytes of Parquet in memory at once. A value that stands in many rows is kept once in a file, but once a row here."""
MAX_PAGE_BYTES: Final = 4 * MAX_UNPACKED_BYTES
"""Bytes that a page of Parquet may unpack to. Arrow holds it twice; a page of 500 MB has a value that is no article."""
MAX_FAULTS: Final = 20
"""Maximum of consecutive faults that are reported one by one; the rest is counted, since they have one cause."""
_SHOWN: Final = 40
"""Characters of a value in a message."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns; by default `id` and `published_at` hold ids and days, if they exist."""

    text: str = "text"
    id: str | None = None
    date: str | None = None
    keep: tuple[str, ...] = ()
    """columns carried along with the article, as text"""
    date_format: str | None = None
    """`strptime` format of days, such as `%d/%m/%Y`; by default year-month-day"""

    @property
    def wanted(self) -> tuple[str, ...]:
        """All columns that are read if they exist."""
        return tuple(dict.fromkeys((self.text, self.id or "id", self.date or "published_at", *self.keep)))


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file of rows.

    Attributes:
        source: prefix of the ids of articles that have none of their own.
        columns: names of the columns.
        published_at: day of publication of articles that have none of their own.
        language: language of all articles; None to detect it.
        kept: gets the names in `columns.keep` that some row has.
    """

    location: Location
    source: str
    columns: Columns = Columns()
    published_at: dt.date | None = None
    language: str | None = None
    kept: set[str] = field(default_factory=set)

    def articles(self) -> Iterator[tuple[Document | BadInput, str]]:
        """Yield every article or `BadInput` with its place, such as `news.csv:17`."""
        number, pages, last = 0, 0, 0
        try:
            for number, row in _limit_faults(_rows(self.location, self.columns)):
                try:
                    yield self._article(number, row), self._place(number)
                except PagesUnreadableError as error:
                    pages, last = pages + 1, number
                    if pages == 1:  # the others have the same remedy
                        yield self._bad(number, str(error)), self._place(number)
            if pages > 1:
                reason = (
                    f"is a web page as well, the last of {pages - 1:,} behind the first; to read them: {PAGES_REMEDY}"
                )
                yield self._bad(last, reason), self._place(last)
        except MahdarError:
            raise
        except Exception as error:  # noqa: BLE001  # every kind of storage and compression has errors of its own
            reason = f"and what follows cannot be read: {self.location.fault(error)}"
            yield self._bad(number + 1, reason), self._place(number + 1)

    def _article(self, number: int, row: Mapping[str, Any] | Fault) -> Document | BadInput:
        if isinstance(row, Fault):
            return self._bad(number, row.reason)
        id_ = self._default_id(number)
        try:
            id_ = _id(row, self.columns) or id_
            text, day, kept = _text(row, self.columns), _day(row, self.columns), _kept(row, self.columns)
            self.kept.update(name for name in self.columns.keep if name in row)
            if is_page(text):
                page = read_page(text)
                text, day, kept = page.text, day or page.published_at, {**page.kept, **kept}
            check_text(text)
            return Document(id_, text, day or self.published_at, self.language, kept)
        except BadInputError as error:
            return BadInput(id_, f"{self._place(number)} {error}")

    def _bad(self, number: int, reason: str) -> BadInput:
        return BadInput(self._default_id(number), f"{self._place(number)} {reason}")

    def _default_id(self, number: int) -> str:
        return f"{self.source}:{number}"

    def _place(self, number: int) -> str:
        return f"{self.location.shown}:{number}"


def check_table(location: Location, columns: Columns) -> None:
    """Check the columns of a CSV or Parquet file before any row is read.

    A file that cannot be opened passes; reading its rows reports it.

    Raises:
        UsageError: the file lacks a column or has it twice, or reading it takes a library that is not installed.
    """
    try:
        _check_columns(location, columns)
    except MahdarError:
        raise
    except Exception:  # noqa: BLE001  # every kind of storage and compression has errors of its own
        return


def check_readable(location: Location, columns: Columns) -> None:
    """Read the first row of a file.

    Raises:
        UsageError: the file cannot be read, or a table lacks a column.
    """
    try:
        next(_rows(location, columns), None)
    except MahdarError:
        raise
    except Exception as error:  # noqa: BLE001  # as above
        raise UsageError(f"{location.shown} cannot be read: {location.fault(error)}") from None


def _check_columns(location: Location, columns: Columns) -> None:
    if location.form in JSONL or (location.files is None and not Path(location.name).is_file()):
        return  # a pipe can be read only once
    with location.stream() as stream:
        _require_columns(
            columns, _csv_names(stream, columns) if location.form in CSV else _parquet_names(stream), location
        )


def _require_columns(columns: Columns, names: Sequence[str], location: Location) -> None:
    """Refuse a table that lacks the column of texts or one to keep, or has a column twice."""
    if any("\udc80" <= char <= "\udcff" for name in names for char in name):
        raise UsageError(f"{location.shown} is not UTF-8: save the file as UTF-8")
    existing = ", ".join(map(repr, names)) or "nothing"
    if columns.text not in names:
        raise UsageError(f"{location.shown} has no column {columns.text!r}, but {existing}: name it with --text-column")
    missing = next((name for name in columns.keep if name not in names), None)
    if missing is not None:
        raise UsageError(f"{location.shown} has no column {missing!r} to keep, but {existing}: correct --keep")
    twice = [name for name in columns.wanted if names.count(name) > 1]
    if twice:
        raise UsageError(f"{location.shown} has several columns {twice[0]!r}: give each a name of its own")


def _rows(location: Location, columns: Columns) -> Iterator[Row]:
    with location.stream() as stream:
        if location.form in JSONL:
            yield from _json_rows(stream)
        elif location.form in CSV:
            with _csv(stream, columns) as rows:
                _require_columns(columns, rows.names, location)
                yield from rows
        else:
            yield from _parquet_rows(stream, columns, location)


def _limit_faults(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows; of many consecutive faults all but the first `MAX_FAULTS` are counted in a single one."""
    faults, last = 0, 0
    more: tuple[int, Fault] | None = None
    for number, row in rows:
        if isinstance(row, Fault):
            faults += 1
            if faults > MAX_FAULTS:
                more, last = more or (number, row), number
                continue
        else:
            yield from _remaining_faults(more, faults - MAX_FAULTS, last)
            faults, more = 0, None
        yield number, row
    yield from _remaining_faults(more, faults - MAX_FAULTS, last)


def _remaining_faults(first: tuple[int, Fault] | None, count: int, last: int) -> Iterator[Row]:
    if first is not None:
        number, fault = first
        yield (
            number,
            fault if count == 1 else Fault(f"{fault.reason}; the same for {count:,} rows in a row, up to {last}"),
        )


def _id(row: Mapping[str, Any], columns: Columns) -> str:
    """Return the article's id; empty if it has none and no id column was named."""
    value = _value(row, columns.id or "id")
    if value is not None and not isinstance(value, str | int | float):
        raise BadInputError(f"has an id that is no text and no number: {_short(value)}")
    if value is None or not str(value).strip():
        if columns.id:
            raise BadInputError(f"has no id in {columns.id!r}; its columns are {_names(row)}")
        return ""
    return encodable(str(value).strip())


def _text(row: Mapping[str, Any], columns: Columns) -> str:
    if columns.text not in row:
        raise BadInputError(f"has no column {columns.text!r}, but {_names(row)}: name it with --text-column")
    value = _value(row, columns.text)
    if not isinstance(value, str):
        raise BadInputError(f"has no text in {columns.text!r}: {_short(value)}")
    return value


def _day(row: Mapping[str, Any], columns: Columns) -> dt.date | None:
    """Return the day of publication; None if the cell is empty."""
    value = _value(row, columns.date or "published_at")
    if value is None or (isinstance(value, str) and not value.strip()):
        if columns.date and columns.date not in row:
            raise BadInputError(f"has no column {columns.date!r}, but {_names(row)}: name it with --date-column")
        return None
    if not isinstance(value, str | dt.date):
        raise BadInputError(f"has a date that is no text: {_short(value)}")
    if isinstance(value, str) and columns.date_format:
        return parse_day(value, columns.date_format)
    return as_date(value)


def _kept(row: Mapping[str, Any], columns: Columns) -> dict[str, str]:
    """Return the values of the columns to keep, as text, without empty ones."""
    values = {name: _value(row, name) for name in columns.keep}
    texts = {name: value if isinstance(value, str) else _as_text(value) for name, value in values.items()}
    return {name: encodable(text.strip()) for name, text in texts.items() if text.strip()}


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return (
        value.isoformat()
        if isinstance(value, dt.date | dt.time)
        else json.dumps(value, ensure_ascii=False, default=str)
    )


def _value(row: Mapping[str, Any], name: str) -> Any:
    value = row.get(name)
    if isinstance(value, Fault):
        raise BadInputError(f"has in {name!r} a value that {value.reason}")
    return value


def _json_rows(stream: BinaryIO) -> Iterator[Row]:
    for number, line in numbered_lines(stream):
        if line is None:
            yield number, TOO_LONG
        elif line.strip():
            yield number, _json(line.removeprefix(codecs.BOM_UTF8))


def _json(line: bytes) -> Mapping[str, Any] | Fault:
    try:
        value = json.loads(line, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        return Fault(f"is not UTF-8 at byte {error.start}: save the file as UTF-8")
    except ValueError as error:
        reason = f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else str(error)
        return Fault(f"is no JSON ({reason}): write one object a line")
    except RecursionError:
        return Fault("is JSON too deeply nested to be an article")
    if isinstance(value, _DuplicateKey):
        return Fault("has a duplicate key: give each column a name of its own")
    return value if isinstance(value, dict) else Fault(f"is no JSON object: {_short(value)}")


class _DuplicateKey(dict[str, Any]):
    """An object with a duplicate key, so that one of its values would be lost."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else _DuplicateKey(plain)


@contextmanager
def _csv(stream: BinaryIO, columns: Columns) -> Iterator[CsvRows]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield CsvRows(text, columns.text)
    finally:
        text.detach()  # the caller closes the stream


def _csv_names(stream: BinaryIO, columns: Columns) -> Sequence[str]:
    with _csv(stream, columns) as rows:
        return rows.names


def _parquet_names(stream: BinaryIO) -> Sequence[str]:
    with _parquet(stream) as file:
        return list(file.schema_arrow.names)


def _parquet_rows(stream: BinaryIO, columns: Columns, location: Location) -> Iterator[Row]:
    with _parquet(stream) as file:
        _require_columns(columns, file.schema_arrow.names, location)
        there = [name for name in columns.wanted if name in file.schema_arrow.names]
        number = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            readable, size, too_large = _readable(stream, file, group, there)
            batches = file.iter_batches(size, row_groups=[group], columns=there, use_threads=False) if readable else ()
            for batch in islice(batches, -(-readable // size)):
                cells = {name: _microseconds(batch.column(name)) for name in there}
                for index in range(batch.num_rows):
                    number += 1
                    yield number, {name: _cell(column[index]) for name, column in cells.items()}
            if readable < rows:
                reason = f"and the rows after it, {rows - readable:,} in all, cannot be read: a page of them unpacks to"
                yield (
                    number + 1,
                    Fault(f"{reason} {too_large:,} bytes: write smaller pages, and texts that are articles"),
                )
                number += rows - readable


def _readable(stream: BinaryIO, file: "ParquetFile", group: int, names: Sequence[str]) -> tuple[int, int, int]:
    """Return how many rows of a group can be read in bounded memory, how many at a time, and the size of a bad page.

    Reading ends before the first page that unpacks to more than its rows may have as articles, or than `MAX_PAGE_BYTES`
    bytes. The number of rows at a time divides the number of rows, unless all can be read.
    """
    metadata = file.metadata.row_group(group)
    readable, size, too_large = metadata.num_rows, BATCH_ROWS, 0
    for index in range(metadata.num_columns):
        chunk, largest, values = metadata.column(index), 1, 0
        if chunk.path_in_schema.partition(".")[0] not in names:
            continue
        if chunk.total_uncompressed_size <= MAX_UNPACKED_BYTES:
            largest = max(1, chunk.total_uncompressed_size)
        else:
            for page in pages(stream, chunk):
                articles = (page.values or chunk.num_values) * MAX_BYTES
                if page.unpacked > max(MAX_UNPACKED_BYTES, min(MAX_PAGE_BYTES, articles)):
                    is_flat = file.schema.column(index).max_repetition_level == 0  # else rows have several values
                    readable, too_large = min(readable, values if is_flat else 0), page.unpacked
                    break
                largest, values = max(largest, page.unpacked), values + page.values
        size = min(size, max(1, MAX_UNPACKED_BYTES // largest))
    return readable, size if readable == metadata.num_rows else gcd(readable, size), too_large


def _microseconds(column: Any) -> Any:
    """Cast timestamps in nanoseconds, which Python does not support, to microseconds."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return column


def _cell(cell: Any) -> Any:
    """Return the Python value of a cell; a fault if there is none, or if it is too long to be an article."""
    import pyarrow as pa

    try:
        if isinstance(cell, pa.DictionaryScalar):
            cell = cell.value
        if isinstance(cell, pa.BinaryScalar) and cell.is_valid and cell.as_buffer().size > MAX_BYTES:
            return Fault(too_long(f"{cell.as_buffer().size:,}"))
        return cell.as_py()
    except Exception as error:  # noqa: BLE001  # a time zone, a year, bytes: each has errors of its own
        return Fault(f"cannot be read: {type(error).__name__}: {_short(str(error))}")


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
