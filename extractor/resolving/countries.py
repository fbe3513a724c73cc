"""Countries: which words stand for which country, and which country a phrase speaks for.

The words are a table (`countries.toml`): names, adjectives, capitals and well-known bodies, in Arabic, English and
French. Text and table are compared folded and word by word; an Arabic word is also read without the particles glued
before it («بليبيا», «وللتركية»). Where two entries fit, the one with more words does: «جنوب السودان» is not «السودان».

What a phrase *represents* is decided by its grammar, not by counting: the country of an ambassador stands before the
post («السفير المصري في ليبيا»), and what an office deals with comes last («رئيس اللجنة المصرية المعنية بالملف الليبي»).
So the phrase is cut at words of place and topic, and the first part that holds a country decides. Two countries in
one part decide nothing, and the answer is None.

«عمان» without vowel signs is the capital of Jordan or the Sultanate, so it stands for neither, unless a word beside
it tells («سلطنة عمان», «العاصمة عمان»); «عُمان» and «عمّان» tell by themselves.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from mahdar.documents.folding import fold, word_set

_FILE: Final = Path(__file__).with_name("countries.toml")

NO_PLACE: Final = frozenset({"EU", "UN"})
"""Codes that are represented, but where nobody can meet."""


class CountryForm(IntEnum):
    """What stands for the country, by rising strength: «حزب الله العراقي» is Iraqi, wherever the body is at home."""

    CITY = 1
    LOCAL = 2
    """a body by a name that other countries use too: counts only in an article about its country"""
    BODY = 3
    NAME = 4


Words = tuple[str, ...]
"""A phrase as the table knows it: its words, folded."""

# A dotted acronym is one word; marks and invisible controls belong to the letter before them.
_WORD: Final = re.compile(
    r"(?:[A-Z]\.){2,}|[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u200b-\u200f])*"
)
_OMAN: Final = re.compile("ع\u064f")
_AMMAN: Final = re.compile("ع[\u064b-\u0652]*م[\u064b-\u0652]*\u0651")
_LONGEST_ACRONYM: Final = 4
"""Capitals up to here are written so on purpose: «US», «UN», «EAU» are no "us", « un », « eau »."""
_CAPITALISED: Final = word_set("polish pole poles turkey china guinea chile jordan chad lima")
"""Words that are a country's only with a capital."""

# The forms of a nisba, folded, after its masculine singular: feminine, plurals, duals; the last is indefinite only.
_NISBA_ENDINGS: Final = ("", "ه", "ون", "ين", "ان", "تان", "تين", "ات", "ا")
_LATIN_ENDINGS: Final = ("", "s", "e", "es", "ne", "nes")
"""Plurals, and the feminines of French; a form that does not exist is met nowhere."""

_SHORTEST_STEM: Final = 3
"""Letters left when particles are taken off: «مصر», «قطر»."""

# Words after which a place comes: for somebody posted there it is not the country represented.
_PLACE: Final = word_set(
    """
    في وفي لدي الي بالعاصمه بمدينه بدوله بجمهوريه بمملكه بالمملكه بسلطنه in to at for en au aux a chez aupres pour
    """
)
# Words after which comes what an office deals with.
_TOPIC: Final = word_set(
    """
    بشان حول لشوون بملف المعني المعنيه المكلف المكلفه المكلفين المختص المختصه تجاه مع on with against sur avec
    contre
    """
)
# Who is posted: a place after one of these tells nothing about the country represented.
_POSTED: Final = word_set(
    """
    سفير سفيره السفير السفيره مبعوث مبعوثه المبعوث المبعوثه موفد الموفد موفده الموفده مندوب المندوب مندوبه المندوبه
    ممثل الممثل ممثله الممثله قنصل القنصل القايم قايم بعثه البعثه سفاره السفاره قنصليه القنصليه منسق المنسق
    ambassador envoy representative mission embassy consul consulate coordinator ambassadeur ambassadrice envoye
    envoyee representant representante ambassade consulat
    """
)
_SENT: Final = word_set("مبعوث مبعوثه المبعوث المبعوثه موفد الموفد موفده الموفده")
"""Of these, «لـ» tells where they are sent: «المبعوث الخاص لليبيا»."""


