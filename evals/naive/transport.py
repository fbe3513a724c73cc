"""The wire below the naive baseline: carried on, written down, or played back, without the program above noticing."""

import hashlib
import json
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpx2

from mahdar.evals.running.recording import Recordings
from mahdar.evals.running.runs import Mode
from mahdar.llm.completion import Completion
from mahdar.llm.reply import CallError, read_answer


@dataclass(slots=True)
class CallCount:
    """What the calls for one article came to."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    fingerprints: list[str] = field(default_factory=list)

    def add(self, fingerprint: str, completion: Completion) -> None:
        """Count one call."""
        self.calls += 1
        self.tokens_in += completion.tokens_in
        self.tokens_out += completion.tokens_out
        self.seconds += completion.seconds
        self.fingerprints.append(fingerprint)


class RecordingTransport(httpx2.BaseTransport):
    """Carries chat completions to an endpoint, or to the recordings of one.

    Args:
        mode: how.
        recordings: where answers are written to, and read from.
        shared: the parts of a fingerprint that all requests have in common.
    """

    def __init__(self, mode: Mode, recordings: Recordings, shared: Mapping[str, str]) -> None:
        self._mode = mode
        self._recordings = recordings
        self._shared = shared
        self._sockets = httpx2.HTTPTransport()
        self._spent: ContextVar[CallCount] = ContextVar("spent")

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The endpoint's answer, or the recorded one; where a replay lacks it, a status that no client repeats."""
        messages = json.loads(request.read())["messages"]
        components = self._components(messages)
        fingerprint = _sha256(json.dumps(components, ensure_ascii=False, sort_keys=True))
        known = None if self._mode == "live" else self._recordings.get(fingerprint)
        if known is None and self._mode == "replay":
            self._recordings.miss(components)
            return httpx2.Response(400, json={"error": {"message": "not recorded"}})
        if known is not None:
            self._current().add(fingerprint, known)
            return httpx2.Response(200, json=_reply(known))
        return self._carried(request, fingerprint, components, messages)

    def take_spent(self) -> CallCount:
        """What was spent since this was last asked, in this thread."""
        spent = self._current()
        self._spent.set(CallCount())
        return spent

    def close(self) -> None:
        """Close the sockets."""
        self._sockets.close()

    def _current(self) -> CallCount:
        if self._spent.get(None) is None:
            self._spent.set(CallCount())
        return self._spent.get()

    def _carried(
        self, request: httpx2.Request, fingerprint: str, components: Mapping[str, str], messages: list[dict[str, str]]
    ) -> httpx2.Response:
        started = time.monotonic()
        response = self._sockets.handle_request(request)
        response.read()
        if response.is_success:
            try:
                completion = read_answer(response.json(), seconds=time.monotonic() - started)
            except (CallError, ValueError):
                return response
            self._current().add(fingerprint, completion)
            if self._mode == "record":
                self._recordings.put(fingerprint, completion, components, question=str(messages[-1]["content"]))
        return response

    def _components(self, messages: list[dict[str, str]]) -> dict[str, str]:
        article = next(turn["content"] for turn in messages if turn["role"] == "user")
        whole = json.dumps(messages, ensure_ascii=False, sort_keys=True)
        return {**self._shared, "article": _sha256(article), "messages": _sha256(whole)}


def _reply(completion: Completion) -> dict[str, Any]:
    """The answer of an endpoint, as far as the program above looks at it."""
    message: dict[str, Any] = {"role": "assistant", "content": completion.text, "refusal": completion.refusal}
    if completion.tool_calls:
        message["tool_calls"] = [
            {"id": f"recorded-{number}", "type": "function", "function": {"name": one.name, "arguments": one.arguments}}
            for number, one in enumerate(completion.tool_calls)
        ]
    choice = {"index": 0, "finish_reason": completion.finish, "message": message}
    spent = (completion.tokens_in, completion.tokens_out)
    usage = {"prompt_tokens": spent[0], "completion_tokens": spent[1], "total_tokens": sum(spent)}
    return {
        "id": "recorded",
        "object": "chat.completion",
        "created": 0,
        "model": completion.model or "",
        "choices": [choice],
        "usage": usage,
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
