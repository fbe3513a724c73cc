"""Split Arabic, English and French news into sentences, as offsets into the text.

A newline ends a sentence, or, where all lines are wrapped at one width, as in mails and government releases, an empty
line. Within a line a stop ends a sentence if white space follows, or if the next sentence is glued to it, as often in
scraped Arabic («بناءة”.وقال»). Where a stop may belong to an abbreviation, the sentences are not split: a sentence that
is too long keeps its words together, one cut in two may lose its speaker.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

# Latin, Arabic, Urdu and full-width stops. «،» and «؛» separate clauses, not sentences.
STOPS: Final = ".!?؟…۔。！？"
_FULL_WIDTH: Final = "。！？"
# Abbreviations before a name, in this case only: "Gen." is a title, "gen" may be a word. «ود» is "and Dr.".
_TITLE: Final = re.compile(
    "Mrs?|Ms|Dr|Prof|Gen|Col|Lt|Sgt|Capt|Maj|Adm|Cmdr|Brig|Sen|Gov|Rev|Ste?|Mt|MM|Mmes?|Mlle|Mgr|vs|cf|av|ود|وأ|وم"
)
# Abbreviations before a number: "No. 5", "Nov. 19", « art. 3 ». Before anything else these are ordinary words.
_COUNTED: Final = re.compile(
    "nos?|art|pp|vol|fig|sec|ch|env|approx|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|janv|févr|avr|juil|déc",
    re.IGNORECASE,
)
# Characters examined before a stop: more than the longest abbreviation.
_ABBREVIATION_REACH: Final = 8
_LINE: Final = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_PARAGRAPH: Final = re.compile(r"(?:[^\n]|\n(?![^\S\n]*\n))*[^\s](?:[^\n]|\n(?![^\S\n]*\n))*")
# Characters of a wrapped line. Paragraphs are longer, verses shorter.
_WRAPPED: Final = range(45, 100)
# Minimum of lines, and of the share of full ones: the last line of a paragraph is shorter.
_FEWEST_LINES: Final = 5
_MOSTLY: Final = 0.6
# A URL is matched first, so that its dots and question marks are skipped.
_MARK: Final = re.compile(rf"(?i:https?://|www\.)[!-~]*[a-zA-Z0-9/]|(?P<stop>[{STOPS}]+)")
_WORD: Final = re.compile(r"[^\W_]")
_SPACE: Final = re.compile(r"\s*")
_INVISIBLE: Final = r"\u200b-\u200f\u202a-\u202e\u2066-\u2069"
# Closing quotes and brackets after a stop; French ones may follow a space.
_CLOSERS: Final = re.compile(rf"[\"'”’“»›)\]}}{_INVISIBLE}]*(?:[ \u00a0\u202f]?[»›)\]}}])*")
_OPENERS: Final = re.compile(rf"[\s\"'“”‘’«‹(\[\-–—•*{_INVISIBLE}]*")
_LAST_WORD: Final = re.compile(r"[^\W\d_]+\Z")
_ARABIC_LETTER: Final = re.compile(r"[\u0620-\u064a\u066e-\u06d3\ufb50-\ufdff\ufe70-\ufefc]")
# A sentence continues before these: «”. ، وقال», or a second stop after the quote.
_CONTINUING: Final = frozenset("،؛,;:" + STOPS)


class Sentence(NamedTuple):  # an article has dozens: a dataclass takes three times as long to make
    """A sentence as offsets in code points: `text[start:end]`, without surrounding white space."""

    start: int
    end: int


@lru_cache(maxsize=32)  # for numbering, and for looking up words
def sentences(text: str) -> tuple[Sentence, ...]:
    """Split a text into sentences.

    Sentences are in order, do not overlap, and leave out nothing but white space: headlines, captions and lines of
    punctuation are sentences, too.
    """
    blocks = (_PARAGRAPH if is_wrapped(text) else _LINE).finditer(text)
    return tuple(sentence for block in blocks for sentence in _split_line(text, block.start(), block.end()))


def is_wrapped(text: str) -> bool:
    """Whether the lines of a text are wrapped at one width, so that line breaks mean nothing."""
    lengths = [len(line.strip()) for line in text.splitlines() if line.strip()]
    full = sum(length in _WRAPPED for length in lengths)
    return len(lengths) >= _FEWEST_LINES and max(lengths) < _WRAPPED.stop and full >= _MOSTLY * len(lengths)


def _split_line(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Yield the sentences of one line. A remainder without a word belongs to the last sentence."""
    end = start + len(text[start:end].rstrip())
    cuts = list(_ends(text, start, end))
    if cuts and not _WORD.search(text, cuts[-1], end):
        cuts.pop()
    for last, cut in pairwise((start, *cuts, end)):
        if last < cut:
            yield Sentence(_after(_SPACE, text, last), cut)


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    """Yield the offsets inside a line at which a sentence ends. Each sentence has a word."""
    word = _WORD.search(text, start, end)
    for mark in _MARK.finditer(text, start, end):
        if word is None:
            return
        if not mark["stop"] or mark.start() < word.start():
            continue
        cut = _skip_closers(text, start, mark.end(), end)
        if cut >= end or _is_end(text, start, mark, cut):
            yield cut
            start, word = cut, _WORD.search(text, cut, end)


