"""The one door to a model: every call goes through here, by openai's client in the form instructor gives it.

The client's own retry is off: one layer, `retrying`, waits and asks again. instructor shapes the request for its mode;
the answer comes back as text, to be stored before anything parses it.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from extractor.completion import Completion
from extractor.endpoint import Endpoint
from extractor.errors import FailureClass
from extractor.request import Request

if TYPE_CHECKING:
    import openai
    from instructor.v2.core.registry import ModeHandlers

    from extractor.embedded import EmbeddedModel

Progress = Callable[[str, float | None], None]

PATH = "/chat/completions"
CONNECTIONS = 1000
"""At once; the calls in flight are bounded elsewhere."""
SHORTEST_KEY = 8
"""A shorter "key" is a placeholder such as `none`, and part of ordinary words."""
LONGEST_WAIT = 120.0
"""Seconds of a `Retry-After` that are honoured; OpenAI's own client stops there too."""


class CallError(Exception):
    """A call that brought no completion.

    Attributes:
        failure: the class of the failure.
        again: whether asking again can help.
        wait: seconds the endpoint asked to wait, if it did.
    """

    def __init__(self, failure: FailureClass, message: str, *, again: bool, wait: float | None = None) -> None:
        super().__init__(message)
        self.failure: FailureClass = failure
        self.again = again
        self.wait = wait

    def without(self, key: str) -> "CallError":
        """The same error without the key, which some servers repeat in their answers."""
        said = str(self).replace(key, "[key]") if len(key) >= SHORTEST_KEY else str(self)
        return CallError(self.failure, said, again=self.again, wait=self.wait)


class Door:
    """An endpoint, opened at the first question."""

    def __init__(self, endpoint: Endpoint, *, timeout: float, progress: Progress | None = None) -> None:
        self.endpoint = endpoint
        self._timeout = timeout
        self._progress = progress
        self._client: openai.AsyncOpenAI | None = None
        self._opening = asyncio.Lock()
        self._embedded: EmbeddedModel | None = None
        self._handlers: dict[str, ModeHandlers] = {}

    async def ask(self, request: Request) -> Completion:
        """One call, no retry.

        Raises:
            CallError: no completion came; says whether asking again can help.
        """
        client = await self._open()
        body = json.dumps(self._shaped(request), ensure_ascii=False).encode("utf-8", "surrogatepass")
        started = time.monotonic()
        try:
            answer = await _post(client, body)
            return read_answer(answer, seconds=time.monotonic() - started)
        except CallError as error:
            if self.endpoint.embedded and error.failure == "unreachable":
                await self._hang_up()
            raise error.without(client.api_key) from None

    async def close(self) -> None:
        """Close the connections, and stop using the embedded model."""
        await self._hang_up()
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)

    async def _hang_up(self) -> None:
        """Forget the connection: the server of another process may have ended, and the next call starts one."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _shaped(self, request: Request) -> Mapping[str, Any]:
        """The request as its mode wants it: a response format, a tool, or instructions in words."""
        _, shaped = self._mode(request.mode).request_handler(
            response_model=request.schema.drafts, kwargs={"messages": [dict(turn) for turn in request.messages]}
        )
        if "json_schema" in shaped.get("response_format", {}):
            shaped["response_format"]["json_schema"]["strict"] = True
        return {"model": request.model, **shaped, **request.parameters}

    def _mode(self, mode: str) -> "ModeHandlers":
        if mode not in self._handlers:
            from instructor.mode import Mode
            from instructor.v2.core.providers import Provider
            from instructor.v2.core.registry import mode_registry

            self._handlers[mode] = mode_registry.get_handlers(Provider.OPENAI, Mode[mode.upper()])
        return self._handlers[mode]

    async def _open(self) -> "openai.AsyncOpenAI":
        async with self._opening:
            if self._client is None:
                base_url, key = await self._address()
                self._client = _client(base_url, key, self._timeout)
            return self._client

    async def _address(self) -> tuple[str, str]:
        """Base URL and key; the embedded model's after it is up."""
        if not self.endpoint.embedded:
            return self.endpoint.base_url, self.endpoint.api_key
        from extractor.embedded import EmbeddedModel

        self._embedded = self._embedded or EmbeddedModel()
        local = await asyncio.to_thread(self._embedded.ensure, self._progress)
        return local.base_url, local.api_key


