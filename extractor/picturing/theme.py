"""The theme: colours and letters of every picture, for light and dark pages.

The colours are Okabe and Ito's, which are told apart with any kind of colour vision; no meaning is in a colour alone.
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
    """A Vega-Lite configuration.

    Args:
        dark: light letters on a dark page.
        background: painted, or left to the page.
    """
    ink, faint, line = _INK[dark], _FAINT[dark], _LINE[dark]
    strong = _SKY if dark else _BLUE
    return {
        "background": _PAPER[dark] if background else None,
        "font": FONTS,
        "padding": 12,
        "view": {"stroke": None},
        "title": {"color": ink, "fontSize": 17, "fontWeight": 600, "offset": 10, "frame": "bounds",
                  "subtitleColor": faint, "subtitleFontSize": 12, "subtitlePadding": 4},
        "axis": {"labelColor": ink, "titleColor": faint, "labelFontSize": 12, "titleFontSize": 12,
                 "titleFontWeight": 400, "labelLimit": 0, "domain": False, "ticks": False, "labelPadding": 6,
                 "gridColor": line, "tickCount": 6},
        "legend": {"orient": "top", "direction": "horizontal", "offset": 10, "titleColor": faint, "titleFontWeight": 400, "titleFontSize": 12, "titleOrient": "left", "labelColor": ink, "labelFontSize": 12, "labelLimit": 0, "symbolType": "square",
                   "symbolStrokeWidth": 0, "symbolSize": 120, "symbolStrokeColor": faint},
        "rule": {"color": faint, "opacity": 0.6},
        "text": {"color": ink, "fontSize": 12},
        "bar": {"color": strong},
        "style": {"node": {"stroke": _PAPER[dark], "strokeWidth": 1.5},
                  "name": {"fill": ink, "fontSize": 11.5},
                  "halo": {"fill": _PAPER[dark], "stroke": _PAPER[dark], "strokeWidth": 4, "strokeJoin": "round", "fontSize": 11.5, "opacity": 0.85},
                  "cell": {"stroke": _PAPER[dark], "strokeWidth": 1}},
        "range": {
            "holding": [_BLUE, _SKY, _ORANGE, "#bdbdbd"],
            "standing": [strong, _ORANGE, "#9a9a9a"],
            "column": [strong, _ORANGE],
            "polarity": [strong, "#b3b3b3", "#e8772e" if dark else _VERMILION],
            "leaning": [_SKY, "#f2a169", _YELLOW, "#cfcfcf"],
            "country": [strong, _VERMILION, _GREEN, _ORANGE, _PURPLE, _BLUE if dark else _SKY, _YELLOW, "#8c8c8c", "#c4c4c4"],
            "heatmap": ["#deebf7", "#9ecae1", "#4292c6", "#08519c"],
        },
    }  # fmt: skip
