"""A completion: a model's raw answer, as text, with what it cost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

VERSION = 1
"""Of the stored form; an entry of another version counts as absent."""
_ANSWER: Final = {
    "text": str,
    "finish": str,
    "refusal": str | None,
    "model": str | None,
    "tokens_in": int,
    "tokens_out": int,
    "seconds": int | float,
}
_TYPES: Final = {"components": dict, **_ANSWER}
"""What an entry holds: a file of other hands may hold anything."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer. `seconds` is the wall time of the call that paid for it."""

    text: str
    finish: str = "stop"
    refusal: str | None = None
    model: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    cached: bool = False

    def dumps(self, components: Mapping[str, str]) -> str:
        """As stored: JSON, with the parts of the fingerprint it answers."""
        return json.dumps(
            {
                "version": VERSION,
                "components": dict(components),
                "text": self.text,
                "finish": self.finish,
                "refusal": self.refusal,
                "model": self.model,
                "tokens_in": self.tokens_in,
                "tokens_out": self.tokens_out,
                "seconds": round(self.seconds, 3),
            },
            ensure_ascii=False,
        )

    @classmethod
    def loads(cls, stored: str) -> "Completion | None":
        """From its stored form; None for another version, or for text that is no entry."""
        entry = read_entry(stored)
        return cls(**{name: entry[name] for name in _ANSWER}, cached=True) if entry else None


def read_entry(stored: str) -> dict[str, Any] | None:
    """A stored entry as JSON; None for another version, or for text that is no entry."""
    try:
        entry = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("version") != VERSION:
        return None
    whole = all(isinstance(entry.get(name), type_) for name, type_ in _TYPES.items())
    return entry if whole else None
