"""EDTF (ISO 8601-2) values as far as records use them: a date, one with unknown parts, an interval of such dates."""

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

_POINT: Final = re.compile(r"(\d{4}|XXXX)(?:-(\d\d|XX)(?:-(\d\d|XX))?)?")
_LEAP_YEAR: Final = 2000
"""Where the year is unknown the 29th of February is possible."""


@dataclass(frozen=True, slots=True)
class Point:
    """A date; None is a part that is not known."""

    year: int | None
    month: int | None
    day: int | None

    def covers(self, other: "Point") -> bool:
        """Whether every known part is the other's: `2020-07` covers `2020-07-20`."""
        own, theirs = (self.year, self.month, self.day), (other.year, other.month, other.day)
        return all(part in (None, part_of_other) for part, part_of_other in zip(own, theirs, strict=True))

    def earliest(self, *, with_year: bool) -> tuple[int, ...]:
        """The first day it can be, for comparison."""
        return self._bound(1, 1, with_year=with_year)

    def latest(self, *, with_year: bool) -> tuple[int, ...]:
        """The last day it can be, for comparison only: months are taken to have 31 days."""
        return self._bound(12, 31, with_year=with_year)

    def _bound(self, month: int, day: int, *, with_year: bool) -> tuple[int, ...]:
        within = (self.month or month, self.day or day)
        return (self.year or 0, *within) if with_year else within


@dataclass(frozen=True, slots=True)
class DateSpan:
    """From one date to another; a single date ends where it begins."""

    start: Point
    end: Point

    @property
    def is_single(self) -> bool:
        """Whether it is one date and no interval."""
        return self.start == self.end


def parse(value: str) -> DateSpan | None:
    """The value of `2020-07-20`, `2020-07`, `2020`, `XXXX-07-20` or of an interval `2020-07-20/2020-07-22`.

    Returns:
        None where the text is none of these, or no day of the calendar.
    """
    points = [_point(part) for part in value.split("/")]
    if len(points) == 1 and points[0]:
        return DateSpan(points[0], points[0])
    if len(points) == 2 and points[0] and points[1]:
        return _interval(points[0], points[1])
    return None


def first_day(value: str) -> dt.date | None:
    """The first day that a value can mean; None where its year is not known, or it is no value."""
    span = parse(value)
    if span is None or not span.start.year:
        return None
    return dt.date(*span.start.earliest(with_year=True))


def last_day(value: str) -> dt.date | None:
    """The last day that a value can mean; None where its year is not known, or it is no value."""
    span = parse(value)
    if span is None or not span.end.year:
        return None
    year, month, day = span.end.latest(with_year=True)
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def is_coarser(wide: str, narrow: str) -> bool:
    """Whether one value says less than another and does not contradict it.

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
    return Point(year, month, day) if _is_possible(year, month, day) else None


def _is_possible(year: int | None, month: int | None, day: int | None) -> bool:
    if month is None:
        return year is not None and day is None
    if not 1 <= month <= 12:
        return False
    return day is None or 1 <= day <= calendar.monthrange(year or _LEAP_YEAR, month)[1]


def _interval(start: Point, end: Point) -> DateSpan | None:
    """Both ends know the year or neither does, and it runs forward."""
    with_year = start.year is not None
    if with_year != (end.year is not None):
        return None
    runs = start.earliest(with_year=with_year) < end.latest(with_year=with_year)
    return DateSpan(start, end) if runs and start != end else None