def _client(base_url: str, key: str, timeout: float) -> "openai.AsyncOpenAI":
    """A client that does not retry, with as many connections as calls in flight."""
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    transport = openai.DefaultAsyncHttpxClient(limits=limits, timeout=timeout)
    return openai.AsyncOpenAI(api_key=key, base_url=base_url, max_retries=0, timeout=timeout, http_client=transport)


async def _post(client: "openai.AsyncOpenAI", body: bytes) -> Mapping[str, Any]:
    """The answer as JSON. The typed `create` would cost a millisecond more, most of it checking what is sent."""
    import httpx2
    import openai

    try:
        response = await client.post(
            PATH, cast_to=httpx2.Response, content=body, options={"headers": {"content-type": "application/json"}}
        )
    except openai.APITimeoutError:
        raise CallError("timeout", f"{client.base_url}: no answer within the time limit", again=True) from None
    except openai.APIStatusError as error:
        raise status_error(error.status_code, error.response.headers, error.message) from None
    except openai.APIConnectionError as error:
        cause = error.__cause__ or error
        raise CallError("unreachable", f"{client.base_url}: {cause or type(cause).__name__}", again=True) from None
    try:
        answer = response.json()
    except ValueError:
        start = response.text.strip()[:40]
        raise CallError(
            "unreachable", f"{client.base_url}: answered no JSON but {start!r}; is OPENAI_BASE_URL right?", again=True
        ) from None
    return answer if isinstance(answer, dict) else {}


def read_answer(answer: Mapping[str, Any], *, seconds: float) -> Completion:
    """The text of an answer, from its content or from the arguments of its tool call.

    Raises:
        CallError: there is no choice in it.
    """
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        calls = message.get("tool_calls") or ()
        text = calls[0]["function"]["arguments"] if calls else message.get("content")
    except (KeyError, IndexError, TypeError, AttributeError):
        detail = json.dumps(answer, ensure_ascii=False)[:120]
        raise CallError("unreachable", f"the endpoint answered without a choice: {detail}", again=True) from None
    usage = answer.get("usage") or {}
    return Completion(
        text=text or "",
        finish=choice.get("finish_reason") or "stop",
        refusal=message.get("refusal"),
        model=answer.get("model"),
        tokens_in=usage.get("prompt_tokens") or 0,
        tokens_out=usage.get("completion_tokens") or 0,
        seconds=seconds,
    )


def status_error(status: int, headers: Mapping[str, str], message: str) -> CallError:
    """What an HTTP status means for the document and for asking again."""
    said = f"HTTP {status}: {message[:300]}"
    if status == 429:
        spent = "insufficient_quota" in message
        return CallError("rate_limited", said, again=not spent, wait=retry_after(headers))
    if status in {408, 409} or status >= 500:
        return CallError("unreachable", said, again=True, wait=retry_after(headers))
    if status in {401, 403}:
        return CallError("unreachable", f"{said}; check OPENAI_API_KEY", again=False)
    if status == 404:
        return CallError("unreachable", f"{said}; check OPENAI_BASE_URL and MAHDAR_MODEL", again=False)
    if status == 413 or "context" in message and "length" in message:
        return CallError("bad_input", f"{said}; the article is longer than the model reads", again=False)
    remedy = "; set MAHDAR_MODE to json, tools or md_json" if "response_format" in message else ""
    return CallError("refused", said + remedy, again=False)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by the `Retry-After` header (RFC 9110, 10.2.3): a number or an HTTP date."""
    from email.utils import parsedate_to_datetime

    value = headers.get("retry-after", "")
    try:
        wait = float(value)
    except ValueError:
        try:
            wait = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(wait, 0.0), LONGEST_WAIT)
