"""Figures: what many extractions say together, each as a picture's specification and as the same table.

A figure shows the most frequent; how many are left out is said in it. What cannot be placed (a meeting without a date)
is counted and said as well.
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
    """Every figure that has something to show, by its name.

    Args:
        extractions: read once, one at a time; only counts are kept.
        language: of titles and labels: ar, en or fr. The articles' own words stay as they are.
        names: only these.

    Raises:
        UsageError: a language or a name that there is not.
    """
    words, wanted = wording(language), frozenset(names)
    unknown = sorted(wanted - BUILDERS.keys())
    if unknown:
        raise UsageError(f"no figure {unknown[0]!r}: there are {', '.join(NAMES)}")
    chosen = [name for name in NAMES if name in wanted]
    counted = tally(extractions)
    made = {name: BUILDERS[name](counted, words) for name in chosen}
    return {name: figure for name, figure in made.items() if figure.rows}
