"""Drawing: a figure as SVG or PNG, by Vega-Lite without a browser and without a network."""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from xml.etree import ElementTree as ET

from extractor.errors import UsageError
from extractor.picturing.figure import Figure
from extractor.picturing.theme import theme

MISSING: Final = "figures are drawn by vl-convert-python and networkx: pip install 'mahdar[report]'"
_FONTS: Final = "fontpkg_ibm_plex_sans_arabic"
"""Has Arabic, Latin and their marks in one file, so that a label never changes its face in the middle."""
_SVG: Final = "http://www.w3.org/2000/svg"
_ELEMENTS: Final = frozenset(
    {"svg", "g", "rect", "path", "line", "text", "tspan", "title", "circle", "defs", "clipPath"}
)
_REFUSED: Final = frozenset({"style", "class", "href"})


def svg(figure: Figure, *, dark: bool = False, background: bool = True) -> str:
    """The picture as one `<svg>` element.

    Nothing in it runs or loads: no scripts, no links, no style attributes, no handlers; texts are escaped.

    Args:
        figure: what to draw.
        dark: light on dark.
        background: painted behind it; without one the page's own is seen.

    Raises:
        UsageError: what draws is not installed.
    """
    drawn = _converter().vegalite_to_svg(
        dict(figure.spec), config=theme(dark=dark, background=background), allowed_base_urls=[]
    )
    return _inert(drawn)


def png(figure: Figure, *, scale: float = 2, dark: bool = False) -> bytes:
    """The picture as PNG.

    Args:
        figure: what to draw.
        scale: pixels for each of the picture's units.
        dark: light on dark.

    Raises:
        UsageError: what draws is not installed.
    """
    made: bytes = _converter().svg_to_png(svg(figure, dark=dark), scale=scale)
    return made


@cache
def _converter() -> ModuleType:
    try:
        import vl_convert
    except ImportError:
        raise UsageError(MISSING) from None
    found = find_spec(_FONTS)
    if found is None or found.origin is None:
        raise UsageError(MISSING)
    vl_convert.register_font_directory(str(Path(found.origin).parent / "files"))
    return vl_convert


def _inert(drawn: str) -> str:
    """Only what is known to draw, whatever the library writes next year."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(drawn)  # noqa: S314  # the library's own output
    for parent in root.iter():
        for child in list(parent):
            if child.tag.removeprefix(f"{{{_SVG}}}") not in _ELEMENTS:
                parent.remove(child)
        for name in list(parent.attrib):
            if name.startswith("on") or name.rpartition("}")[2] in _REFUSED:
                del parent.attrib[name]
    return ET.tostring(root, encoding="unicode")
