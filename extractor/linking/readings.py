"""Read a mention of an actor into a form in which mentions can be compared.

A country under any of its names becomes its code; a body its key in a table of names and acronyms, or its own words and
country; a person the words of the name; a person mentioned by an office alone, the office and its country.
"""

import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal

from mahdar.documents.folding import fold, word_set
from mahdar.resolving.countries import NO_PLACE, CountryForm, country_mentions, country_of, words_of
from mahdar.resolving.names import GIVEN, person_words
from mahdar.resolving.offices import Office, is_office, offices_in, read_word, split_office, strip_titles

ReadingKind = Literal["person", "role", "country", "people", "body", "delegation"]

_ORGANIZATIONS: Final = Path(__file__).with_name("organizations.toml")

# Folded. Words that may stand beside the name of a country and still mean the country.
_STATE: Final = word_set(
    """
    دوله جمهوريه الجمهوريه مملكه المملكه سلطنه الجانب الطرف الاسلاميه العربيه الشعبيه الديمقراطيه الاتحاديه الهاشميه
    المتحده الدوله بلاد
    the republic kingdom of state side islamic arab people democratic federal la le les l republique royaume
    """
)
_PEOPLE: Final = word_set("شعب الشعب people peoples peuple the le")
_KINDS_OF_BODY: Final = word_set("حركه جماعه تنظيم منظمه movement group organization organisation mouvement groupe")
"""Words before the name of a body that are often left out: «حركة حماس»."""
_SHORTEST_BODY: Final = 4
"""Minimum of letters of a name that denotes a body without such a word."""
LONGEST_ACRONYM: Final = 5
UNITED: Final = NO_PLACE
"""Codes of organizations with staff of many countries: a UN envoy may later be a minister of their own country."""
GENERATIONS: Final = {
    "اب": "father",
    "والد": "father",
    "ابن": "son",
    "نجل": "son",
    "حفيد": "grandson",
    "جد": "grandfather",
    "sr": "father",
    "senior": "father",
    "jr": "son",
    "junior": "son",
    "pere": "father",
    "fils": "son",
}
"""Words, folded and without article, that distinguish a father from a son of the same name."""


@dataclass(frozen=True, slots=True)
class ActorReading:
    """What a mention denotes.

    Attributes:
        kind: what it denotes, whatever type the records give.
        words: folded words: of a person's name; of an office; of a body, or its key in the table of organizations.
        country: code of the country represented; None if unknown.
        generation: "father", "son" and the like, if the name says so.
    """

    kind: ReadingKind
    words: tuple[str, ...]
    country: str | None = None
    generation: str | None = None

    @property
    def is_surname(self) -> bool:
        """Whether it is a person named by one word."""
        return self.kind == "person" and len(self.words) == 1

    @property
    def is_common(self) -> bool:
        """Whether the name consists of common given names only, so that many people have it."""
        return all(word in GIVEN for word in self.words)


@lru_cache(maxsize=1 << 17)
def read(name: str, type_: str, country: str | None) -> ActorReading:
    """Read a mention.

    Args:
        name: the name in the records.
        type_: the actor's type in the records.
        country: the code in the records, if any.
    """
    if type_ in {"person", "role"}:
        return _read_person(name, country, may_be_named=type_ == "person")
    code = country_of(name) or country
    if type_ == "delegation":
        return ActorReading("delegation", offices_in(name)[0].words, code)
    if type_ == "people":
        return ActorReading("people", () if _only_country(name, _PEOPLE) else _body_words(name), code)
    if (organization := _organizations().get(_plain(name))) and (country in {None, *UNITED} or not _is_acronym(name)):
        return ActorReading("body", (organization,))
    whole = country_of(name) if _only_country(name, _STATE) else None
    if type_ == "country" and {word.key for word in words_of(name)} <= _STATE:  # only «المملكة» or «الدولة»
        whole = whole or country
    if whole:  # also by its capital or side: «القاهرة», «الجانب الروسي»
        return ActorReading("country", (), whole)
    return ActorReading("body", _body_words(name), code)


@lru_cache(maxsize=1 << 16)
def offices_of(roles: tuple[str, ...], country: str | None) -> frozenset[Office]:
    """Return the offices in roles, each with its own country, else the actor's."""
    return frozenset(
        Office(_usual(office.words), office.country or country)
        for role in roles
        for office in offices_in(role)
        if office.words and any(read_word(word) or read_word(f"ال{word}") for word in office.words)
    )


