"""Charts: the parts of a Vega-Lite specification that all figures share.

Articles' words come into a specification as data and as members of a scale's domain, never as a field's name or in an
expression: nothing in them is evaluated.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from extractor.commands.display import END, ISOLATE
from extractor.picturing.figure import Figure
from extractor.picturing.wording import Wording

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
LONGEST: Final = 44
"""Letters of a label; the table has all of it."""
Spec = dict[str, Any]


def figure(
    name: str, words: Wording, spec: Mapping[str, Any], rows: Iterable[Mapping[str, object]],
    columns: tuple[str, ...], notes: tuple[str, ...],
) -> Figure:  # fmt: skip
    """A figure with its title and what it does not show above it."""
    title = {
        "text": words.title(name),
        "subtitle": [line for line in _lines(notes)],
        "anchor": "end" if words.mirrored else "start",
    }
    whole = {"$schema": SCHEMA, "title": title, **spec}
    return Figure(name, words.title(name), whole, tuple(rows), columns, notes, words.language)


def labels(texts: Sequence[str]) -> list[str]:
    """Texts as labels: short, each in its own direction whatever stands beside it, and no two alike."""
    seen: dict[str, int] = {}
    made = []
    for text in texts:
        short = shorten(text)
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


def down(field: str, domain: Sequence[str], words: Wording) -> Spec:
    """Names one below the other, at the side where reading begins."""
    return categories(field, domain, orient="right" if words.mirrored else "left")


def colours(field: str, domain: Sequence[str], palette: str, **legend: Any) -> Spec:
    """Colours of names, by a palette of the theme's."""
    scale = {"domain": list(domain), "range": palette}
    return {"field": field, "type": "nominal", "scale": scale, "legend": {"title": None, **legend}}


def amounts(field: str, title: str, words: Wording | None = None) -> Spec:
    """A scale of counts; from the right where reading begins there."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"reverse": bool(words and words.mirrored)},
        "axis": {"title": title, "tickMinStep": 1, "format": ",d"},
    }


def _lines(notes: Iterable[str]) -> list[str]:
    return [" · ".join(f"{ISOLATE}{note}{END}" for note in notes)] if notes else []
