"""Read documents from files, folders and standard input.

A document's id is its file's stem: `002.txt` is "002". Where two files of a run share a stem, both get their path below
the deepest common folder instead ("2020/talks.txt"), so that ids are unique in a run. Standard input is "stdin".
"""

import datetime as dt
import hashlib
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from io import IOBase
from pathlib import Path
from typing import BinaryIO, Final

from mahdar.documents.checks import MAX_BYTES, check_text, too_long
from mahdar.documents.decoding import decode
from mahdar.documents.pages import MAX_PAGE, PagesUnreadableError, is_page_data, is_page_name, read_page
from mahdar.errors import BadInputError, UsageError

STDIN: Final = "-"
_STDIN_ID: Final = "stdin"
_SUFFIX: Final = ".txt"
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].+)?", re.DOTALL)
_AROUND_A_DATE: Final = " \t\r\n\v\f\u00a0\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff"
"""Blanks and direction marks that spreadsheets put around a date."""
_DIGITS: Final = {ord(digit): str(index % 10) for index, digit in enumerate("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")}
_DIRECTIONS: Final = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"))
_SHOWN: Final = 40
"""Characters of a value that a message shows."""


@dataclass(frozen=True, slots=True)
class Document:
    """An article's exact text, and what the caller knows about the article.

    The text is never changed: HTML entities such as `&quot;` are not decoded, so that offsets stay valid. A text full
    of them is refused by `check` when it is extracted.

    Attributes:
        id: identifies the document in every output.
        text: the article as written; all offsets are code points into it.
        published_at: the day of publication, None if unknown; never guessed. An ISO 8601 string is converted.
        language: a BCP 47 code; None if the caller does not know it.
        kept: further input fields, such as url, title and outlet, copied to the extraction. A model never sees them.

    Raises:
        TypeError: the id or the text is not a string.
        BadInputError: `published_at` is not a date.
    """

    id: str
    text: str
    published_at: dt.date | None = None
    language: str | None = None
    kept: Mapping[str, str] = field(default_factory=dict, hash=False)
    _sha256: str | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise TypeError(
                f"an article is a str or a Document, not {type(self.text).__name__}: read a file with "
                'Path.read_text(encoding="utf-8"), decode bytes with bytes.decode()'
            )
        if not isinstance(self.id, str):
            raise TypeError(f"a document's id is a str, not {type(self.id).__name__}")
        object.__setattr__(self, "published_at", as_date(self.published_at))

    @property
    def sha256(self) -> str:
        """SHA-256 of the UTF-8 text in hexadecimal, computed once; lone surrogates are hashed as well."""
        if self._sha256 is None:
            data = self.text.encode("utf-8", "surrogatepass")
            object.__setattr__(self, "_sha256", hashlib.sha256(data).hexdigest())
        return self._sha256 or ""


@dataclass(frozen=True, slots=True)
class BadInput:
    """A document that could not be read, and why; the run reports it and continues."""

    id: str
    reason: str


def as_date(value: str | dt.date | None) -> dt.date | None:
    """Convert an ISO 8601 string such as "2020-07-20" to a date; a date and None are returned as they are.

    A time such as "2020-07-20T23:30:00+04:00" gives the day in its own time zone. Surrounding blanks are ignored.

    Raises:
        BadInputError: the string is not a calendar day in ISO 8601.
        TypeError: the value is neither a string nor a date.
    """
    if isinstance(value, dt.datetime):
        return value.date()
    if value is None or isinstance(value, dt.date):
        return value
    if not isinstance(value, str):
        raise TypeError(f"published_at is a str or a date, not {type(value).__name__}: for example 2020-07-20")
    written = value.strip(_AROUND_A_DATE)
    try:
        if _ISO_DATE.fullmatch(written):
            return dt.datetime.fromisoformat(written).date()
    except ValueError:
        pass
    raise BadInputError(
        f"published_at {value[:_SHOWN]!r} is not a date: write it as year-month-day, for example 2020-07-20"
    )


