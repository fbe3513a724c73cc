"""The transport: one call of an endpoint, by openai's typed client.

The client's own retry is off: one layer, in `mahdar.llm.client`, waits and asks again. The answer comes back as
text, to be stored before anything parses it. The key leaves through here and nowhere else: where a server repeats it,
in an answer or in an error, it is blotted out before anybody reads on.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mahdar.cache.completion import Completion, on_one_line
from mahdar.errors import UsageError
from mahdar.llm.call import Call, Transport
from mahdar.llm.endpoint import Address, Endpoint, address_of
from mahdar.llm.local.weights import Progress
from mahdar.llm.network import check_network
from mahdar.llm.parameters import MOST as MOST_LESSONS
from mahdar.llm.parameters import TEACHING, prompt_bytes
from mahdar.llm.reply import CallError, error_words, read_answer, status_error
from mahdar.llm.streamed import joined_stream
from mahdar.observability.logs import hide_queries

if TYPE_CHECKING:
    import httpx2
    import openai

    from mahdar.llm.local.model import EmbeddedModel

__all__ = ["OpenAITransport", "Progress", "Transport"]

log = logging.getLogger("mahdar")

CONNECTIONS: Final = 25
"""Of one client: its pool looks at each of them at every request, so that many calls in flight share several clients.
How many calls there are is bounded elsewhere."""
BLOT: Final = b"[key]"
LONGEST: Final = 8 * 1024 * 1024
"""Bytes of a response: more than the longest answer that is read, each letter escaped."""
SMALLEST_WINDOW: Final = 1_000
"""Tokens of context that an engine has at least; a smaller count is none."""
WINDOWS: Final = tuple(2**power for power in range(9, 18))
AT_THE_EDGE: Final = 8
"""Tokens by which a prompt that was cut may miss its window."""
MOST_BYTES: Final = 10
"""Bytes of a prompt for each token: over Arabic, English and JSON, tokenizers of today need 3 to 7."""
FEW_BYTES: Final = 7
"""The same, for a count that is a window's size."""
_ENCODED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
SHOWN: Final = 40
"""Characters of an answer that is no JSON, in the failure's message."""


class OpenAITransport:
    """Sends calls to an endpoint; connected at the first.

    Args:
        endpoint: where to ask.
        timeout: seconds for a whole answer.
        progress: told what the embedded model's start is doing.
        http_transport: what carries the requests, in place of sockets.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,
        progress: Progress | None = None,
        http_transport: "httpx2.AsyncBaseTransport | None" = None,
    ) -> None:
        if not endpoint.embedded and http_transport is None:
            check_network()
        self.endpoint = endpoint
        self._timeout = timeout
        self._progress = progress
        self._http_transport = http_transport
        self._clients: _Clients | None = None
        self._parameters = endpoint.taken
        self._connecting = asyncio.Lock()
        self._embedded: EmbeddedModel | None = None

    async def send(self, call: Call) -> Completion:
        """Make one call, without a retry but where the endpoint names a parameter that it does not take.

        Raises:
            CallError: no completion came; says whether asking again can help.
            UsageError: the key cannot be sent.
        """
        clients = self._clients or await self._connect()
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                response, sent = await self._taken(clients, call.arguments)
            return _of_whole_prompt(clients.read(response, seconds=time.monotonic() - started), sent)
        except TimeoutError:
            said = f"{clients.url}: no answer within {self._timeout:g} s"
            raise CallError("timeout", said, again=True, busy=True) from None
        except CallError as error:
            if self.endpoint.embedded and error.failure == "unreachable":
                await self._disconnect(clients)
            raise

    async def _taken(
        self, clients: "_Clients", arguments: Mapping[str, Any]
    ) -> "tuple[httpx2.Response, Mapping[str, Any]]":
        """The response to a call, and what was sent for it: a refusal that names a parameter is learnt from at once."""
        for _ in range(MOST_LESSONS):
            sent = self._parameters.applied(arguments)
            response = await clients.create(sent)
            if response.status_code not in TEACHING:
                break
            self._parameters = self._parameters.learnt(sent, error_words(clients.text(response))[1])
            if self._parameters.applied(arguments) == sent:
                break
            log.info("a parameter was refused, asking as the endpoint wants it")
        return response, sent

    async def close(self) -> None:
        """Close the connections, and stop using the embedded model."""
        if self._clients is not None:
            await self._disconnect(self._clients)
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)
        self._connecting = asyncio.Lock()  # the next call may come from another event loop

    async def _disconnect(self, clients: "_Clients") -> None:
        """Forget the connections: the server of another process may have ended, and the next call starts one."""
        if self._clients is clients:
            self._clients = None
            await clients.close()

    async def _connect(self) -> "_Clients":
        async with self._connecting:
            if self._clients is None:
                address = address_of(*await self._address())
                self._clients = _clients(address, self._timeout, self._http_transport, direct=self.endpoint.embedded)
            return self._clients

    async def _address(self) -> tuple[str, str]:
        """Base URL and key; the embedded model's after it is up."""
        if not self.endpoint.embedded:
            return self.endpoint.base_url, self.endpoint.api_key
        from mahdar.llm.local.model import EmbeddedModel

        self._embedded = self._embedded or EmbeddedModel(cache=self.endpoint.cache)
        local = await asyncio.to_thread(self._embedded.ensure, self._progress)
        return local.base_url, local.api_key


@dataclass(slots=True)
class _Client:
    """A client, and the calls that it has under way."""

    client: "openai.AsyncOpenAI"
    under_way: int = 0


