"""Tokens: the words, numbers and marks of an English or French sentence, and the language of an article."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Literal

from mahdar.documents.folding import fold
from mahdar.offline.cues import AnnotatedSentence
from mahdar.offline.lexicon import word_group

LatinLanguage = Literal["en", "fr"]

_TOKEN: Final = re.compile(
    r"<[^<>\s]{1,12}>"  # a tag that a scraper left
    r"|(?:[A-Z]\.){2,}"
    r"|[A-Z]\.(?=[\s\u00a0])"
    r"|(?:[cdjlmnst]|[Qq]u|[Jj]usqu|[Ll]orsqu|[Pp]uisqu)['’](?=[^\W\d_]|[\"«“])"
    r"|[CDJLMNST]['’](?=[^\W\d_]|[\"«“])"
    r"|['’]s\b"
    r"|[^\W\d_]+(?:(?:[-‑]|(?<=[^\W\d_]{2})['’](?!s\b))[^\W\d_]+)*"
    r"|\d+(?:[.,:]\d+)*"
    r"|\S"
)
_ARABIC: Final = re.compile(r"[\u0620-\u064a]")
_LATIN: Final = re.compile(r"[A-Za-zÀ-ÿ]")
_ENGLISH: Final = word_group("tokens.english", "latin/names")
_FRENCH: Final = word_group("tokens.french", "latin/names")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or mark, by its place in the sentence."""

    text: str
    key: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        """Whether it is a word."""
        return self.text[0].isalpha()

    @property
    def is_capital(self) -> bool:
        """Whether it begins with a capital."""
        return self.text[0].isupper()


@dataclass(frozen=True)
class TokenizedSentence:
    """A sentence with its tokens."""

    line: AnnotatedSentence
    language: LatinLanguage

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """Its words, numbers and marks."""
        return tuple(
            Token(found[0], _key(found[0]), found.start(), found.end()) for found in _TOKEN.finditer(self.line.text)
        )

    def key(self, at: int) -> str:
        """The folded token at a place; "" outside."""
        return self.tokens[at].key if 0 <= at < len(self.tokens) else ""

    def piece(self, first: int, stop: int) -> str:
        """The text of some tokens."""
        return self.line.text[self.tokens[first].start : self.tokens[stop - 1].end] if first < stop else ""

    def number(self, offset: int) -> int:
        """The first token that ends behind an offset of the sentence."""
        return next((at for at, token in enumerate(self.tokens) if token.end > offset), len(self.tokens))

    @cached_property
    def dated(self) -> frozenset[int]:
        """Tokens that belong to a date."""
        return frozenset(
            at
            for at, token in enumerate(self.tokens)
            if any(start < token.end and token.start < end for start, end in self.line.dates)
        )

    @cached_property
    def quoted(self) -> tuple[int, ...]:
        """For each token the number of the quotation it stands in, 0 where it stands in none."""
        return _quotations(self.tokens)

    @cached_property
    def is_heading(self) -> bool:
        """Whether it is a line of its own without a stop: a headline, a caption's credit."""
        article = self.line.article
        alone = article[: self.line.start].rstrip(" \u00a0")[-1:] in {"", "\n"}
        ended = self.line.text.rstrip(" \u00a0\"”»')")[-1:] in {".", "!", "?", "…", ":", ";"}
        last = article[self.line.end :].lstrip(" \u00a0")[:1] in {"", "\n"}
        return alone and last and not ended and len(self.line.text) < _LONGEST_HEADING


_LONGEST_HEADING: Final = 160


def _quotations(tokens: Sequence[Token]) -> tuple[int, ...]:
    numbers, number, is_open = [], 0, False
    for token in tokens:
        mark = token.text
        if mark in "«“„" or (mark == '"' and not is_open):
            number, is_open = number + (not is_open), True
            numbers.append(0)
        elif mark in "»”" or (mark == '"' and is_open):
            is_open = False
            numbers.append(0)
        else:
            numbers.append(number if is_open else 0)
    return tuple(numbers)


def _key(text: str) -> str:
    return fold(text).replace('"', "'").replace("‑", "-") if text[0].isalpha() or text[0] in "'’" else text


@lru_cache(maxsize=16)
def language_of(article: str) -> LatinLanguage | None:
    """English or French, where most of an article's letters are Latin; else None."""
    if len(_LATIN.findall(article)) <= len(_ARABIC.findall(article)):
        return None
    words = re.findall(r"[a-z]+", article.casefold())
    french = sum(word in _FRENCH for word in words) + sum(letter in article for letter in "éèàç")
    return "fr" if french > sum(word in _ENGLISH for word in words) else "en"
