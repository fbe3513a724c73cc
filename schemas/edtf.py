"""Parse and compare EDTF values (ISO 8601-2) of records: dates, dates with unknown parts, and intervals of them."""

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

_POINT: Final = re.compile(r"(\d{4}|XXXX)(?:-(\d\d|XX)(?:-(\d\d|XX))?)?")
_LEAP_YEAR: Final = 2000
"""A year with a 29 February, for dates of an unknown year."""


@dataclass(frozen=True, slots=True)
class Point:
    """A date; an unknown part is None."""

    year: int | None
    month: int | None
    day: int | None

    def covers(self, other: "Point") -> bool:
        """Whether every known part equals the other's: `2020-07` covers `2020-07-20`."""
        own, theirs = (self.year, self.month, self.day), (other.year, other.month, other.day)
        return all(part in (None, part_of_other) for part, part_of_other in zip(own, theirs, strict=True))

    def earliest(self, *, with_year: bool) -> tuple[int, ...]:
        """Return the first possible day as (year, month, day), or without the year, for comparison."""
        return (self.year or 0, self.month or 1, self.day or 1)[not with_year :]

    def latest(self, *, with_year: bool) -> tuple[int, ...]:
        """Return the last possible day, as `earliest`; every month is taken to have 31 days."""
        return (self.year or 0, self.month or 12, self.day or 31)[not with_year :]


@dataclass(frozen=True, slots=True)
class DateSpan:
    """An interval of dates; a single date begins and ends with the same."""

    start: Point
    end: Point

    @property
    def is_single(self) -> bool:
        """Whether it is a single date."""
        return self.start == self.end


def parse(value: str) -> DateSpan | None:
    """Parse `2020-07-20`, `2020-07`, `2020`, `XXXX-07-20` or an interval `2020-07-20/2020-07-22`.

    Returns:
        None if the text has another form, a day does not exist, or an interval does not run forward.
    """
    points = [_point(part) for part in value.split("/")]
    if len(points) == 1 and points[0]:
        return DateSpan(points[0], points[0])
    if len(points) == 2 and points[0] and points[1]:
        return _interval(points[0], points[1])
    return None


def first_day(value: str) -> dt.date | None:
    """Return the first possible day of a value; None if its year is unknown, or it is not a value."""
    span = parse(value)
    if span is None or not span.start.year:
        return None
    return dt.date(*span.start.earliest(with_year=True))


def last_day(value: str) -> dt.date | None:
    """Return the last possible day of a value; None if its year is unknown, or it is not a value."""
    span = parse(value)
    if span is None or not span.end.year:
        return None
    year, month, day = span.end.latest(with_year=True)
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def is_coarser(wide: str, narrow: str) -> bool:
    """Whether one value is less precise than another and does not contradict it.

    Both `2020-07` and `XXXX-07-20` are coarser than `2020-07-20`; none of these is coarser than itself.
    """
    outer, inner = parse(wide), parse(narrow)
    if outer is None or inner is None or outer == inner:
        return False
    if outer.is_single:
        return outer.start.covers(inner.start) and outer.start.covers(inner.end)
    with_year = outer.start.year is not None
    if with_year and inner.start.year is None:
        return False
    begins = outer.start.earliest(with_year=with_year) <= inner.start.earliest(with_year=with_year)
    return begins and inner.end.latest(with_year=with_year) <= outer.end.latest(with_year=with_year)


def _point(text: str) -> Point | None:
    found = _POINT.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) if part and part.isdecimal() else None for part in found.groups())
    if month is None:
        is_possible = year is not None and day is None
    else:
        is_possible = 1 <= month <= 12 and (
            day is None or 1 <= day <= calendar.monthrange(year or _LEAP_YEAR, month)[1]
        )
    return Point(year, month, day) if is_possible else None


def _interval(start: Point, end: Point) -> DateSpan | None:
    """Return the interval; None if only one of its ends has a year, or it does not run forward."""
    with_year = start.year is not None
    if with_year != (end.year is not None):
        return None
    runs = start.earliest(with_year=with_year) < end.latest(with_year=with_year)
    return DateSpan(start, end) if runs and start != end else None
