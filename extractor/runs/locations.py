"""Find the files that a path, a folder, a pattern or a URL stands for, and open them.

Folders are listed lazily, in the order of the names, so that a large tree is never held in memory.
"""

import glob
import gzip
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast
from urllib.parse import unquote

from mahdar.documents.document import STDIN, BadInput, encodable
from mahdar.documents.pages import SUFFIXES as PAGES
from mahdar.errors import BadInputError, UsageError

if TYPE_CHECKING:
    from zstandard import ZstdDecompressionObj, ZstdDecompressor

TEXT: Final = ".txt"
ARTICLES: Final = (TEXT, *PAGES)
_PARTS_OF_A_PAGE: Final = "_files"
"""Suffix of the folder in which a browser saves a page's pictures and frames."""
JSONL: Final = (".jsonl", ".ndjson")
CSV: Final = (".csv", ".tsv")
PARQUET: Final = (".parquet",)
COMPRESSED: Final = (".gz", ".zst")
_PIECE: Final = 256
"""Bytes of a zstd file that are unpacked at once, into 8 MB at most."""
REMEDY: Final = "pip install 'mahdar[files]'"
_STDIN_STEM: Final = "stdin"
_PASSWORD: Final = re.compile(r"(?<=://)[^/@]*@")
_USER: Final = re.compile(r"://(?:[^/@:]*:)?([^/@]*)@")
PATTERN: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Location:
    """A file on this machine or elsewhere.

    Attributes:
        name: an absolute path, a URL without its secrets, or "-" for standard input.
        files: the fsspec file system; None for this machine's.
        path: path in the fsspec file system.
    """

    name: str
    files: Any = None
    path: str = ""

    @property
    def form(self) -> str:
        """The ending that determines the format, without that of a compression."""
        return _endings(self.name)[0]

    @property
    def is_article(self) -> bool:
        """Whether the whole file is one article."""
        return self.form not in {*JSONL, *CSV, *PARQUET}

    @property
    def compression(self) -> str:
        """The ending of the compression; empty if there is none."""
        return _endings(self.name)[1]

    @property
    def stem(self) -> str:
        """The file's name without its endings."""
        if self.name == STDIN:
            return _STDIN_STEM
        name = PurePosixPath(self.name)
        return encodable(PurePosixPath(name.stem).stem if self.compression else name.stem)

    @property
    def shown(self) -> str:
        """The name as shown in messages."""
        return "standard input" if self.name == STDIN else encodable(self.name)

    def fault(self, error: Exception) -> str:
        """Return the message of an error, with the path replaced by the name that may be shown."""
        message = str(getattr(error, "strerror", None) or str(error) or type(error).__name__)
        return message.replace(self.path, self.shown) if self.path else message

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """Open the file and decompress its bytes; standard input stays open.

        Raises:
            OSError: the file cannot be read.
            UsageError: reading it takes a library that is not installed.
        """
        with ExitStack() as files:
            yield _unpacked(self._raw(files), self.compression, files)

    def _raw(self, files: ExitStack) -> BinaryIO:
        if self.name == STDIN:
            return sys.stdin.buffer
        if self.files is not None:
            return cast("BinaryIO", files.enter_context(self.files.open(self.path, mode="rb")))
        return files.enter_context(Path(self.name).open("rb"))


def locations(path: str) -> Iterator[Location | BadInput]:
    """Yield the files that a path stands for, and a `BadInput` for each subfolder that cannot be listed.

    Args:
        path: a file, a folder of texts and pages, a pattern such as `2024-*.jsonl`, a URL of any of these, or "-".

    Raises:
        BadInputError: no file is found.
        UsageError: reading the URL takes a library that is not installed.
    """
    if path == STDIN:
        yield Location(STDIN)
    elif "://" in path:
        yield from _remote(path)
    else:
        absolute = os.path.abspath(path)  # noqa: PTH100  # resolve() would name a link's target, not the link
        if os.path.isdir(absolute):  # noqa: PTH112  # Path.is_dir raises where permission is missing
            yield from _some(_walk(absolute), f"folder {path!r} has no {TEXT} or .html files")
        elif os.path.lexists(absolute) or not PATTERN.intersection(path):
            yield _existing(path, absolute)
        else:
            found = sorted(glob.glob(absolute, recursive=True))  # noqa: PTH207  # Path.glob knows no absolute pattern
            files = (Location(file) for file in found if not os.path.isdir(file))  # noqa: PTH112  # as above
            yield from _some(files, f"pattern {path!r} matches no file")


def _existing(path: str, absolute: str) -> Location:
    if not os.path.lexists(absolute):
        raise BadInputError(f"{path!r}: no such file or folder: check the path, taken from {str(Path.cwd())!r}")
    return Location(absolute)