def as_document(
    document: str | Document, published_at: str | dt.date | None = None, document_id: str | None = None
) -> Document:
    """Convert a text to a document, or replace the date and id of a document where others are given.

    Args:
        document: a document, or a text.
        published_at: the day of publication, ISO 8601.
        document_id: the id; of a text by default the first 12 characters of its SHA-256.

    Raises:
        BadInputError: `published_at` is not a date.
    """
    if isinstance(document, Document):
        if published_at is None and document_id is None:
            return document  # its hash has been computed
        day = as_date(published_at or document.published_at)
        return replace(document, published_at=day, id=document_id or document.id)
    created = Document(id=document_id or "", text=document, published_at=as_date(published_at))
    return created if document_id else replace(created, id=created.sha256[:12])


def parse_day(value: str, date_format: str) -> dt.date:
    """Parse a day written in a given format, such as «19/11/2020» or «١٩/١١/٢٠٢٠».

    Args:
        value: the day; direction marks in it and blanks around it are ignored.
        date_format: a format of `datetime.strptime`, such as `%d/%m/%Y`.

    Raises:
        BadInputError: the value does not match the format, or is not a calendar day.
    """
    written = value.translate(_DIRECTIONS | _DIGITS).strip(_AROUND_A_DATE)
    try:
        return dt.datetime.strptime(written, date_format).date()  # noqa: DTZ007  # a day has no time zone
    except ValueError:
        raise BadInputError(f"published_at {value[:_SHOWN]!r} is no date of the form {date_format!r}") from None


def check_date_format(date_format: str | None) -> str | None:
    """Return a date format, None included, if it determines a day.

    Raises:
        UsageError: a day formatted and parsed with it does not give the same day.
    """
    day = dt.datetime(2020, 11, 19, tzinfo=dt.UTC)
    try:
        if date_format is None or parse_day(day.strftime(date_format), date_format) == day.date():
            return date_format
    except BadInputError:
        pass
    raise UsageError(f"date format {date_format!r}: needs day, month and year, for example %d/%m/%Y")


def read_documents(
    paths: Iterable[str | Path],
    stdin: BinaryIO | None = None,
    *,
    published_at: str | dt.date | None = None,
    language: str | None = None,
) -> Iterator[Document | BadInput]:
    """Read documents in the order of the paths, one at a time.

    Args:
        paths: files; folders, whose *.txt files are read in sorted order, without hidden files and folders; "-" for
            standard input. A path given twice is read once.
        stdin: the stream for "-"; by default the standard input of the process.
        published_at: the day of publication of all documents.
        language: the language of all documents.

    Returns:
        Documents, and a `BadInput` for each file that cannot be read, is too long, or is not text.

    Raises:
        BadInputError: a path does not exist, a folder has no texts, or `published_at` is not a date. Raised before any
            document is read.
    """
    day = as_date(published_at)
    files = list(dict.fromkeys(file for path in paths for file in _expand(path)))
    ids = _ids([file for file in files if isinstance(file, Path)])
    return (file if isinstance(file, BadInput) else _read(ids[file], file, stdin, day, language) for file in files)


def check(document: Document) -> None:
    """Check a document's text with `check_text`.

    Raises:
        BadInputError: the text is refused; the message names the document's id.
    """
    try:
        check_text(document.text)
    except BadInputError as error:
        raise BadInputError(f"document {document.id!r} {error}") from None


def check_several(documents: object) -> None:
    """Refuse one article where an iterable is expected: a string would be read as one article per letter.

    Raises:
        TypeError: `documents` is one article: a text, a row, an open file, or no iterable at all.
    """
    one = isinstance(documents, str | bytes | os.PathLike | Document | Mapping | IOBase)
    if one or not isinstance(documents, Iterable):
        raise TypeError(
            f"extract_many takes an iterable of articles, not one {type(documents).__name__}: give [article], or call "
            "extract(article)"
        )


