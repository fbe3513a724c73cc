"""Build figures over many extractions, each as a chart's specification and as a table.

A figure shows the most frequent values. Its notes count those left out, and those without a place in it, such as
meetings without a date.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from mahdar.charts import bars, matrix, network, timeline, topics
from mahdar.charts.figure import Figure
from mahdar.charts.tally import Tally, tally
from mahdar.charts.wording import Wording, wording
from mahdar.errors import UsageError
from mahdar.schemas.records import Extraction

BUILDERS: Final[Mapping[str, Callable[[Tally, Wording], Figure]]] = MappingProxyType(
    {
        "articles": bars.articles,
        "meetings": bars.meetings,
        "timeline": timeline.timeline,
        "network": network.network,
        "countries": bars.countries,
        "topics": topics.topics,
        "acts": bars.acts,
        "matrix": matrix.matrix,
    }
)
NAMES: Final = tuple(BUILDERS)


def figures(
    extractions: Iterable[Extraction], language: str = "en", names: Iterable[str] = NAMES
) -> Mapping[str, Figure]:
    """Return the figures that have rows, by name.

    Args:
        extractions: iterated once; only counts are kept in memory.
        language: of titles and labels: ar, en or fr. Words of articles are not translated.
        names: names of the figures to build.

    Raises:
        UsageError: the language or a name is unknown.
    """
    words, wanted = wording(language), frozenset(names)
    unknown = sorted(wanted - BUILDERS.keys())
    if unknown:
        raise UsageError(f"no figure {unknown[0]!r}: there are {', '.join(NAMES)}")
    return _built(tally(extractions), words, [name for name in NAMES if name in wanted])


def figures_in_languages(
    extractions: Iterable[Extraction], languages: Iterable[str]
) -> Mapping[str, tuple[Figure, ...]]:
    """Return all figures that have rows, for each language; the extractions are iterated once.

    Raises:
        UsageError: a language is unknown.
    """
    words = {language: wording(language) for language in languages}
    counted = tally(extractions)
    return {language: tuple(_built(counted, said, NAMES).values()) for language, said in words.items()}


def _built(counted: Tally, words: Wording, names: Iterable[str]) -> Mapping[str, Figure]:
    made = {name: BUILDERS[name](counted, words) for name in names}
    return {name: figure for name, figure in made.items() if figure.rows}