class Word(NamedTuple):  # an article has hundreds: a dataclass takes three times as long to make
    """A word of a text: where it stands, as written, and folded."""

    start: int
    end: int
    raw: str
    key: str


@dataclass(frozen=True, slots=True)
class CountryMention:
    """Words that stand for a country: `text[start:end]`, without the particles glued before them."""

    start: int
    end: int
    code: str
    kind: CountryForm
    particles: str = ""
    """what was glued before, folded: «ب», «ول»"""


def country_of(phrase: str | None, *, article: str | None = None) -> str | None:
    """Tell the one country that a phrase denotes or represents: a name, an office, a body, a capital.

    Args:
        phrase: «وزير الخارجية الفرنسي», "Libyan ambassador to France", «موسكو»; not a person's own name.
        article: the text it comes from. Some bodies («المجلس الرئاسي») are a country's only where it is the matter.

    Returns:
        ISO 3166-1 alpha-2, XK, EU or UN; None where the phrase tells no country, or two.
    """
    if not phrase:
        return None
    return _represented(phrase, local_codes(article) if article else frozenset())


def countries_in(text: str) -> frozenset[str]:
    """Every country that a text mentions in any form: name, adjective, people, body or city."""
    return frozenset(mention.code for mention in country_mentions(text) if mention.kind is not CountryForm.LOCAL)


def countries_named(text: str) -> frozenset[str]:
    """Every country that a text mentions by more than a city."""
    return frozenset(mention.code for mention in country_mentions(text) if mention.kind >= CountryForm.BODY)


@lru_cache(maxsize=512)  # articles, and the names of their actors
def country_mentions(text: str) -> tuple[CountryMention, ...]:
    """Every mention of a country, in the order of the text; bodies of kind LOCAL are among them."""
    words = words_of(text)
    return tuple(_mention(words, found) for found in _find(words) if found.entry.code)


@lru_cache(maxsize=32)
def local_codes(article: str) -> frozenset[str]:
    """Countries an article names, whose LOCAL bodies it gives to no other country («المجلس الرئاسي اليمني»)."""
    mentions = country_mentions(article)
    named = {mention.code for mention in mentions if mention.kind is CountryForm.NAME}
    local = {mention.code for mention in mentions if mention.kind is CountryForm.LOCAL}
    claimed = {
        body.code
        for body, owner in pairwise(mentions)
        if body.kind is CountryForm.LOCAL
        and owner.kind is CountryForm.NAME
        and body.code != owner.code
        and _adjoin(body, owner)
    }
    return frozenset(local & named - claimed)


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a text; digits and marks are none."""
    return tuple([Word(*found.span(), raw := found[0], _key(raw)) for found in _WORD.finditer(text)])


def phrase_key(phrase: str) -> Words:
    """A phrase as the table knows it."""
    return tuple(word.key for word in words_of(phrase))


def city_codes(name: str) -> tuple[str, ...]:
    """The countries that have a well-known city of this name, the likeliest first."""
    return _table().cities.get(phrase_key(name), ())


def is_contested(city: str) -> bool:
    """Whether a city's country depends on who speaks."""
    return phrase_key(city) in _table().contested


