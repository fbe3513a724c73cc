"""Folding: two spellings of the same words become one text, and every folded character knows where it came from.

Folding serves comparison only; what a user sees is always the article's own spelling. Each code point is folded by
itself (but for hamza before waw), so NFC and NFD, a ligature and its letters, a vocalised word and a bare one fold
alike:

- compatibility forms (presentation forms, lam-alef, full-width) become their letters, Latin ones lose their case;
- vowel signs, shadda, hamza on or under its seat, accents, tatweel, invisible and bidi controls are dropped;
- alef wasla, ى, ة and the Persian and Urdu keyboards' ک ی ھ ہ become the letters that stand for them elsewhere;
- «مسئول», «مسؤول» and «رءوس», «رؤوس», Egyptian and other spellings of hamza before waw, become one;
- digits become ASCII; quote marks, dashes and Arabic punctuation one mark a kind; a run of white space one space.

`fold` is the form for keys and for comparing texts. `spaced` goes one step further, for searching whole words, and
`Folded` is a text in that form together with the way back.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

_TATWEEL: Final = "ـ"
_LETTERS: Final = {"ٱ": "ا", "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي", "ھ": "ه", "ہ": "ه"}
_QUOTE_MARKS: Final = "«»‹›“”„‟‘’‚‛'`´ʼ′″"
_DASHES: Final = "‐‒–—―−"
# The fraction slash is what NFKC makes of «½»; the others are Arabic and Urdu punctuation.
_PUNCTUATION: Final = {"،": ",", "؛": ";", "؟": "?", "٪": "%", "٫": ".", "٬": ",", "۔": ".", "⁄": "/"}
_UNIFIED: Final = (
    _LETTERS | _PUNCTUATION | dict.fromkeys(_QUOTE_MARKS, '"') | dict.fromkeys(_DASHES, "-") | {_TATWEEL: ""}
)
# Marks of no combining class that nobody sees: the grapheme joiner and the variation selectors.
_INVISIBLE_MARKS: Final = re.compile(r"[\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Combining classes of points (Hebrew, Arabic, Syriac) and of marks above, below and attached. The others are letters in
# all but name: vowels and viramas of India, tones of Thailand, voicing of Japan, and the stroke of «≠».
_POINTS: Final = range(10, 37)
_FIRST_DIACRITIC: Final = 200

# Hamza before waw, on yeh or alone: written on waw elsewhere. What may stand between two letters and is dropped does not
# count. The letter stays one letter.
_BETWEEN: Final = r"[\u00ad\u061c\u0640\u064b-\u065f\u0670\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*"
_HAMZA: Final = rf"(?:ئ|ء|[يى]{_BETWEEN}\u0654)"
_HAMZA_BEFORE_WAW: Final = re.compile(rf"{_HAMZA}(?=(?:{_BETWEEN}{_HAMZA})*{_BETWEEN}[وؤ])")

# What folding leaves of punctuation and symbols. `_` binds the words of a hashtag and is none.
_MARKS: Final = (
    r"!-/:-@\[-^`{-~\u00a1-\u00bf\u00d7\u00f7\u0600-\u060f\u061b-\u061f\u066a-\u066d\u06dd\u06de\u06e9\u0964\u0965"
    r"\u2010-\u2bff\u3001-\u303f\U0001f000-\U0001faff"
)
_LETTER: Final = r"[^\W\d_\u0600-\u06ff]"  # of a script that binds words with hyphen and apostrophe: not Arabic
_LETTER_OR_DIGIT: Final = r"[^\W_\u0600-\u06ff]"
# A quote mark inside a Latin word is its apostrophe: "can't" is one word, and so is "l'accord". Between Arabic letters
# it is a quote mark whose space was lost: «قائل”ليبيا».
_APOSTROPHE: Final = re.compile(rf'"(?<={_LETTER}")(?={_LETTER})')
# A mark that stands for itself, that is, not one inside a number (3.5, 12,000, 20/7/2020, -5) or inside a word that is
# not Arabic (cease-fire, F-16, 2015-2020): to cut there would leave another number or word.
_LOOSE_MARK: Final = re.compile(
    rf"[{_MARKS}](?<!\d[.,:/](?=\d))(?<!{_LETTER_OR_DIGIT}-(?={_LETTER_OR_DIGIT}))(?<!\W-(?=\d))(?<!\A-(?=\d))"
)


def fold(text: str) -> str:
    """The text in the form in which spelling conventions do not differ, without white space at its ends."""
    return " ".join(_HAMZA_BEFORE_WAW.sub("و", text).translate(_TABLE).split())


def spaced(text: str) -> str:
    """The words and marks of the folded text, a space before and after each, and no quote marks.

    So spaces about punctuation and left-out quote marks do not count either, a lone «و» joins its word, and a whole
    word is found as `" word "`.
    """
    folded = _APOSTROPHE.sub("", fold(text)).replace('"', " ")
    return f" {' '.join(_LOOSE_MARK.sub(_alone, folded).split())} ".replace(" و ", " و")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in its spaced form, and where each character of that form comes from.

    The form and the source hold the same characters in the same order, white space and quote marks aside: the n-th of
    the one is the n-th of the other.
    """

    source: str
    text: str
    reach: Sequence[int]
    """how many characters, spaces aside, of `text` come from `source[: i + 1]`"""

    @classmethod
    def of(cls, source: str) -> "Folded":
        """Fold a text once; it may then be searched any number of times."""
        return cls(source, spaced(source), list(accumulate(map(_SIZES.__getitem__, source))))

    def places(self, words: str, skip: int = 0) -> Iterator[tuple[int, int, int]]:
        """Find whole words, as `spaced` gives them.

        Args:
            words: what to find; occurrences that overlap count once.
            skip: leave so many of the first characters out of the result.

        Yields:
            The index in `text`, and start and end in `source`, with the marks on the last letter and its tatweel.
        """
        size = len(words) - words.count(" ")
        seen = at = 0
        while (found := self.text.find(words, at)) >= 0:
            seen += found - at - self.text.count(" ", at, found)
            yield found, self._start(seen + skip), self._end(seen + size)
            seen += size
            at = found + len(words) - 1

    def _start(self, before: int) -> int:
        return bisect_right(self.reach, before)

    def _end(self, through: int) -> int:
        end = self._start(through - 1) + 1
        while end < len(self.source) and _belongs_to_letter(self.source[end]):
            end += 1
        return end


