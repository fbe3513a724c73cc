"""Build the parts of Vega-Lite specifications that all figures share.

Words of articles enter a specification as data and as members of a scale's domain, never as a field's name or in an
expression, so that nothing in them is evaluated.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from mahdar.charts.figure import Figure
from mahdar.charts.wording import Wording
from mahdar.documents.bidi import END, ISOLATE, clean

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
LONGEST: Final = 44
"""Most letters of a label; the table has the whole text."""
TICKS: Final = 6
ROW: Final = 90
"""Letters that fit on one line of a legend."""
_NO_XML: Final = dict.fromkeys((0xFFFE, 0xFFFF))
"""Invisible characters that XML does not allow."""
GRID: Final = MappingProxyType({"grid": True, "tickBand": "extent"})
"""Axis options that draw lines between cells."""
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
    """Return a figure with its title, and its notes as subtitle; an empty specification stays empty."""
    side = "end" if words.mirrored else "start"
    whole = {
        "$schema": SCHEMA,
        "title": {
            "text": words.title(name),
            "subtitle": [f"{ISOLATE}{' · '.join(notes)}{END}"] if notes else [],
            "anchor": side,
        },
        **spec,
        "config": {"legend": {"layout": {"top": {"anchor": side}}}},
    }
    return Figure(name, words.title(name), whole if spec else {}, tuple(rows), columns, notes, words.language)


def labels(texts: Sequence[str]) -> list[str]:
    """Return texts as labels: shortened, isolated in direction, and numbered if two are equal."""
    seen: dict[str, int] = {}
    made = []
    for text in texts:
        short = shorten(clean(text).translate(_NO_XML))
        seen[short] = seen.get(short, 0) + 1
        made.append(f"{ISOLATE}{short}{END}" + (f" ({seen[short]})" if seen[short] > 1 else ""))
    return made


def shorten(text: str) -> str:
    """Shorten a text to `LONGEST` letters, at a space if there is one."""
    if len(text) <= LONGEST:
        return text
    head = text[: LONGEST - 1]
    return (head.rpartition(" ")[0] or head) + "…"


def categories(field: str, domain: Sequence[str], **axis: Any) -> Spec:
    """Return a scale of names in the given order."""
    return {"field": field, "type": "nominal", "scale": {"domain": list(domain)}, "axis": {"title": None, **axis}}


def down(field: str, domain: Sequence[str], words: Wording, **axis: Any) -> Spec:
    """Return a vertical scale of names, on the right in a right-to-left language."""
    return categories(field, domain, orient="right" if words.mirrored else "left", **axis)


def colours(field: str, domain: Sequence[str], palette: str, present: Iterable[str], words: Wording) -> Spec:
    """Return a colour for each name, from a palette of the theme; the legend shows the names that are present."""
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
    """Return a scale of counts up to `most`, from the right if `mirrored`."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"reverse": mirrored},
        "axis": {"title": title, "tickMinStep": 1, "labelFlush": False, "tickCount": min(most, TICKS), "format": ",d"},
    }
