"""Draw a figure as SVG or PNG with Vega-Lite, without a browser or a network."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final
from xml.etree import ElementTree as ET

from mahdar.charts.figure import Figure
from mahdar.charts.theme import theme
from mahdar.documents.bidi import END, ISOLATE
from mahdar.errors import UsageError

MISSING: Final = "figures are drawn by vl-convert-python and networkx: pip install 'mahdar[report]'"
_FONTS: Final = "fontpkg_ibm_plex_sans_arabic"
"""Package of a font that has Arabic and Latin in one file, so that a label has one typeface."""
_NUMBERS: Final = {"fr": "fr-FR"}
"""Locale of numbers by language; Arabic articles from the Maghreb to the Gulf write 1,293, as English does."""
_SVG: Final = "http://www.w3.org/2000/svg"
_ISOLATES: Final = {ord(ISOLATE): None, ord(END): None}
"""Isolates to remove from SVG, since some browsers' fonts lack them; an attribute replaces them. PNG keeps them."""
_ELEMENTS: Final = frozenset(
    {"svg", "g", "rect", "path", "line", "text", "tspan", "title", "circle", "defs", "clipPath"}
)
_REFUSED: Final = frozenset({"style", "class", "href", "role"})
"""Attributes that a strict Content-Security-Policy forbids, that load something, or that read out each bar."""


def svg(figure: Figure, *, dark: bool = False, background: bool = True) -> str:
    """Draw a figure as one `<svg>` element.

    It has no scripts, links, style attributes or handlers, and its texts are escaped.

    Args:
        figure: the figure.
        dark: whether to draw for a dark page.
        background: whether to paint a background.

    Raises:
        UsageError: the extra `report` is not installed.
    """
    return _inert(_drawn(figure, dark=dark, background=background), figure)


def png(figure: Figure, *, scale: float = 2, dark: bool = False) -> bytes:
    """Draw a figure as PNG.

    Args:
        figure: the figure.
        scale: pixels for each unit of the SVG.
        dark: whether to draw for a dark page.

    Raises:
        UsageError: the extra `report` is not installed.
    """
    made: bytes = _converter().svg_to_png(_drawn(figure, dark=dark, background=True), scale=scale)
    return made


def _drawn(figure: Figure, *, dark: bool, background: bool) -> str:
    if not figure.spec:
        raise UsageError(MISSING)
    made: str = _converter().vegalite_to_svg(
        dict(figure.spec),
        config=theme(dark=dark, background=background),
        allowed_base_urls=[],
        format_locale=_NUMBERS.get(figure.language, "en-US"),
    )
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


def _inert(drawn: str, figure: Figure) -> str:
    """Keep only known elements and attributes of an SVG, and give it one label for screen readers."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(drawn)  # noqa: S314  # the library's own output
    for element in root.iter():
        for child in [one for one in element if one.tag.removeprefix(f"{{{_SVG}}}") not in _ELEMENTS]:
            element.remove(child)
        for attribute in list(element.attrib):
            name = attribute.rpartition("}")[2]
            if name in _REFUSED or name.startswith(("on", "aria-")):
                del element.attrib[attribute]
        if element.text and (words := element.text.translate(_ISOLATES)) != element.text:
            element.text = words
            element.attrib["unicode-bidi"] = "plaintext"
    root.attrib |= {"role": "img", "aria-label": ". ".join((figure.title, *figure.notes)), "lang": figure.language}
    # Coordinates count from the left in every page; the reader's font may be wider than the one measured.
    root.attrib |= {"direction": "ltr", "overflow": "visible"}
    return ET.tostring(root, encoding="unicode")
