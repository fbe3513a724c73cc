"""From bytes to text: what is certain is decoded, everything else is refused by name.

A wrong guess would feed the model letters nobody wrote, and move every offset. UTF-8 and UTF-16 say themselves what
they are. One-byte encodings do not: they are believed only when the result is plainly Arabic, English or French.
Newlines stay as they are; a byte order mark is no part of the text.
"""

import codecs
import re
from dataclasses import dataclass
from typing import Final

from mahdar.documents.checks import check_text, refuse_kind
from mahdar.documents.language import language_of, script_of
from mahdar.errors import BadInputError

# UTF-32 before UTF-16, whose mark its own begins with.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
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
        BadInputError: no text, or text in an encoding that is not certain: the message says what it looks like; or
            what `check_text` refuses.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            text = _marked(data[len(mark) :], codec)
            break
    else:
        text = _unmarked(data)
    check_text(text)
    return text


def _unmarked(data: bytes) -> str:
    """The text of bytes that do not say their encoding."""
    refuse_kind(data)
    _refuse_nul(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_broken_utf8(data, error.start)
        return _one_byte(data)


def _marked(data: bytes, codec: str) -> str:
    """The text behind a byte order mark, which leaves no doubt but may lie."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"has the byte order mark of {codec.upper()} and is not that at byte {error.start} behind it: "
            "save it as UTF-8"
        ) from None


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
