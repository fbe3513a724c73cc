"""The timeline: when they met, by day, month or year as the dates allow."""

import datetime as dt
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from extractor.picturing import chart
from extractor.picturing.figure import Figure
from extractor.picturing.tally import Tally
from extractor.picturing.wording import Wording
from schemas.edtf import Point, parse

PARTS: Final = ("held", "ahead", "off")
PERIODS: Final = 60
"""The most bars that a page shows; a date far from all others is said, and draws no empty decades."""
WIDTH: Final = 620
HEIGHT: Final = 200

Serial = int
"""A day, month or year by its number"""


@dataclass(frozen=True, slots=True)
class Unit:
    """A length of time that bars stand for."""

    name: str

    def serial(self, point: Point) -> Serial | None:
        """The number of the period that holds a date; None where the date says too little."""
        if point.year is None or (self.name != "year" and point.month is None):
            return None
        if self.name == "year":
            return point.year
        if self.name == "month":
            return point.year * 12 + (point.month or 1) - 1
        return dt.date(point.year, point.month or 1, point.day).toordinal() if point.day and point.year else None

    def label(self, serial: Serial) -> str:
        """The period as ISO 8601 writes it."""
        if self.name == "year":
            return f"{serial:04}"
        if self.name == "month":
            return f"{serial // 12:04}-{serial % 12 + 1:02}"
        return dt.date.fromordinal(serial).isoformat()


DAY, MONTH, YEAR = map(Unit, ("day", "month", "year"))


def timeline(counted: Tally, words: Wording) -> Figure:
    """Meetings by date, and by whether they took place."""
    points = dict(_points(counted.dates))
    known = {value: point for value, point in points.items() if point.year is not None}
    unit = _unit(counted.dates, known)
    bars: Counter[tuple[Serial, str]] = Counter()
    coarse = 0
    for (value, standing), number in counted.dates.items():
        serial = unit.serial(known[value]) if value in known else None
        if serial is not None:
            bars[serial, standing] += number
        elif value in known:
            coarse += number
    shown = _window(bars)
    outside = sum(number for (serial, _part), number in bars.items() if serial not in shown)
    undated = sum(number for (value, _part), number in counted.dates.items() if value not in points)
    yearless = sum(number for (value, _part), number in counted.dates.items() if value in points and value not in known)
    notes = words.notes(undated=undated, yearless=yearless, coarse=coarse, outside=outside)
    return _figure(bars, shown, unit, words, notes)


def _points(dates: Mapping[tuple[str | None, str], int]) -> Iterator[tuple[str | None, Point]]:
    for value in {value for value, _part in dates}:
        span = parse(value) if value else None
        if span is not None:
            yield value, span.start


def _unit(dates: Mapping[tuple[str | None, str], int], known: Mapping[str | None, Point]) -> Unit:
    """The finest that places three of four dates, on no more bars than there may be."""
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
    """The stretch of periods that holds most."""
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
    bars: Mapping[tuple[Serial, str], int], shown: range, unit: Unit, words: Wording, notes: tuple[str, ...]
) -> Figure:
    names = [words.say("standing", part) for part in PARTS]
    headings = (*words.columns("period"), *names)
    counts = {serial: [bars.get((serial, part), 0) for part in PARTS] for serial in shown}
    rows = tuple(
        dict(zip(headings, (unit.label(serial), *found), strict=True)) for serial, found in counts.items() if any(found)
    )
    values = [
        {"row": unit.label(serial), "part": name, "order": order, "n": number}
        for serial, found in counts.items()
        for order, (name, number) in enumerate(zip(names, found, strict=True))
        if number
    ]
    periods = [unit.label(serial) for serial in shown]
    spec = {
        "data": {"values": values},
        "width": WIDTH if len(periods) > 8 else {"step": 60},
        "height": HEIGHT,
        "mark": {"type": "bar"},
        "encoding": {
            "x": chart.categories("row", periods, labelOverlap="greedy", labelAngle=0),
            "y": chart.amounts("n", words.say("column", "meetings")),
            "color": chart.colours("part", names, "standing"),
            "order": {"field": "order"},
        },
    }
    return chart.figure("timeline", words, spec, rows, headings, notes)