def _skip_closers(text: str, start: int, stop: int, end: int) -> int:
    """Return the offset after the closing quotes and brackets that follow a stop."""
    cut = _after(_CLOSERS, text, stop, end)
    if cut == stop or cut >= end or not text[cut].isalpha():
        return cut
    # A quote mark before a letter may open the next sentence: “ does; " does unless a quote is open.
    last = text[cut - 1]
    opens = last == "“" or (last == '"' and text.count('"', start, stop) % 2 == 0)
    return cut - 1 if opens else cut


def _is_end(text: str, start: int, mark: re.Match[str], cut: int) -> bool:
    """Whether a stop inside a line ends the sentence; `cut` is the offset after its closing quotes."""
    if _is_abbreviation(text, start, mark):
        return False
    are_dots = mark["stop"] != "." and not mark["stop"].strip(".…")
    if are_dots and (mark["stop"] == ".." or text[mark.start() - 1] in "(["):
        return False  # a pause («عاجل.. وزير الخارجية»), or an omission in brackets
    if text[cut].isspace():  # a clause mark or a lower-case letter continues the sentence
        return _next(_SPACE, text, cut) not in _CONTINUING and not _next(_OPENERS, text, cut).islower()
    if are_dots:
        return False
    if mark["stop"][-1] in _FULL_WIDTH or text[cut] in '«“"' or _ARABIC_LETTER.match(text[cut]):
        return True
    return text[cut].isupper() and (cut > mark.end() or text[mark.start() - 1].islower())  # "libya.The"


def _is_abbreviation(text: str, start: int, mark: re.Match[str]) -> bool:
    """Whether a stop belongs to an initial, a title, a "No." before its number, or the number of a list item."""
    if mark["stop"] != ".":
        return False
    before = text[max(start, mark.start() - _ABBREVIATION_REACH) : mark.start()]
    if mark.start() - start <= _ABBREVIATION_REACH and before.strip().isdecimal():
        return len(before.strip()) <= 2
    last = _LAST_WORD.search(before)
    if last is None:
        return False
    if len(last[0]) == 1:
        return not before[: last.start()][-1:].isdigit()  # «1956م.» is a year, not an initial
    counted = _COUNTED.fullmatch(last[0]) and _next(_SPACE, text, mark.end()).isdigit()
    return bool(counted or _TITLE.fullmatch(last[0]))


def _after(skipped: re.Pattern[str], text: str, at: int, end: int | None = None) -> int:
    """Return the offset after the match of `skipped`, which may be empty, at an offset."""
    match = skipped.match(text, at, len(text) if end is None else end)
    return match.end() if match else at


def _next(skipped: re.Pattern[str], text: str, at: int) -> str:
    """Return the first character after the match of `skipped`, or "" at the end of the text."""
    at = _after(skipped, text, at)
    return text[at : at + 1]
