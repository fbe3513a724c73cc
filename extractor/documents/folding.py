"""Fold spelling variants into one form for comparison, and map each folded character back to its source.

Folding serves comparison only; users always see the article's own spelling. Each code point is folded by itself (except
hamza before waw), so NFC and NFD, a ligature and its letters, a vocalised word and a bare one fold alike:

- compatibility forms (presentation forms, lam-alef, full-width) become their letters, Latin ones lose their case;
- vowel signs, shadda, hamza on or under its seat, accents, tatweel, invisible and bidi controls are dropped;
- alef wasla, ى, ة and the ک ی ھ ہ of Persian and Urdu keyboards become ا, ي, ه and ك;
- Egyptian and other spellings of hamza before waw become one: «مسئول», «مسؤول»; «رءوس», «رؤوس»;
- digits become ASCII; quote marks, dashes and Arabic punctuation become one mark of each kind; white space one space.

`fold` gives the form for keys and comparison. `spaced` also separates words and marks by spaces, for searching whole
words. `Folded` holds a text in that form with the mapping to its source.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

T = TypeVar("T")
_LONGEST_KEPT: Final = 64
"""Letters of a word of which a cache holds what was computed."""
_TATWEEL: Final = "ـ"
_LETTERS: Final = {"ٱ": "ا", "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي", "ھ": "ه", "ہ": "ه"}
_QUOTE_MARKS: Final = "«»‹›“”„‟‘’‚‛'`´ʼ′″"
_DASHES: Final = "‐‒–—―−"
# The fraction slash is what NFKC makes of «½»; the others are Arabic and Urdu punctuation.
_PUNCTUATION: Final = {"،": ",", "؛": ";", "؟": "?", "٪": "%", "٫": ".", "٬": ",", "۔": ".", "⁄": "/"}
_UNIFIED: Final = (
    _LETTERS | _PUNCTUATION | dict.fromkeys(_QUOTE_MARKS, '"') | dict.fromkeys(_DASHES, "-") | {_TATWEEL: ""}
)
# Invisible marks without a combining class: the grapheme joiner and the variation selectors.
_INVISIBLE_MARKS: Final = re.compile(r"[\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Combining classes of points (Hebrew, Arabic, Syriac), and the first class of marks above, below and attached. Marks of
# other classes are kept, for they act as letters: vowels and viramas of India, tones of Thailand, the stroke of «≠».
_POINTS: Final = range(10, 37)
_FIRST_DIACRITIC: Final = 200

# Hamza before waw, on yeh or alone, which other spellings write on waw. Dropped characters may stand between the
# letters. One letter is replaced by one letter.
_BETWEEN: Final = r"[\u00ad\u061c\u0640\u064b-\u065f\u0670\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*"
_HAMZA: Final = rf"(?:ئ|ء|[يى]{_BETWEEN}\u0654)"
_HAMZA_BEFORE_WAW: Final = re.compile(rf"{_HAMZA}(?=(?:{_BETWEEN}{_HAMZA})*{_BETWEEN}[وؤ])")

# Punctuation and symbols that are left after folding, without `_`, which joins the words of a hashtag.
_MARKS: Final = (
    r"!-/:-@\[-^`{-~\u00a1-\u00bf\u00d7\u00f7\u0600-\u060f\u061b-\u061f\u066a-\u066d\u06dd\u06de\u06e9\u0964\u0965"
    r"\u2010-\u2bff\u3001-\u303f\U0001f000-\U0001faff"
)
_LETTER: Final = r"[^\W\d_\u0600-\u06ff]"  # of a script that joins words with hyphen and apostrophe, as Arabic does not
_LETTER_OR_DIGIT: Final = r"[^\W_\u0600-\u06ff]"
# A quote mark inside a Latin word is its apostrophe: "can't" is one word, and so is "l'accord". Between Arabic letters
# it is a quote mark that lost its space: «قائل”ليبيا».
_APOSTROPHE: Final = re.compile(rf'"(?<={_LETTER}")(?={_LETTER})')
# A mark that is not inside a number (3.5, 12,000, 20/7/2020, -5) or inside a word of another script than Arabic
# (cease-fire, F-16, 2015-2020): a cut there would leave another number or word.
_LOOSE_MARK: Final = re.compile(
    rf"[{_MARKS}](?<!\d[.,:/](?=\d))(?<!{_LETTER_OR_DIGIT}-(?={_LETTER_OR_DIGIT}))(?<!\W-(?=\d))(?<!\A-(?=\d))"
)


def fold(text: str) -> str:
    """Return the folded form of a text, without white space at its ends."""
    return " ".join(" ".join(map_words(_fold_word, text.split())).split())


def spaced(text: str) -> str:
    """Return the folded text with one space before and after each word and mark, and without quote marks.

    Spaces around punctuation and quote marks no longer make a difference, a «و» written apart joins its word, and a
    whole word is found as `" word "`.
    """
    words = " ".join(map_words(_space_word, text.split())).split()
    return f" {' '.join(words)} ".replace(" و ", " و")


def map_words(function: "_lru_cache_wrapper[T]", words: Sequence[str]) -> Iterator[T]:
    """Apply a cached function to words; bypass its cache if one is too long to recur, which would fill the memory."""
    return map(function if max(map(len, words), default=0) <= _LONGEST_KEPT else function.__wrapped__, words)


@lru_cache(maxsize=8_192)  # words recur, in an article and in others; nothing is folded across white space
def _fold_word(word: str) -> str:
    return _HAMZA_BEFORE_WAW.sub("و", word).translate(_TABLE)


@lru_cache(maxsize=8_192)
def _space_word(word: str) -> str:
    return _LOOSE_MARK.sub(r" \g<0> ", _APOSTROPHE.sub("", fold(word)).replace('"', " "))


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in its spaced form, with the source of each of its characters.

    Without white space and quote marks, the n-th character of the spaced form comes from the n-th of the source.
    """

    source: str
    text: str
    reach: Sequence[int]
    """for each `i`, the number of characters of `text`, without spaces, that come from `source[: i + 1]`"""

    @classmethod
    def of(cls, source: str) -> "Folded":
        """Fold a text, which may then be searched any number of times."""
        return cls(source, spaced(source), list(accumulate(map(_SIZES.__getitem__, source))))

    def places(self, words: str, skip: int = 0) -> Iterator[tuple[int, int, int]]:
        """Find the occurrences of words that do not overlap.

        Args:
            words: the words in the form that `spaced` returns.
            skip: number of characters at the beginning of `words` to leave out of the span in `source`.

        Yields:
            The index in `text`, and start and end in `source`; the end includes marks on the last letter and tatweel.
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
        while end < len(self.source) and (self.source[end] == _TATWEEL or unicodedata.combining(self.source[end])):
            end += 1
        return end


class _FoldedCodePoints(dict[int, str]):
    """Code point → folded text, filled on demand: articles use a few hundred code points."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isspace():
            folded = " "
        elif character in _UNIFIED:
            folded = _UNIFIED[character]
        else:
            # Case folding may compose characters, and decomposition may reveal capitals: decompose, fold, and again.
            parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
            # NFKD turns a mark on its own into a space and the mark; that space is not in the text.
            folded = "".join(map(_fold_part, parts)).strip()
        self[code] = folded
        return folded


class _Sizes(dict[str, int]):
    """Character → number of characters that it has in the spaced form, without spaces."""

    def __missing__(self, character: str) -> int:
        size = self[character] = len(_TABLE[ord(character)].replace(" ", "").replace('"', ""))
        return size


_TABLE: Final = _FoldedCodePoints()
_SIZES: Final = _Sizes()


def _fold_part(part: str) -> str:
    mark = unicodedata.combining(part)
    if mark in _POINTS or mark >= _FIRST_DIACRITIC:
        return ""
    if unicodedata.category(part) in {"Cc", "Cf"} or _INVISIBLE_MARKS.match(part):
        return ""
    digit = unicodedata.decimal(part, None)
    return _UNIFIED.get(part, part) if digit is None else str(digit)


def word_set(words: str) -> frozenset[str]:
    """Return the set of the words in a text."""
    return frozenset(words.split())
