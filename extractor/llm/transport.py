"""The one door to a model: every call goes through here, by openai's client in the form instructor gives it.

The client's own retry is off: one layer, in `asking`, waits and asks again. instructor shapes the request for its mode;
the answer comes back as text, to be stored before anything parses it. The key leaves through here and nowhere else:
where a server repeats it, in an answer or in an error, it is blotted out before anybody reads on.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from extractor.errors import UsageError
from extractor.llm.completion import Completion
from extractor.llm.endpoint import Endpoint
from extractor.llm.reply import CallError, read_answer, status_error
from extractor.llm.request import Request
from extractor.llm.shaping import Shaper

if TYPE_CHECKING:
    import httpx2
    import openai

    from extractor.llm.local.model import EmbeddedModel

__all__ = ["CallError", "Door"]

Progress = Callable[[str, float | None], None]

PATH: Final = "/chat/completions"
JSON: Final = {"content-type": "application/json"}
CONNECTIONS: Final = 25
"""Of one client: its pool looks at each of them at every request, so that many calls in flight share several clients.
How many calls there are is bounded elsewhere."""
SHORTEST_SECRET: Final = 8
"""A shorter "key" is a placeholder such as `none`, and part of ordinary words."""
BLOT: Final = b"[key]"
SHOWN: Final = 40
"""Characters of an answer that is no JSON, in the failure's message."""


class Door:
    """An endpoint, opened at the first question.

    Args:
        endpoint: where to ask.
        timeout: seconds for a whole answer.
        progress: told what the embedded model's start is doing.
        transport: what carries the requests, in place of sockets.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,
        progress: Progress | None = None,
        transport: "httpx2.AsyncBaseTransport | None" = None,
    ) -> None:
        self.endpoint = endpoint
        self._timeout = timeout
        self._progress = progress
        self._transport = transport
        self._line: _Line | None = None
        self._opening = asyncio.Lock()
        self._embedded: EmbeddedModel | None = None
        self._shaper = Shaper()

    async def ask(self, request: Request) -> Completion:
        """One call, no retry.

        Raises:
            CallError: no completion came; says whether asking again can help.
            UsageError: the key cannot be sent.
        """
        line = self._line or await self._open()
        body = self._shaper.body(request)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                response = await line.post(body)
            return line.read(response, seconds=time.monotonic() - started)
        except TimeoutError:
            said = f"{line.url}: no answer within {self._timeout:g} s"
            raise CallError("timeout", said, again=True, busy=True) from None
        except CallError as error:
            if self.endpoint.embedded and error.failure == "unreachable":
                await self._hang_up(line)
            raise

    async def close(self) -> None:
        """Close the connections, and stop using the embedded model."""
        if self._line is not None:
            await self._hang_up(self._line)
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)
        self._opening = asyncio.Lock()  # the next question may come from another event loop

    async def _hang_up(self, line: "_Line") -> None:
        """Forget a line: the server of another process may have ended, and the next call starts one."""
        if self._line is line:
            self._line = None
            await line.close()

    async def _open(self) -> "_Line":
        async with self._opening:
            if self._line is None:
                base_url, key = await self._address()
                self._line = _open_line(base_url, key, self._timeout, self._transport, direct=self.endpoint.embedded)
            return self._line

    async def _address(self) -> tuple[str, str]:
        """Base URL and key; the embedded model's after it is up."""
        if not self.endpoint.embedded:
            return self.endpoint.base_url, self.endpoint.api_key
        from extractor.llm.local.model import EmbeddedModel

        self._embedded = self._embedded or EmbeddedModel(cache=self.endpoint.cache)
        local = await asyncio.to_thread(self._embedded.ensure, self._progress)
        return local.base_url, local.api_key


@dataclass(slots=True)
class _Client:
    """A client, and the calls that it has under way."""

    client: "openai.AsyncOpenAI"
    under_way: int = 0


@dataclass(frozen=True, slots=True)
class _Line:
    """An open line to an endpoint."""

    make: Callable[[], "openai.AsyncOpenAI"]
    url: str
    """without credentials"""
    secrets: tuple[bytes, ...]
    clients: list[_Client] = field(default_factory=list)

    @contextmanager
    def _free(self) -> "Iterator[openai.AsyncOpenAI]":
        """The first client with a connection to spare, or one more."""
        one = next((each for each in self.clients if each.under_way < CONNECTIONS), None)
        if one is None:
            one = _Client(self.make())
            self.clients.append(one)
        one.under_way += 1
        try:
            yield one.client
        finally:
            one.under_way -= 1

    async def close(self) -> None:
        """Close all connections."""
        for each in self.clients:
            await each.client.close()

    async def post(self, body: bytes) -> "httpx2.Response":
        """The response, of whatever status. The typed `create` would cost a millisecond more, to check what is sent."""
        import httpx2
        import openai

        try:
            with self._free() as client:
                return await client.post(PATH, cast_to=httpx2.Response, content=body, options={"headers": JSON})
        except openai.APITimeoutError:
            raise TimeoutError from None
        except openai.APIStatusError as error:
            return error.response
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            said = self._blotted((str(cause) or type(cause).__name__).encode()).decode()
            sent = not isinstance(cause, httpx2.ConnectError)
            raise CallError("unreachable", f"{self.url}: {said}", again=True, billed=sent) from None

    def read(self, response: "httpx2.Response", *, seconds: float) -> Completion:
        """The completion in a response.

        Raises:
            CallError: there is none.
        """
        content = self._blotted(response.content)
        if not response.is_success:
            raise status_error(response.status_code, response.headers, content.decode("utf-8", "replace"))
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            start = content.decode("utf-8", "replace").strip()[:SHOWN]
            said = f"answered no JSON but {start!r}; is OPENAI_BASE_URL right?"
            raise CallError("unreachable", f"{self.url}: {said}", again=True) from None
        return read_answer(answer, seconds=seconds)

    def _blotted(self, content: bytes) -> bytes:
        for secret in self.secrets:
            content = content.replace(secret, BLOT)
        return content


def _open_line(
    base_url: str, key: str, timeout: float, transport: "httpx2.AsyncBaseTransport | None", *, direct: bool
) -> _Line:
    """A line whose clients do not retry.

    Credentials in the URL are sent as it would send them, and shown in no log. A direct line uses no proxy, whatever
    the environment names: the embedded model is on this machine.
    """
    import httpx2
    import openai

    if not (key.isascii() and key.isprintable()):
        raise UsageError("OPENAI_API_KEY: has a character that no key has, and that cannot be sent; copy it again")
    named = httpx2.URL(base_url)
    url = named.copy_with(userinfo=b"")

    def make() -> openai.AsyncOpenAI:
        http_client = openai.DefaultAsyncHttpxClient(
            auth=(named.username, named.password) if named.userinfo else None,
            limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            timeout=timeout,
            transport=transport,
            trust_env=not direct,
        )
        return openai.AsyncOpenAI(api_key=key, base_url=url, max_retries=0, timeout=timeout, http_client=http_client)

    secrets = tuple(secret.encode() for secret in (key, named.password) if len(secret) >= SHORTEST_SECRET)
    return _Line(make, str(url).rstrip("/"), secrets)
