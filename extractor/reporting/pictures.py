"""Pictures of all records together, each with the table that says the same, in every language of the page."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from extractor.picturing.figure import Figure
from extractor.reporting.page import LANGUAGES, Language, data_uri
from schemas.records import Extraction

MOST_ROWS: Final = 200
"""Of a table on the page; the picture shows fewer."""
_LABEL: Final = re.compile("<text([^>]*)>([^<]*)</text>")
_ISOLATES: Final = dict.fromkeys(range(0x2066, 0x206A))
_NEEDED: Final = ("vl_convert", "networkx", "fontpkg_ibm_plex_sans_arabic")


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as the page has it."""

    name: str
    title: str
    alt: str
    light: str
    dark: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int
    """rows that are left out"""


def drawable() -> bool:
    """Whether the extra is installed that draws."""
    return all(find_spec(name) for name in _NEEDED)


def pictures(extractions: Callable[[], Iterable[Extraction]]) -> Mapping[Language, tuple[Picture, ...]]:
    """The pictures in every language; none where nothing draws them.

    Args:
        extractions: read anew for each language: they may be more than memory holds.
    """
    if not drawable():
        return {}
    return {language: tuple(_pictures(extractions(), language)) for language in LANGUAGES}


def _pictures(extractions: Iterable[Extraction], language: Language) -> Iterator[Picture]:
    from extractor.picturing.figures import figures

    return map(_picture, figures(extractions, language).values())


def _picture(figure: Figure) -> Picture:
    from extractor.picturing.drawing import svg

    rows = tuple(tuple(_cell(row.get(name)) for name in figure.columns) for row in figure.rows)
    light, dark = (data_uri(isolated(svg(figure, dark=dark, background=False))) for dark in (False, True))
    return Picture(
        figure.name,
        figure.title,
        ". ".join((figure.title, *figure.notes)),
        light,
        dark,
        figure.columns,
        rows[:MOST_ROWS],
        max(0, len(rows) - MOST_ROWS),
    )


def isolated(drawn: str) -> str:
    """Labels with isolate characters, which Firefox does not draw, in their own direction by attribute instead."""
    return _LABEL.sub(_by_attribute, drawn)


def _by_attribute(label: re.Match[str]) -> str:
    words = label[2].translate(_ISOLATES)
    return label[0] if words == label[2] else f'<text unicode-bidi="plaintext"{label[1]}>{words}</text>'


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else str(value)