def _some(found: Iterator[Location | BadInput], nothing: str) -> Iterator[Location | BadInput]:
    """Yield what was found; raise an error that begins with `nothing` if that is nothing."""
    first = next(found, None)
    if first is None:
        raise BadInputError(f"{nothing}: name one that has, or the files themselves")
    yield first
    yield from found


def _walk(folder: str) -> Iterator[Location | BadInput]:
    """Yield the texts and pages in a folder's tree, in the order of paths; skip hidden files and parts of pages."""
    try:
        with os.scandir(folder) as listed:
            inside = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        yield BadInput(encodable(folder), f"folder cannot be listed: {error.strerror}")
        return
    for entry in inside:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.endswith(_PARTS_OF_A_PAGE):
                yield from _walk(entry.path)
        elif _endings(entry.name)[0] in ARTICLES:
            yield Location(entry.path)


def _remote(url: str) -> Iterator[Location]:
    """Yield the files of a URL, through fsspec. Names and messages have no password and no query."""
    shown = _public(url)
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError(f"{shown!r}: reading URLs takes fsspec; {REMEDY}") from None
    try:
        files, path = url_to_fs(url)
        found = _listed(files, path)
    except ImportError as error:  # fsspec names the package of each kind of storage
        raise UsageError(f"{shown!r}: {error}") from None
    except Exception as error:  # noqa: BLE001  # every kind of storage has errors of its own
        reason = _reason(error, url, shown)
        raise BadInputError(f"{shown!r} cannot be read: {reason}; check the URL, and the rights to it") from None
    if not found:
        raise BadInputError(f"{shown!r}: no such file, or no {TEXT} or .html files in it: check the URL")
    for name in found:
        yield Location(_public(files.unstrip_protocol(name)), files, name)


def _public(url: str) -> str:
    """Return a URL without its password and query."""
    return _PASSWORD.sub("", url).partition("?")[0]


def _reason(error: Exception, url: str, shown: str) -> str:
    """Return the message of an error; only its class, if the message repeats a secret part of the URL."""
    message = " ".join(str(error).replace(url, shown).split())
    secrets = [*_USER.findall(url), *re.split("[&=]", url.partition("?")[2])]
    secrets += [unquote(secret) for secret in secrets]
    return message if message and not any(part in message for part in secrets if part) else type(error).__name__


def _listed(files: Any, path: str) -> list[str]:
    if PATTERN.intersection(path):
        return sorted(name for name in files.glob(path) if not files.isdir(name))
    if files.isdir(path):
        return sorted(name for name in files.find(path) if _endings(name)[0] in ARTICLES)
    return [path] if files.exists(path) else []


def _endings(name: str) -> tuple[str, str]:
    """Split the endings of a file name into format and compression."""
    lower = name.lower()
    compression = next((ending for ending in COMPRESSED if lower.endswith(ending)), "")
    form = PurePosixPath(lower.removesuffix(compression)).suffix
    return form, compression


def _unpacked(raw: BinaryIO, compression: str, files: ExitStack) -> BinaryIO:
    if compression == ".gz":
        members = _Members(files.enter_context(gzip.GzipFile(fileobj=raw)))
        files.callback(members.refuse_rest)
        return files.enter_context(io.BufferedReader(members))
    if compression == ".zst":
        try:
            from zstandard import ZstdDecompressor
        except ImportError:
            raise UsageError(f"reading {compression} files takes zstandard; {REMEDY}") from None
        return files.enter_context(io.BufferedReader(_Frames(raw, ZstdDecompressor())))
    return raw


class _Members(io.RawIOBase):
    """The members of a gzip file; trailing bytes that are not gzip are reported at its end, not in its last line."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self._begun = False
        self._rest = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._packed.read1(len(buffer))
        except gzip.BadGzipFile as error:
            if not self._begun or "Not a gzipped file" not in str(error):  # else a checksum
                raise
            self._rest = True
            return 0
        self._begun = True
        buffer[: len(data)] = data
        return len(data)

    def refuse_rest(self) -> None:
        """Raise an error if there were trailing bytes that are not gzip."""
        if self._rest:
            raise gzip.BadGzipFile("bytes that are not gzip follow its end: unpack it with gzip -d, and look")


class _Frames(io.RawIOBase):
    """The frames of a zstd file; one that is cut is an error, which zstandard's own reader takes for the file's end."""

    def __init__(self, raw: BinaryIO, decompressor: "ZstdDecompressor") -> None:
        self._raw = raw
        self._decompressor = decompressor
        self._frame: ZstdDecompressionObj | None = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            self._packed = self._packed or self._raw.read(_PIECE)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("Compressed file ended before its last frame did")
                return 0
            self._frame = self._frame or self._decompressor.decompressobj()
            self._ready = memoryview(self._frame.decompress(self._packed))
            self._packed = self._frame.unused_data
            self._frame = None if self._frame.eof else self._frame
        data, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)
