"""Format numbers, names, costs and the version for messages."""

from collections.abc import Sequence
from typing import Final

NAMED: Final = 5
"""Maximum of articles that a message names."""
CHANGED: Final = "another text or day than before, left as they were; --update-changed extracts them anew"


def installed_version(absent: str = "not installed") -> str:
    """Return the version of mahdar that is installed; `absent` if it is not installed as a package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mahdar")
    except PackageNotFoundError:
        return absent


def counted(number: int, noun: str, total: int | None = None) -> str:
    """Return a number with its noun, and the total if given: `1 article`, `3 articles`, `0 of 1 article`."""
    of = f" of {total:,}" if total is not None else ""
    return f"{number:,}{of} {noun}{'' if (number if total is None else total) == 1 else 's'}"


def join_names(names: Sequence[str], number: int) -> str:
    """Return the first names and how many more there are: `a, b and 7 more`.

    Args:
        names: the first names at least.
        number: the number of all names.
    """
    more = number - len(names[:NAMED])
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more else "")


def cost(dollars: float | None) -> str:
    """Return US dollars with fractions of a cent, which small models cost; None is `cost unknown`."""
    if dollars is None:
        return "cost unknown"
    return f"${dollars:.4f}" if dollars else "$0"
