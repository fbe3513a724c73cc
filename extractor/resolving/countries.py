"""Find the countries that a text mentions, and the one country that a phrase represents.

The words are in a table (`countries.toml`): names, adjectives, capitals and well-known bodies, in Arabic, English and
French. Text and table are compared folded, word by word; an Arabic word is also tried without the particles attached
to it («بليبيا», «وللتركية»). Where two entries match, the one with more words wins: «جنوب السودان» is not «السودان».

The country that a phrase *represents* follows from its grammar: an ambassador's country stands before the post
(«السفير المصري في ليبيا»), and the matter of an office comes last («رئيس اللجنة المصرية المعنية بالملف الليبي»). So the
phrase is cut at words of place and topic, and the first part with a country decides. If that part has two countries,
the phrase represents none.

«عمان» without vowel signs is Amman or Oman, so it counts as neither unless a word beside it decides («سلطنة عمان»,
«العاصمة عمان»); «عُمان» and «عمّان» are unambiguous.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from mahdar.documents.folding import fold, word_set

_FILE: Final = Path(__file__).with_name("countries.toml")

NO_PLACE: Final = frozenset({"EU", "UN"})
"""Codes that are represented, but are not places."""


class CountryForm(IntEnum):
    """The kind of word that stands for a country, the strongest last: in «حزب الله العراقي» the name decides.

    `LOCAL` is a body whose name other countries use, too: it counts only in an article that names its country.
    """

    CITY = 1
    LOCAL = 2
    BODY = 3
    NAME = 4


Words = tuple[str, ...]
"""The folded words of a phrase."""

# A dotted acronym is one word; marks and zero-width controls belong to the letter before them.
_WORD: Final = re.compile(
    r"(?:[A-Z]\.){2,}"
    r"|[^\W\d_]+(?:[\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u200b-\u200f]+[^\W\d_]*)*"
)
_OMAN: Final = re.compile("ع\u064f")
_AMMAN: Final = re.compile("ع[\u064b-\u0652]*م[\u064b-\u0652]*\u0651")
_LONGEST_ACRONYM: Final = 4
"""Letters: a table entry in capitals up to this length matches capitals only: «US» is not "us", «UN» not « un »."""
_CAPITALISED: Final = word_set("polish pole poles turkey china guinea chile jordan chad lima")
"""Words that name a country only with a capital letter."""

# Endings of a nisba, folded: masculine, feminine, plurals, duals; the last is indefinite only.
_NISBA_ENDINGS: Final = ("", "ه", "ون", "ين", "ان", "تان", "تين", "ات", "ا")
_LATIN_ENDINGS: Final = ("", "s", "e", "es", "ne", "nes")
"""Plural and French feminine endings; forms that do not exist do no harm."""

_SHORTEST_STEM: Final = 3
"""Letters that must remain without particles: «مصر», «قطر»."""

# Words before a place: for somebody posted there it is not the country represented.
_PLACE: Final = word_set(
    """
    في وفي لدي الي بالعاصمه بمدينه بدوله بجمهوريه بمملكه بالمملكه بسلطنه in to at for en au aux a chez aupres pour
    """
)
# Words before the matter of an office.
_TOPIC: Final = word_set(
    """
    بشان حول لشوون بملف المعني المعنيه المكلف المكلفه المكلفين المختص المختصه تجاه مع on with against sur avec
    contre
    """
)
# Persons and bodies that are posted: a place after one of these is not the country represented.
_POSTED: Final = word_set(
    """
    سفير سفيره السفير السفيره مبعوث مبعوثه المبعوث المبعوثه موفد الموفد موفده الموفده مندوب المندوب مندوبه المندوبه
    ممثل الممثل ممثله الممثله قنصل القنصل القايم قايم بعثه البعثه سفاره السفاره قنصليه القنصليه منسق المنسق
    ambassador envoy representative mission embassy consul consulate coordinator ambassadeur ambassadrice envoye
    envoyee representant representante ambassade consulat
    """
)
_SENT: Final = word_set("مبعوث مبعوثه المبعوث المبعوثه موفد الموفد موفده الموفده")
"""Persons for whom «لـ» introduces where they are sent: «المبعوث الخاص لليبيا»."""


class Word(NamedTuple):  # an article has hundreds: a dataclass takes three times as long to make
    """A word of a text: its offsets in code points, as written (`raw`) and folded (`key`)."""

    start: int
    end: int
    raw: str
    key: str


@dataclass(frozen=True, slots=True)
class CountryMention:
    """Words that stand for a country.

    Attributes:
        start: offset in code points, after attached particles.
        end: offset in code points.
        code: ISO 3166-1 alpha-2, XK, EU or UN.
        kind: the kind of word.
        particles: the particles attached before the words, folded: «ب», «ول».
    """

    start: int
    end: int
    code: str
    kind: CountryForm
    particles: str = ""


def country_of(phrase: str | None, *, article: str | None = None) -> str | None:
    """Return the one country that a phrase denotes or represents: a name, an office, a body, a capital.

    Args:
        phrase: «وزير الخارجية الفرنسي», "Libyan ambassador to France", «موسكو»; not a person's own name.
        article: the text of the phrase. Bodies like «المجلس الرئاسي» count only if the article names their country.

    Returns:
        ISO 3166-1 alpha-2, XK, EU or UN; None if the phrase has no country, or two.
    """
    if not phrase:
        return None
    return _represented(phrase, local_codes(article) if article else frozenset())


def countries_in(text: str) -> frozenset[str]:
    """Return the codes of the countries that a text mentions in any form: name, adjective, people, body or city."""
    return frozenset(mention.code for mention in country_mentions(text) if mention.kind is not CountryForm.LOCAL)


def countries_named(text: str) -> frozenset[str]:
    """Return the codes of the countries that a text mentions by name or body, not only by a city."""
    return frozenset(mention.code for mention in country_mentions(text) if mention.kind >= CountryForm.BODY)


@lru_cache(maxsize=512)  # articles, and the names of their actors
def country_mentions(text: str) -> tuple[CountryMention, ...]:
    """Return every mention of a country, `LOCAL` bodies included, in the order of the text."""
    matches = tuple(_WORD.finditer(text))
    mentions: list[CountryMention] = []
    stop = 0
    for at, entries in enumerate([_entries_of(match[0]) for match in matches]):
        if entries and at >= stop:
            # Of an article's hundreds of words, only those near an entry are made.
            words = [_word(match) for match in matches[at : at + 1 + max(len(entry.rest) for _, entry in entries)]]
            if (found := _longest(words, 0)) is not None:
                stop = at + found.stop
                mentions += [_mention(words, found)] if found.entry.code else ()
    return tuple(mentions)


@lru_cache(maxsize=32)
def local_codes(article: str) -> frozenset[str]:
    """Return the countries whose `LOCAL` bodies count: named, and not another's («المجلس الرئاسي اليمني»)."""
    mentions = country_mentions(article)
    named = {mention.code for mention in mentions if mention.kind is CountryForm.NAME}
    local = {mention.code for mention in mentions if mention.kind is CountryForm.LOCAL}
    claimed = {
        body.code
        for body, owner in pairwise(mentions)
        if body.kind is CountryForm.LOCAL
        and owner.kind is CountryForm.NAME
        and body.code != owner.code
        and owner.start - body.end == 1
    }
    return frozenset(local & named - claimed)


