"""Sentences of Arabic, English and French news, as offsets into the text they were found in.

A newline ends a sentence, unless all lines are broken at one width, as in mails and government releases: then an empty
line does. Within a line a stop ends one when white space follows, or when the next sentence is
glued to it, as scraped Arabic often is («بناءة”.وقال»). Where a stop may belong to an abbreviation the two sentences
stay together: a sentence too long still holds its words, one cut in two may lose who spoke.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

# Latin, Arabic, Urdu and full-width stops. «،» and «؛» separate clauses, not sentences.
STOPS: Final = ".!?؟…۔。！？"
_FULL_WIDTH: Final = "。！？"
# What stands before a name, written exactly so: "Gen." is a title, "gen" may be a word. «ود» is "and Dr.".
_TITLE: Final = re.compile(
    "Mrs?|Ms|Dr|Prof|Gen|Col|Lt|Sgt|Capt|Maj|Adm|Cmdr|Brig|Sen|Gov|Rev|Ste?|Mt|MM|Mmes?|Mlle|Mgr|vs|cf|av|ود|وأ|وم"
)
# What stands before a number: "No. 5", "Nov. 19", « art. 3 ». Before anything else these are ordinary words.
_COUNTED: Final = re.compile(
    "nos?|art|pp|vol|fig|sec|ch|env|approx|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|janv|févr|avr|juil|déc",
    re.IGNORECASE,
)
# Characters looked at before a stop: more than the longest of these.
_ABBREVIATION_REACH: Final = 8
_LINE: Final = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_PARAGRAPH: Final = re.compile(r"(?:[^\n]|\n(?![^\S\n]*\n))*[^\s](?:[^\n]|\n(?![^\S\n]*\n))*")
# Characters of a line that was broken because the next word did not fit. Paragraphs are longer, verses shorter.
_WRAPPED: Final = range(45, 100)
# Lines, and the share of them that must be so: the last line of a paragraph is not.
_FEWEST_LINES: Final = 5
_MOSTLY: Final = 0.6
# An address is matched first, so that its own dots and question marks are passed over.
_MARK: Final = re.compile(rf"(?i:https?://|www\.)[!-~]*[a-zA-Z0-9/]|(?P<stop>[{STOPS}]+)")
_WORD: Final = re.compile(r"[^\W_]")
_SPACE: Final = re.compile(r"\s*")
_INVISIBLE: Final = r"\u200b-\u200f\u202a-\u202e\u2066-\u2069"
# Quotes and brackets that close after a stop; French ones after a space.
_CLOSERS: Final = re.compile(rf"[\"'”’“»›)\]}}{_INVISIBLE}]*(?:[ \u00a0\u202f]?[»›)\]}}])*")
_OPENERS: Final = re.compile(rf"[\s\"'“”‘’«‹(\[\-–—•*{_INVISIBLE}]*")
_LAST_WORD: Final = re.compile(r"[^\W\d_]+\Z")
_ARABIC_LETTER: Final = re.compile(r"[\u0620-\u064a\u066e-\u06d3\ufb50-\ufdff\ufe70-\ufefc]")
# Before these the sentence goes on: «”. ، وقال», or a second stop behind the quote.
_CONTINUING: Final = frozenset("،؛,;:" + STOPS)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as offsets in code points: `text[start:end]`, without white space around it."""

    start: int
    end: int


@lru_cache(maxsize=32)  # numbered, and looked into by words
def sentences(text: str) -> tuple[Sentence, ...]:
    """Split a text into sentences.

    They come in order, never overlap, and leave out nothing but white space: headlines, captions and lines of
    punctuation are sentences too.
    """
    blocks = (_PARAGRAPH if is_wrapped(text) else _LINE).finditer(text)
    return tuple(sentence for block in blocks for sentence in _of_line(text, block.start(), block.end()))


