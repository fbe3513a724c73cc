"""A figure: a picture's specification, and the table that says the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, and its equal in words.

    Attributes:
        name: one of `mahdar.charts.figures.NAMES`.
        title: a heading, in the figure's language.
        spec: Vega-Lite, whole but for the theme; drawn by `mahdar.charts.drawing`. Empty where what lays it out
            is not installed.
        rows: the table, each row by column.
        columns: the table's headings, in order.
        notes: what the picture does not show: "and 312 others", "6 without a date".
        language: of title, headings and notes.
    """

    name: str
    title: str
    spec: Mapping[str, Any]
    rows: tuple[Mapping[str, object], ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    language: str = "en"
