"""Split an article longer than a model's context window into passages that fit.

The passages are contiguous and together the whole text, so that an offset in one plus its `start` is an offset into the
article. A cut is made at the best kind of place, and there as near as possible to an even division: the end of a
paragraph, a sentence, a line; the end of a clause or a word only where a single sentence does not fit.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from typing import Final

from mahdar.documents.folding import map_words
from mahdar.documents.sentences import STOPS, sentences
from mahdar.errors import BadInputError

Fits = Callable[[str], bool]
_Places = tuple[list[int], ...]

# Distance of a cut from the even division, as a share of the passage: enough to reach the end of a sentence.
_TOLERANCE: Final = 0.25
# The longest fitting passage is found to 1/64 of its length; each doubling costs one more call of `fits`.
_PRECISION: Final = 64
_CLAUSE: Final = re.compile(r"(?<=[،؛])(?=\S)|(?<=[،؛,;:–—]\s)")
_SPACE: Final = re.compile(r"(?<=\s)")
_NEWLINE: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CLOSERS: Final = "\"'”’“»›)]} \u00a0\u202f"

# Tokens in Qwen2.5's vocabulary (151,643 entries), fitted over 29 articles of 110,000 characters (24 Arabic,
# three English, two French) and their 74 pieces of 1,500 characters. Truth: Arabic 2.7 to 3.4 characters a token,
# English 4.7 to 5.0, French 3.5 to 3.6. Estimate over truth: an article 1.02 to 1.21, mean 1.12; a piece 1.02 to
# 1.26.
# A fixed ratio of characters to tokens that is never too low would exceed the truth by up to 32 %.
_ARABIC_WORD: Final = re.compile(r"[\u0621-\u063a\u0641-\u064a]+")
_SHORT: Final = 0.7  # up to three letters: most are one token
_DEFINITE_LETTER: Final = (
    0.32  # for each letter of a word that begins with «ال»: frequent words, with the longest tokens
)
_OTHER, _OTHER_LETTER = 2.5, 0.1
_LATIN_WORD: Final = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_LATIN, _LATIN_LETTER, _RANDOM_LETTER = (
    1.1,
    0.1,
    0.5,
)  # for a word, and for each letter from the fifth, from the thirteenth on
_ACCENTED: Final = re.compile(r"[\u00c0-\u024f]")
_ACCENT: Final = 1.5
# One token each: digits, ordinary marks, tatweel, Arabic vowel signs; newlines, and runs of spaces. Any other character
# (other scripts, Arabic digits, invisible marks, emoji) is two tokens if it has two or three bytes in UTF-8, else
# three.
_SINGLE: Final = re.compile(
    r"[!-@\[-`{-~\u00a1-\u00bf\u060c\u061b\u061f\u0640\u064b-\u0652\u2010-\u203a]|[\n\r]+|[^\S\n\r]{2,}"
)
_DOUBLE: Final = re.compile(
    r"[^\s!-~\u00a1-\u00bf\u00c0-\u024f\u060c\u061b\u061f\u0621-\u063a\u0640-\u0652\u2010-\u203a\U00010000-\U0010ffff]"
)
_MOST: Final = 3  # tokens at most of one character: 2.6 of a one-letter word with accent, 3 of an emoji
_TRIPLE: Final = re.compile(r"[\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article as offsets in code points: `text[start:end]`."""

    start: int
    end: int


def split(text: str, fits: Fits) -> tuple[Passage, ...]:
    """Split a text into contiguous passages that fit, of about equal length.

    Args:
        text: the whole article; an empty one has no passages.
        fits: whether a passage is short enough; if it is, every part of it must be, too.

    Raises:
        BadInputError: a stretch without white space does not fit; words are never cut.
    """
    passages: list[Passage] = []
    start, reach = 0, len(text)
    places: _Places | None = None
    while start < len(text):  # what is left is divided anew each time, since the density of a text varies
        reach = _reach(text, start, fits, reach)
        end = start + reach
        if end < len(text):
            places = places or _places(text)
            end = _cut(text, places, start, reach)
        passages.append(Passage(start, end))
        start = end
    return tuple(passages)