def is_wrapped(text: str) -> bool:
    """Whether the lines are broken at one width, so that a line break means nothing."""
    lengths = [len(line.strip()) for line in text.splitlines() if line.strip()]
    full = sum(length in _WRAPPED for length in lengths)
    return len(lengths) >= _FEWEST_LINES and max(lengths) < _WRAPPED.stop and full >= _MOSTLY * len(lengths)


def _of_line(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Yield the sentences of one line. What is left at its end without a word belongs to the last of them."""
    end = start + len(text[start:end].rstrip())
    cuts = list(_ends(text, start, end))
    if cuts and not _WORD.search(text, cuts[-1], end):
        cuts.pop()
    for last, cut in pairwise((start, *cuts, end)):
        if last < cut:
            yield Sentence(_after(_SPACE, text, last), cut)


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    """Yield the offsets inside a line at which a sentence ends. None is without a word."""
    word = _WORD.search(text, start, end)
    for mark in _MARK.finditer(text, start, end):
        if word is None:
            return
        if not mark["stop"] or mark.start() < word.start():
            continue
        cut = _closed(text, start, mark.end(), end)
        if cut >= end or _is_end(text, start, mark, cut):
            yield cut
            start, word = cut, _WORD.search(text, cut, end)


def _closed(text: str, start: int, stop: int, end: int) -> int:
    """The offset behind the quotes and brackets that close after a stop."""
    cut = _after(_CLOSERS, text, stop, end)
    if cut == stop or cut >= end or not text[cut].isalpha():
        return cut
    # Glued to a letter a quote opens or closes: “ opens; " opens unless one is open already.
    last = text[cut - 1]
    opens = last == "“" or (last == '"' and text.count('"', start, stop) % 2 == 0)
    return cut - 1 if opens else cut


def _is_end(text: str, start: int, mark: re.Match[str], cut: int) -> bool:
    """Whether a stop inside a line ends the sentence; `cut` is the offset behind its closing quotes."""
    if _is_abbreviation(text, start, mark) or _is_pause(text, mark):
        return False
    if text[cut].isspace():
        return _ends_before_space(text, cut)
    return _ends_glued(text, mark, cut)


def _is_abbreviation(text: str, start: int, mark: re.Match[str]) -> bool:
    """Whether the stop belongs to an initial, a title, a "No." before its number, or a list's own number."""
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


def _is_pause(text: str, mark: re.Match[str]) -> bool:
    """Whether dots are a pause and no end: two of them («عاجل.. وزير الخارجية»), or an omission in brackets."""
    return _is_dots(mark) and (mark["stop"] == ".." or text[mark.start() - 1] in "([")


def _is_dots(mark: re.Match[str]) -> bool:
    return mark["stop"] != "." and not mark["stop"].strip(".…")


def _ends_before_space(text: str, cut: int) -> bool:
    """Before white space a stop ends the sentence, unless a clause mark or a lower-case letter goes on with it."""
    return _next(_SPACE, text, cut) not in _CONTINUING and not _next(_OPENERS, text, cut).islower()


def _ends_glued(text: str, mark: re.Match[str], cut: int) -> bool:
    """Without white space it ends before an Arabic letter or an opening quote, and between "libya" and "The"."""
    if _is_dots(mark):
        return False
    follows, behind_quote = text[cut], cut > mark.end()
    if mark["stop"][-1] in _FULL_WIDTH or follows in '«“"' or _ARABIC_LETTER.match(follows):
        return True
    return follows.isupper() and (behind_quote or text[mark.start() - 1].islower())


def _after(skipped: re.Pattern[str], text: str, at: int, end: int | None = None) -> int:
    """The offset behind what `skipped`, which also matches nothing, matches at an offset."""
    match = skipped.match(text, at, len(text) if end is None else end)
    return match.end() if match else at


def _next(skipped: re.Pattern[str], text: str, at: int) -> str:
    """The first character behind what is skipped, or "" at the end of the text."""
    at = _after(skipped, text, at)
    return text[at : at + 1]
