"""Passages: an article longer than a model's context window, cut into pieces that fit.

The pieces are contiguous and together the whole text, so an offset found in one plus its `start` is an offset into the
article. Of the places where a piece may be cut the best kind wins, and of its kind the one nearest to an even
division: a paragraph's end, a sentence's, a line's; a clause's and the space between two words only where a single
sentence does not fit.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from mahdar.documents.sentences import STOPS, Sentence, sentences
from mahdar.errors import BadInputError

Fits = Callable[[str], bool]
_Places = tuple[list[int], ...]

# How far from the even division a cut may lie, as a share of the piece: far enough to meet a sentence's end.
_TOLERANCE: Final = 0.25
# The longest fitting piece is found to this fraction of itself; each doubling costs one more look at the piece.
_PRECISION: Final = 64
_CLAUSE: Final = re.compile(r"(?<=[،؛])(?=\S)|(?<=[،؛,;:–—]\s)")
_SPACE: Final = re.compile(r"(?<=\s)")
_NEWLINE: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CLOSERS: Final = "\"'”’“»›)]} \u00a0\u202f"

# What text costs in Qwen2.5's vocabulary (151,643 entries), fitted over 29 articles of 110,000 characters (24 Arabic,
# three English, two French) and their 74 pieces of 1,500 characters. Truth: Arabic 2.7 to 3.4 characters a token,
# English 4.7 to 5.0, French 3.5 to 3.6. Estimate over truth: an article 1.02 to 1.21, mean 1.12; a piece 1.02 to
# 1.26.
# A ratio of characters to tokens that is never too low would exceed the truth by up to 32 %.
_ARABIC_WORD: Final = re.compile(r"[\u0621-\u063a\u0641-\u064a]+")
_SHORT: Final = 0.7  # up to three letters: most are one token
_DEFINITE_LETTER: Final = 0.32  # a letter of a word that begins with «ال»: frequent words, merged best
_OTHER, _OTHER_LETTER = 2.5, 0.1
_LATIN_WORD: Final = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_LATIN, _LATIN_LETTER, _RANDOM_LETTER = 1.1, 0.1, 0.5  # a word, a letter from the fifth on, from the thirteenth on
_ACCENTED: Final = re.compile(r"[\u00c0-\u024f]")
_ACCENT: Final = 1.5
# One token each: digits, ordinary marks, tatweel, Arabic vowel signs; lines, and runs of spaces. Whatever else there is
# (other scripts, Arabic digits, invisible marks, emoji) is two for what UTF-8 writes in two or three bytes, else three.
_SINGLE: Final = re.compile(
    r"[!-@\[-`{-~\u00a1-\u00bf\u060c\u061b\u061f\u0640\u064b-\u0652\u2010-\u203a]|[\n\r]+|[^\S\n\r]{2,}"
)
_DOUBLE: Final = re.compile(
    r"[^\s!-~\u00a1-\u00bf\u00c0-\u024f\u060c\u061b\u061f\u0621-\u063a\u0640-\u0652\u2010-\u203a\U00010000-\U0010ffff]"
)
_MOST: Final = 3  # no character costs more: an accented letter that is a word 2.6, an emoji 3
_TRIPLE: Final = re.compile(r"[\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article as offsets in code points: `text[start:end]`."""

    start: int
    end: int


def split(text: str, fits: Fits) -> tuple[Passage, ...]:
    """Cut a text into contiguous passages that fit, of about equal length.

    Args:
        text: the whole article; an empty one has no passages.
        fits: whether a piece is short enough. Every piece of a fitting piece must fit too.

    Raises:
        BadInputError: a stretch without white space does not fit: words are never cut.
    """
    return tuple(_passages(text, fits))


