"""Misses: why an answer is not in the store, told by the stored answer that comes nearest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

Parts = Mapping[str, str]
"""what a fingerprint is made of, by name: `Request.components`"""

# The parts that somebody changes, as they are called outside. The messages are made from them: they count only where
# all of these agree.
NAMES: Final = {
    "article": "article",
    "prompt": "template or examples",
    "schema": "schema",
    "model": "model",
    "mode": "mode",
    "parameters": "parameters",
}
_PLAIN: Final = frozenset({"model", "mode", "parameters"})
"""Parts that are words, and can be shown; the others are hashes."""
_HASH: Final = 8


@dataclass(frozen=True, slots=True)
class Change:
    """A part of the request that differs from the one whose answer is stored."""

    part: str
    stored: str
    asked: str

    def __str__(self) -> str:
        if self.part in _PLAIN:
            return f"{NAMES[self.part]} ({self.stored} → {self.asked})"
        name = NAMES.get(self.part, "what the template renders to")
        return f"{name} ({self.stored[:_HASH]} → {self.asked[:_HASH]})"


def why_miss(asked: Parts, stored: Iterable[Parts]) -> tuple[Change, ...] | None:
    """What differs from the nearest request that was answered; None where these tasks were never asked for together.

    Nearest is the one about the same article, or else about another, with the fewest parts changed.
    """
    changes = (_changes(asked, parts) for parts in stored if parts.get("task") == asked["task"])
    return min(changes, key=_distance, default=None)


def _changes(asked: Parts, stored: Parts) -> tuple[Change, ...]:
    differing = [part for part in NAMES if asked[part] != stored.get(part)]
    if "article" in differing:  # whose length bounds the answer
        differing = [part for part in differing if part != "parameters"]
    return tuple(_change(part, asked, stored) for part in differing or ("messages",))


def _change(part: str, asked: Parts, stored: Parts) -> Change:
    return Change(part, stored.get(part, ""), asked[part])


def _distance(changes: tuple[Change, ...]) -> tuple[bool, int]:
    return any(change.part == "article" for change in changes), len(changes)
