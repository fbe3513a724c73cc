"""The timeline of meetings, by day, month or year."""

import datetime as dt
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mahdar.charts import chart
from mahdar.charts.figure import Figure
from mahdar.charts.tally import Tally
from mahdar.charts.wording import Wording
from mahdar.schemas.edtf import Point, parse

PARTS: Final = ("held", "ahead", "off")
PERIODS: Final = 60
"""Most bars; meetings outside this window are counted in a note, so that one old date draws no empty decades."""
APART: Final = ("outside", "coarse", "yearless", "undated")
"""Reasons why a meeting has no bar in time."""
BESIDE: Final = ("yearless", "undated")
"""Reasons that get a bar, if there are few others."""
FEW: Final = 12
DWARFING: Final = 3
"""A bar this many times as tall as the others would make them hard to see."""
STEP: Final = 76
WIDTH: Final = 760
HEIGHT: Final = 200

Serial = int
"""Number of a day, month or year."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Length of time of a bar: `day`, `month` or `year`."""

    name: str

    def serial(self, point: Point) -> Serial | None:
        """Return the number of the period that contains a date; None if the date is too coarse."""
        if not point.year or (self.name != "year" and point.month is None):
            return None
        if self.name == "year":
            return point.year
        if self.name == "month":
            return point.year * 12 + (point.month or 1) - 1
        return dt.date(point.year, point.month or 1, point.day).toordinal() if point.day else None

    def label(self, serial: Serial) -> str:
        """Return the period in ISO 8601."""
        if self.name == "year":
            return f"{serial:04}"
        if self.name == "month":
            return f"{serial // 12:04}-{serial % 12 + 1:02}"
        return dt.date.fromordinal(serial).isoformat()


DAY, MONTH, YEAR = map(Unit, ("day", "month", "year"))


def timeline(counted: Tally, words: Wording) -> Figure:
    """Return meetings by date, and by whether they took place."""
    spans = {value: parse(value) for value, _standing in counted.dates if value}
    points: dict[str | None, Point] = {value: span.start for value, span in spans.items() if span is not None}
    known = {value: point for value, point in points.items() if point.year}
    unit = _unit(counted.dates, known)
    bars: Counter[tuple[Serial, str]] = Counter()
    apart: Counter[tuple[str, str]] = Counter()
    for (value, standing), number in sorted(counted.dates.items(), key=str):
        serial = unit.serial(known[value]) if value in known else None
        if serial is not None:
            bars[serial, standing] += number
        else:
            apart["coarse" if value in known else "yearless" if value in points else "undated", standing] += number
    shown = _window(bars)
    for serial, standing in [key for key in bars if key[0] not in shown]:
        apart["outside", standing] += bars.pop((serial, standing))
    return _figure(bars, apart, shown, unit, words)


def _unit(dates: Mapping[tuple[str | None, str], int], known: Mapping[str | None, Point]) -> Unit:
    """Return the finest unit with which three of four dates fit into the window."""
    weights = [(known[value], number) for (value, _part), number in dates.items() if value in known]
    total = sum(number for _point, number in weights)
    for unit in (DAY, MONTH):
        placed: Counter[Serial] = Counter()
        for point, number in weights:
            if (serial := unit.serial(point)) is not None:
                placed[serial] += number
        window = _window({(serial, ""): number for serial, number in placed.items()})
        if sum(placed[serial] for serial in window) * 4 >= total * 3 and len(window) > 1:
            return unit
    return YEAR


def _window(bars: Mapping[tuple[Serial, str], int]) -> range:
    """Return the window of at most `PERIODS` periods with the most meetings."""
    totals: Counter[Serial] = Counter()
    for (serial, _part), number in bars.items():
        totals[serial] += number
    serials = sorted(totals)
    if not serials:
        return range(0)
    sums = [0]
    for serial in serials:
        sums.append(sums[-1] + totals[serial])
    ends = [bisect_right(serials, start + PERIODS - 1) for start in serials]
    best = max(range(len(serials)), key=lambda index: (sums[ends[index]] - sums[index], serials[index]))
    return range(serials[best], serials[ends[best] - 1] + 1)


def _figure(
    bars: Mapping[tuple[Serial, str], int],
    apart: Mapping[tuple[str, str], int],
    shown: range,
    unit: Unit,
    words: Wording,
) -> Figure:
    """Return the figure; meetings without a bar in time get a bar after it, or a note if that would dwarf the rest."""
    totals = {label: sum(apart.get((label, part), 0) for part in PARTS) for label in APART}
    counts = {unit.label(serial): [bars.get((serial, part), 0) for part in PARTS] for serial in shown}
    most = max(FEW, DWARFING * max(map(sum, counts.values()))) if counts else sum(totals.values())
    noted = {label: number for label, number in totals.items() if label not in BESIDE or len(shown) > FEW}
    noted |= {label: number for label, number in totals.items() if number > most}
    for label in (label for label in BESIDE if totals[label] and label not in noted):
        counts[words.say("term", label)] = [apart.get((label, part), 0) for part in PARTS]
    names = [words.say("standing", part) for part in PARTS]
    headings = (*words.columns("period"), *names)
    rows = [dict(zip(headings, (period, *found), strict=True)) for period, found in counts.items() if any(found)]
    spec = _spec(counts, names, words) if rows else {}
    return chart.figure("timeline", words, spec, rows, columns=headings, notes=words.notes(**noted))


def _spec(counts: Mapping[str, Sequence[int]], names: Sequence[str], words: Wording) -> chart.Spec:
    values = [
        {"row": period, "part": name, "order": order, "n": number}
        for period, found in counts.items()
        for order, (name, number) in enumerate(zip(names, found, strict=True))
        if number
    ]
    return {
        "data": {"values": values},
        "width": WIDTH if len(counts) * STEP > WIDTH else {"step": STEP},
        "height": HEIGHT,
        "mark": {"type": "bar"},
        "encoding": {
            "x": chart.categories("row", list(counts), labelOverlap="greedy", labelAngle=0),
            "y": chart.amounts("n", words.say("column", "meetings"), max(map(sum, counts.values()))),
            "color": chart.colours("part", names, "standing", [str(value["part"]) for value in values], words),
            "order": {"field": "order"},
        },
    }
