"""A mention of an actor, and what is done with the words of one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from mahdar.documents.folding import fold
from mahdar.offline.lexicon import prefixes, word_group
from mahdar.schemas.enums import ActorType
from mahdar.schemas.records import Actor

MentionKind = Literal["person", "role", "body", "delegation", "country", "people", "pair", "short"]
"""pair: «الجانبان»; short: an office or body told by its head alone, «الوزير», «الحركة»."""

_ADJECTIVE: Final = re.compile(r"\w+(?:ي|يه|يين|يان|يتين|يون)")
"""A country's adjective or people, by its ending."""
_NAMES_ALIKE: Final = word_group("mention.names_alike")
_PARTICLES: Final = prefixes("mention.particles")
_ORGANIZATION: Final = re.compile(
    r"(?:(?<=\bب)|(?<=\bل)|\b)"
    r"(?:حكوم[ةه]|وزار[ةه]|المجلس|مجلس|الجيش|المخابرات|جهاز|حرك[ةه]|القوات|الجيوش|إدارة|رئاس[ةه])\b(?:\s+\S+)*"
)


@dataclass(frozen=True, slots=True)
class ActorMention:
    """An actor where the article mentions it: `text[start:end]`."""

    start: int
    end: int
    text: str
    kind: MentionKind
    name: str
    office: str | None = None
    organization: str | None = None
    country: str | None = None
    particle: str = ""
    """what is glued before, folded: «ب», «ول»"""

    @property
    def actor(self) -> Actor:
        """What this mention says by itself."""
        return Actor(
            name=self.name,
            type=_TYPES[self.kind],
            role=self.office,
            organization=self.organization,
            country=self.country,
        )


_TYPES: Final[Mapping[MentionKind, ActorType]] = {
    "person": "person",
    "role": "role",
    "body": "organization",
    "delegation": "delegation",
    "country": "country",
    "people": "people",
    "pair": "role",
    "short": "role",
}


@lru_cache(maxsize=4096)
def stems(key: str) -> tuple[tuple[str, str], ...]:
    """A folded word without what may be glued before it, and that."""
    found = []
    for particle in _PARTICLES:
        if key.startswith(particle) and len(key) - len(particle) > 2:
            rest = key[len(particle) :]
            found.append((f"ال{rest}" if particle.endswith("لل") else rest, particle))
    return tuple(found)


def raw_length(raw: str, letters: int) -> int:
    """How many characters of a raw word its first folded letters take."""
    length = 0
    while letters > 0 and length < len(raw):
        letters -= bool(fold(raw[length]))
        length += 1
    return length


def bare(word: str) -> str:
    """Fold a word, and take its article off."""
    return fold(word).removeprefix("ال")


def organization_of(office: str | None) -> str | None:
    """The body in an office: «المفوض بوزارة الداخلية في حكومة الوفاق الوطني» → حكومة الوفاق الوطني."""
    found = list(_ORGANIZATION.finditer(office or ""))
    if not found or not office:
        return None
    governments = list(re.finditer(r"(?:(?<=\s)|(?<=\sب)|^)حكومة\s.+", office))
    last = governments[-1][0] if governments else found[0][0]
    return last.strip() if len(last.split()) > 1 else None


def is_adjective(text: str) -> bool:
    """Whether a folded word that stands for a country is an adjective or a people: «مصري», "Egyptians"."""
    return text not in _NAMES_ALIKE and _ADJECTIVE.fullmatch(text) is not None
