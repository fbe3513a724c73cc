"""The source: one article as everything after the completion sees it."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from extractor.documents.boilerplate import Line, noise_lines
from extractor.documents.folding import fold
from extractor.grounding.ground import PHRASE, Ground, Span

CONTENT_LETTERS = 3
"""A shorter word is a particle, and supports nothing."""
SHARED_STEM = 4
"""Letters that two inflections of one word have in common: «طالبت», «مطالبتها»."""
SUPPORTED = 0.6
"""Share of a clause's content words that the article must have: the rest is for a verb put in another form."""


@dataclass(frozen=True)
class Source:
    """An article's text and what is known about it."""

    text: str
    published_at: dt.date | None = None

    @cached_property
    def ground(self) -> Ground:
        """For finding quotes and phrases."""
        return Ground(self.text)

    @cached_property
    def countries(self) -> frozenset[str]:
        """The codes of all countries that the article mentions in any form."""
        from extractor.resolving.places import countries_in

        return countries_in(self.text)

    def find_quote(self, quote: str) -> Span | None:
        """Where a quote stands; in the body where it stands there too, else in a headline or caption."""
        found = list(self.ground.find_all(quote))
        in_body = (span for span in found if not self._in_noise(span))
        return next(in_body, found[0] if found else None)

    def phrase(self, words: str) -> str | None:
        """The words as the article spells them, or None where it has them nowhere.

        «للتبادل» is «التبادل» after «ل»: there the words stay as they were asked for.
        """
        span = self.ground.find(words, rule=PHRASE)
        if span:
            return self.text[span.start : span.end]
        assimilated = words.startswith("ال") and self.ground.find(f"لل{words[2:]}", rule=PHRASE)
        return words if assimilated else None

    def supports(self, clause: str) -> bool:
        """Whether a clause is made of the article's words, inflection aside."""
        words = [word for word in fold(clause).split() if len(word) >= CONTENT_LETTERS]
        known = sum(word.strip(".,:;\"'") in self._words or _stems(word) & self._stems != set() for word in words)
        return bool(words) and known >= SUPPORTED * len(words)

    def _in_noise(self, span: Span) -> bool:
        return any(line.start <= span.start < line.end for line in self._noise)

    @cached_property
    def _noise(self) -> frozenset[Line]:
        return noise_lines(self.text)

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word.strip(".,:;\"'()") for word in fold(self.text).split())

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(stem for word in self._words for stem in _stems(word))


def _stems(word: str) -> set[str]:
    """Every run of letters long enough to be the stem."""
    return {word[at : at + SHARED_STEM] for at in range(len(word) - SHARED_STEM + 1)}
