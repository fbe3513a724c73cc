"""From bytes to text: what is certain is decoded, everything else is refused by name.

A wrong guess would feed the model letters nobody wrote, and move every offset. UTF-8 and UTF-16 say themselves what
they are. One-byte encodings do not: they are believed only when the result is plainly Arabic, English or French.
Newlines stay as they are; a byte order mark is no part of the text.
"""

import codecs
import json
import re
from dataclasses import dataclass
from typing import Final

from extractor.documents.language import language_of, script_of
from extractor.errors import BadInputError

# What a file begins with that is no plain text, and what to do with it.
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
# UTF-32 before UTF-16, whose mark its own begins with.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HTML: Final = re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE)
# Of the characters: a stray form feed or escape is no binary, a lost letter here and there no broken text.
_DAMAGE: Final = 0.01
_CONTROL: Final = re.compile(r"[\x01-\x08\x0e-\x1f\x7f]")
# Text written in one encoding and read in another, then saved as UTF-8: «Ø§Ù„» (1, 2), «ط§ظ„» (3), «Çá» (4, 5).
_MISREADINGS: Final = (
    ("utf-8", "cp1252"),
    ("utf-8", "latin-1"),
    ("utf-8", "cp1256"),
    ("cp1256", "cp1252"),
    ("cp1256", "latin-1"),
)
# "é" and the apostrophe of French and English in UTF-8, read as Windows-1252 or Latin-1: "Ã©", "â€™".
_LATIN_MISREAD: Final = re.compile(r"(?:Ã|â[\u20ac\x80])[\x80-\xbf\u0152-\u0192\u2013-\u2122]")
_LATIN_MISREAD_SHARE: Final = 0.001
# Characters looked at for a misreading of Arabic: twice as many as letters were written.
_SAMPLE: Final = 40_000


# In Arabic read wrongly, Latin letters with accents and Arabic letters stand in one word.
_NOT_ARABIC: Final = re.compile(r"[\u00c0-\u024f][\u0621-\u064a]|[\u0621-\u064a][\u00c0-\u024f]|[\x80-\x9f]")
# What no French or English article has, and other encodings read as Windows-1252 do: odd characters (ISO-8859-15,
# CP850, Mac Roman), a capital behind a small letter or before a capitalised one, a letter other than "à" by itself.
_NOT_WESTERN: Final = re.compile(
    r"[^\x00-\x7f\u00a0£§«°·²³»©®–—‘’“”•…€™àâæçéèêëîïôœùûüÀÂÆÇÉÈÊËÎÏÔŒÙÛÜáãäåíñóöøúß]"
    r"|[a-zß-ü][À-Ü]|[À-Ü][A-Z][a-z]|(?<![A-Za-zÀ-üœŒ])[À-üœŒ](?<![àÀ])(?![A-Za-zÀ-üœŒ])"
)


@dataclass(frozen=True, slots=True)
class _OneByte:
    """A one-byte encoding: the script and the languages it is believed in, and what shows it to be another."""

    codec: str
    name: str
    script: str
    languages: tuple[str, ...]
    foreign: re.Pattern[str]


_ONE_BYTE: Final = (
    _OneByte("cp1256", "WINDOWS-1256", "Arab", ("ar",), _NOT_ARABIC),
    _OneByte("iso8859_6", "ISO-8859-6", "Arab", ("ar",), _NOT_ARABIC),
    _OneByte("cp1252", "WINDOWS-1252", "Latn", ("en", "fr"), _NOT_WESTERN),
)


def decode(data: bytes) -> str:
    """Decode a document's bytes.

    UTF-8 with or without byte order mark, UTF-16 and UTF-32 with one; Windows-1256, ISO-8859-6 and Windows-1252 where
    the text proves them. The mark is dropped, all else kept: offsets count from behind the mark.

    Raises:
        BadInputError: no text, or text in an encoding that is not certain. The message says what it looks like.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return _checked(_marked(data[len(mark) :], codec))
    _refuse_signature(data)
    _refuse_nul(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_broken_utf8(data, error.start)
        text = _one_byte(data)
    return _checked(text)


def _marked(data: bytes, codec: str) -> str:
    """The text behind a byte order mark, which leaves no doubt but may lie."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"has the byte order mark of {codec.upper()} and is not that at byte {error.start} behind it: "
            "save it as UTF-8"
        ) from None


