"""A completion: a model's raw answer, as text, with what it cost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

VERSION = 1
"""Of the stored form; an entry of another version counts as absent."""


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
        if entry is None:
            return None
        fields = {name: entry[name] for name in entry.keys() - {"version", "components"}}
        try:
            return replace(cls(**fields), cached=True)
        except TypeError:
            return None


def read_entry(stored: str) -> dict[str, Any] | None:
    """A stored entry as JSON; None for another version, or for text that is no entry."""
    try:
        entry = json.loads(stored)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and entry.get("version") == VERSION else None
