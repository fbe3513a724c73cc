"""Show figures in a terminal: tables with bars that are readable without colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mahdar.charts.chart import shorten
from mahdar.charts.figure import Figure
from mahdar.charts.matrix import SIGNS
from mahdar.charts.theme import theme
from mahdar.documents.bidi import Bidi, isolated

BLOCKS: Final = "█▒░▞"
"""Characters of the parts of a bar, distinct without colours."""
PALETTES: Final = {
    "articles": "holding",
    "meetings": "standing",
    "timeline": "standing",
    "countries": "column",
    "acts": "polarity",
    "network": "column",
}
WIDEST: Final = 44
LONGEST: Final = 60
"""Most characters of a bar."""
UNIT: Final = 4
"""Most characters of a bar for each unit that it counts."""


@dataclass(frozen=True, slots=True)
class TerminalBar:
    """A stacked bar as long as there is room."""

    parts: tuple[int, ...]
    most: int
    colours: tuple[str, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(1, min(LONGEST, self.most * UNIT, options.max_width))
        text, drawn, reached = Text(), 0, 0
        for number, block, colour in zip(self.parts, BLOCKS, self.colours, strict=False):
            reached += number
            until = max(round(reached / self.most * room), drawn + (number > 0))
            text.append(block * (until - drawn), colour)
            drawn = until
        yield text

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(8, options.max_width), min(LONGEST, self.most * UNIT, options.max_width))


def drawn(figure: Figure) -> RenderableType:
    """Return a figure with its title and notes."""
    body = _BODIES.get(figure.name, _bars)(figure)
    notes = [Bidi(isolated(" · ".join(figure.notes)), "dim")] if figure.notes else []
    return Group(Bidi(isolated(figure.title), "bold"), *notes, *body, "")


def _bars(figure: Figure) -> list[RenderableType]:
    texts, numbers = _split(figure)
    colours = tuple(theme(dark=True)["range"][PALETTES[figure.name]])
    most = max(sum(_values(row, numbers)) for row in figure.rows)
    table = _table(texts)
    for row in figure.rows:
        values = _values(row, numbers)
        table.add_row(*_labels(row, texts), f"{sum(values):,}", TerminalBar(tuple(values), most, colours))
    return [*_legend(numbers, colours), table]


def _numbers(figure: Figure) -> list[RenderableType]:
    texts, numbers = _split(figure)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in texts:
        table.add_column(Bidi(isolated(name)), overflow="fold")
    for name in numbers:
        table.add_column(Bidi(isolated(name)), justify="right")
    for row in figure.rows:
        table.add_row(*_labels(row, texts), *(str(value or "·") for value in _values(row, numbers)))
    return [table]


def _stands(figure: Figure) -> list[RenderableType]:
    """Return a table of holders, signs and targets."""
    holder, target, *polarities = figure.columns
    colours = dict(zip(polarities, theme(dark=True)["range"]["position"], strict=True))
    signs = dict(zip(polarities, SIGNS.values(), strict=True))
    table, before = _table((holder,), justify="left"), None
    for row in figure.rows:
        told = Text(" ").join(Text(f"{signs[name]}{row[name]}", colours[name]) for name in polarities if row[name])
        who, what = _labels(row, (holder, target))
        table.add_row(who if row[holder] != before else "", told, what)
        before = row[holder]
    legend = (Text(f"{signs[name]} {isolated(name)}", colours[name]) for name in polarities)
    return [Text("  ").join(legend), table]


def _table(texts: Sequence[str], *, justify: Literal["left", "right"] = "right") -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for _name in texts:
        table.add_column(overflow="fold", max_width=WIDEST)
    table.add_column(justify=justify, no_wrap=True)
    table.add_column()
    return table


def _legend(names: Sequence[str], colours: Sequence[str]) -> list[RenderableType]:
    if len(names) < 2:
        return []
    parts = zip(names, BLOCKS, colours, strict=False)
    return [Text("  ").join(Text.assemble((block, colour), f" {isolated(name)}") for name, block, colour in parts)]


def _split(figure: Figure) -> tuple[list[str], list[str]]:
    """Return the columns of text, and the columns of numbers."""
    first = figure.rows[0]
    texts = [name for name in figure.columns if isinstance(first[name], str)]
    return texts, [name for name in figure.columns if name not in texts]


def _values(row: Mapping[str, Any], names: Sequence[str]) -> list[int]:
    return [int(row[name]) for name in names]


def _labels(row: Mapping[str, Any], names: Sequence[str]) -> list[Bidi]:
    return [Bidi(isolated(shorten(str(row[name])))) for name in names]


_BODIES: Final = {"topics": _numbers, "matrix": _stands}
"""Figures that are not shown as bars."""
