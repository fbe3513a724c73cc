"""Completions: an endpoint's answer as text, with what it took. It is stored as it came, and read anew each time."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

VERSION = 2
"""Version of the stored form; an entry of another version counts as absent."""
WHOLE: Final = frozenset(
    {
        *("stop", "tool_calls", "function_call", "eos", "eos_token", "stop_sequence"),
        *("end_turn", "tool_use", "complete"),
    }
)
"""Finish reasons of an answer that the model ended."""
CUT: Final = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"})
"""Finish reasons of an answer that ran into the bound on its tokens: OpenAI's, Gemini's, Mistral's, Anthropic's."""
FILTERED: Final = frozenset(
    {
        *("content_filter", "content_filtered", "refusal", "safety", "image_safety", "recitation", "blocklist"),
        *("prohibited_content", "spii", "model_armor", "language", "guardrail_intervened", "sensitive", "error_toxic"),
    }
)
"""Finish reasons of a filtered answer: OpenAI's, Anthropic's, Mistral's, Gemini's, Bedrock's, Zhipu's and Cohere's."""
_THINK: Final = r"(?:seed:|longcat_|start_)?(?:think(?:ing)?|thoughts?|reasoning)"
_THOUGHTS_BEGIN: Final = re.compile(
    rf"<\|?{_THINK}\|?>|\[think\]|◁think▷|<\|inner_prefix\|>|<\|channel\|?>\s*(?:analysis|thought)|\Aanalysis(?=[A-Z])",
    re.IGNORECASE,
)
_THOUGHTS_END: Final = re.compile(
    rf"</{_THINK}>|\[/think\]|◁/think▷|<\|(?:end_thinking|inner_suffix)\|>|<channel\|>"
    r"|<\|channel\|>\s*(?:final|commentary)|assistantfinal",
    re.IGNORECASE,
)
"""The marks around a model's thoughts, where a server leaves them in the answer: `<think>` of DeepSeek, Qwen and most
others, and those of ByteDance, Meituan, Cohere, Mistral, Kimi, Apertus, Gemma, and gpt-oss with its special tokens and
without."""
_REASON: Final = re.compile(r"[.:]\s*")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|-")
LONGEST_REFUSAL: Final = 200
"""Characters of a refusal in the failure's message."""
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that control a terminal or the direction of text."""
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
"""Members of an entry and their types, which are checked: others may have written the file."""


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
        finish: the endpoint's finish reason; empty where it gave none.
        refusal: the model's refusal; None without one.
        model: the model that the endpoint names; None where it names none.
        tokens_in: as the endpoint reports them; 0 where it does not.
        tokens_out: as the endpoint reports them; 0 where it does not.
        seconds: wall time of the call that brought it.
        tool_calls: in the order in which they came.
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
        """All that the model wrote: part of the fingerprint of the re-ask that follows."""
        if not self.tool_calls:
            return self.text
        return json.dumps([self.text, *([call.name, call.arguments] for call in self.tool_calls)], ensure_ascii=False)

    @property
    def is_cut(self) -> bool:
        """Whether the answer ran into the bound on its tokens.

        Without a known finish reason, open braces or thoughts show it.
        """
        reasons, raw = finish_reasons(self.finish), self.raw
        is_open = raw.count("{") > raw.count("}") or (not self.tool_calls and ends_in_thoughts(raw))
        return bool(reasons & CUT) or (not reasons & WHOLE and is_open)

    @property
    def refused(self) -> str | None:
        """The refusal on one line, or that the answer was filtered; None where there is an answer."""
        if self.refusal:
            return on_one_line(self.refusal)[:LONGEST_REFUSAL]
        return "the endpoint filtered the answer" if finish_reasons(self.finish) & FILTERED else None

    def dumps(self, components: Mapping[str, str]) -> str:
        """Return the stored form: JSON, with the components of the fingerprint."""
        answer = {name: getattr(self, name) for name in _ANSWER} | {"seconds": round(self.seconds, 3)}
        calls = [[call.name, call.arguments] for call in self.tool_calls]
        entry = {"version": VERSION, "components": dict(components), **answer, "tool_calls": calls}
        return json.dumps(entry, ensure_ascii=False)

    @classmethod
    def loads(cls, stored: str) -> "Completion | None":
        """Parse the stored form; None for another version, or for text that is no entry."""
        entry = read_entry(stored)
        return cls.from_entry(entry) if entry else None

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "Completion":
        """Convert an entry that `read_entry` returned."""
        calls = tuple(ToolCall(name, arguments) for name, arguments in entry["tool_calls"])
        return cls(**{name: entry[name] for name in _ANSWER}, tool_calls=calls)


def finish_reasons(finish: str) -> frozenset[str]:
    """Return the parts of a finish reason in one spelling: of `content_filter: SAFETY`, both words in lower case."""
    return frozenset(_HUMP.sub("_", part).lower() for part in _REASON.split(finish))


def after_thoughts(text: str) -> str:
    """Return the text after the last mark that ends a model's thoughts; the whole text if there is none."""
    ends = [0, *(mark.end() for mark in _THOUGHTS_END.finditer(text))]
    return text[ends[-1] :]


def ends_in_thoughts(text: str) -> bool:
    """Whether a text ends within a model's thoughts, so that JSON in it is only a draft."""
    before_json = after_thoughts(text).partition("{")[0]
    return _THOUGHTS_BEGIN.search(before_json.lstrip()) is not None


def writable(text: str) -> str:
    """Replace halves of surrogate pairs, which no file can hold, by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def on_one_line(text: str) -> str:
    """Return an endpoint's words on one line with control characters escaped, safe for a terminal or a log."""
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], writable(" ".join(text.split())))


def read_entry(stored: str) -> dict[str, Any] | None:
    """Parse a stored entry; None for another version, or for text that is no entry."""
    try:
        entry = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("version") != VERSION:
        return None
    if not all(isinstance(entry.get(name), type_) for name, type_ in _TYPES.items()):
        return None
    for call in entry["tool_calls"]:
        if not (isinstance(call, list) and [type(part) for part in call] == [str, str]):
            return None
    return entry