def _refuse_signature(data: bytes) -> None:
    """Files of a known kind that is not plain text."""
    for signature, reason in _SIGNATURES:
        if data.startswith(signature):
            raise BadInputError(reason)
    if _HTML.match(data):
        raise BadInputError("is an HTML page, not plain text: extract the article's text first")


def _refuse_nul(data: bytes) -> None:
    """NUL bytes: UTF-16 has them as the high half of every space and ASCII letter, other text has none."""
    first = data.find(0)
    if first < 0:
        return
    for codec, offset in (("UTF-16LE", 1), ("UTF-16BE", 0)):
        high = data[offset::2]
        if high.count(0x00) + high.count(0x06) > 0.9 * len(high):  # 0x06: the high half of an Arabic letter
            raise BadInputError(_uncertain(codec, " without a byte order mark"))
    raise BadInputError(f"is binary, not text (a NUL at byte {first}): give the article's text")


def _refuse_broken_utf8(data: bytes, first: int) -> None:
    """Mostly UTF-8: then the few bytes that are not are damage, and no sign of another encoding."""
    text = data.decode("utf-8", errors="replace")
    lost = text.count("\ufffd")
    if sum(not char.isascii() for char in text) > 3 * lost:
        raise BadInputError(
            f"is damaged UTF-8, first at byte {first}, {lost} places in all: fetch it again, or drop those bytes with "
            "iconv -c -f UTF-8 -t UTF-8"
        )


def _one_byte(data: bytes) -> str:
    """The text in the one-byte encoding that it proves by its language."""
    resembled = []
    for encoding in _ONE_BYTE:
        text = _plausible(data, encoding)
        if text is not None and language_of(text) in encoding.languages:
            return text
        if text is not None:
            resembled.append(encoding.name)
    if resembled:
        raise BadInputError(_uncertain(resembled[0]))
    raise BadInputError("is not UTF-8, and its encoding cannot be told: convert it with iconv -f ITS-ENCODING -t UTF-8")


def _plausible(data: bytes, encoding: _OneByte) -> str | None:
    """The text if every byte is defined, the script is the expected one, and nothing in it is foreign."""
    try:
        text = data.decode(encoding.codec)
    except UnicodeDecodeError:
        return None
    return text if script_of(text) == encoding.script and not encoding.foreign.search(text) else None


def _uncertain(name: str, how: str = "") -> str:
    return f"looks like {name}{how}, but cannot be sure: convert it to UTF-8 with iconv -f {name} -t UTF-8"


def _checked(text: str) -> str:
    """The text, unless it is binary, damaged or misread although every byte could be decoded."""
    controls, lost = len(_CONTROL.findall(text)), text.count("\ufffd")
    if controls > _DAMAGE * len(text):
        raise BadInputError(f"is binary, not text ({controls} control characters): give the article's text")
    if lost > _DAMAGE * len(text):
        raise BadInputError(f"has lost {lost} of {len(text)} characters, replaced by U+FFFD: fetch it again")
    _refuse_misreading(text)
    _refuse_json(text)
    return text


def _refuse_json(text: str) -> None:
    """Articles as JSON, all in one value: to a reader of texts they are one, in which nobody speaks."""
    if text.lstrip()[:1] not in {"[", "{"}:
        return
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return
    raise BadInputError("is JSON, not text: write one object a line as .jsonl")


def _refuse_misreading(text: str) -> None:
    """UTF-8 that faithfully holds what an earlier program read wrongly: undone, it becomes plain Arabic."""
    written, read = ("utf-8", "cp1252") if _is_misread_latin(text) else (None, None)
    if written is None and language_of(text) != "ar":
        written, read = next(filter(lambda pair: _is_misread_arabic(text, *pair), _MISREADINGS), (None, None))
    if written:
        raise BadInputError(
            f"was {written.upper()} once and has been read as {read}, so that its letters are wrong "
            f"({text.strip()[:12]!r}...): fetch it again and read it as {written.upper()}"
        )


def _is_misread_arabic(text: str, written: str, read: str) -> bool:
    """Whether a text turns Arabic when the reading is undone. What cannot be undone is left out."""
    return language_of(text[:_SAMPLE].encode(read, errors="ignore").decode(written, errors="ignore")) == "ar"


def _is_misread_latin(text: str) -> bool:
    return len(_LATIN_MISREAD.findall(text)) > max(2, _LATIN_MISREAD_SHARE * len(text))
