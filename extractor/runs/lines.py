"""Write files of lines, each line entirely or not at all; lock them, and compute their checksums."""

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

# JSON allows these inside a string, but many readers of lines take them for the end of a line.
LINE_ENDS: Final = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
_LINE_END: Final = re.compile("[\x85\u2028\u2029]")


def json_line(result: Extraction) -> str:
    """Return an extraction as JSON on one line, with Arabic unescaped."""
    return _on_one_line(result.model_dump_json())


def dumps(value: Any) -> str:
    """Return a value as JSON on one line, with Arabic unescaped."""
    return _on_one_line(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _on_one_line(text: str) -> str:
    return text.translate(LINE_ENDS) if _LINE_END.search(text) else text  # searching takes a tenth of the time


def checksum(line: bytes) -> bytes:
    """Return the checksum of a line, its line feed excluded: 16 bytes of BLAKE2b."""
    return blake2b(line.removesuffix(b"\n"), digest_size=16).digest()


def lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file until it is closed or the process ends.

    Returns:
        False if another process holds a lock that excludes this one. Always True on Windows, which has no such locks.
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
    """Flush the names in a folder to the disk, if the system supports it."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


class LineFile:
    """A file that grows by whole lines.

    Attributes:
        is_plain: whether it is a regular file, not a device or a pipe.
        end: its size in bytes.

    Raises:
        UsageError: the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
            self.is_plain = stat.S_ISREG(os.fstat(self._file).st_mode)
            self.end = os.lseek(self._file, 0, os.SEEK_END) if self.is_plain else 0
        except OSError as error:
            raise _unwritable(self.path, error) from None

    @property
    def descriptor(self) -> int:
        """The file descriptor, to lock the file by."""
        return self._file

    @property
    def is_there(self) -> bool:
        """Whether the path still leads to this file: another process may have replaced it."""
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self.path))  # noqa: PTH116  # beside fstat
        except FileNotFoundError:
            return False

    def write(self, line: str | bytes) -> None:
        """Append a line; the line feed is added if missing.

        Raises:
            UsageError: the line cannot be written, as on a full disk; the file is cut back to what it held before.
        """
        data, written = (line if isinstance(line, bytes) else line.encode()).removesuffix(b"\n") + b"\n", 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            self.cut(self.end)
            raise _unwritable(self.path, error) from None
        self.end += len(data)

    def cut(self, end: int) -> None:
        """Truncate the file to `end` bytes, unless it is a device or a pipe."""
        if self.is_plain:
            os.ftruncate(self._file, end)
            self.end = os.lseek(self._file, 0, os.SEEK_END)

    def sync(self) -> None:
        """Flush everything written to the disk."""
        if not self.is_plain:
            return
        try:
            os.fsync(self._file)
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def write_whole(path: Path, lines: Iterable[str]) -> None:
    """Replace a file of lines atomically, also with respect to a loss of power; remove it if there are no lines.

    Raises:
        UsageError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.new")
    file = LineFile(temporary)
    try:
        file.cut(0)
        for line in lines:
            file.write(line)
        file.sync()
    finally:
        file.close()
    try:
        if file.end:
            temporary.replace(path)
        else:
            temporary.unlink()
            path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None
    sync_folder(path.parent)


def whole_lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield every line that ends with a line feed, and the offset of its end in bytes; skip a torn last line."""
    end = file.tell()
    for line in file:
        if not line.endswith(b"\n"):
            return
        end += len(line)
        yield line, end


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {error.strerror}; name another file with --output")
