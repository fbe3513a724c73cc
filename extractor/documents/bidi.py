"""Isolate article text from the text around it, so that mixed directions keep their order on a terminal.

Each piece of article text is put between U+2068 (first strong isolate) and U+2069, so that an Arabic name and the
English label beside it do not move each other. Where a line breaks inside a piece, the isolate is closed and reopened:
the bidirectional algorithm knows no table cells, and an open isolate would swallow the rest of the terminal's line.
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
# An article may contain escape sequences, which a terminal would obey, and directional overrides, which would outlive
# their isolate: neither is shown.
_CONTROLS: Final = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")
_DIRECTIONS: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


@dataclass(frozen=True, slots=True)
class Bidi:
    """Text with isolates that rich can wrap at any width."""

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


def isolated(text: str) -> str:
    """Return article text on one line, isolated so that it keeps its own direction."""
    return f"{ISOLATE}{clean(text)}{END}"


def clean(text: str) -> str:
    """Return text on one line, without control characters and direction changes."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """Replace control characters by spaces, and drop characters that change the direction."""
    return text.translate(_CONTROLS | _DIRECTIONS)
