"""Wording: numbers with their nouns, and lists that are cut, as messages have them."""

from collections.abc import Sequence
from typing import Final

NAMED: Final = 5
"""Articles named at most, where there may be many."""
CHANGED: Final = "another text or day than before, left as they were; --update-changed extracts them anew"


def counted(number: int, noun: str, total: int | None = None) -> str:
    """A number and its noun, of how many in all where that is known: `1 article`, `3 articles`, `0 of 1 article`."""
    of = f" of {total:,}" if total is not None else ""
    return f"{number:,}{of} {noun}{'' if (number if total is None else total) == 1 else 's'}"


def listed(names: Sequence[str], number: int) -> str:
    """The first names, and how many more there are: `a, b and 7 more`."""
    more = number - len(names[:NAMED])
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more else "")


def cost(dollars: float | None) -> str:
    """Dollars, and the cents' fractions that a small model costs."""
    if dollars is None:
        return "cost unknown"
    return f"${dollars:.4f}" if dollars else "$0"
