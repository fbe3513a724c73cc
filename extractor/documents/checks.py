"""Refuse strings that are not the text of an article: binary files, HTML, JSON, damaged or misdecoded text.

The same checks run for files, rows of tables and `Document`. Offsets refer to the text as given, so nothing is repaired
here: HTML is not unescaped, and no letter is guessed.
"""

import json
import re
from collections import Counter
from typing import Final

from mahdar.documents.language import language_of
from mahdar.errors import BadInputError

MAX_BYTES: Final = 2_000_000
"""Bytes of UTF-8: about a million Arabic letters, a newspaper of some 400 articles. More is a mistake, no article."""
_HEAD: Final = 1_000
"""Characters at the beginning that show a file's kind."""
# First bytes of files that are not plain text, and the message for each.
_SIGNATURES: Final = (
    (b"%PDF", "is a PDF, not text: extract its text first, for example with pdftotext"),
    (b"PK\x03\x04", "is a ZIP archive or an Office document (docx, odt), not text: save it as plain text first"),
    (b"\xd0\xcf\x11\xe0", "is an old Office document (doc), not text: save it as plain text first"),
    (b"{\\rtf", "is an RTF document, not plain text: save it as plain text first"),
    (b"\x1f\x8b", "is compressed with gzip: unpack it first"),
    (b"BZh", "is compressed with bzip2: unpack it first"),
    (b"\xfd7zXZ\x00", "is compressed with xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd: unpack it first"),
    (b"\x89PNG", "is a PNG image, not text: give the article's text"),
    (b"\xff\xd8\xff", "is a JPEG image, not text: give the article's text"),
    (b"GIF8", "is a GIF image, not text: give the article's text"),
)
_PAGE: Final = re.compile(rb"\s*<(?:!--|(?:\?xml|!doctype|html|head|body|rss)\b)", re.IGNORECASE)
_IS_PAGE: Final = (
    "is an HTML or XML page, not plain text: read it with mahdar.documents.pages.read_page, or extract the article's "
    "text first"
)
_IS_JSON: Final = "is JSON, not text: write one object a line as .jsonl"
_STRAY: Final = 5
"""Tags and entities that may be left over in an agency's text."""
_MARKED: Final = 0.1
"""Share of the characters: up to `_STRAY` tags and entities are too many only in a text of one line."""
_MARKUP: Final = re.compile(
    r"</?(?:html|head|body|title|meta|link|script|style|div|p|br|hr|span|a|img|figure|figcaption|article|section|h[1-6]"
    r"|ul|ol|li|table|tbody|thead|tr|td|th|strong|em|b|i|u|blockquote|iframe|video|font|center|small|sup|sub|pre|nav"
    r"|header|footer|main|aside|form|label|button|noscript|dl|dt|dd)\b[^<>]*>"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});",
    re.IGNORECASE,
)
_ELEMENT: Final = re.compile(r"\s*<([a-zA-Z][\w.:-]*)(?:\s[^<>]*)?>")
_JSON_MEMBER: Final = re.compile(r"""\s*[\[{]\s*(?:\{\s*)?(["'])[\w .-]{1,40}\1\s*:""")
"""The beginning of an object, also of one that is damaged or is Python's."""
_ENCODED: Final = re.compile(
    r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|%[0-9a-fA-F]{2}|=[0-9A-F]{2}|[A-Za-z0-9+/]{60,}={0,2}"
)
"""Letters escaped as in JSON, Python, URLs and mails, and Base64."""
_ENCODED_SHARE: Final = 0.6
"""Share of the characters: the address of a page may be half of a short text."""
# Share of the characters: a stray form feed or escape does not make a binary file, nor a lost letter a broken text.
_DAMAGE: Final = 0.01
_CONTROL: Final = re.compile(r"[\x01-\x08\x0e-\x1f\x7f]")
# Text written in one encoding and read in another, then saved as UTF-8: «Ø§Ù„» (1, 2), «ط§ظ„» (3), «Çá» (4, 5).
_MISREADINGS: Final = (
    ("utf-8", "cp1252"),
    ("utf-8", "latin-1"),
    ("utf-8", "cp1256"),
    ("cp1256", "cp1252"),
    ("cp1256", "latin-1"),
    *(("utf-8", read) for read in ("mac_roman", "cp437", "cp850", "cp1250", "cp1251", "cp1255", "cp720", "cp864")),
    *(("utf-8", read) for read in ("iso8859-6", "mac_arabic", "koi8-r")),
    ("cp1256", "cp1251"),
    ("iso8859-6", "latin-1"),
    ("iso8859-6", "cp1256"),
)
# At least every second Arabic letter becomes one of these when misread; texts with a smaller share are not examined,
# unless two characters alternate as the first bytes of Arabic letters in UTF-8 do.
_MISREAD: Final = re.compile("[طظ\u00c0-\u00ff\u0410-\u044f]")
_MISREAD_SHARE: Final = 0.1
_ALTERNATING: Final = 4_000
"""Characters in which the two most frequent are counted."""
_ALTERNATING_SHARE: Final = 0.3
"""Their share: in Arabic, English and French it is a quarter at most."""
# "é" and the apostrophe of French and English in UTF-8, read as Windows-1252, Latin-1, Mac Roman or code page 437.
_LATIN_MISREAD: Final = re.compile(r"(?:Ã|â[\u20ac\x80])[\x80-\xbf\u0152-\u0192\u2013-\u2122]|[√├]\S")
_LATIN_READ: Final = {"√": "mac_roman", "├": "cp437"}
_LATIN_MISREAD_SHARE: Final = 0.001
# Characters examined for a misreading of Arabic, which doubles the number of letters.
_SAMPLE: Final = 40_000


