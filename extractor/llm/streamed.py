"""Join a streamed answer: some endpoints and proxies send server-sent events where none were asked for."""

import json
from collections.abc import Iterator
from typing import Any, Final

BEGINNINGS: Final = ("data:", "event:", ":")
TEXTS: Final = ("content", "reasoning_content", "reasoning", "refusal")
"""Fields of a message that come in pieces."""


def joined_stream(text: str) -> dict[str, Any] | None:
    """Join the chunks of a streamed chat completion into one answer.

    Args:
        text: the body of a response.

    Returns:
        The answer as JSON, or the first error among the events; None where the text is no such stream.
    """
    if not text.lstrip().startswith(BEGINNINGS):
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
            delta = choice.get("delta") or choice.get("message") or {}
            for name in TEXTS:
                if isinstance(delta.get(name), str):
                    message[name] = message.get(name, "") + delta[name]
            for call in delta.get("tool_calls") or ():
                function = calls.setdefault(call.get("index", 0), {"name": "", "arguments": ""})
                for name in function:
                    function[name] += call.get("function", {}).get(name) or ""
            finish = choice.get("finish_reason") or finish
    if not message and not calls:
        return None
    message["tool_calls"] = [{"function": call} for call in calls.values()]
    return {**answer, "choices": [{"message": message, "finish_reason": finish}]}


def _chunks(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if not line.startswith("data:"):
            continue
        try:
            chunk = json.loads(line.removeprefix("data:"))
        except (ValueError, RecursionError):
            continue  # `[DONE]`, or cut
        if isinstance(chunk, dict):
            yield chunk
