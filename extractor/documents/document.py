"""Documents: an article's text with its id, read from files, folders and standard input.

Ids are file stems («002.txt» is "002"). Where two files of a run share a stem, both have their path below the deepest
folder common to the run instead ("2020/talks.txt"), so that no two documents of a run have the same id. Standard input
is "stdin".
"""

import datetime as dt
import hashlib
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
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
"""blanks and marks of direction, which spreadsheets put around a date"""
_DIGITS: Final = {ord(digit): str(index % 10) for index, digit in enumerate("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")}
_DIRECTIONS: Final = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"))
_SHOWN: Final = 40
"""Characters of a value in a message."""


@dataclass(frozen=True, slots=True)
class Document:
    """An article: its exact text, and what the caller knows about it.

    The text is never changed: HTML entities such as `&quot;` are not decoded, so that offsets stay true. A text that
    is made of them is refused when it is extracted (`check`).

    Attributes:
        id: names the document in every output.
        text: as written; all offsets are into it.
        published_at: the day it appeared, never guessed; an ISO string becomes a date.
        language: BCP 47, if the caller knows it.
        kept: further fields of the input, such as url, title and outlet, that the extraction carries along; a model
            never sees them.

    Raises:
        TypeError: the id or the text is no string.
        BadInputError: `published_at` is no date.
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
        """SHA-256 of the text in UTF-8, in hexadecimal; computed once. What `check` refuses has one, too."""
        if self._sha256 is None:
            data = self.text.encode("utf-8", "surrogatepass")
            object.__setattr__(self, "_sha256", hashlib.sha256(data).hexdigest())
        return self._sha256 or ""


@dataclass(frozen=True, slots=True)
class BadInput:
    """A document that could not be read, and why: the run goes on and reports it."""

    id: str
    reason: str


def as_date(value: str | dt.date | None) -> dt.date | None:
    """A date from an ISO 8601 string such as "2020-07-20"; a date or None as it is.

    Of a moment such as "2020-07-20T23:30:00+04:00" the day is taken, in its own time zone; blanks around it do not
    count.

    Raises:
        BadInputError: not a day of the calendar in that form.
        TypeError: neither a string nor a date.
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


def day_of(value: str, date_format: str) -> dt.date:
    """A day that is written in a form of its own, such as «19/11/2020» or «١٩/١١/٢٠٢٠».

    Args:
        value: the day; marks of direction in it, and blanks around it, do not count.
        date_format: its form, as `datetime.strptime` wants it: `%d/%m/%Y`.

    Raises:
        BadInputError: it is written otherwise, or no day of the calendar.
    """
    written = value.translate(_DIRECTIONS | _DIGITS).strip(_AROUND_A_DATE)
    try:
        return dt.datetime.strptime(written, date_format).date()  # noqa: DTZ007  # a day has no time zone
    except ValueError:
        raise BadInputError(f"published_at {value[:_SHOWN]!r} is no date of the form {date_format!r}") from None


def check_date_format(date_format: str | None) -> str | None:
    """The form of days, if a day can be read by it.

    Raises:
        UsageError: a day that is written in it does not come back.
    """
    day = dt.datetime(2020, 11, 19, tzinfo=dt.UTC)
    try:
        if date_format is None or day_of(day.strftime(date_format), date_format) == day.date():
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
        paths: files; folders, of which every *.txt is read, in sorted order, hidden ones and folders left out; "-" for
            standard input. A path named twice is read once.
        stdin: what "-" reads; by default the process's own.
        published_at: the day all of them appeared.
        language: the language of all of them.

    Returns:
        Documents, and a `BadInput` for each file that cannot be read, is too long, or is no text.

    Raises:
        BadInputError: at once, before anything is read: a path that does not exist, a folder without texts, no date.
    """
    day = as_date(published_at)
    listed = list(dict.fromkeys(source for path in paths for source in _listed(path)))
    ids = _ids([source for source in listed if isinstance(source, Path)])
    return (
        source if isinstance(source, BadInput) else _read(ids[source], source, stdin, day, language)
        for source in listed
    )


def check(document: Document) -> None:
    """Refuse a document that no model should be paid to read: what `check_text` says of its text, under its id.

    Raises:
        BadInputError: it is none.
    """
    try:
        check_text(document.text)
    except BadInputError as error:
        raise BadInputError(f"document {document.id!r} {error}") from None


def check_several(documents: object) -> None:
    """Refuse one article where several are wanted: a string would be taken for as many articles as it has letters.

    Raises:
        TypeError: it is one article.
    """
    if isinstance(documents, str | bytes | os.PathLike | Document):
        raise TypeError(
            f"extract_many takes an iterable of articles, not one {type(documents).__name__}: give [article], or call "
            "extract(article)"
        )


def _listed(path: str | Path) -> Iterator[Path | BadInput]:
    """Yield the files a path stands for, as absolute paths; standard input as `Path("-")`."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 resolve() would name a link's target, not the link
    if str(path) == STDIN:
        yield Path(STDIN)
    elif os.path.isdir(absolute):  # noqa: PTH112 Path.is_dir raises where permission is missing
        yield from _in_folder(absolute)
    elif os.path.lexists(absolute):
        yield absolute
    else:
        raise BadInputError(f"{str(path)!r}: no such file or folder: check the path, taken from {str(Path.cwd())!r}")


def _in_folder(folder: Path) -> Iterator[Path | BadInput]:
    """Yield a folder's texts; a folder below that cannot be listed is reported."""
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
        yield BadInput(_printable(str(error.filename)), f"folder cannot be listed: {error.strerror}")


def _ids(files: Iterable[Path]) -> dict[Path, str]:
    """One id for each file: its stem, or where that is not unique its path below the common folder."""
    stems = {file: _STDIN_ID if str(file) == STDIN else file.stem for file in files}
    common = os.path.commonpath([file.parent for file in stems if file.is_absolute()] or [Path(STDIN)])
    paths = {file: file.relative_to(common).as_posix() if file.is_absolute() else STDIN for file in stems}
    taken = Counter((*stems.values(), *paths.values()))
    return {file: _printable(stem if taken[stem] == 1 else paths[file]) for file, stem in stems.items()}


def _printable(name: str) -> str:
    """A file name's bytes that are not UTF-8, escaped: an id must be writable as JSON."""
    return name.encode(errors="backslashreplace").decode()


def _read(
    id_: str, file: Path, stdin: BinaryIO | None, published_at: dt.date | None, language: str | None
) -> Document | BadInput:
    if str(file) == STDIN:
        stream = nullcontext(stdin or sys.stdin.buffer)
        return read_stream(id_, "standard input", lambda: stream, published_at, language)
    return read_stream(id_, _printable(str(file)), lambda: file.open("rb"), published_at, language)


def read_stream(
    id_: str,
    place: str,
    open_: Callable[[], AbstractContextManager[BinaryIO]],
    published_at: dt.date | None,
    language: str | None,
) -> Document | BadInput:
    """A document from a stream of bytes that is opened, read and closed: a text, or a saved web page.

    Args:
        id_: the document's id.
        place: names the stream in what is reported.
        open_: opens it.
        published_at: the day the document appeared; a saved web page's own comes first.
        language: its language.
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
    """How many bytes there are, in words; of what is no plain file, what was read tells only so much."""
    try:
        return f"{max(len(data), os.fstat(stream.fileno()).st_size):,}"
    except OSError:
        return f"at least {len(data):,}"
