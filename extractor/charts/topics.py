"""Topics of meetings by month."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from mahdar.charts import chart
from mahdar.charts.figure import Figure
from mahdar.charts.tally import Tally
from mahdar.charts.wording import Wording

MONTHS: Final = 18
"""Most columns of months; earlier months are summed in one."""
STEP: Final = 24
DARK: Final = 0.75
"""Share of the largest number above which a cell is dark."""
COLUMN: Final = 50


def topics(counted: Tally, words: Wording) -> Figure:
    """Return the meetings about each topic by month; the last column has those without a month."""
    totals: Counter[str] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    columns = _columns({month for _code, month in counted.topics if month}, words)
    for (code, month), number in sorted(counted.topics.items(), key=str):
        totals[code] += number
        counts[code, columns[month]] += number
    return _figure(totals, counts, list(dict.fromkeys(columns.values())), words)


def _columns(months: set[str], words: Wording) -> dict[str | None, str]:
    """Return the column of each month, in order; the last `MONTHS` months have one each."""
    ordered = _filled(sorted(months))
    earlier, own = ordered[:-MONTHS], ordered[-MONTHS:]
    named: dict[str | None, str] = {month: f"< {own[0]}" for month in earlier}  # noqa: C420  # there may be none
    return {**named, **{month: month for month in own}, None: words.say("term", "no_month")}


def _filled(months: list[str]) -> list[str]:
    """Return all months from the first to the last if they fit, else only the given ones."""
    if not months:
        return months
    first, last = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (months[0], months[-1]))
    if last - first >= MONTHS:
        return months
    return [f"{serial // 12:04}-{serial % 12 + 1:02}" for serial in range(first, last + 1)]


def _figure(totals: Counter[str], counts: Mapping[tuple[str, str], int], months: list[str], words: Wording) -> Figure:
    if all(column != months[-1] for _code, column in counts):
        months = months[:-1]
    headings = (*words.columns("topic"), *months)
    names = {code: words.say("topic", code) for code, _number in totals.most_common()}
    rows = tuple(
        {headings[0]: name, **{month: counts.get((code, month), 0) for month in months}} for code, name in names.items()
    )
    spec = _spec(names, counts, months, words) if rows else {}
    return chart.figure("topics", words, spec, rows, columns=headings)


def _spec(
    names: Mapping[str, str], counts: Mapping[tuple[str, str], int], months: Sequence[str], words: Wording
) -> chart.Spec:
    """Return the specification; columns that are not one month are grey."""
    summed = {month for month in months if not month[:1].isdecimal()}
    values = [
        {"row": names[code], "column": month, "n": number, "known": month not in summed}
        for (code, month), number in counts.items()
    ]
    # A cell is darker for more meetings, scaled over single months; the number on a dark cell is light.
    most = max((number for (_code, month), number in counts.items() if month not in summed), default=0)
    shade = {
        "field": "n",
        "type": "quantitative",
        "scale": {"range": "heatmap", "domain": [0, max(most, 1)], "clamp": True},
        "legend": None,
    }
    colour = {"condition": {"test": "datum.known", **shade}, "value": "#cfcfcf"}
    is_dark = f"datum.known && datum.n > {most * DARK:.2f}"
    ink = {"condition": {"test": is_dark, "value": "#ffffff"}, "value": "#1a1a1a"}
    return {
        "data": {"values": values},
        "width": {"step": COLUMN},
        "height": {"step": STEP},
        "encoding": {
            "x": chart.categories(
                "column", months, orient="top", labelAngle=0 if len(months) < 8 else -90, **chart.GRID
            ),
            "y": chart.down("row", list(names.values()), words, **chart.GRID),
        },
        "layer": [
            {"mark": {"type": "rect", "style": "tile"}, "encoding": {"color": colour}},
            {"mark": {"type": "text"}, "encoding": {"text": {"field": "n", "format": ",d"}, "color": ink}},
        ],
    }
