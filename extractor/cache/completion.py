"""A completion: what an endpoint answered, as text, with what it took. Stored as it came, and read anew each time."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

VERSION = 2
"""Of the stored form; an entry of another version counts as absent."""
CUT: Final = frozenset({"length", "max_tokens", "model_length"})
FILTERED: Final = frozenset(
    {
        *("content_filter", "content_filtered", "refusal", "safety", "recitation", "blocklist"),
        *("prohibited_content", "spii", "guardrail_intervened", "sensitive"),
    }
)
"""Finish reasons of OpenAI, Anthropic, Mistral, Gemini, Bedrock and Zhipu, in lower case."""
LONGEST_REFUSAL: Final = 200
"""Characters of a refusal in the failure's message."""
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, or what turns the direction of the text that follows."""
_ANSWER: Final = {
    "text": str,
    "finish": str,
    "refusal": str | None,
    "model": str | None,
    "tokens_in": int,
    "tokens_out": int,
    "seconds": int | float,
}
_TYPES: Final = {"components": dict, "tool_calls": list, **_ANSWER}
"""What an entry holds: a file of other hands may hold anything."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a function: its name, and its arguments as the text that came."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of an endpoint.

    Attributes:
        text: of the message.
        finish: why the endpoint stopped, in its own word; empty where it gave none.
        refusal: the model's, in its own words.
        tool_calls: in the order in which they came.
        seconds: wall time of the call that brought it.
    """

    text: str
    finish: str = "stop"
    refusal: str | None = None
    model: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def raw(self) -> str:
        """All that the model wrote, which names the re-ask that follows."""
        if not self.tool_calls:
            return self.text
        return json.dumps([self.text, *([call.name, call.arguments] for call in self.tool_calls)], ensure_ascii=False)

    @property
    def is_cut(self) -> bool:
        """Whether it ran into the bound on its tokens; an endpoint that gives no reason leaves its braces open."""
        return self.finish.lower() in CUT or (not self.finish and self.raw.count("{") > self.raw.count("}"))

    @property
    def refused(self) -> str | None:
        """Why there is no answer in it: the refusal on one line, or that it was filtered; None where there is one."""
        if self.refusal:
            return on_one_line(self.refusal)[:LONGEST_REFUSAL]
        return "the endpoint filtered the answer" if self.finish.lower() in FILTERED else None

    def dumps(self, components: Mapping[str, str]) -> str:
        """As stored: JSON, with the parts of the fingerprint it answers."""
        answer = {name: getattr(self, name) for name in _ANSWER} | {"seconds": round(self.seconds, 3)}
        calls = [[call.name, call.arguments] for call in self.tool_calls]
        entry = {"version": VERSION, "components": dict(components), **answer, "tool_calls": calls}
        return json.dumps(entry, ensure_ascii=False)

    @classmethod
    def loads(cls, stored: str) -> "Completion | None":
        """From its stored form; None for another version, or for text that is no entry."""
        entry = read_entry(stored)
        return cls.from_entry(entry) if entry else None

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "Completion":
        """From an entry that was read."""
        calls = tuple(ToolCall(name, arguments) for name, arguments in entry["tool_calls"])
        return cls(**{name: entry[name] for name in _ANSWER}, tool_calls=calls)


def writable(text: str) -> str:
    """Replace halves of surrogate pairs, which no file can hold, by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def on_one_line(text: str) -> str:
    """The words of an endpoint as a terminal or a log may show them: on one line, control characters escaped."""
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], writable(" ".join(text.split())))


def read_entry(stored: str) -> dict[str, Any] | None:
    """A stored entry as JSON; None for another version, or for text that is no entry."""
    try:
        entry = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("version") != VERSION:
        return None
    whole = all(isinstance(entry.get(name), type_) for name, type_ in _TYPES.items())
    return entry if whole and all(map(_is_call, entry["tool_calls"])) else None


def _is_call(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)
