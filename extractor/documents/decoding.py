"""Decode a document's bytes where the encoding is certain, and refuse them otherwise.

A wrong guess would give the model letters that nobody wrote, and move every offset. UTF-8 is recognized by its form and
UTF-16 by its byte order mark. A one-byte encoding is accepted only where the result is clearly Arabic, English or
French. Newlines are kept; a byte order mark is not part of the text.
"""

import codecs
import re
from dataclasses import dataclass
from typing import Final

from mahdar.documents.checks import check_text, refuse_kind
from mahdar.documents.language import language_of, script_of
from mahdar.errors import BadInputError

# UTF-32 before UTF-16: its mark begins with the mark of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Arabic decoded wrongly has accented Latin letters and Arabic letters in one word.
_NOT_ARABIC: Final = re.compile(r"[\u00c0-\u024f][\u0621-\u064a]|[\u0621-\u064a][\u00c0-\u024f]|[\x80-\x9f]")
# Found in other encodings (ISO-8859-15, CP850, Mac Roman) decoded as Windows-1252, and in no French or English article:
# odd characters, a capital after a small letter or before a capitalised word, an accented letter other than "à" alone.
_NOT_WESTERN: Final = re.compile(
    r"[^\x00-\x7f\u00a0£§«°·²³»©®–—‘’“”•…€™àâæçéèêëîïôœùûüÀÂÆÇÉÈÊËÎÏÔŒÙÛÜáãäåíñóöøúß]"
    r"|[a-zß-ü][À-Ü]|[À-Ü][A-Z][a-z]|(?<![A-Za-zÀ-üœŒ])[À-üœŒ](?<![àÀ])(?![A-Za-zÀ-üœŒ])"
)


@dataclass(frozen=True, slots=True)
class _OneByte:
    """A one-byte encoding: the script and languages in which it is accepted, and a pattern that rules it out."""

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

    Accepts UTF-8 with or without a byte order mark, UTF-16 and UTF-32 with one, and Windows-1256, ISO-8859-6 and
    Windows-1252 where the text proves them. The mark is dropped and everything else kept: offsets start after it.

    Raises:
        BadInputError: the bytes are not text, their encoding is not certain (the message names the likeliest one), or
            `check_text` refuses the text.
    """
    mark, codec = next((known for known in _MARKS if data.startswith(known[0])), (b"", None))
    text = _decode_marked(data[len(mark) :], codec) if codec else _decode_unmarked(data)
    check_text(text)
    return text


def _decode_unmarked(data: bytes) -> str:
    """Decode bytes without a byte order mark."""
    refuse_kind(data)
    _refuse_nul(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_broken_utf8(data, error.start)
        return _decode_one_byte(data)


def _decode_marked(data: bytes, codec: str) -> str:
    """Decode the bytes after a byte order mark, by the encoding that it states."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"has the byte order mark of {codec.upper()} and is not that at byte {error.start} behind it: "
            "save it as UTF-8"
        ) from None


def _refuse_nul(data: bytes) -> None:
    """Refuse NUL bytes: in UTF-16 they are the high half of spaces and ASCII letters, other text has none."""
    first = data.find(0)
    if first < 0:
        return
    for codec, offset in (("UTF-16LE", 1), ("UTF-16BE", 0)):
        high = data[offset::2]
        if high.count(0x00) + high.count(0x06) > 0.9 * len(high):  # 0x06: the high half of an Arabic letter
            raise BadInputError(_uncertain(codec, " without a byte order mark"))
    raise BadInputError(f"is binary, not text (a NUL at byte {first}): give the article's text")


def _refuse_broken_utf8(data: bytes, first: int) -> None:
    """Refuse bytes that are mostly UTF-8: the few that are not are damage, not another encoding."""
    text = data.decode("utf-8", errors="replace")
    lost = text.count("\ufffd")
    if sum(not char.isascii() for char in text) > 3 * lost:
        raise BadInputError(
            f"is damaged UTF-8, first at byte {first}, {lost} places in all: fetch it again, or drop those bytes with "
            "iconv -c -f UTF-8 -t UTF-8"
        )


def _decode_one_byte(data: bytes) -> str:
    """Decode bytes by the first one-byte encoding that gives plausible text in one of its languages."""
    resembled = []
    for encoding in _ONE_BYTE:
        try:
            text = data.decode(encoding.codec)
        except UnicodeDecodeError:
            continue
        if script_of(text) != encoding.script or encoding.foreign.search(text):
            continue
        if language_of(text) in encoding.languages:
            return text
        resembled.append(encoding.name)
    if resembled:
        raise BadInputError(_uncertain(resembled[0]))
    raise BadInputError("is not UTF-8, and its encoding cannot be told: convert it with iconv -f ITS-ENCODING -t UTF-8")


def _uncertain(name: str, how: str = "") -> str:
    return f"looks like {name}{how}, but cannot be sure: convert it to UTF-8 with iconv -f {name} -t UTF-8"