def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of a text, without digits and marks."""
    return tuple([_word(match) for match in _WORD.finditer(text)])


@lru_cache(maxsize=4096)
def phrase_key(phrase: str) -> Words:
    """Return the folded words of a phrase, by which the table is looked up."""
    return tuple(word.key for word in words_of(phrase))


def city_codes(name: str) -> tuple[str, ...]:
    """Return the countries that have a well-known city of this name, the likeliest first."""
    return _table().cities.get(phrase_key(name), ())


def is_contested(city: str) -> bool:
    """Whether a city is claimed by two countries: «القدس»."""
    return phrase_key(city) in _table().contested


@dataclass(frozen=True, slots=True)
class _CountryEntry:
    """The words after the first word of a phrase, and the country; code "" is a phrase that names none."""

    rest: Words
    code: str
    kind: CountryForm
    acronym: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry matched to the words from `first` to `stop`, after particles."""

    first: int
    stop: int
    particles: str
    entry: _CountryEntry


@dataclass(frozen=True, slots=True)
class _CountryTable:
    """The table: entries by first word, longest first; phrases that count only by themselves; cities."""

    entries: dict[str, list[_CountryEntry]] = field(default_factory=dict)
    alone: dict[Words, str] = field(default_factory=dict)
    cities: dict[Words, tuple[str, ...]] = field(default_factory=dict)
    contested: set[Words] = field(default_factory=set)

    def add(self, words: Words, code: str, kind: CountryForm, *, acronym: bool = False) -> None:
        """Add a phrase, unless it has an entry."""
        entries = self.entries.setdefault(words[0], [])
        if all(entry.rest != words[1:] for entry in entries):
            entries.append(_CountryEntry(words[1:], code, kind, acronym))

    def add_city(self, words: Words, code: str) -> None:
        """Add a country to those that have a city of this name."""
        codes = self.cities.get(words, ())
        if code not in codes:
            self.cities[words] = (*codes, code)


