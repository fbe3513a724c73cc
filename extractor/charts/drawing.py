"""Drawing: a figure as SVG or PNG, by Vega-Lite without a browser and without a network."""

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
"""Has Arabic, Latin and their marks in one file, so that a label never changes its face in the middle."""
_NUMBERS: Final = {"fr": "fr-FR"}
"""How thousands are set apart; Arabic articles from the Maghreb to the Gulf also write 1,293."""
_SVG: Final = "http://www.w3.org/2000/svg"
_ISOLATES: Final = {ord(ISOLATE): None, ord(END): None}
"""Not every browser's font has them; an attribute says the same, though not to what makes a PNG."""
_ELEMENTS: Final = frozenset(
    {"svg", "g", "rect", "path", "line", "text", "tspan", "title", "circle", "defs", "clipPath"}
)
_REFUSED: Final = frozenset({"style", "class", "href", "role"})
"""Attributes that a strict page forbids, that load, or that read out each bar: the table does that better."""


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
    return _inert(_drawn(figure, dark=dark, background=background), figure)


def png(figure: Figure, *, scale: float = 2, dark: bool = False) -> bytes:
    """The picture as PNG.

    Args:
        figure: what to draw.
        scale: pixels for each of the picture's units.
        dark: light on dark.

    Raises:
        UsageError: what draws is not installed.
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
    """Only what is known to draw, whatever the library writes next year; read out as one picture."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(drawn)  # noqa: S314  # the library's own output
    for element in root.iter():
        for child in [one for one in element if one.tag.removeprefix(f"{{{_SVG}}}") not in _ELEMENTS]:
            element.remove(child)
        for name in [name for name in element.attrib if _is_refused(name)]:
            del element.attrib[name]
        if element.text and (words := element.text.translate(_ISOLATES)) != element.text:
            element.text = words
            element.attrib["unicode-bidi"] = "plaintext"
    root.attrib |= {"role": "img", "aria-label": ". ".join((figure.title, *figure.notes)), "lang": figure.language}
    # Places are counted from the left whatever the page around it; a reader's own font may be wider than ours.
    root.attrib |= {"direction": "ltr", "overflow": "visible"}
    return ET.tostring(root, encoding="unicode")


def _is_refused(attribute: str) -> bool:
    name = attribute.rpartition("}")[2]
    return name.startswith(("on", "aria-")) or name in _REFUSED
