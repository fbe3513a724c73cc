"""Cues: the words that announce an encounter or a position, and what they tell of it.

The words are tables (`cues.toml`). Text is read folded, word by word and in short phrases, without the particles glued
before a word, so that one pattern finds «وأكد», «أكّد» and "اكد".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Final

from mahdar.documents.boilerplate import ENDS, in_noise
from mahdar.documents.sentences import sentences
from mahdar.offline.lexicon import tables, word_group
from mahdar.resolving import date_grammar
from mahdar.resolving.countries import CountryMention as Country
from mahdar.resolving.countries import country_mentions
from mahdar.resolving.offices import OfficePhrase, office_phrase

_GLUED: Final = r"(?:[وف]?[بلسك]?(?:ال|لل)?|ولل|لل)"
"""Particles and article before a word."""
_PARTICLES: Final = {"stance": "[وف]?", "speech": "[وف]?", "stance_noun": "[وف]?ب?"}
"""Tables of verbs, which take a conjunction only: with «ب» before it, «بحث» would be «حث»."""
_PAGE: Final = range(45, 95)
"""Characters in a line that was broken to fit a page."""
_NEGATIONS: Final = word_group("cues.negations")
_QUOTES_OPEN: Final = '"“”«‹„('


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue where it stands, by the numbers of its words."""

    code: str
    first: int
    stop: int
    is_noun: bool = False
    """a noun of position, which somebody must say"""


@dataclass(frozen=True)
class AnnotatedSentence:
    """A sentence of the body, with its words."""

    article: str
    start: int
    end: int

    @cached_property
    def text(self) -> str:
        """As written."""
        return self.article[self.start : self.end]

    @cached_property
    def row(self) -> OfficePhrase:
        """Its words, as offices are read."""
        return office_phrase(self.text)

    @cached_property
    def countries(self) -> tuple[Country, ...]:
        """The countries mentioned in it."""
        return country_mentions(self.text)

    @cached_property
    def keys(self) -> str:
        """Its words folded, one space between."""
        return " ".join(word.key for word in self.row.words)

    @cached_property
    def _numbers(self) -> Mapping[int, int]:
        numbers, at = {}, 0
        for number, word in enumerate(self.row.words):
            numbers[at] = number
            at += len(word.key) + 1
        return numbers

    def cues(self, table: str) -> tuple[Cue, ...]:
        """All cues of a table, in order; of two at one word the longer."""
        return _cues(self, table)

    def codes(self, table: str) -> frozenset[str]:
        """The codes that any cue of a table tells."""
        return frozenset(cue.code for cue in self.cues(table))

    def is_cue(self, table: str, at: int) -> bool:
        """Whether a cue of a table begins at a word."""
        return any(cue.first == at for cue in self.cues(table))

    def is_any_cue(self, at: int) -> bool:
        """Whether a word belongs to a cue of meeting, saying, or position."""
        return at in self._cued

    @cached_property
    def _cued(self) -> frozenset[int]:
        tables = ("meeting", "speech", "stance", "stance_noun", "joint", "present", "status", "source")
        return frozenset(at for table in tables for cue in self.cues(table) for at in range(cue.first, cue.stop))

    @cached_property
    def dates(self) -> tuple[tuple[int, int], ...]:
        """Where dates stand, in this sentence's offsets."""
        return tuple((item.start, item.end) for item in date_grammar.items(self.text) if item.kind in "WMDYR")

    def is_dated(self, at: int) -> bool:
        """Whether a word is part of a date."""
        word = self.row.words[at]
        return any(start < word.end and word.start < end for start, end in self.dates)

    def is_counted(self, at: int) -> bool:
        """Whether a number stands right before a word: «25 شوال»."""
        return self.text[: self.row.words[at].start].rstrip()[-1:].isdigit()

    def is_negated(self, at: int) -> bool:
        """Whether a negation stands right before a word: «لم يلتق», «عدم دعم»."""
        return at > 0 and self.row.words[at - 1].key.lstrip("وف") in _NEGATIONS

    def is_quoted(self, at: int) -> bool:
        """Whether a quote mark opens right before a word."""
        before = self.text[: self.row.words[at].start].rstrip(" \u00a0")
        return before[-1:] in _QUOTES_OPEN and before != ""

    def piece(self, first: int, stop: int) -> str:
        """The text of some words, with the marks between them."""
        return self.row.piece(first, stop)


@lru_cache(maxsize=8)
def lines_of(article: str) -> tuple[AnnotatedSentence, ...]:
    """The sentences of an article's body."""
    kept: list[AnnotatedSentence] = []
    for one in sentences(article):
        if in_noise(article, one.start):
            continue
        if kept and _is_wrapped(kept[-1], one.start):
            kept[-1] = AnnotatedSentence(article, kept[-1].start, one.end)
        else:
            kept.append(AnnotatedSentence(article, one.start, one.end))
    return tuple(kept)


def _is_wrapped(line: AnnotatedSentence, start: int) -> bool:
    """Whether a line break is no more than a typesetter's: after a line of a page's width, without a stop."""
    last = line.article[line.article.rfind("\n", 0, line.end) + 1 : line.end]
    return line.article[line.end : start].strip(" \u00a0") == "\n" and len(last) in _PAGE and not ENDS.search(last)


@lru_cache(maxsize=4096)
def _cues(line: AnnotatedSentence, table: str) -> tuple[Cue, ...]:
    found = sorted(_found(line, table), key=lambda cue: (cue.first, -cue.stop))
    kept: list[Cue] = []
    for cue in found:
        if not kept or cue.first >= kept[-1].stop:
            kept.append(cue)
    return tuple(kept)


def _found(line: AnnotatedSentence, table: str) -> Iterator[Cue]:
    numbers = line._numbers  # noqa: SLF001  # one module
    for code, pattern in _tables()[table].items():
        for match in pattern.finditer(line.keys):
            first = numbers.get(match.start())
            if first is not None:
                yield Cue(code, first, first + match[0].count(" ") + 1)


@cache
def _tables() -> Mapping[str, Mapping[str, re.Pattern[str]]]:
    topics = tables("latin/lexicon")["topic_code"]
    both = {code: [*patterns, *topics[code]] for code, patterns in tables("cues")["topic_code"].items()}
    return {
        table: {code: _compiled(words, _PARTICLES.get(table, _GLUED)) for code, words in entries.items()}
        for table, entries in {**tables("cues"), "topic_code": both}.items()
    }


def _compiled(words: list[str], glued: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^ ]){glued}(?:{'|'.join(words)})(?![^ ])")


def starts_with(text: str, code: str) -> str:
    """What is left of a text behind a word of ending or countering at its beginning; "" where none is there."""
    line = AnnotatedSentence(text, 0, len(text))
    found = next((cue for cue in line.cues("against") if cue.first == 0 and cue.code == code), None)
    if found is None:
        return ""
    if found.stop >= len(line.row.words):
        return ""
    return text[line.row.words[found.stop].start :]