def is_within(text: str, tokens: int) -> bool:
    """Whether a text is surely no more than so many tokens; a short one is not looked at."""
    return _MOST * len(text) <= tokens or estimate_tokens(text) <= tokens


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is, rather too many (12 % on average) than too few; see the constants above."""
    words = sum(map(_arabic_cost, _ARABIC_WORD.findall(text))) + sum(map(_latin_cost, _LATIN_WORD.findall(text)))
    accents = _ACCENT * len(_ACCENTED.findall(text))
    marks = len(_SINGLE.findall(text)) + 2 * len(_DOUBLE.findall(text)) + 3 * len(_TRIPLE.findall(text))
    return math.ceil(words + accents + marks)


@lru_cache(maxsize=16_384)  # the same words again and again
def _arabic_cost(word: str) -> float:
    if len(word) <= 3:
        return _SHORT
    return _DEFINITE_LETTER * len(word) if word.startswith("ال") else _OTHER + _OTHER_LETTER * len(word)


@lru_cache(maxsize=16_384)
def _latin_cost(word: str) -> float:
    return _LATIN + _LATIN_LETTER * max(0, len(word) - 4) + _RANDOM_LETTER * max(0, len(word) - 12)


def _passages(text: str, fits: Fits) -> Iterator[Passage]:
    """Yield passages from the start on; what is left is divided anew each time, as the density of a text varies."""
    start, reach = 0, len(text)
    places: _Places | None = None
    while start < len(text):
        reach = _reach(text, start, fits, reach)
        end = start + reach
        if end < len(text):
            places = places or _places(text)
            end = _cut(text, places, start, reach)
        yield Passage(start, end)
        start = end


def _reach(text: str, start: int, fits: Fits, guess: int) -> int:
    """How many characters from `start` on fit: doubled from a guess, then halved down to the precision."""
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
    """Where a text may be cut between sentences: ascending offsets of the sentence behind, best kind first."""
    kinds: _Places = ([], [], [])
    for before, behind in pairwise(sentences(text)):
        kinds[_kind(text, before, behind)].append(behind.start)
    return kinds


def _kind(text: str, before: Sentence, behind: Sentence) -> int:
    """0: between two sentences a paragraph ends, with a stop. 1: a sentence, or a block of lines. 2: a mere line.

    A line without a stop is a headline, which belongs to what follows it, or hard-wrapped text.
    """
    breaks = len(_NEWLINE.findall(text, before.end, behind.start))
    stopped = text[before.start : before.end].rstrip(_CLOSERS).endswith(tuple(STOPS))
    if breaks and stopped:
        return 0
    return 2 if breaks == 1 else 1


def _cut(text: str, places: _Places, start: int, reach: int) -> int:
    """The best offset at which a passage ends that cannot hold all the rest."""
    left = len(text) - start
    even = left / math.ceil(left / max(reach, 1))
    near = math.ceil(start + even * (1 - _TOLERANCE)), min(int(start + even * (1 + _TOLERANCE)), start + reach)
    anywhere = start + 1, start + reach
    for offered in (_between_sentences(places, near, anywhere), _within_sentence(text, near, anywhere)):
        for offsets in offered:
            if offsets:
                return min(offsets, key=lambda offset: abs(offset - start - even))
    stretch = re.compile(r"\S+").match(text, start)
    raise BadInputError(
        f"a stretch of {len(stretch[0]) if stretch else 0} characters without white space, at offset {start}, does not "
        "fit one passage: break it up, or use a model with a larger context window"
    )


def _between_sentences(places: _Places, *windows: tuple[int, int]) -> Iterator[list[int]]:
    """Yield the offsets between sentences in the first window, then in the next; kind by kind."""
    for first, last in windows:
        for offsets in places:
            yield offsets[bisect_left(offsets, first) : bisect_right(offsets, last)]


def _within_sentence(text: str, *windows: tuple[int, int]) -> Iterator[list[int]]:
    """Yield the offsets between clauses and between words, window by window."""
    for first, last in windows:
        for kind in (_CLAUSE, _SPACE):
            yield [match.start() for match in kind.finditer(text, first, last)]
