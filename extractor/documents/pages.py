"""Read the article of a saved web page: text, title, day and address, with trafilatura (extra `web`).

Nothing is fetched, and nothing in a page is run. The day is the one that the page declares (meta tags, JSON-LD,
`<time>`, its address); none is guessed from the text.
"""

import codecs
import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mahdar.documents.checks import check_text, is_markup, refuse_misreading
from mahdar.errors import BadInputError, UsageError

SUFFIXES: Final = (".html", ".htm", ".xhtml")
MAX_PAGE: Final = 20_000_000
"""Bytes of a page: one with embedded pictures has ten million, its text a few thousand."""
MAX_TAGS: Final = 50_000
"""Tags of a page: a long one has five thousand. trafilatura takes 5 seconds for 50,000."""
REMEDY: Final = "pip install 'mahdar[web]'"

_MAX_MARKUP: Final = 4_000_000
"""Characters of a page without scripts and pictures; trafilatura takes up to 10 seconds for so many."""
_HEAD: Final = 4_096
"""Characters at the beginning in which a page is recognized and declares its encoding."""
_BEGINS: Final = re.compile(
    r"\ufeff?\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--(?:(?!-->).){0,2000}+-->\s*)*+<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET: Final = re.compile(
    rb"<(?:meta\b[^>]{0,300}?charset|\?xml\b[^>]{0,100}?encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE
)
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# As browsers do: pages that declare Latin-1 are read as Windows-1252.
_CODECS: Final = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "utf-16": "utf-8",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
}
# Elements without text of the article, which can be long, deep or broken enough to occupy a parser for minutes.
_UNREAD: Final = re.compile(r"<!--|<(script|style|svg|template|iframe|object|math)\b", re.IGNORECASE)
_OWN: Final = 'data-mahdar="report"'
_LINKED_DATA: Final = re.compile(r"application/ld\+json", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*+>")
_LONG_TAG: Final = re.compile(r"<([a-zA-Z][\w:-]{0,30}+)(?=[\s/])[^<>]{10000,}+>")
"""A tag with an embedded picture, or with thousands of attributes."""


class PagesUnreadableError(UsageError):
    """The extra `web`, which reads pages, is not installed."""


@dataclass(frozen=True, slots=True)
class Page:
    """The article of a page; what the page does not declare is None.

    Attributes:
        text: the article, one paragraph a line; all offsets are into it.
        title: the headline.
        url: the canonical address.
        published_at: the declared day of publication.
    """

    text: str
    title: str | None = None
    url: str | None = None
    published_at: dt.date | None = None

    @property
    def kept(self) -> Mapping[str, str]:
        """Title and address, where declared, as fields that an extraction keeps."""
        fields = {"title": self.title, "url": self.url}
        return {name: value for name, value in fields.items() if value}


def is_page(text: str) -> bool:
    """Whether a text is a page or a part of one: it begins like a page, or has too many tags for an article."""
    return _BEGINS.match(text[:_HEAD]) is not None or is_markup(text)


def is_page_data(data: bytes) -> bool:
    """Whether bytes in any encoding are a page or a part of one."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return is_page(data[len(mark) :].decode(codec, errors="replace"))
    return is_page(data.decode("latin-1"))


def is_page_name(name: str) -> bool:
    """Whether a file name has the suffix of a page, compressed or not."""
    return name.lower().removesuffix(".gz").removesuffix(".zst").endswith(SUFFIXES)


def read_page(html: str | bytes) -> Page:
    """Read the article of a page.

    Args:
        html: the page, or the part of it that a feed or a content system provides; bytes in UTF-8 or in the encoding
            that they declare.

    Raises:
        PagesUnreadableError: the extra `web` is not installed.
        BadInputError: the page is too long, has too many tags, is not in the encoding that it declares, or has no
            article, or `check_text` refuses the article. The message has no subject.
    """
    try:
        from trafilatura import bare_extraction
    except ImportError:
        raise PagesUnreadableError(f"is a web page; to read it: {REMEDY}") from None
    size = len(html)
    if size > MAX_PAGE:
        raise BadInputError(f"is a web page of {size:,} bytes, more than the {MAX_PAGE:,} one may have: save its text")
    text = _decode(html) if isinstance(html, bytes) else html
    if _OWN in text[:_HEAD]:
        raise BadInputError("is a report that mahdar wrote, and no article: leave it out")
    if len(_UNREAD.findall(text)) > MAX_TAGS:
        raise BadInputError(f"is a web page with more than {MAX_TAGS:,} scripts and comments: save its text")
    text = "".join(_read_parts(text.replace("\0", "")))
    if (tags := text.count("<")) > MAX_TAGS:
        raise BadInputError(f"is a web page with {tags:,} tags, more than the {MAX_TAGS:,} one may have: save its text")
    text = _LONG_TAG.sub(r"<\1>", text)
    if not _BEGINS.match(text[:_HEAD]):
        text = f"<html><body>{text}</body></html>"
    if len(text) > _MAX_MARKUP:
        raise BadInputError(f"is a web page with {len(text):,} characters, more than {_MAX_MARKUP:,}: save its text")
    refuse_misreading(_TAG.sub(" ", text))  # before trafilatura drops the characters that show it
    try:
        found: Any = bare_extraction(
            text,
            include_comments=False,
            with_metadata=True,
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except Exception as error:  # noqa: BLE001  # a parser may raise anything on a broken page
        raise BadInputError(f"is a web page that cannot be read ({type(error).__name__}): save its text") from None
    if found is None or not (found.text or "").strip():
        raise BadInputError("is a web page in which no article is found: save its text")
    check_text(found.text)
    # A page may declare any address, and a report links to it.
    url = found.url if found.url and re.match(r"https?://[^\s<>\"]+\Z", found.url) else None
    return Page(found.text, found.title or None, url, _day(found.date))


def _decode(data: bytes) -> str:
    """Decode a page by its byte order mark, as UTF-8, or by the encoding that it declares."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    declared = _CHARSET.search(data[:_HEAD])
    if declared is None:
        raise BadInputError("is a web page that is not UTF-8 and does not say its encoding: save it as UTF-8")
    name = declared[1].decode("latin-1")
    try:
        codec = codecs.lookup(name).name
        codec = _CODECS.get(codec, codec)
        return data.decode(codec, errors="replace" if codec == "utf-8" else "strict")
    except (LookupError, ValueError):
        raise BadInputError(f"is a web page that says it is {name[:40]!r}, and is not: save it as UTF-8") from None


def _read_parts(html: str) -> Iterator[str]:
    """Yield a page without comments, scripts and drawings; of scripts, only valid JSON-LD is kept."""
    at = 0
    while opening := _UNREAD.search(html, at):
        yield html[at : opening.start()]
        end = "-->" if opening[1] is None else f"</{opening[1]}"
        begin = opening.end() if opening[1] is None else html.find(">", opening.end()) + 1
        closing = re.compile(re.escape(end), re.IGNORECASE).search(html, begin) if begin else None
        if closing is None:  # browsers stop here, too
            return
        if opening[1] and _LINKED_DATA.search(html[opening.start() : begin]):
            yield _clean_json_ld(html[begin : closing.start()])
        at = closing.end() if opening[1] is None else html.find(">", closing.end()) + 1 or len(html)
    yield html[at:]


def _clean_json_ld(linked_data: str) -> str:
    """Rewrite JSON-LD as a script; "" where it is invalid, since trafilatura takes minutes for some broken data."""
    try:
        value = json.loads(linked_data, strict=False)
    except (ValueError, RecursionError):
        return ""
    written = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{written}</script>'


def _day(date: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(date) if date else None
    except ValueError:
        return None