@cache
def _table() -> _CountryTable:
    """Read the table once: names first, then other entries, and the longest entry of each first word first."""
    import tomllib  # here, since most importers never look up a country

    raw = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    table = _CountryTable()
    for phrase in raw.pop("silent"):
        table.add(phrase_key(phrase), "", CountryForm.NAME)
    table.contested.update(map(phrase_key, raw.pop("contested")))
    for code, country in raw.items():
        _add_names(table, code, country)
    for code, country in raw.items():
        _add_bodies(table, code, country)
    for key in ("cities", "towns"):
        for code, country in raw.items():
            for city in country.get(key, ()):
                table.add_city(phrase_key(city), code)
    for entries in table.entries.values():
        entries.sort(key=lambda entry: -len(entry.rest))
    return table


def _add_names(table: _CountryTable, code: str, country: dict[str, Any]) -> None:
    """Add a country's names, the forms of its adjectives, and its demonyms: Latin ones with their endings."""
    for name in country["names"]:
        table.add(phrase_key(name), code, CountryForm.NAME, acronym=_is_acronym(name))
    for nisba in country.get("nisba", ()):
        for form in _nisba_forms(nisba):
            table.add((form,), code, CountryForm.NAME)
    for people in country.get("people", ()):
        *before, last = phrase_key(people)
        for ending in _LATIN_ENDINGS if last.isascii() else ("",):
            table.add((*before, last + ending), code, CountryForm.NAME)


def _add_bodies(table: _CountryTable, code: str, country: dict[str, Any]) -> None:
    """Add a country's bodies and cities, and the phrases that count only by themselves."""
    for kind, key in ((CountryForm.BODY, "bodies"), (CountryForm.LOCAL, "local"), (CountryForm.CITY, "cities")):
        for phrase in country.get(key, ()):
            table.add(phrase_key(phrase), code, kind, acronym=_is_acronym(phrase))
    for phrase in country.get("alone", ()):
        table.alone[phrase_key(phrase)] = code


def _nisba_forms(nisba: str) -> Iterator[str]:
    """Yield the folded forms of an adjective; definite ones only if the table has it with the article."""
    definite_only = nisba.startswith("ال")  # «ألماني» begins with another letter
    stem = _key(nisba.removeprefix("ال"))
    for ending in _NISBA_ENDINGS:
        if ending != "ا":
            yield f"ال{stem}{ending}"
        if not definite_only:
            yield stem + ending


def _word(match: re.Match[str]) -> Word:
    return Word(*match.span(), match[0], _key(match[0]))


@lru_cache(maxsize=4096)
def _key(raw: str) -> str:
    """Fold a word, but keep the vowel signs that distinguish Oman from Amman."""
    folded = fold(raw.replace(".", ""))
    if "عمان" in folded and (sign := (_OMAN.search(raw) and "\u064f") or (_AMMAN.search(raw) and "\u0651")):
        return folded.replace("عمان", f"ع{sign}مان")
    return folded


