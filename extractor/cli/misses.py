"""Explain cache misses by comparing a request with the nearest stored one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

Parts = Mapping[str, str]
"""the values that a fingerprint is computed from, by name: `Request.components`"""

# Labels of the parts that users change. The messages are derived from these parts, so they are compared only if all
# of these agree.
NAMES: Final = {
    "article": "article",
    "prompt": "template or examples",
    "schema": "schema",
    "model": "model",
    "mode": "mode",
    "parameters": "parameters",
}
PLAIN: Final = frozenset({"model", "mode", "parameters"})
"""Parts that are shown in full; the others are hashes."""
_HASH: Final = 8


@dataclass(frozen=True, slots=True)
class Change:
    """A part of a request that differs from the stored one."""

    part: str
    stored: str
    asked: str

    def __str__(self) -> str:
        if self.part in PLAIN:
            return f"{NAMES[self.part]} ({self.stored} → {self.asked})"
        name = NAMES.get(self.part, "what the template renders to")
        return f"{name} ({self.stored[:_HASH]} → {self.asked[:_HASH]})"


def why_miss(asked: Parts, stored: Iterable[Parts]) -> tuple[Change, ...] | None:
    """Return the differences from the nearest stored request; None if none is stored for the same tasks.

    The nearest request has the fewest parts changed; one about the same article comes first.
    """
    changes = (_changes(asked, parts) for parts in stored if parts.get("task") == asked["task"])
    return min(changes, key=lambda one: (any(change.part == "article" for change in one), len(one)), default=None)


def _changes(asked: Parts, stored: Parts) -> tuple[Change, ...]:
    differing = [part for part in NAMES if asked[part] != stored.get(part)]
    if "article" in differing:  # its length determines the limit of the answer among the parameters
        differing = [part for part in differing if part != "parameters"]
    return tuple(Change(part, stored.get(part, ""), asked[part]) for part in differing or ("messages",))
