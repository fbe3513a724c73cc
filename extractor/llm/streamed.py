"""Join a streamed answer: some endpoints and proxies send server-sent events where none were asked for."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

TEXTS: Final = ("content", "reasoning_content", "reasoning", "refusal")
"""Fields of a message that come in pieces."""
_BEGINNING: Final = re.compile(r"(data|event|id|retry)?:|\{")
_LINE: Final = re.compile(r"\r\n|\r|\n")
"""The ends of lines of an event stream; a text in it may have U+2028, which `splitlines` splits at."""


def joined_stream(text: str) -> dict[str, Any] | None:
    """Join the chunks of a streamed chat completion into one answer.

    Args:
        text: the body of a response: server-sent events, or one chunk a line.

    Returns:
        The answer as JSON, or the first error among the events; None where the text is no such stream.
    """
    text = text.removeprefix("\ufeff").lstrip()
    if not _BEGINNING.match(text):
        return None
    try:
        return _joined(_chunks(text))
    except (AttributeError, TypeError):  # JSON of another form
        return None


def _joined(chunks: Iterator[dict[str, Any]]) -> dict[str, Any] | None:
    answer: dict[str, Any] = {}
    message: dict[str, Any] = {}
    calls: dict[int, dict[str, str]] = {}
    finish = None
    for chunk in chunks:
        if chunk.get("error"):
            return chunk
        answer |= {name: chunk[name] for name in ("model", "usage") if chunk.get(name)}
        for choice in chunk.get("choices") or ():
            if choice.get("index"):  # one of several answers: the first is read
                continue
            delta = choice.get("delta") or choice.get("message") or {}
            for name in TEXTS:
                if piece := _piece(delta.get(name)):
                    message[name] = message.get(name, "") + piece
            older = delta.get("function_call")
            for call in (*(delta.get("tool_calls") or ()), *([{"function": older}] if older else ())):
                function = calls.setdefault(call.get("index", 0), {"name": "", "arguments": ""})
                for name in function:
                    function[name] += call.get("function", {}).get(name) or ""
            finish = choice.get("finish_reason") or finish
    if not message and not calls and finish is None:
        return None
    message["tool_calls"] = [{"function": call} for call in calls.values()]
    return {**answer, "choices": [{"message": message, "finish_reason": finish}]}


def _piece(value: Any) -> str:
    """Return a piece of a text, which some servers split into parts."""
    if isinstance(value, list):
        return "".join([part.get("text") or "" for part in value])
    return value if isinstance(value, str) else ""


def _chunks(text: str) -> Iterator[dict[str, Any]]:
    """Parse the events: a value a line, or one on several lines of data up to an empty line."""
    data: list[str] = []
    for line in (*_LINE.split(text), ""):
        if line.startswith(("data:", "{")):
            data.append(line.removeprefix("data:"))
            chunk = _parsed(data[-1])
        else:
            chunk = None if line else _parsed("\n".join(data))
        if chunk is not None or not line:
            data.clear()
        if isinstance(chunk, dict):
            yield chunk


def _parsed(text: str) -> Any:
    """Parse JSON; None for `[DONE]`, and for what was cut."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
