"""Locations: the files that a path, a folder, a pattern or a URL stands for, and how each is opened.

Nothing here holds all files of a folder's tree: a folder is listed when it is come to, in the order of the names.
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
from typing import Any, BinaryIO, Final, cast
from urllib.parse import unquote

from mahdar.documents.document import STDIN, BadInput
from mahdar.documents.pages import SUFFIXES as PAGES
from mahdar.errors import BadInputError, UsageError

TEXT: Final = ".txt"
ARTICLES: Final = (TEXT, *PAGES)
_PARTS_OF_A_PAGE: Final = "_files"
"""Ends the name of the folder that a browser saves a page's pictures and frames in."""
JSONL: Final = (".jsonl", ".ndjson")
CSV: Final = (".csv", ".tsv")
PARQUET: Final = (".parquet",)
COMPRESSED: Final = (".gz", ".zst")
REMEDY: Final = "pip install 'mahdar[files]'"
_STDIN_STEM: Final = "stdin"
_PASSWORD: Final = re.compile(r"(?<=://)[^/@]*@")
_USER: Final = re.compile(r"://(?:[^/@:]*:)?([^/@]*)@")
PATTERN: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Location:
    """A file, here or elsewhere.

    Attributes:
        name: an absolute path, a URL less what is secret in it, or "-" for standard input.
        files: the fsspec file system it is in; None for this machine's.
        path: its name there.
    """

    name: str
    files: Any = None
    path: str = ""

    @property
    def form(self) -> str:
        """The ending that tells what is in it, less that of its compression."""
        return _endings(self.name)[0]

    @property
    def is_article(self) -> bool:
        """Whether the whole file is one article."""
        return self.form not in {*JSONL, *CSV, *PARQUET}

    @property
    def compression(self) -> str:
        """The ending that tells how it is compressed; empty where it is not."""
        return _endings(self.name)[1]

    @property
    def stem(self) -> str:
        """The file's name without its endings."""
        if self.name == STDIN:
            return _STDIN_STEM
        name = PurePosixPath(self.name)
        return printable(PurePosixPath(name.stem).stem if self.compression else name.stem)

    @property
    def shown(self) -> str:
        """The name, for a message."""
        return "standard input" if self.name == STDIN else printable(self.name)

    def fault(self, error: Exception) -> str:
        """What an error in reading it says, under the name that may be shown."""
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return str(said).replace(self.path, self.shown) if self.path else str(said)

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """Its bytes, unpacked; standard input stays open.

        Raises:
            OSError: it cannot be read.
            UsageError: it takes a library that is not installed.
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
    """The files a path stands for; a folder below that cannot be listed is reported.

    Args:
        path: a file, a folder whose texts are meant, a pattern such as `2024-*.jsonl`, a URL of any of these, or "-".

    Raises:
        BadInputError: there is nothing of the kind.
        UsageError: a URL takes a library that is not installed.
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


def printable(name: str) -> str:
    """A file name's bytes that are not UTF-8, escaped: an id must be writable as JSON."""
    return name.encode(errors="backslashreplace").decode()


def _existing(path: str, absolute: str) -> Location:
    if not os.path.lexists(absolute):
        raise BadInputError(f"{path!r}: no such file or folder: check the path, taken from {str(Path.cwd())!r}")
    return Location(absolute)


def _some(found: Iterator[Location | BadInput], nothing: str) -> Iterator[Location | BadInput]:
    """What was found, of which there must be something."""
    first = next(found, None)
    if first is None:
        raise BadInputError(f"{nothing}: name one that has, or the files themselves")
    yield first
    yield from found


def _walk(folder: str) -> Iterator[Location | BadInput]:
    """A folder's texts and pages, in the order of their paths; hidden ones and what belongs to a page are left out."""
    try:
        with os.scandir(folder) as listed:
            inside = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        yield BadInput(printable(folder), f"folder cannot be listed: {error.strerror}")
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
    """The files of a URL, through fsspec. What is said of it has no password, and no token in a query."""
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
        said = _reason(error, url, shown)
        raise BadInputError(f"{shown!r} cannot be read: {said}; check the URL, and the rights to it") from None
    if not found:
        raise BadInputError(f"{shown!r}: no such file, or no {TEXT} or .html files in it: check the URL")
    for name in found:
        yield Location(_public(files.unstrip_protocol(name)), files, name)


def _public(url: str) -> str:
    """A URL less the password and the query that it may carry."""
    return _PASSWORD.sub("", url).partition("?")[0]


def _reason(error: Exception, url: str, shown: str) -> str:
    """What an error says; only its name, where it repeats a part of the URL that may not be shown."""
    said = " ".join(str(error).replace(url, shown).split())
    secrets = [*_USER.findall(url), *re.split("[&=]", url.partition("?")[2])]
    secrets += [unquote(secret) for secret in secrets]
    return said if said and not any(part in said for part in secrets if part) else type(error).__name__


def _listed(files: Any, path: str) -> list[str]:
    if PATTERN.intersection(path):
        return sorted(name for name in files.glob(path) if not files.isdir(name))
    if files.isdir(path):
        return sorted(name for name in files.find(path) if _endings(name)[0] in ARTICLES)
    return [path] if files.exists(path) else []


def _endings(name: str) -> tuple[str, str]:
    """What is in a file, and how it is compressed, by the endings of its name."""
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
            import zstandard
        except ImportError:
            raise UsageError(f"reading {compression} files takes zstandard; {REMEDY}") from None
        reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return files.enter_context(io.BufferedReader(cast("io.RawIOBase", reader)))
    return raw


class _Members(io.RawIOBase):
    """What gzip holds, to its end; bytes behind that are no gzip are told when it is closed, not in the last line."""

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
        """Raise, if bytes were met that are no gzip."""
        if self._rest:
            raise gzip.BadGzipFile("bytes that are no gzip stand behind its end: unpack it with gzip -d, and look")