@dataclass(frozen=True, slots=True)
class _Clients:
    """The clients of one endpoint, made as they are needed."""

    make: Callable[[], "openai.AsyncOpenAI"]
    url: str
    """without credentials"""
    secrets: tuple[bytes, ...]
    made: list[_Client] = field(default_factory=list)

    @contextmanager
    def _free(self) -> "Iterator[openai.AsyncOpenAI]":
        """The first client with a connection to spare, or one more."""
        one = next((each for each in self.made if each.under_way < CONNECTIONS), None)
        if one is None:
            one = _Client(self.make())
            self.made.append(one)
        one.under_way += 1
        try:
            yield one.client
        finally:
            one.under_way -= 1

    async def close(self) -> None:
        """Close all connections."""
        for each in self.made:
            await each.client.close()

    async def create(self, arguments: Mapping[str, Any]) -> "httpx2.Response":
        """The response, of whatever status.

        The arguments are JSON already, so that they are given as the body: openai's client would go through each
        message and schema to translate Python's names, which takes a third of the time of a whole call.
        """
        import httpx2
        import openai

        try:
            with self._free() as client:
                create = client.chat.completions.with_raw_response.create
                raw = await create(model=arguments["model"], messages=(), extra_body=arguments)
                response: httpx2.Response = raw.http_response
                return response
        except openai.APITimeoutError:
            raise TimeoutError from None
        except openai.APIStatusError as error:
            return error.response
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            if isinstance(cause, CallError):
                raise cause from None
            said = on_one_line(self._blotted((str(cause) or type(cause).__name__).encode()).decode())
            sent = not isinstance(cause, httpx2.ConnectError)
            raise CallError("unreachable", f"{self.url}: {said}", again=True, billed=sent) from None

    def read(self, response: "httpx2.Response", *, seconds: float) -> Completion:
        """The completion in a response.

        Raises:
            CallError: there is none.
        """
        text = self.text(response)
        if not response.is_success:
            raise status_error(response.status_code, response.headers, text)
        try:
            answer = json.loads(self._blotted(response.content))
        except (ValueError, RecursionError):
            answer = joined_stream(text)
        if answer is None and text.strip() != "null":
            said = f"answered no JSON but {text.strip()[:SHOWN]!r}; is OPENAI_BASE_URL right?"
            raise CallError("unreachable", f"{self.url}: {said}", again=True) from None
        return read_answer(answer, seconds=seconds, headers=response.headers)

    def text(self, response: "httpx2.Response") -> str:
        """The body of a response, without the key."""
        return self._blotted(response.content).decode("utf-8", "replace")

    def _blotted(self, content: bytes) -> bytes:
        for secret in self.secrets:
            content = content.replace(secret, BLOT)
        return content


def _of_whole_prompt(completion: Completion, sent: Mapping[str, Any]) -> Completion:
    """Return an answer, unless its endpoint read but a part of the prompt: Ollama cuts what exceeds its window.

    Raises:
        CallError: it counted fewer tokens than so many bytes can be.
    """
    read, size = completion.tokens_in, prompt_bytes(sent)
    full = any(abs(read - window) <= AT_THE_EDGE for window in WINDOWS)
    if read >= SMALLEST_WINDOW and size > read * (FEW_BYTES if full else MOST_BYTES):
        said = f"the endpoint read {read:,} tokens of a prompt of {size:,} bytes, so that it cut the prompt"
        remedy = "give the model a larger context (Ollama: OLLAMA_CONTEXT_LENGTH or num_ctx)"
        raise CallError("truncated", f"{said}; {remedy}", again=False)
    return completion


def _clients(
    address: Address, timeout: float, transport: "httpx2.AsyncBaseTransport | None", *, direct: bool
) -> _Clients:
    """The clients of an endpoint, which do not retry.

    Credentials and query of the URL are sent as it would send them, and shown in no log. A direct client uses no proxy,
    whatever the environment names: the embedded model is on this machine.

    Raises:
        UsageError: the URL is none.
    """
    import httpx2
    import openai
    import openai.resources.chat  # takes a second: not of the first call's time

    try:
        httpx2.URL(address.url)
    except httpx2.InvalidURL as error:
        raise UsageError(f"OPENAI_BASE_URL {address.url!r}: {error}; write it like https://host/v1") from None
    if address.query:
        hide_queries()

    class Bounded(openai.DefaultAsyncHttpxClient):
        """Reads a body only as far as it may be an answer: a megabyte of gzip can be a gigabyte."""

        async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            response = await super().send(request, **{**options, "stream": True})
            pieces, size = [], 0
            try:
                async for piece in response.aiter_bytes():
                    pieces.append(piece)
                    if (size := size + len(piece)) > LONGEST:
                        raise CallError("invalid", f"the answer has more than {LONGEST:,} bytes", again=False)
            finally:
                await response.aclose()
            headers = [one for one in response.headers.multi_items() if one[0] not in _ENCODED]
            return httpx2.Response(response.status_code, headers=headers, content=b"".join(pieces), request=request)

    def make() -> openai.AsyncOpenAI:
        http_client = Bounded(
            auth=address.credentials,
            limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            timeout=timeout,
            transport=transport,
            trust_env=not direct,
        )
        return openai.AsyncOpenAI(
            api_key=address.key,
            base_url=address.url,
            default_query=address.query,
            max_retries=0,
            timeout=timeout,
            http_client=http_client,
        )

    return _Clients(make, address.url, address.secrets)
