"""Pictures of all records together, each with the table that says the same, in every language of the page."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from mahdar.charts.figure import Figure
from mahdar.html.page import LANGUAGES, Language, data_uri
from mahdar.schemas.records import Extraction

MOST_ROWS: Final = 200
"""Of a table on the page; the picture shows fewer."""
_NEEDED: Final = ("vl_convert", "networkx", "fontpkg_ibm_plex_sans_arabic")


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as the page has it."""

    name: str
    title: str
    alt: str
    light: str
    """as a URI; empty where there is the table alone"""
    dark: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int
    """rows that are left out"""


def drawable() -> bool:
    """Whether the extra is installed that draws."""
    return all(find_spec(name) for name in _NEEDED)


def pictures(extractions: Callable[[], Iterable[Extraction]], *, draw: bool) -> Mapping[Language, tuple[Picture, ...]]:
    """The pictures in every language.

    Args:
        extractions: read anew for each language: they may be more than memory holds.
        draw: or leave it at the tables.
    """
    return {language: tuple(_pictures(extractions(), language, draw=draw)) for language in LANGUAGES}


def _pictures(extractions: Iterable[Extraction], language: Language, *, draw: bool) -> Iterator[Picture]:
    from mahdar.charts.figures import figures

    return (_picture(figure, draw=draw) for figure in figures(extractions, language).values())


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
