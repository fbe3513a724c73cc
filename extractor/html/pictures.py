"""Draw the figures of a report, each with its table, in every language of the page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from mahdar.charts.figure import Figure
from mahdar.html.page import LANGUAGES, data_uri
from mahdar.schemas.records import Extraction

MOST_ROWS: Final = 200
"""Most rows of a table on the page."""
_NEEDED: Final = ("vl_convert", "networkx", "fontpkg_ibm_plex_sans_arabic")


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as the template needs it."""

    name: str
    title: str
    alt: str
    light: str
    """data URI; empty if only the table is shown"""
    dark: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int
    """number of rows left out"""


def drawable() -> bool:
    """Return whether the extra `report`, which draws, is installed."""
    return all(find_spec(name) for name in _NEEDED)


def pictures(extractions: Iterable[Extraction], *, draw: bool) -> Mapping[str, tuple[Picture, ...]]:
    """Return the pictures in every language.

    Args:
        extractions: iterated once; they may not fit into memory.
        draw: whether to draw, or to return only tables.
    """
    from mahdar.charts.figures import figures_in_languages

    figures = figures_in_languages(extractions, LANGUAGES)
    return {language: tuple(_picture(figure, draw=draw) for figure in made) for language, made in figures.items()}


def _picture(figure: Figure, *, draw: bool) -> Picture:
    rows = tuple(tuple(_cell(row.get(name)) for name in figure.columns) for row in figure.rows)
    return Picture(
        figure.name,
        figure.title,
        ". ".join((figure.title, *figure.notes)),
        _drawn(figure, dark=False) if draw else "",
        _drawn(figure, dark=True) if draw else "",
        figure.columns,
        rows[:MOST_ROWS],
        max(0, len(rows) - MOST_ROWS),
    )


def _drawn(figure: Figure, *, dark: bool) -> str:
    from mahdar.charts.drawing import svg

    return data_uri(svg(figure, dark=dark, background=False))


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else str(value)
