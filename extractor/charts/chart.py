"""Charts: the parts of a Vega-Lite specification that all figures share.

Articles' words come into a specification as data and as members of a scale's domain, never as a field's name or in an
expression: nothing in them is evaluated.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from mahdar.charts.figure import Figure
from mahdar.charts.wording import Wording
from mahdar.documents.bidi import END, ISOLATE, clean

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
LONGEST: Final = 44
"""Letters of a label; the table has all of it."""
TICKS: Final = 6
ROW: Final = 90
"""Letters that a legend has room for beside each other."""
_NO_XML: Final = dict.fromkeys((0xFFFE, 0xFFFF))
"""What an SVG cannot hold and no one can see"""
GRID: Final = MappingProxyType({"grid": True, "tickBand": "extent"})
"""Lines between the cells of a table."""
Spec = dict[str, Any]


def figure(
    name: str,
    words: Wording,
    spec: Mapping[str, Any],
    rows: Iterable[Mapping[str, object]],
    *,
    columns: tuple[str, ...],
    notes: tuple[str, ...] = (),
) -> Figure:
    """A figure with its title, and above it what it does not show."""
    side = "end" if words.mirrored else "start"
    whole = {
        "$schema": SCHEMA,
        "title": {"text": words.title(name), "subtitle": _subtitle(notes), "anchor": side},
        **spec,
        "config": {"legend": {"layout": {"top": {"anchor": side}}}},
    }
    return Figure(name, words.title(name), whole if spec else {}, tuple(rows), columns, notes, words.language)


def labels(texts: Sequence[str]) -> list[str]:
    """Texts as labels: short, each in its own direction whatever stands beside it, and no two alike."""
    seen: dict[str, int] = {}
    made = []
    for text in texts:
        short = shorten(clean(text).translate(_NO_XML))
        seen[short] = seen.get(short, 0) + 1
        made.append(f"{ISOLATE}{short}{END}" + (f" ({seen[short]})" if seen[short] > 1 else ""))
    return made


def shorten(text: str) -> str:
    """The beginning of a text, whole words where it can be."""
    if len(text) <= LONGEST:
        return text
    head = text[: LONGEST - 1]
    return (head.rpartition(" ")[0] or head) + "…"


def categories(field: str, domain: Sequence[str], **axis: Any) -> Spec:
    """A scale of names in the order given."""
    return {"field": field, "type": "nominal", "scale": {"domain": list(domain)}, "axis": {"title": None, **axis}}


def down(field: str, domain: Sequence[str], words: Wording, **axis: Any) -> Spec:
    """Names one below the other, at the side where reading begins."""
    return categories(field, domain, orient="right" if words.mirrored else "left", **axis)


def colours(field: str, domain: Sequence[str], palette: str, present: Iterable[str], words: Wording) -> Spec:
    """Colours of names, by a palette of the theme's; the legend explains those that are there."""
    there = set(present)
    shown = [name for name in domain if name in there]
    wraps = sum(map(len, shown)) > ROW
    legend = {
        "title": None,
        "values": shown[::-1] if words.mirrored and not wraps else shown,
        "columns": 5 if wraps else 0,
    }
    return {"field": field, "type": "nominal", "scale": {"domain": list(domain), "range": palette}, "legend": legend}


def amounts(field: str, title: str, most: int, *, mirrored: bool = False) -> Spec:
    """A scale of counts up to the largest; from the right where reading begins there."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"reverse": mirrored},
        "axis": {"title": title, "tickMinStep": 1, "labelFlush": False, "tickCount": min(most, TICKS), "format": ",d"},
    }


def _subtitle(notes: Sequence[str]) -> list[str]:
    return [f"{ISOLATE}{' · '.join(notes)}{END}"] if notes else []
