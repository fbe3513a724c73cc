"""Colours and fonts of all charts, for light and dark pages.

The colours are Okabe and Ito's, which people with any colour vision can distinguish; no meaning is in a colour alone.
"""

from typing import Any, Final

FONTS: Final = "IBM Plex Sans Arabic, Noto Sans Arabic, Segoe UI, Tahoma, Arial, sans-serif"
_BLUE, _SKY, _GREEN, _YELLOW = "#0072b2", "#56b4e9", "#009e73", "#f0e442"
_ORANGE, _VERMILION, _PURPLE = "#e69f00", "#d55e00", "#cc79a7"
_INK: Final = {False: "#1a1a1a", True: "#ececec"}
_FAINT: Final = {False: "#6b6b6b", True: "#a8a8a8"}
_LINE: Final = {False: "#e3e3e3", True: "#3a3a3a"}
_PAPER: Final = {False: "#ffffff", True: "#16181c"}


def theme(*, dark: bool = False, background: bool = True) -> dict[str, Any]:
    """Return the Vega-Lite configuration.

    Args:
        dark: whether to use light text on a dark page.
        background: whether to paint the background.
    """
    ink, faint, paper = _INK[dark], _FAINT[dark], _PAPER[dark]
    return {
        "background": paper if background else "transparent",
        "font": FONTS,
        "padding": 16,
        "view": {"stroke": None},
        "title": {
            "color": ink,
            "fontSize": 17,
            "fontWeight": 600,
            "offset": 10,
            "frame": "bounds",
            "subtitleColor": faint,
            "subtitleFontSize": 12,
            "subtitlePadding": 4,
        },
        "axis": {
            "labelColor": ink,
            "labelFontSize": 12,
            "labelLimit": 0,
            "labelPadding": 6,
            "titleColor": faint,
            "titleFontSize": 12,
            "titleFontWeight": 400,
            "domain": False,
            "ticks": False,
            "gridColor": _LINE[dark],
        },
        "legend": {
            "orient": "top",
            "direction": "horizontal",
            "offset": 10,
            "labelColor": ink,
            "labelFontSize": 12,
            "labelLimit": 0,
            "titleColor": faint,
            "titleFontSize": 12,
            "titleFontWeight": 400,
            "titleOrient": "left",
            "symbolType": "square",
            "symbolSize": 120,
        },
        "rule": {"color": faint, "opacity": 0.6},
        "text": {"color": ink, "fontSize": 12},
        "style": {
            "node": {"stroke": paper, "strokeWidth": 1.5},
            "name": {"fill": ink, "fontSize": 11.5},
            "halo": {"fill": paper, "stroke": paper, "strokeWidth": 4, "strokeJoin": "round", "fontSize": 11.5},
            "tile": {"stroke": paper, "strokeWidth": 1},
        },
        "range": _palettes(dark=dark),
    }


def _palettes(*, dark: bool) -> dict[str, list[str]]:
    """Return the palettes by name; each lists its colours in the order of a figure's parts."""
    first, second = (_SKY, _BLUE) if dark else (_BLUE, _SKY)
    return {
        "holding": [first, second, _ORANGE, "#b0b0b0"],
        "standing": [first, _ORANGE, "#9a9a9a"],
        "column": [first, _ORANGE],
        "polarity": [first, "#b3b3b3", "#e8772e" if dark else _VERMILION],
        "position": [first, "#e8772e" if dark else _VERMILION, "#b3b3b3"],
        "leaning": [_SKY, "#b5dcf3", "#f7efa0", "#f9d2b4", "#f2a169", "#d0d0d0"],
        "country": [first, _VERMILION, _GREEN, _ORANGE, _PURPLE, second, _YELLOW, "#8c8c8c", "#c4c4c4"],
        "heatmap": ["#deebf7", "#9ecae1", "#4292c6", "#08519c"],
    }