def is_within(text: str, tokens: int) -> bool:
    """Whether the estimate of a text is at most so many tokens; a short text is not read for it."""
    return _MOST * len(text) <= tokens or estimate_tokens(text) <= tokens


def estimate_tokens(text: str) -> int:
    """Estimate a text's number of tokens, on average 12 % too high; see the constants above."""
    words = sum(map_words(_arabic_cost, _ARABIC_WORD.findall(text)))
    words += sum(map_words(_latin_cost, _LATIN_WORD.findall(text)))
    accents = _ACCENT * len(_ACCENTED.findall(text))
    marks = len(_SINGLE.findall(text)) + 2 * len(_DOUBLE.findall(text)) + 3 * len(_TRIPLE.findall(text))
    return math.ceil(words + accents + marks)


@lru_cache(maxsize=16_384)  # the same words recur
def _arabic_cost(word: str) -> float:
    if len(word) <= 3:
        return _SHORT
    return _DEFINITE_LETTER * len(word) if word.startswith("ال") else _OTHER + _OTHER_LETTER * len(word)


@lru_cache(maxsize=16_384)
def _latin_cost(word: str) -> float:
    return _LATIN + _LATIN_LETTER * max(0, len(word) - 4) + _RANDOM_LETTER * max(0, len(word) - 12)


def _reach(text: str, start: int, fits: Fits, guess: int) -> int:
    """Return how many characters from `start` on fit: a guess is doubled, then refined by bisection."""
    left = len(text) - start
    short, long = 0, min(max(guess, 1), left)
    while fits(text[start : start + long]):
        if long == left:
            return left
        short, long = long, min(2 * long, left)
    while long - short > max(1, short // _PRECISION):
        middle = (short + long) // 2
        short, long = (middle, long) if fits(text[start : start + middle]) else (short, middle)
    return short


def _places(text: str) -> _Places:
    """Return the offsets at which sentences begin, ascending, in three lists: the best places for a cut first.

    First, a paragraph ends with a stop; second, a sentence or a block of lines ends; third, a line ends without a stop:
    a headline, to be kept with the text after it, or hard-wrapped text.
    """
    places: _Places = ([], [], [])
    for before, behind in pairwise(sentences(text)):
        breaks = len(_NEWLINE.findall(text, before.end, behind.start))
        stopped = text[before.start : before.end].rstrip(_CLOSERS).endswith(tuple(STOPS))
        rank = 0 if breaks and stopped else 2 if breaks == 1 else 1
        places[rank].append(behind.start)
    return places


def _cut(text: str, places: _Places, start: int, reach: int) -> int:
    """Return the best offset to end a passage at, where the rest of the text does not fit."""
    left = len(text) - start
    even = left / math.ceil(left / max(reach, 1))
    near = math.ceil(start + even * (1 - _TOLERANCE)), min(int(start + even * (1 + _TOLERANCE)), start + reach)
    windows = near, (start + 1, start + reach)
    between_sentences = (
        offsets[bisect_left(offsets, first) : bisect_right(offsets, last)]
        for first, last in windows
        for offsets in places
    )
    within_a_sentence = (
        [match.start() for match in kind.finditer(text, first, last)]
        for first, last in windows
        for kind in (_CLAUSE, _SPACE)
    )
    for offsets in chain(between_sentences, within_a_sentence):
        if offsets:
            return min(offsets, key=lambda offset: abs(offset - start - even))
    stretch = re.compile(r"\S+").match(text, start)
    raise BadInputError(
        f"a stretch of {len(stretch[0]) if stretch else 0} characters without white space, at offset {start}, does not "
        "fit one passage: break it up, or use a model with a larger context window"
    )
