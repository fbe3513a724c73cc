"""Tell an article's body from its noise: headlines, captions, related links, buttons of the site.

Only whole lines are noise, and only by their form, never by their content. A model is shown the body, so that it cannot
quote a headline; dates are read from the whole article, since a caption may hold the only year.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from mahdar.documents.folding import fold
from mahdar.documents.sentences import is_wrapped

ENDS = re.compile(r"[.!?؟…:؛][\s»”\"')\]]*$")
"""The end of a line that is a sentence."""
BULLET = re.compile(r"^\s*(?:[-–—•*▪◾·]|\d+[.)-])\s+\S")
FURNITURE = re.compile(
    r"^\W*(?:المزيد من|اقر[أا] [أا]يضا|شاهد [أا]يضا|مناقشة|نشر|حدث في|ذات صلة|مواضيع ذات صلة|تابعنا|شارك|المصدر|"
    r"read more|read also|related|share|advertisement|lire aussi|à lire aussi|partager|publicité)\b",
    re.IGNORECASE,
)
LONGEST_HEADING = 22
"""Words: a longer line is a sentence, whatever it ends with."""
LONGEST_NAME = 6
"""Words: a line of at most so many without a stop is a newsroom's name, a by-line or a button."""
LEAST_BODY = 0.4
"""Share of the text: where less would be left, the rules do not fit the layout, and the whole text is the body."""


class TextLine(NamedTuple):  # an article has dozens: a dataclass takes three times as long to make
    """A line of the article: its text without the line break, and its offsets in code points."""

    start: int
    end: int
    text: str


def body(text: str, start: int = 0, end: int | None = None) -> str:
    """Return the article, or the part between two offsets, without the lines that are noise."""
    end = len(text) if end is None else end
    noise = noise_lines(text)
    lines = (line for line in _lines(text) if line.start <= end and line.end >= start and line not in noise)
    return "\n".join(text[max(start, line.start) : min(end, line.end)] for line in lines)


@lru_cache(maxsize=32)  # each task of an article needs it, and so does the check of its evidence
def noise_lines(text: str) -> frozenset[TextLine]:
    """Return the lines that are noise; none where too little would be left, or where lines are wrapped at one width."""
    lines = [line for line in _lines(text) if line.text.strip()]
    if is_wrapped(text):
        return frozenset()
    folded = [fold(line.text) for line in lines]
    counts = Counter(folded)
    noise = frozenset(
        line
        for line, known in zip(lines, folded, strict=True)
        if counts[known] > 2 or _is_noise(line.text)  # a caption under every picture
    )
    kept = sum(len(line.text) for line in lines if line not in noise)
    return noise if kept >= LEAST_BODY * sum(len(line.text) for line in lines) else frozenset()


def in_noise(text: str, offset: int) -> bool:
    """Whether an offset lies in a line that is noise."""
    starts, ends = _noise_bounds(text)
    index = bisect_right(starts, offset) - 1
    return index >= 0 and offset < ends[index]


@lru_cache(maxsize=32)
def _noise_bounds(text: str) -> tuple[list[int], list[int]]:
    bounds = sorted((line.start, line.end) for line in noise_lines(text))
    return [start for start, _ in bounds], [end for _, end in bounds]


def _is_noise(line: str) -> bool:
    if FURNITURE.match(line) and len(line.split()) <= LONGEST_NAME:
        return True
    if ENDS.search(line):
        return False
    words = len(line.split())
    return words <= LONGEST_HEADING if BULLET.match(line) else words <= max(LONGEST_NAME, LONGEST_HEADING - 2)


def _lines(text: str) -> Iterator[TextLine]:
    start = 0
    for line in text.split("\n"):
        yield TextLine(start, start + len(line), line)
        start += len(line) + 1