def _usual(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return an office in its usual Arabic words: «رئيس الحكومة» and "Prime Minister" as «رئيس الوزراء»."""
    for usual, others in _synonyms():
        for other in others:
            if words[: len(other)] == other or (other[0].isascii() and set(other) == set(words)):
                return usual + words[len(other) :]
    return words


def _read_person(name: str, country: str | None, *, may_be_named: bool) -> ActorReading:
    office, person = split_office(name)
    if office is None and (is_office(person) or not may_be_named):
        read_office = offices_in(person)[0]
        return ActorReading("role", _usual(read_office.words), read_office.country or country)
    words = person_words(strip_titles(person))
    if not words:
        return ActorReading("person", (fold(name),), country)
    generation = GENERATIONS.get(words[-1]) if len(words) > 1 else None
    return ActorReading("person", words[:-1] if generation else words, country or country_of(office), generation)


def _only_country(name: str, allowed: frozenset[str]) -> bool:
    """Return whether a name is one country's name, adjective or capital, with no other words than those allowed."""
    mentions = country_mentions(name)
    if len({mention.code for mention in mentions}) != 1:
        return False
    if any(mention.kind not in {CountryForm.NAME, CountryForm.CITY} for mention in mentions):
        return False
    others = (
        word for word in words_of(name) if not any(word.start < one.end and one.start < word.end for one in mentions)
    )
    return {word.key for word in others} <= allowed


def _is_acronym(name: str) -> bool:
    """Return whether a name is an acronym, which a national body may share: PAM is also a party in Morocco."""
    return name.isascii() and name.isupper() and len(name) <= LONGEST_ACRONYM


def _body_words(name: str) -> tuple[str, ...]:
    """Return the words of a body without its country, articles, particles, and a «حركة» before the name."""
    words = tuple(word for office in offices_in(name) for word in office.words)
    if len(words) > 1 and words[0] in _KINDS_OF_BODY and len(words[1]) >= _SHORTEST_BODY:
        return words[1:]
    return words or tuple(word.key for word in words_of(name)) or (fold(name),)


@cache
def _organizations() -> dict[tuple[str, ...], str]:
    """Return the keys of well-known organizations by their names and acronyms, as `_plain` returns them."""
    table = tomllib.loads(_ORGANIZATIONS.read_text(encoding="utf-8"))
    every = ((name, key) for key, names in table.items() for name in (key, *names))
    return {_plain(name): key for name, key in every}


def _plain(name: str) -> tuple[str, ...]:
    """Return the words of a name without articles, and without a word such as «حركة» before them."""
    words = (word.key for word in words_of(name))
    plain = tuple(word.removeprefix("ال") if len(word) > _SHORTEST_BODY else word for word in words if word != "the")
    return plain[1:] if len(plain) > 1 and plain[0] in _KINDS_OF_BODY else plain


@cache
def _synonyms() -> tuple[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], ...]:
    """Return the usual words of each office, and the words of its synonyms."""
    return tuple(
        (tuple(usual.split()), tuple(tuple(other.split()) for other in others)) for usual, others in _SYNONYMS.items()
    )


_SYNONYMS: Final = {
    "رييس وزراء": (
        *("رييس مجلس وزراء", "رييس وزراء", "رييس حكومه", "وزير اول", "prime minister", "premier"),
        *("premier ministre", "head government", "chef gouvernement"),
    ),
    "وزير خارجيه": (
        *("وزير خارجيه", "وزيره خارجيه", "كاتب دوله", "foreign minister", "minister foreign"),
        *("minister foreign affairs", "ministre affaires etrangeres", "secretary state"),
    ),
    "وزير دفاع": (
        *("وزير دفاع", "وزيره دفاع", "defence minister", "defense minister", "minister defence", "minister defense"),
        *("secretary defense", "ministre defense"),
    ),
    "وزير داخليه": ("وزير داخليه", "وزيره داخليه", "interior minister", "minister interior", "ministre interieur"),
    "رييس": ("رييس جمهوريه", "رييسه جمهوريه", "president", "president republic"),
    "ملك": ("ملك", "عاهل", "king", "roi"),
    "امير": ("امير", "emir", "amir"),
    "ولي عهد": ("ولي عهد", "crown prince", "prince heritier"),
    "امين عام": ("امين عام", "secretary general", "secretaire general"),
}
"""The usual words of an office, folded and without articles, and its synonyms; Latin ones match in any order."""
