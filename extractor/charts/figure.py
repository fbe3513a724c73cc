"""The data of a figure: a chart's specification, and the same numbers as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, and the same numbers as a table.

    Attributes:
        name: one of `mahdar.charts.figures.NAMES`.
        title: heading in the figure's language.
        spec: Vega-Lite specification without the theme, for `mahdar.charts.drawing`; empty if there is nothing to
            draw, or networkx, which lays the network out, is not installed.
        rows: rows of the table, each by column.
        columns: headings of the table, in order.
        notes: counts of what the chart leaves out: "and 312 others", "6 without a date".
        language: of title, headings and notes.
    """

    name: str
    title: str
    spec: Mapping[str, Any]
    rows: tuple[Mapping[str, object], ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    language: str = "en"
