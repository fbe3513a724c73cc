"""Read CSV and TSV row by row, and report malformed rows with their line numbers.

Python's reader silently follows an unclosed quote mark through all rows up to the next quote mark, and drops a quote
mark that merely begins a cell («"نرفض" قال»). So each row is first read strictly, as far as its quote marks reach. If
that fails, or swallows lines that look like rows themselves, only the first line is taken as the row: its cells keep
every quote mark, and an unclosed one is a fault. The lines after it are read as rows again.

Re-reading is bounded by the characters read so far, so that a file takes at most a few times its length.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, AnyStr, Final

from mahdar.documents.checks import MAX_BYTES

MAX_LINE: Final = 8 * MAX_BYTES
"""Maximum of bytes of a line, or characters of a CSV row: the longest article with every letter escaped, and more."""
DELIMITERS: Final = ",;\t|"
_REREAD_FACTOR: Final = 4
"""How often each character may be read again, on average."""
_MAX_KEY_LENGTH: Final = 64
"""Maximum of characters of a cell that identifies a row: an id, a date, an address."""
_SINGLE_WORD: Final = "x"
"""The shape (see `_shapes`) of a single number or word."""
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Fault:
    """The problem of a row, or of a value in it."""

    reason: str


Row = tuple[int, Mapping[str, Any] | Fault]
"""number of a line (of a row, in Parquet) from 1, and its columns"""

TOO_LONG: Final = Fault(f"is longer than {MAX_LINE:,} bytes")


def numbered_lines(stream: IO[AnyStr]) -> Iterator[tuple[int, AnyStr | None]]:
    """Number the lines of a file from 1; None replaces a line that is too long to hold an article."""
    number, inside = 0, False
    while line := stream.readline(MAX_LINE):
        ends = len(line) < MAX_LINE or line[-1:] in ("\n", "\r", b"\n")
        number += not inside
        if not inside:
            yield number, line if ends else None
        inside = not ends


class CsvRows:
    """The rows of a table, one at a time.

    Args:
        stream: the file, opened with `newline=""` and `errors="surrogateescape"`.
        text: name of the column with the articles' texts.

    Attributes:
        names: the names of the columns.
    """

    def __init__(self, stream: IO[str], text: str) -> None:
        csv.field_size_limit(MAX_LINE)
        self._lines = numbered_lines(stream)
        self._pushed_back: deque[tuple[int, str | None]] = deque()
        _, heading = next(self._lines, (0, ""))
        self._delimiter = max(DELIMITERS, key=(heading or "").count)
        self.names: Sequence[str] = next(csv.reader([heading or ""], delimiter=self._delimiter), [])
        self._keys = [index for index, name in enumerate(self.names) if name != text]
        self._text = list(self.names).index(text) if text in self.names else len(self.names)
        cut = re.escape(self._delimiter)
        self._cell = re.compile(rf'(?:"([^"]*+(?:""[^"]*+)*+)"(?={cut}|\Z)|([^{cut}]*))(?:{cut}|\Z)')
        self._reread_budget = MAX_LINE

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; the lines following a quote mark that is not closed, up to the next row, belong to its fault.

        In a table of one column every line looks like a row: there all lines to the end belong to the fault.
        """
        unclosed, following = 0, 0
        for number, row in self._rows():
            if row is _UNCLOSED and len(self.names) == 1:
                yield number, _unclosed(sum(line is None or bool(line.strip()) for _, line in iter(self._line, None)))
                return
            if unclosed and isinstance(row, Fault) and row is not _UNCLOSED:
                following += 1
                continue
            if unclosed:
                yield unclosed, _unclosed(following)
            unclosed, following = (number, 0) if row is _UNCLOSED else (0, 0)
            if not unclosed:
                yield number, row
        if unclosed:
            yield unclosed, _unclosed(following)

    def _rows(self) -> Iterator[Row]:
        while (numbered := self._line()) is not None:
            number, line = numbered
            if line is None:
                yield number, TOO_LONG
            elif line.strip("\r\n"):
                self._reread_budget += _REREAD_FACTOR * len(line)
                yield number, self._columns(self._strict_cells(line) or self._lenient_cells(line))

    def _line(self) -> tuple[int, str | None] | None:
        return self._pushed_back.popleft() if self._pushed_back else next(self._lines, None)

    def _strict_cells(self, line: str) -> list[str] | None:
        """Return the cells of the row that begins on a line, as far as its quote marks reach; None if it is no row."""
        if '"' not in line:
            return line.rstrip("\r\n").split(self._delimiter)
        following: list[tuple[int, str | None]] = []
        size = len(line)

        def lines() -> Iterator[str]:
            nonlocal size
            yield line
            while size < min(MAX_LINE, self._reread_budget) and (numbered := self._line()) is not None:
                following.append(numbered)
                if numbered[1] is None:
                    return
                size += len(numbered[1])
                yield numbered[1]

        try:
            cells = next(csv.reader(lines(), delimiter=self._delimiter, strict=True))
            if not following or (len(cells) == len(self.names) and not self._swallows_rows(cells, following)):
                return cells
        except csv.Error:
            pass
        self._pushed_back.extendleft(reversed(following))
        self._reread_budget -= size
        return None

    def _swallows_rows(self, cells: Sequence[str], following: Sequence[tuple[int, str | None]]) -> bool:
        """Return whether most lines of a row look like rows: as many cells, and an id or a date like its own (17, 18).

        In the last line, only the cells before the text are compared: those after it are the row's own. A single line
        must share more than a number, such as a date, since a sentence may begin with a number.
        """
        own = self._shapes(cells)
        *lines, last = [self._split(line) for _, line in following if line and line.strip()] or [[]]
        before = {(index, shape) for index, shape in own if index < self._text}
        shared = [own & self._shapes(parts) for parts in lines if len(parts) == len(self.names)]
        shared += [before & self._shapes(last)] if len(last) == len(self.names) else []
        alike = [shapes for shapes in shared if shapes]
        certain = len(alike) > 1 or any(shape != _SINGLE_WORD for shapes in alike for _, shape in shapes)
        return certain and 2 * len(alike) > len(lines) + bool(before)

    def _shapes(self, cells: Sequence[str]) -> set[tuple[int, str]]:
        """Return the shapes of the cells other than the text: "2024-02-05" and "2023-11-30" have the shape "x-x-x".

        Only cells with a digit and addresses ("https://a.ly/b") have one: words may be a part of a text.
        """
        short = ((index, cells[index]) for index in self._keys if len(cells[index]) <= _MAX_KEY_LENGTH)
        return {(index, _WORD.sub("x", cell)) for index, cell in short if any(map(str.isdigit, cell)) or "://" in cell}

    def _lenient_cells(self, line: str) -> list[str] | None:
        """Return the cells of one line, keeping quote marks that enclose no whole cell; None if one is unclosed."""
        cells = self._split(line)
        return None if any(cell.startswith('"') and cell.count('"') % 2 for cell in cells) else cells

    def _split(self, line: str) -> list[str]:
        line = line.rstrip("\r\n")
        cells, at = [], 0
        while match := self._cell.match(line, at):
            quoted, plain = match.groups()
            cells.append(plain if quoted is None else quoted.replace('""', '"'))
            if match.end() == len(line) and not match[0].endswith(self._delimiter):
                break
            at = match.end()
        return cells

    def _columns(self, cells: Sequence[str] | None) -> Mapping[str, Any] | Fault:
        if cells is None:
            return _UNCLOSED
        if len(cells) != len(self.names):
            return Fault(
                f"has {len(cells)} cells where the heading has {len(self.names)}: put quotes around texts with commas"
            )
        if any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
            return Fault("is not UTF-8: save the file as UTF-8")
        return dict(zip(self.names, cells, strict=True))


_UNCLOSED: Final = Fault("has a quote mark that is not closed")


def _unclosed(following: int) -> Fault:
    """Make the fault of an unclosed quote mark, with the number of lines after it that belong to no row."""
    more = f", and the {following:,} lines after it are not rows" if following > 1 else ""
    more = ", and the line after it is not a row" if following == 1 else more
    return Fault(f"{_UNCLOSED.reason}{more}: close it, and double the quote marks inside a text")
