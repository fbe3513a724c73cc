"""Files of lines: what is written to them is there whole, or not at all."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from mahdar.errors import UsageError
from mahdar.schemas.records import Extraction

# JSON allows these inside a string, but many a reader of lines takes them for the end of one.
LINE_ENDS: Final = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def json_line(result: Extraction) -> str:
    """An extraction as JSON on one line, Arabic as Arabic."""
    return result.model_dump_json().translate(LINE_ENDS)


def dumps(value: Any) -> str:
    """Any value as JSON on one line, Arabic as Arabic."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(LINE_ENDS)


class LineFile:
    """A file that grows by whole lines.

    Attributes:
        is_plain: a file on a disk, no device and no pipe.
        end: bytes in it.

    Raises:
        UsageError: it cannot be opened, or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
            self.is_plain = stat.S_ISREG(os.fstat(self._file).st_mode)
            self.end = os.lseek(self._file, 0, os.SEEK_END) if self.is_plain else 0
        except OSError as error:
            raise self._unwritable(error) from None

    @property
    def descriptor(self) -> int:
        """The open file, to lock it."""
        return self._file

    def write(self, lines: str) -> None:
        """Add a line, or several that each end with a newline but the last.

        Raises:
            UsageError: the disk is full, say; what there was before stays as it was.
        """
        data, written = lines.encode() + b"\n", 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            self.cut(self.end)
            raise self._unwritable(error) from None
        self.end += len(data)

    def cut(self, end: int) -> None:
        """Drop what stands behind so many bytes."""
        if self.is_plain:
            os.ftruncate(self._file, end)
            self.end = os.lseek(self._file, 0, os.SEEK_END)

    def sync(self) -> None:
        """Return once everything written is on the disk."""
        if not self.is_plain:
            return
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritable(error) from None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _unwritable(self, error: OSError) -> UsageError:
        return UsageError(f"{self.path} cannot be written: {error.strerror}; name another file with --output")


def whole_lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Every line that ends with a newline, and the bytes up to and including it; a torn last line is left out."""
    end = file.tell()
    for line in file:
        if not line.endswith(b"\n"):
            return
        end += len(line)
        yield line, end
