"""Bar charts: articles by language, meetings by kind, stances by act, records by country."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mahdar.charts import chart
from mahdar.charts.figure import Figure
from mahdar.charts.tally import Tally
from mahdar.charts.wording import Wording

MOST: Final = 20
"""Bars shown; a note gives the number of the others."""
STEP: Final = 22
"""Height of a bar in pixels, with the space beside it."""
WIDTH: Final = 460
_TOTAL: Final = {"field": "n", "aggregate": "sum", "type": "quantitative", "format": ",d"}

Counts = Mapping[tuple[str | None, str], int]
Named = Callable[[str | None], str]


def articles(counted: Tally, words: Wording) -> Figure:
    """Return articles by language, and by the records found in them."""
    parts = ("both", "meetings", "stances", "neither")
    return stacked(
        "articles", counted.articles, words, ("language", words.tongue), ("holding", parts), counted="articles"
    )


def meetings(counted: Tally, words: Wording) -> Figure:
    """Return meetings by kind, and by whether they took place."""
    kind = ("kind", lambda value: words.say("kind", str(value)))
    return stacked(
        "meetings", counted.meetings, words, kind, ("standing", ("held", "ahead", "off")), counted="meetings"
    )


def acts(counted: Tally, words: Wording) -> Figure:
    """Return stances by act and polarity."""
    act = ("act", lambda value: words.say("act", str(value)))
    return stacked("acts", counted.acts, words, act, ("polarity", ("favor", "neutral", "against")), counted="stances")


def countries(counted: Tally, words: Wording) -> Figure:
    """Return the meetings and stances of each country."""
    known = Counter({key: number for key, number in counted.countries.items() if key[0] is not None})
    missing = sum(number for (country, _part), number in counted.countries.items() if country is None)
    parts = ("country", words.country), ("column", ("meetings", "stances"))
    return stacked("countries", known, words, *parts, counted="records", notes=words.notes(countryless=missing))


def stacked(
    name: str,
    counts: Counts,
    words: Wording,
    row: tuple[str, Named],
    part: tuple[str, tuple[str, ...]],
    *,
    counted: str,
    notes: tuple[str, ...] = (),
) -> Figure:
    """Return a figure of stacked bars, the longest first.

    Args:
        name: name of the figure.
        counts: (value of the bar, part) → count.
        words: texts in the figure's language.
        row: name of the column of bars, and a function from a value to its label.
        part: name of the closed list of parts, and its values in the order drawn.
        counted: name of the column that is counted.
        notes: further notes.
    """
    (column, named), (kind, parts) = row, part
    totals: Counter[str | None] = Counter()
    for (key, _part), number in sorted(counts.items(), key=str):
        totals[key] += number
    shown = [key for key, _number in totals.most_common(MOST)]
    labels = {key: named(key) for key in shown}
    names = [words.say(kind, value) for value in parts]
    headings = (*words.columns(column), *names)
    rows = tuple(
        {
            headings[0]: labels[key],
            **{each: counts.get((key, value), 0) for each, value in zip(names, parts, strict=True)},
        }
        for key in shown
    )
    notes = (*words.notes(others=len(totals) - len(shown)), *notes)
    spec = _spec(rows, headings, words, words.say("column", counted), kind) if rows else {}
    return chart.figure(name, words, spec, rows, columns=headings, notes=notes)


def _spec(
    rows: Sequence[Mapping[str, Any]], headings: tuple[str, ...], words: Wording, counted: str, palette: str
) -> chart.Spec:
    first, *parts = headings
    labels = chart.labels([row[first] for row in rows])
    values = [
        {"row": label, "part": part, "order": order, "n": row[part]}
        for label, row in zip(labels, rows, strict=True)
        for order, part in enumerate(parts)
        if row[part]
    ]
    across = chart.amounts("n", counted, max(sum(row[part] for part in parts) for row in rows), mirrored=words.mirrored)
    bars = {
        "color": chart.colours("part", parts, palette, [value["part"] for value in values], words),
        "order": {"field": "order"},
        "x": {**across, "stack": "zero"},
    }
    align, offset = ("right", -5) if words.mirrored else ("left", 5)
    return {
        "data": {"values": values},
        "width": WIDTH,
        "height": {"step": STEP},
        "encoding": {"y": chart.down("row", labels, words)},
        "layer": [
            {"mark": {"type": "bar"}, "encoding": bars},
            {
                "mark": {"type": "text", "align": align, "dx": offset},
                "encoding": {"x": {**across, "aggregate": "sum"}, "text": _TOTAL},
            },
        ],
    }