def check_text(text: str) -> None:
    """Refuse a text that is not an article, before a model is paid to read it.

    Up to five tags or entities are accepted; more of them, control characters and U+FFFD up to 1 % of the characters.

    Raises:
        BadInputError: the text is empty, has no letters, is too long, is another kind of file (HTML, JSON), is damaged,
            or was decoded with the wrong encoding. The message has no subject: "is empty: give the article's text".
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise BadInputError("is empty: give the article's text")
    _refuse_unwritable(text)
    size = len(text.encode())
    if size > MAX_BYTES:
        raise BadInputError(too_long(f"{size:,}"))
    refuse_kind(text[:_HEAD].encode())
    _refuse_element(text)
    _refuse_json(text)
    _refuse_encoded(text)
    _refuse_markup(text)
    _refuse_damage(text)
    refuse_misreading(text)


def is_markup(text: str) -> bool:
    """Whether a text has enough tags to be a part of a web page; entities alone do not count."""
    found = _MARKUP.findall(text)
    return _is_too_much(found, len(text)) and any(one.startswith("<") for one in found)


def too_long(size: str) -> str:
    """Return the message for an article of more than `MAX_BYTES` bytes.

    Args:
        size: the number of bytes, in words.
    """
    return f"has {size} bytes, more than the {MAX_BYTES:,} an article may have: split it"


def refuse_kind(head: bytes) -> None:
    """Refuse data that begins like a known kind of file other than plain text.

    Args:
        head: the first bytes.

    Raises:
        BadInputError: the data is a PDF, an Office document, an archive, an image, or a web page.
    """
    for signature, reason in _SIGNATURES:
        if head.startswith(signature):
            raise BadInputError(reason)
    if _PAGE.match(head):
        raise BadInputError(_IS_PAGE)


def _refuse_unwritable(text: str) -> None:
    """Refuse NUL and lone surrogates, which a Python string can hold but a JSON file or a request cannot."""
    nul = text.find("\0")
    if nul >= 0:
        raise BadInputError(f"has a NUL character (U+0000) at offset {nul}: remove it, or check the encoding")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInputError(
            f"has a lone surrogate (U+{ord(text[error.start]):04X}) at offset {error.start}: decode the text "
            'again without errors="surrogateescape"'
        ) from None


def _refuse_element(text: str) -> None:
    """Refuse an XML element of any name around the text; HTML's own tags may be stray ones."""
    opening = _ELEMENT.match(text)
    if opening is not None and _MARKUP.match(opening[0].strip()) is None and f"</{opening[1]}>" in text:
        raise BadInputError(_IS_PAGE)


