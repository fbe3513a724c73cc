"""Texts of both directions on one line, and lines of a terminal that keep their order.

Every piece of the article's text stands between U+2068 (first strong isolate) and U+2069, so that an Arabic name beside
an English label moves neither. Where a line breaks inside a piece, the isolate is closed and opened again: the
bidirectional algorithm knows no table cells, and an open isolate would carry the rest of the terminal's line with it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions
    from rich.measure import Measurement
    from rich.text import Text

ISOLATE: Final = "\u2068"
END: Final = "\u2069"
# An article may carry escape sequences, which a terminal would obey, and directional overrides, which would outlive
# their isolate: both are left out of what is shown.
_CONTROLS: Final = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")
_DIRECTIONS: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


@dataclass(frozen=True, slots=True)
class Bidi:
    """Text with isolates, to be wrapped by rich at any width."""

    text: str
    style: str = ""

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[Text]":
        from rich.text import Text

        carried = ""
        for line in Text(self.text).wrap(console, options.max_width):
            whole = carried + line.plain.rstrip()
            carried = ISOLATE if whole.rfind(ISOLATE) > whole.rfind(END) else ""
            yield Text(whole + (END if carried else ""), self.style)

    def __rich_measure__(self, console: "Console", options: "ConsoleOptions") -> "Measurement":
        from rich.measure import Measurement
        from rich.text import Text

        return Measurement.get(console, options, Text(self.text))


def own(text: str) -> str:
    """The article's text on one line, in its own direction whatever stands beside it."""
    return f"{ISOLATE}{clean(text)}{END}"


def clean(text: str) -> str:
    """Text on one line, without what a terminal would take for a command or a change of direction."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """Text without commands and changes of direction, spaces where controls were."""
    return text.translate(_CONTROLS | _DIRECTIONS)