def _is_acronym(raw: str) -> bool:
    letters = raw.replace(".", "")
    return letters.isascii() and letters.isupper() and len(letters) <= _LONGEST_ACRONYM


def _find(words: Sequence[Word]) -> Iterator[_Found]:
    """Yield the longest entries, from left to right, without overlap."""
    at = 0
    while at < len(words):
        found = _longest(words, at) if _entries(words[at].key) else None
        if found:
            yield found
        at = found.stop if found else at + 1


def _longest(words: Sequence[Word], at: int) -> _Found | None:
    """Return the entry with the most words that begins here; of two, the one with fewer particles removed."""
    best: _Found | None = None
    for particles, entry in _entries(words[at].key):
        stop = at + 1 + len(entry.rest)
        if (best is None or stop > best.stop) and _fits(entry, words, at, stop):
            best = _Found(at, stop, particles, entry)
    return best


@lru_cache(maxsize=4096)
def _entries(key: str) -> tuple[tuple[str, _CountryEntry], ...]:
    """Return every entry that begins with a word, each with the particles removed from the word."""
    return tuple((particles, entry) for particles, stem in _stems(key) for entry in _table().entries.get(stem, ()))


@lru_cache(maxsize=8192)
def _entries_of(raw: str) -> tuple[tuple[str, _CountryEntry], ...]:
    """Return the entries that begin with a word as written."""
    return _entries(_key(raw))


def _fits(entry: _CountryEntry, words: Sequence[Word], at: int, stop: int) -> bool:
    if entry.acronym and not _is_acronym(words[at].raw):
        return False
    if words[at].key in _CAPITALISED and words[at].raw[0].islower():
        return False
    return tuple(word.key for word in words[at + 1 : stop]) == entry.rest


def _stems(key: str) -> Iterator[tuple[str, str]]:
    """Yield particles and stem: of the word as it is, without conjunction, and without preposition."""
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
    length, letters = 0, len(found.particles)
    while length < len(first.raw) and (letters > 0 or not fold(first.raw[length])):  # marks and tatweel fold to ""
        letters -= bool(fold(first.raw[length]))
        length += 1
    end = words[found.stop - 1].end
    return CountryMention(first.start + length, end, found.entry.code, found.entry.kind, found.particles)


@dataclass(slots=True)
class _Part:
    """A part of a phrase, and its relation to the part before: "place", "topic", "for", "of"; "" for the first."""

    link: str
    keys: list[str] = field(default_factory=list)
    found: list[_Found] = field(default_factory=list)

    @property
    def codes(self) -> frozenset[str]:
        """The countries by the strongest kind of word in the part."""
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
            return None if _is_post(part, seen) or len(part.codes) > 1 else next(iter(part.codes))
        seen.update(part.keys)
    return None


def _is_post(part: _Part, before: set[str]) -> bool:
    """Whether a part is where somebody is posted or sent, rather than who posts or sends them."""
    if part.link == "place":
        return not before.isdisjoint(_POSTED)
    return part.link == "for" and not before.isdisjoint(_SENT) and not part.codes <= NO_PLACE


def _parts(words: Sequence[Word], local: frozenset[str]) -> list[_Part]:
    """Cut a phrase at words of place and topic, and before «للـ», «بالـ», and a country with «ل» or «ب»."""
    starts = {
        found.first: found
        for found in _find(words)
        if found.entry.code and (found.entry.kind is not CountryForm.LOCAL or found.entry.code in local)
    }
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


def _link(key: str, found: _Found | None) -> str:
    """Return the link of the part that a word begins; "" in the middle of a part."""
    if found:
        return "place" if "ب" in found.particles else "for" if "ل" in found.particles else ""
    if key in _PLACE:
        return "place"
    if key in _TOPIC:
        return "topic"
    return "of" if key.removeprefix("و").startswith(("بال", "لل")) else ""
