"""Rows of CSV and TSV as they are met: each becomes cells, or a fault that names its line.

Python's reader follows a quote mark that is never closed through all rows up to the next one, and says nothing; a quote
mark that merely begins a cell («"نرفض" قال») it drops. So each row is read strictly, as far as its quote marks reach.
Where that fails, or takes in lines that are rows themselves, the row is its first line alone: what its cells hold is
kept with every mark, and a quote mark that is not closed is a fault. The lines behind it are rows again.

Reading again what a quote mark reached is bounded by the characters read so far: no file takes more than a few times
its length.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, AnyStr, Final

from mahdar.documents.checks import MAX_BYTES

MAX_LINE: Final = 8 * MAX_BYTES
"""Bytes of a line, characters of a CSV row: the longest article with every letter escaped, and columns beside it."""
DELIMITERS: Final = ",;\t|"
_AGAIN: Final = 4
"""How often what was read may be read again, on average."""
_LONGEST_KEY: Final = 64
"""Characters of what tells rows apart: an id, a date, an address."""
_NUMBER: Final = "x"
"""What a number or a word by itself looks like."""
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row, or with a value of it."""

    reason: str


Row = tuple[int, Mapping[str, Any] | Fault]
"""a line's number, or a row's, from 1, and its columns"""

TOO_LONG: Final = Fault(f"is longer than {MAX_LINE:,} bytes")


def numbered_lines(stream: IO[AnyStr]) -> Iterator[tuple[int, AnyStr | None]]:
    """Number the lines of a file, from 1; None stands for one that is too long to be an article's."""
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
        text: the column with the articles' texts.

    Attributes:
        names: of the columns.
    """

    def __init__(self, stream: IO[str], text: str) -> None:
        csv.field_size_limit(MAX_LINE)
        self._lines = numbered_lines(stream)
        self._ahead: deque[tuple[int, str | None]] = deque()
        _, heading = next(self._lines, (0, ""))
        self._delimiter = max(DELIMITERS, key=(heading or "").count)
        self.names: Sequence[str] = next(csv.reader([heading or ""], delimiter=self._delimiter), [])
        self._keys = [index for index, name in enumerate(self.names) if name != text]
        self._text = list(self.names).index(text) if text in self.names else len(self.names)
        cut = re.escape(self._delimiter)
        self._cell = re.compile(rf'(?:"([^"]*+(?:""[^"]*+)*+)"(?={cut}|\Z)|([^{cut}]*))(?:{cut}|\Z)')
        self._may_read_again = MAX_LINE

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; the lines behind a quote mark that is not closed, up to the next row, belong to its fault."""
        unclosed, behind = 0, 0
        for number, row in self._rows():
            if unclosed and isinstance(row, Fault) and row is not _UNCLOSED:
                behind += 1
                continue
            if unclosed:
                yield unclosed, _unclosed(behind)
            unclosed, behind = (number, 0) if row is _UNCLOSED else (0, 0)
            if not unclosed:
                yield number, row
        if unclosed:
            yield unclosed, _unclosed(behind)

    def _rows(self) -> Iterator[Row]:
        while (numbered := self._line()) is not None:
            number, line = numbered
            if line is None:
                yield number, TOO_LONG
            elif line.strip("\r\n"):
                self._may_read_again += _AGAIN * len(line)
                yield number, self._columns(self._reach(line) or self._alone(line))

    def _line(self) -> tuple[int, str | None] | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)

    def _reach(self, line: str) -> list[str] | None:
        """The cells of the row that begins on a line, as far as its quote marks reach; None where that is no row."""
        if '"' not in line:
            return line.rstrip("\r\n").split(self._delimiter)
        behind: list[tuple[int, str | None]] = []
        size = len(line)

        def lines() -> Iterator[str]:
            nonlocal size
            yield line
            while size < min(MAX_LINE, self._may_read_again) and (numbered := self._line()) is not None:
                behind.append(numbered)
                if numbered[1] is None:
                    return
                size += len(numbered[1])
                yield numbered[1]

        try:
            cells = next(csv.reader(lines(), delimiter=self._delimiter, strict=True))
            if not behind or (len(cells) == len(self.names) and not self._holds_rows(cells, behind)):
                return cells
        except csv.Error:
            pass
        self._ahead.extendleft(reversed(behind))
        self._may_read_again -= size
        return None

    def _holds_rows(self, cells: Sequence[str], behind: Sequence[tuple[int, str | None]]) -> bool:
        """Whether most lines of a row have a row's cells, and an id or a date like its own: 17, 18.

        Behind its text the last line has the row's own cells, which say nothing. One line alone must look like more
        than a number, as a date does: a sentence may begin with one.
        """
        own = self._looks(cells)
        *lines, last = [self._split(line) for _, line in behind if line and line.strip()] or [[]]
        before = {(index, look) for index, look in own if index < self._text}
        shared = [own & self._looks(parts) for parts in lines if len(parts) == len(self.names)]
        shared += [before & self._looks(last)] if len(last) == len(self.names) else []
        alike = [looks for looks in shared if looks]
        told = len(alike) > 1 or any(look != _NUMBER for looks in alike for _, look in looks)
        return told and 2 * len(alike) > len(lines) + bool(before)

    def _looks(self, cells: Sequence[str]) -> set[tuple[int, str]]:
        """What the cells beside the text have in common with other rows': "2024-02-05" looks like "2023-11-30"."""
        short = ((index, cells[index]) for index in self._keys if len(cells[index]) <= _LONGEST_KEY)
        return {(index, _WORD.sub("x", cell)) for index, cell in short if any(map(str.isdigit, cell))}

    def _alone(self, line: str) -> list[str] | None:
        """The cells of one line, with quote marks that do not stand around a whole cell; None: one is not closed."""
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
            wanted = f"has {len(cells)} cells where the heading has {len(self.names)}"
            return Fault(f"{wanted}: put quotes around texts with commas")
        if any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
            return Fault("is not UTF-8: save the file as UTF-8")
        return dict(zip(self.names, cells, strict=True))


_UNCLOSED: Final = Fault("has a quote mark that is not closed")


def _unclosed(behind: int) -> Fault:
    """The fault of a quote mark, with how many lines behind it belong to no row."""
    more = f", and the {behind:,} lines behind it are no rows" if behind > 1 else ""
    more = ", and the line behind it is no row" if behind == 1 else more
    return Fault(f"{_UNCLOSED.reason}{more}: close it, and double the quote marks inside a text")
