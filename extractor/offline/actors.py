"""Actors: who is mentioned in an article, where, and under which name, office and body.

Names have no mark in Arabic, so they are found by what stands about them: an office before or behind, a title, a quote
mark, a word of meeting or saying; and once a full name is known, its last word is found wherever it stands. What the
rules cannot see is left out: a word too much taken for a name would become a party.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from mahdar.offline.cues import AnnotatedSentence, lines_of
from mahdar.offline.lexicon import COMMON, WORDS_TOO
from mahdar.offline.mention import ActorMention, bare
from mahdar.offline.scan import MentionReader
from mahdar.resolving.countries import words_of
from mahdar.resolving.names import canonical, strip_titles
from mahdar.schemas.records import Actor


@dataclass(frozen=True)
class ActorIndex:
    """All who are mentioned in an article."""

    article: str
    mentions: tuple[ActorMention, ...]

    @cached_property
    def _agreed(self) -> Mapping[str, Actor]:
        told = [mention.actor for mention in self.mentions if mention.kind not in {"pair", "short"}]
        return canonical(told, article=self.article)

    def actor(self, mention: ActorMention) -> Actor:
        """The one a mention means, under the fullest name."""
        if mention.kind == "short":
            meant = self._meant(mention)
            return self.actor(meant) if meant else mention.actor
        if mention.kind == "delegation" and mention.country:
            return self._delegations.get(mention.country, mention.actor)
        return self._agreed.get(mention.name, mention.actor)

    @cached_property
    def _delegations(self) -> Mapping[str, Actor]:
        """Country → its delegation under the fullest name: «الوفد المصري», «الوفد الأمني المصري»."""
        told = [one for one in self.mentions if one.kind == "delegation" and one.country and "وفد" in one.name]
        fullest = sorted(told, key=lambda one: len(one.name))
        return {one.country: one.actor for one in fullest if one.country}

    def within(self, start: int, end: int) -> tuple[ActorMention, ...]:
        """Mentions in a piece of the article."""
        return tuple(mention for mention in self.mentions if start <= mention.start < end)

    def before(self, at: int) -> Iterator[ActorMention]:
        """Mentions before a place, the nearest first."""
        return (mention for mention in reversed(self.mentions) if mention.end <= at)

    def _meant(self, short: ActorMention) -> ActorMention | None:
        """Whom «الوزير» or «الحركة» means: the last before with that head."""
        head = bare(short.name.split()[0])
        before = [mention for mention in self.before(short.start) if not self.is_seat(mention)]
        if short.country:
            return next((one for one in before if one.kind == "person" and self._of(one) == short.country), None)
        again = next((one for one in before if one.kind == "short" and bare(one.name.split()[0]) == head), None)
        if again:
            return self._meant(again)
        for mention in before:
            told = (mention.office, None if mention.kind == "person" else mention.name)
            if mention.kind not in {"short", "pair"} and any(bare(text.split()[0]) == head for text in told if text):
                return mention
        return None

    def _role(self, mention: ActorMention) -> str | None:
        return self._agreed.get(mention.name, mention.actor).role

    def _of(self, mention: ActorMention) -> str | None:
        return self._agreed.get(mention.name, mention.actor).country

    def is_seat(self, mention: ActorMention) -> bool:
        """Whether a body is only told as the place: «بمقر وزارة الدفاع»."""
        return (
            re.search(r"(?:مقر|مبنى|قاعة|قصر)\s+$", self.article[max(0, mention.start - 12) : mention.start])
            is not None
        )


@lru_cache(maxsize=8)
def cast_of(article: str) -> ActorIndex:
    """Find everybody who is mentioned in an article."""
    lines = lines_of(article)
    first = [mention for line in lines for mention in MentionReader(line, frozenset()).mentions()]
    known = frozenset(_surnames(first)) | _speakers(lines)
    again = [mention for line in lines for mention in MentionReader(line, known).mentions()]
    return ActorIndex(article, tuple(sorted(again, key=lambda mention: mention.start)))


_OFTEN: Final = 2
"""Verbs of saying that have an unknown word as their subject before it counts as a surname."""


def _speakers(lines: Sequence[AnnotatedSentence]) -> frozenset[str]:
    """Surnames of those who are never named in full, but speak: «أوضح كيري أن», «قال كيري إن»."""
    counts = Counter(name for line in lines for name in MentionReader(line, frozenset()).subjects())
    return frozenset(name for name, count in counts.items() if count >= _OFTEN)


def _surnames(mentions: Iterable[ActorMention]) -> Iterator[str]:
    """The words by which a person named in full may be named again.

    «شكري رفضه» beside «سامح شكري» is nobody named in full: it begins with a surname.
    """
    named = [(mention, _keys(mention.name)) for mention in mentions if mention.kind == "person"]
    last = {words[-1] for _, words in named if len(words) > 1}
    for mention, words in named:
        again = mention.office is None and len(words) > 1 and words[0] in last
        if words and not again:
            if words[-1] not in COMMON | WORDS_TOO:
                yield bare(words[-1])
            if len(words) > 1 and len(words[0]) > 3 and not words[0].startswith("عبد"):
                yield f"{words[0]} {words[1]}"


def _keys(name: str) -> list[str]:
    return [word.key for word in words_of(strip_titles(name))]
