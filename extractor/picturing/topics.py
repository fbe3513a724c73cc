"""Topics by month: what was discussed, and when."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from extractor.picturing import chart
from extractor.picturing.figure import Figure
from extractor.picturing.tally import Tally
from extractor.picturing.wording import Wording

MONTHS: Final = 18
"""The most columns whose numbers can be read; earlier months are summed in one."""
STEP: Final = 24
COLUMN: Final = 50


def topics(counted: Tally, words: Wording) -> Figure:
    """How many meetings were about each topic, month by month; the last column is of meetings without a month."""
    totals: Counter[str] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    columns = _columns({month for _code, month in counted.topics if month}, words)
    for (code, month), number in sorted(counted.topics.items(), key=str):
        totals[code] += number
        counts[code, columns[month]] += number
    return _figure(totals, counts, list(dict.fromkeys(columns.values())), words)


def _columns(months: set[str], words: Wording) -> dict[str | None, str]:
    """The column of each month, from left to right: the last months have their own."""
    ordered = sorted(months)
    earlier, own = ordered[:-MONTHS], ordered[-MONTHS:]
    named: dict[str | None, str] = {month: f"< {own[0]}" for month in earlier}
    return {**named, **{month: month for month in own}, None: words.say("term", "no_month")}


def _figure(totals: Counter[str], counts: Mapping[tuple[str, str], int], months: list[str], words: Wording) -> Figure:
    months = [month for month in months if any(column == month for _code, column in counts)]
    headings = (*words.columns("topic"), *months)
    names = {code: words.say("topic", code) for code, _number in totals.most_common()}
    rows = tuple(
        {headings[0]: name, **{month: counts.get((code, month), 0) for month in months}} for code, name in names.items()
    )
    values = [{"row": names[code], "column": month, "n": number} for (code, month), number in counts.items()]
    most = max(counts.values(), default=0)
    spec = {
        "data": {"values": values},
        "width": {"step": COLUMN},
        "height": {"step": STEP},
        "encoding": {
            "x": chart.categories("column", months, orient="top", labelAngle=0 if len(months) < 8 else -90),
            "y": chart.down("row", list(names.values()), words),
        },
        "layer": [
            {"mark": {"type": "rect"}, "encoding": {"color": _shade()}},
            {"mark": {"type": "text"}, "encoding": {"text": {"field": "n", "format": ",d"}, "color": _ink(most)}},
        ],
    }
    return chart.figure("topics", words, spec, rows, headings, ())


def _shade() -> chart.Spec:
    return {"field": "n", "type": "quantitative", "scale": {"range": "heatmap", "zero": True}, "legend": None}


def _ink(most: int) -> chart.Spec:
    """Light on a dark cell."""
    return {"condition": {"test": f"datum.n > {most * 0.55:.2f}", "value": "#ffffff"}, "value": "#1a1a1a"}