class _Table(dict[int, str]):
    """Code point → folded text, filled as code points are met: articles use a few hundred of them."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


class _Sizes(dict[str, int]):
    """Character → how many characters of the spaced form it makes, spaces aside."""

    def __missing__(self, character: str) -> int:
        size = self[character] = len(_TABLE[ord(character)].replace(" ", "").replace('"', ""))
        return size


_TABLE: Final = _Table()
_SIZES: Final = _Sizes()


def _fold_character(character: str) -> str:
    if character.isspace():
        return " "
    if character in _UNIFIED:
        return _UNIFIED[character]
    # Folding case may compose and decomposing may bring capitals to light, hence both before the last decomposition.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    # NFKC writes a mark on its own as a space and the mark: that space is not in the text.
    return "".join(map(_fold_part, folded)).strip()


def _fold_part(part: str) -> str:
    if _is_dropped(part):
        return ""
    digit = unicodedata.decimal(part, None)
    return _UNIFIED.get(part, part) if digit is None else str(digit)


def _is_dropped(part: str) -> bool:
    place = unicodedata.combining(part)
    return (
        place in _POINTS
        or place >= _FIRST_DIACRITIC
        or unicodedata.category(part) in {"Cc", "Cf"}
        or _INVISIBLE_MARKS.match(part) is not None
    )


def _belongs_to_letter(character: str) -> bool:
    return character == _TATWEEL or unicodedata.combining(character) > 0


def _alone(mark: re.Match[str]) -> str:
    return f" {mark[0]} "