def _expand(path: str | Path) -> Iterator[Path | BadInput]:
    """Yield the files that a path names, as absolute paths; standard input as `Path("-")`."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 resolve() would name a link's target, not the link
    if str(path) == STDIN:
        yield Path(STDIN)
    elif os.path.isdir(absolute):  # noqa: PTH112 Path.is_dir raises where permission is missing
        yield from _folder_texts(absolute)
    elif os.path.lexists(absolute):
        yield absolute
    else:
        raise BadInputError(f"{str(path)!r}: no such file or folder: check the path, taken from {str(Path.cwd())!r}")


def _folder_texts(folder: Path) -> Iterator[Path | BadInput]:
    """Yield the text files below a folder, and a `BadInput` for each folder that cannot be listed."""
    closed: list[OSError] = []
    found: list[Path] = []
    for root, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(root, name) for name in files if not name.startswith(".") and name.lower().endswith(_SUFFIX)]
    if not found and not closed:
        raise BadInputError(
            f"folder {str(folder)!r} has no {_SUFFIX} files: name one that has, or the files themselves"
        )
    yield from sorted(found)
    for error in closed:
        yield BadInput(encodable(str(error.filename)), f"folder cannot be listed: {error.strerror}")


def _ids(files: Iterable[Path]) -> dict[Path, str]:
    """Map each file to its id: its stem, or where that is not unique its path below the common folder."""
    stems = {file: _STDIN_ID if str(file) == STDIN else file.stem for file in files}
    common = os.path.commonpath([file.parent for file in stems if file.is_absolute()] or [Path(STDIN)])
    paths = {file: file.relative_to(common).as_posix() if file.is_absolute() else STDIN for file in stems}
    taken = Counter((*stems.values(), *paths.values()))
    return {file: encodable(stem if taken[stem] == 1 else paths[file]) for file, stem in stems.items()}


def encodable(name: str) -> str:
    """Escape the bytes of a file name that are not UTF-8, since an id must be writable as JSON."""
    return name.encode(errors="backslashreplace").decode()


def _read(
    id_: str, file: Path, stdin: BinaryIO | None, published_at: dt.date | None, language: str | None
) -> Document | BadInput:
    if str(file) == STDIN:
        stream = nullcontext(stdin or sys.stdin.buffer)
        return read_stream(id_, "standard input", lambda: stream, published_at, language)
    return read_stream(id_, encodable(str(file)), lambda: file.open("rb"), published_at, language)


def read_stream(
    id_: str,
    place: str,
    open_: Callable[[], AbstractContextManager[BinaryIO]],
    published_at: dt.date | None,
    language: str | None,
) -> Document | BadInput:
    """Open, read and close a stream that holds a text or a saved web page.

    Args:
        id_: the document's id.
        place: the stream's name in messages.
        open_: opens the stream.
        published_at: the day of publication; the date that a saved web page declares takes precedence.
        language: the document's language.

    Returns:
        The document, or a `BadInput` that says why it cannot be read.
    """
    try:
        with open_() as stream:
            data = stream.read(MAX_BYTES + 1)
            if is_page_data(data) or is_page_name(place):
                page = read_page(data + stream.read(MAX_PAGE - MAX_BYTES))
                return Document(id_, page.text, page.published_at or published_at, language, page.kept)
            if len(data) > MAX_BYTES:
                return BadInput(id_, f"{place} {too_long(_size(stream, data))}")
        return Document(id_, decode(data), published_at, language)
    except OSError as error:
        return BadInput(id_, f"{place} cannot be read: {error.strerror or error}")
    except (BadInputError, PagesUnreadableError) as error:
        return BadInput(id_, f"{place} {error}")


def _size(stream: BinaryIO, data: bytes) -> str:
    """Return a stream's number of bytes in words; at least what was read, where it is not a plain file."""
    try:
        return f"{max(len(data), os.fstat(stream.fileno()).st_size):,}"
    except OSError:
        return f"at least {len(data):,}"