def _refuse_encoded(text: str) -> None:
    """Refuse a text whose letters are escaped, or that is Base64."""
    found = _ENCODED.findall(text)
    if sum(map(len, found)) > _ENCODED_SHARE * len(text):
        raise BadInputError(f"is encoded, not plain text ({found[0][:12]!r}...): decode it first")


def _refuse_json(text: str) -> None:
    """Refuse a JSON object, whole or damaged, JSON Lines, or a JSON list."""
    if _JSON_MEMBER.match(text):
        raise BadInputError(_IS_JSON)
    start = len(text) - len(text.lstrip())
    if text[start] not in "[{":
        return
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict) or not text[end:].strip():  # «[1] قال الوزير» has a footnote
        raise BadInputError(_IS_JSON)


def _refuse_damage(text: str) -> None:
    """Refuse binary data, and texts that lost their letters in a conversion."""
    controls, lost = len(_CONTROL.findall(text)), text.count("\ufffd")
    question_marks = text.count("?")
    if controls > _DAMAGE * len(text):
        raise BadInputError(f"is binary, not text ({controls} control characters): give the article's text")
    if lost > _DAMAGE * len(text):
        raise BadInputError(f"has lost {lost} of {len(text)} characters, replaced by U+FFFD: fetch it again")
    if question_marks > 2 and question_marks > sum(map(str.isalpha, text)):
        raise BadInputError("has more question marks than letters, which a conversion replaced: fetch it again")
    if not any(map(str.isalpha, text)):
        raise BadInputError(f"has no letters ({text.strip()[:20]!r}): give the article's text")


def _refuse_markup(text: str) -> None:
    """Refuse a text with many tags and entities: they join sentences, and would become part of names and quotes."""
    found = _MARKUP.findall(text)
    if _is_too_much(found, len(text)):
        raise BadInputError(
            f"is HTML, not plain text ({len(found)} tags and entities such as {found[0][:20]!r}): extract its text "
            "first, or unescape it with html.unescape"
        )


def _is_too_much(found: list[str], length: int) -> bool:
    """Whether a text of `length` characters has too many of these tags and entities."""
    share = sum(map(len, found)) / max(1, length)
    return len(found) > 1 and share > (_DAMAGE if len(found) > _STRAY else _MARKED)


def refuse_misreading(text: str) -> None:
    """Refuse text that an earlier program decoded with the wrong encoding and saved as UTF-8.

    Raises:
        BadInputError: undoing the decoding gives Arabic, or the text is full of misread French and English letters.
    """
    latin = _LATIN_MISREAD.findall(text)
    if len(latin) > max(2, _LATIN_MISREAD_SHARE * len(text)):
        written, read = "utf-8", _LATIN_READ.get(latin[0][0], "cp1252")
    else:
        written, read = _misread_arabic(text[:_SAMPLE])
    if written:
        raise BadInputError(
            f"was {written.upper()} once and has been read as {read}, so that its letters are wrong "
            f"({text.strip()[:12]!r}...): fetch it again and read it as {written.upper()}"
        )


def _misread_arabic(text: str) -> tuple[str, str]:
    """Return the encodings that misread Arabic was written in and read in; else two empty strings."""
    likely = len(_MISREAD.findall(text)) >= _MISREAD_SHARE * len(text) or _is_alternating(text)
    if not likely or language_of(text) == "ar":
        return "", ""
    for written, read in _MISREADINGS:
        if language_of(text.encode(read, errors="ignore").decode(written, errors="ignore")) == "ar":
            return written, read
    return "", ""


def _is_alternating(text: str) -> bool:
    """Whether two characters are more frequent than any two letters of a language."""
    letters = "".join(text[:_ALTERNATING].split())
    return sum(count for _, count in Counter(letters).most_common(2)) >= _ALTERNATING_SHARE * len(letters)
