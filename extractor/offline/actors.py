"""Actors: who is mentioned in an article, where, and under which name, office and body.

Names have no mark in Arabic, so they are found by what stands about them: an office before or behind, a title, a quote
mark, a word of meeting or saying; and once a full name is known, its last word is found wherever it stands. What the
rules cannot see is left out: a word too much taken for a name would become a party.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from mahdar.offline.cues import Line, lines_of
from mahdar.offline.lexicon import COMMON, WORDS_TOO
from mahdar.offline.mention import Mention, bare
from mahdar.offline.scan import Scan
from mahdar.resolving.countries import words_of
from mahdar.resolving.names import canonical, strip_titles
from mahdar.schemas.records import Actor

_HEAD_AND_NISBA: Final = 2
"""Words of «الوزير المصري», which names nobody's whole office."""


@dataclass(frozen=True)
class Cast:
    """All who are mentioned in an article."""

    article: str
    mentions: tuple[Mention, ...]

    @cached_property
    def _agreed(self) -> Mapping[str, Actor]:
        told = [mention.actor for mention in self.mentions if mention.kind not in {"pair", "short"}]
        return canonical(told, article=self.article)

    def actor(self, mention: Mention) -> Actor:
        """The one a mention means, under the fullest name."""
        if mention.kind == "short":
            meant = self._meant(mention)
            return self.actor(meant) if meant else mention.actor
        if mention.kind == "role" and (named := self._named_before(mention)):
            return self.actor(named)
        if mention.kind == "delegation" and mention.country:
            return self._delegations.get(mention.country, mention.actor)
        return self._agreed.get(mention.name, mention.actor)

    @cached_property
    def _delegations(self) -> Mapping[str, Actor]:
        """Country → its delegation under the fullest name: «الوفد المصري», «الوفد الأمني المصري»."""
        told = [one for one in self.mentions if one.kind == "delegation" and one.country and "وفد" in one.name]
        fullest = sorted(told, key=lambda one: len(one.name))
        return {one.country: one.actor for one in fullest if one.country}

    def within(self, start: int, end: int) -> tuple[Mention, ...]:
        """Mentions in a piece of the article."""
        return tuple(mention for mention in self.mentions if start <= mention.start < end)

    def before(self, at: int) -> Iterator[Mention]:
        """Mentions before a place, the nearest first."""
        return (mention for mention in reversed(self.mentions) if mention.end <= at)

    def _meant(self, short: Mention) -> Mention | None:
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

    def _named_before(self, role: Mention) -> Mention | None:
        """Whom «الوزير المصري» means: the last named before of that office and country."""
        words = [bare(word) for word in role.text.split()]
        if len(words) != _HEAD_AND_NISBA or not role.country:
            return None
        before = (one for one in self.before(role.start) if one.kind == "person" and self._of(one) == role.country)
        return next((one for one in before if bare((self._role(one) or " ").split(" ")[0]) == words[0]), None)

    def _role(self, mention: Mention) -> str | None:
        return self._agreed.get(mention.name, mention.actor).role

    def _of(self, mention: Mention) -> str | None:
        return self._agreed.get(mention.name, mention.actor).country

    def is_seat(self, mention: Mention) -> bool:
        """Whether a body is only told as the place: «بمقر وزارة الدفاع»."""
        return (
            re.search(r"(?:مقر|مبنى|قاعة|قصر)\s+$", self.article[max(0, mention.start - 12) : mention.start])
            is not None
        )


@lru_cache(maxsize=8)
def cast_of(article: str) -> Cast:
    """Find everybody who is mentioned in an article."""
    lines = lines_of(article)
    first = [mention for line in lines for mention in Scan(line, frozenset()).mentions()]
    known = frozenset(_surnames(first)) | _speakers(lines)
    again = [mention for line in lines for mention in Scan(line, known).mentions()]
    return Cast(article, tuple(_trimmed(sorted(again, key=lambda mention: mention.start))))


_OFTEN: Final = 2
"""Verbs of saying that have an unknown word as their subject before it counts as a surname."""


def _speakers(lines: Sequence[Line]) -> frozenset[str]:
    """Surnames of those who are never named in full, but speak: «أوضح كيري أن», «قال كيري إن»."""
    counts = Counter(name for line in lines for name in Scan(line, frozenset()).subjects())
    return frozenset(name for name, count in counts.items() if count >= _OFTEN)


def _trimmed(mentions: Sequence[Mention]) -> Iterator[Mention]:
    """Names without a last word that the article elsewhere leaves out: «محمد علي قاطعا» beside «محمد علي»."""
    names = Counter(one.name for one in mentions if one.kind == "person")
    for mention in mentions:
        shorter, _, last = mention.name.rpartition(" ")
        plain = mention.kind == "person" and shorter in names and " " in shorter and last not in names
        if plain and not bare(last).startswith(("بن", "عبد")) and names[mention.name] <= names[shorter]:
            cut = mention.end - len(last) if mention.text.endswith(last) else mention.end
            text = mention.text[: cut - mention.start].rstrip() if cut < mention.end else mention.text
            yield replace(mention, name=shorter, text=text, end=mention.start + len(text))
        else:
            yield mention


def _surnames(mentions: Iterable[Mention]) -> Iterator[str]:
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
