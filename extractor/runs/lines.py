"""Files of lines: what is written to them is there whole, or not at all."""

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final

from mahdar.errors import UsageError
from mahdar.schemas.records import Extraction

# JSON allows these inside a string, but many a reader of lines takes them for the end of one.
LINE_ENDS: Final = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
_LINE_END: Final = re.compile("[\x85\u2028\u2029]")


def json_line(result: Extraction) -> str:
    """An extraction as JSON on one line, Arabic as Arabic."""
    return _on_one_line(result.model_dump_json())


def dumps(value: Any) -> str:
    """Any value as JSON on one line, Arabic as Arabic."""
    return _on_one_line(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _on_one_line(text: str) -> str:
    return text.translate(LINE_ENDS) if _LINE_END.search(text) else text  # searching takes a tenth of the time


def checksum(line: bytes) -> bytes:
    """Return the checksum of a line, its line feed left out."""
    return blake2b(line.removesuffix(b"\n"), digest_size=16).digest()


def lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file until it is closed, however its process ends.

    Returns:
        False where another process holds a lock that excludes this one. True on Windows, which has no such locks.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Make new names in a folder as safe as what the files hold, where the system can."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


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

    @property
    def is_there(self) -> bool:
        """Whether it is still the file of its name: another process may have put one in its place."""
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self.path))  # noqa: PTH116  # beside fstat
        except FileNotFoundError:
            return False

    def write(self, line: str | bytes) -> None:
        """Add a line; its line feed may be left out.

        Raises:
            UsageError: the disk is full, say; what there was before stays as it was.
        """
        data, written = (line if isinstance(line, bytes) else line.encode()).removesuffix(b"\n") + b"\n", 0
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


def write_whole(path: Path, lines: Iterable[str]) -> None:
    """Write a file of lines in one step: it is there entire or not at all, also after a loss of power.

    Where there are no lines, the file is removed.

    Raises:
        UsageError: it cannot be written.
    """
    made = path.with_name(f".{path.name}.new")
    file = LineFile(made)
    try:
        file.cut(0)
        for line in lines:
            file.write(line)
        file.sync()
    finally:
        file.close()
    try:
        if file.end:
            made.replace(path)
        else:
            made.unlink()
            path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; name another file with --output") from None
    sync_folder(path.parent)


def whole_lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Every line that ends with a newline, and the bytes up to and including it; a torn last line is left out."""
    end = file.tell()
    for line in file:
        if not line.endswith(b"\n"):
            return
        end += len(line)
        yield line, end