@dataclass(frozen=True, slots=True)
class _Entry:
    """What may follow a first word, and what it then means; without a code it means no country."""

    rest: Words
    code: str
    kind: CountryForm
    acronym: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry found in a row of words."""

    first: int
    stop: int
    particles: str
    entry: _Entry


@dataclass(frozen=True, slots=True)
class _Table:
    """First words → entries, longest first; whole phrases; cities."""

    entries: dict[str, list[_Entry]] = field(default_factory=dict)
    alone: dict[Words, str] = field(default_factory=dict)
    cities: dict[Words, tuple[str, ...]] = field(default_factory=dict)
    contested: set[Words] = field(default_factory=set)

    def add(self, words: Words, code: str, kind: CountryForm, *, acronym: bool = False) -> None:
        """Enter a phrase; the first entry of a phrase stays."""
        listed = self.entries.setdefault(words[0], [])
        if all(entry.rest != words[1:] for entry in listed):
            listed.append(_Entry(words[1:], code, kind, acronym))

    def add_city(self, words: Words, code: str) -> None:
        """Enter a city, behind the other countries that have one of that name."""
        known = self.cities.get(words, ())
        if code not in known:
            self.cities[words] = (*known, code)


@cache
def _table() -> _Table:
    """Read the table, and sort what begins alike by length."""
    import tomllib  # here, since most of what imports this module never asks for a country

    raw = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    table = _Table()
    for phrase in raw.pop("silent"):
        table.add(phrase_key(phrase), "", CountryForm.NAME)
    table.contested.update(map(phrase_key, raw.pop("contested")))
    for code, country in raw.items():
        _enter_names(table, code, country)
    for code, country in raw.items():
        _enter_others(table, code, country)
    for code, country in raw.items():
        for town in country.get("towns", ()):
            table.add_city(phrase_key(town), code)
    for listed in table.entries.values():
        listed.sort(key=lambda entry: -len(entry.rest))
    return table


def _enter_names(table: _Table, code: str, country: dict[str, Any]) -> None:
    for name in country["names"]:
        table.add(phrase_key(name), code, CountryForm.NAME, acronym=_is_acronym(name))
    for nisba in country.get("nisba", ()):
        for form in _nisba_forms(nisba):
            table.add((form,), code, CountryForm.NAME)
    for people in country.get("people", ()):
        for words in _people_forms(people):
            table.add(words, code, CountryForm.NAME)


def _enter_others(table: _Table, code: str, country: dict[str, Any]) -> None:
    for kind, key in ((CountryForm.BODY, "bodies"), (CountryForm.LOCAL, "local"), (CountryForm.CITY, "cities")):
        for phrase in country.get(key, ()):
            table.add(phrase_key(phrase), code, kind, acronym=_is_acronym(phrase))
    for phrase in country.get("alone", ()):
        table.alone[phrase_key(phrase)] = code
    for city in country.get("cities", ()):
        table.add_city(phrase_key(city), code)


def _nisba_forms(nisba: str) -> Iterator[str]:
    """All forms of an adjective, folded; with the article only, where it is given so."""
    definite_only = nisba.startswith("ال")  # «ألماني» begins with another letter
    stem = _key(nisba.removeprefix("ال"))
    for ending in _NISBA_ENDINGS:
        if ending != "ا":
            yield f"ال{stem}{ending}"
        if not definite_only:
            yield stem + ending


def _people_forms(people: str) -> Iterator[Words]:
    """A demonym; a Latin one with its endings."""
    *before, last = phrase_key(people)
    for ending in _LATIN_ENDINGS if last.isascii() else ("",):
        yield (*before, last + ending)


@lru_cache(maxsize=65536)
def _key(raw: str) -> str:
    """A word folded, but for the vowel signs that tell Oman from Amman."""
    folded = fold(raw.replace(".", ""))
    if "عمان" in folded and (sign := (_OMAN.search(raw) and "\u064f") or (_AMMAN.search(raw) and "\u0651")):
        return folded.replace("عمان", f"ع{sign}مان")
    return folded


def _is_acronym(raw: str) -> bool:
    letters = raw.replace(".", "")
    return letters.isascii() and letters.isupper() and len(letters) <= _LONGEST_ACRONYM


def _find(words: Sequence[Word]) -> Iterator[_Found]:
    """Read the words from left to right, taking the longest entry each time."""
    at = 0
    while at < len(words):
        found = _longest(words, at) if _entries(words[at].key) else None
        if found:
            yield found
        at = found.stop if found else at + 1


def _longest(words: Sequence[Word], at: int) -> _Found | None:
    """The entry with the most words that begins here; of two, the one with fewer particles taken off."""
    best: _Found | None = None
    for particles, entry in _entries(words[at].key):
        stop = at + 1 + len(entry.rest)
        if (best is None or stop > best.stop) and _fits(entry, words, at, stop):
            best = _Found(at, stop, particles, entry)
    return best


@lru_cache(maxsize=65536)
def _entries(key: str) -> tuple[tuple[str, _Entry], ...]:
    """Every entry that begins with this word, and the particles taken off it: few words have any."""
    return tuple((particles, entry) for particles, stem in _stems(key) for entry in _table().entries.get(stem, ()))


def _fits(entry: _Entry, words: Sequence[Word], at: int, stop: int) -> bool:
    if entry.acronym and not _is_acronym(words[at].raw):
        return False
    if words[at].key in _CAPITALISED and words[at].raw[0].islower():
        return False
    return tuple(word.key for word in words[at + 1 : stop]) == entry.rest


def _stems(key: str) -> Iterator[tuple[str, str]]:
    """A word as it stands, and without the particles that may be glued before it: conjunction, then preposition."""
    yield "", key
    bases = [("", key), (key[:1], key[1:])] if key[:1] in {"و", "ف"} else [("", key)]
    for particles, base in bases:
        if particles and len(base) >= _SHORTEST_STEM:
            yield particles, base
        if base.startswith("لل"):
            yield f"{particles}ل", f"ا{base[1:]}"  # «للمغرب» is «لـ» and «المغرب»
        if base[:1] in {"ب", "ل", "ك"} and len(base) > _SHORTEST_STEM:
            yield particles + base[0], base[1:]


def _mention(words: Sequence[Word], found: _Found) -> CountryMention:
    first = words[found.first]
    start = first.start + _length_of(first.raw, len(found.particles))
    return CountryMention(start, words[found.stop - 1].end, found.entry.code, found.entry.kind, found.particles)


def _length_of(raw: str, letters: int) -> int:
    """How many characters the first letters take, with their marks and tatweel."""
    length = 0
    while length < len(raw) and (letters > 0 or not fold(raw[length])):
        letters -= bool(fold(raw[length]))
        length += 1
    return length


def _adjoin(body: CountryMention, owner: CountryMention) -> bool:
    return owner.start - body.end == 1


@dataclass(slots=True)
class _Part:
    """A stretch of a phrase, and what it is to the stretch before: its place, its topic, its genitive."""

    link: str
    keys: list[str] = field(default_factory=list)
    found: list[_Found] = field(default_factory=list)

    @property
    def codes(self) -> frozenset[str]:
        """The countries by the strongest kind of word there is."""
        strongest = max((found.entry.kind for found in self.found), default=CountryForm.NAME)
        return frozenset(found.entry.code for found in self.found if found.entry.kind is strongest)


@lru_cache(maxsize=8192)
def _represented(phrase: str, local: frozenset[str]) -> str | None:
    words = words_of(phrase)
    if code := _table().alone.get(tuple(word.key for word in words)):
        return code
    seen: set[str] = set()
    for part in _parts(words, local):
        if part.codes:
            return None if _is_post(part, seen) else _only(part.codes)
        seen.update(part.keys)
    return None


def _is_post(part: _Part, before: set[str]) -> bool:
    """Whether this is where somebody is posted or sent, rather than who posts or sends them."""
    if part.link == "place":
        return not before.isdisjoint(_POSTED)
    return part.link == "for" and not before.isdisjoint(_SENT) and not part.codes <= NO_PLACE


def _only(codes: Iterable[str]) -> str | None:
    first, *others = codes
    return None if others else first


def _parts(words: Sequence[Word], local: frozenset[str]) -> list[_Part]:
    """Cut a phrase at words of place and topic, and before «للـ», «بالـ», and a country with «ل» or «ب»."""
    starts = {found.first: found for found in _find(words) if _counts(found, local)}
    inside = {at for found in starts.values() for at in range(found.first + 1, found.stop)}
    parts = [_Part("")]
    for at, word in enumerate(words):
        link = "" if at in inside else _link(word.key, starts.get(at))
        if link:
            parts.append(_Part(link))
        parts[-1].keys.append(word.key)
        if at in starts:
            parts[-1].found.append(starts[at])
    return parts


def _counts(found: _Found, local: frozenset[str]) -> bool:
    return bool(found.entry.code) and (found.entry.kind is not CountryForm.LOCAL or found.entry.code in local)


def _link(key: str, found: _Found | None) -> str:
    """What a word begins: "place", "topic", "for" or "of"; nothing in the middle of a part."""
    if found:
        return "place" if "ب" in found.particles else "for" if "ل" in found.particles else ""
    if key in _PLACE:
        return "place"
    if key in _TOPIC:
        return "topic"
    return "of" if key.removeprefix("و").startswith(("بال", "لل")) else ""
