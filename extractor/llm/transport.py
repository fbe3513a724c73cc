"""The transport: one call to an endpoint, by openai's typed client.

The client's own retries are off: `mahdar.llm.client` alone waits and asks again. The key is sent from here and nowhere
else; where a server repeats it, in an answer or in an error, it is masked before the response is read.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mahdar.cache.completion import Completion, on_one_line
from mahdar.errors import UsageError
from mahdar.llm.call import Call, Transport
from mahdar.llm.endpoint import Address, Endpoint, address_of
from mahdar.llm.local.weights import Progress
from mahdar.llm.network import check_network
from mahdar.llm.parameters import MAX_SENDS, REFUSAL_STATUSES, prompt_bytes, prompt_text
from mahdar.llm.reply import CallError, error_words, read_answer, status_error
from mahdar.llm.streamed import joined_stream
from mahdar.observability.logs import hide_queries

if TYPE_CHECKING:
    import httpx2
    import openai

    from mahdar.llm.local.model import EmbeddedModel

__all__ = ["OpenAITransport", "Progress", "Transport"]

log = logging.getLogger("mahdar")

MAX_CONNECTIONS: Final = 25
"""Connections of one client. Its pool looks at each of them at every request, so that many calls in flight are spread
over several clients; their number is bounded elsewhere."""
MASK: Final = b"[key]"
MAX_RESPONSE_BYTES: Final = 8 * 1024 * 1024
"""Maximum of bytes of a response: more than the longest answer that is read, with every letter escaped."""
MIN_COUNTED_TOKENS: Final = 1_000
"""Tokens; an endpoint that reports fewer for a prompt does not count them."""
WINDOW_SIZES: Final = tuple(2**power for power in range(9, 18))
"""Common sizes of context windows, in tokens."""
WINDOW_TOLERANCE: Final = 8
"""Tokens by which a truncated prompt may differ from its window."""
MAX_BYTES_PER_TOKEN: Final = 10
"""Maximum of bytes of a prompt for each token: over Arabic, English and JSON, tokenizers of today have 3 to 7."""
ARABIC_BYTES_PER_TOKEN: Final = 7
ASCII_BYTES_PER_TOKEN: Final = 5.5
"""The same for a prompt whose reported tokens are the size of a window: for Arabic, and for English instructions."""
EXCERPT_LENGTH: Final = 40
"""Characters of an answer that is no JSON, in the failure's message."""
_ENCODING_HEADERS: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class OpenAITransport:
    """Sends calls to an endpoint; connects at the first one.

    Args:
        endpoint: where to send.
        timeout: seconds for a whole answer.
        progress: called while the embedded model starts.
        http_transport: replaces the network, in tests.
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
        self._parameters = endpoint.accepted
        self._connecting = asyncio.Lock()
        self._embedded: EmbeddedModel | None = None

    async def send(self, call: Call) -> Completion:
        """Send a call once, and again only with other parameters where the endpoint refuses one by its name.

        Raises:
            CallError: there is no completion; says whether a retry can help.
            UsageError: the key cannot be sent.
        """
        clients = self._clients or await self._connect()
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                response, sent = await self._send_accepted(clients, call.arguments)
            completion = clients.read(response, seconds=time.monotonic() - started)
        except TimeoutError:
            message = f"{clients.url}: no answer within {self._timeout:g} s"
            raise CallError("timeout", message, again=True, busy=True) from None
        except CallError as error:
            if self.endpoint.embedded and error.failure == "unreachable":
                await self._disconnect(clients)
            raise
        _check_whole_prompt(completion, sent)
        return completion

    async def close(self) -> None:
        """Close the connections, and stop using the embedded model."""
        if self._clients is not None:
            await self._disconnect(self._clients)
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)
        self._connecting = asyncio.Lock()  # the next call may come from another event loop

    async def _send_accepted(
        self, clients: "_Clients", arguments: Mapping[str, Any]
    ) -> "tuple[httpx2.Response, Mapping[str, Any]]":
        """Send a call with the parameters that the endpoint takes, learning them from its refusals.

        Returns:
            The response, and the arguments that it answers.
        """
        for _ in range(MAX_SENDS):
            sent = self._parameters.apply_to(arguments)
            response = await clients.create(sent)
            if response.status_code not in REFUSAL_STATUSES:
                break
            self._parameters = self._parameters.after_refusal(sent, error_words(clients.text(response))[1])
            if self._parameters.apply_to(arguments) == sent:
                break
            log.info("the endpoint refused a parameter; sending the call without it or with another value")
        return response, sent

    async def _connect(self) -> "_Clients":
        """Make the clients; start the embedded model where it is the endpoint."""
        async with self._connecting:
            if self._clients is None:
                base_url, key = self.endpoint.base_url, self.endpoint.api_key
                if self.endpoint.embedded:
                    from mahdar.llm.local.model import EmbeddedModel

                    self._embedded = self._embedded or EmbeddedModel(cache=self.endpoint.cache)
                    local = await asyncio.to_thread(self._embedded.ensure, self._progress)
                    base_url, key = local.base_url, local.api_key
                address = address_of(base_url, key)
                make = _client_factory(address, self._timeout, self._http_transport, direct=self.endpoint.embedded)
                self._clients = _Clients(make, address.url, address.secrets)
            return self._clients

    async def _disconnect(self, clients: "_Clients") -> None:
        """Close connections; the next call connects anew, and starts the embedded model where its server has ended."""
        if self._clients is clients:
            self._clients = None
            for pool in clients.pools:
                await pool.client.close()


@dataclass(slots=True)
class _Pool:
    """A client with its own connections, and the number of calls that use them."""

    client: "openai.AsyncOpenAI"
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class _Clients:
    """The clients of one endpoint, made as they are needed.

    Attributes:
        make: makes a client.
        url: of the endpoint, without credentials.
        secrets: masked in everything that the endpoint sends.
    """

    make: Callable[[], "openai.AsyncOpenAI"]
    url: str
    secrets: tuple[bytes, ...]
    pools: list[_Pool] = field(default_factory=list)

    async def create(self, arguments: Mapping[str, Any]) -> "httpx2.Response":
        """Send a call, and return the response, of whatever status.

        The arguments are JSON already and are given as the body: openai's client would go through each message and
        schema to translate Python's names, which takes a third of the time of a whole call.
        """
        import httpx2
        import openai

        pool = next((pool for pool in self.pools if pool.in_flight < MAX_CONNECTIONS), None)
        if pool is None:
            pool = _Pool(self.make())
            self.pools.append(pool)
        pool.in_flight += 1
        try:
            create = pool.client.chat.completions.with_raw_response.create
            raw = await create(model=arguments["model"], messages=(), extra_body=arguments)
        except openai.APITimeoutError:
            raise TimeoutError from None
        except openai.APIStatusError as error:
            return error.response
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            if isinstance(cause, CallError):
                raise cause from None
            message = on_one_line(self._masked((str(cause) or type(cause).__name__).encode()).decode())
            sent = not isinstance(cause, httpx2.ConnectError)
            raise CallError("unreachable", f"{self.url}: {message}", again=True, billed=sent) from None
        finally:
            pool.in_flight -= 1
        response: httpx2.Response = raw.http_response
        return response

    def read(self, response: "httpx2.Response", *, seconds: float) -> Completion:
        """Return the completion in a response.

        Args:
            response: of whatever status.
            seconds: that the call took.

        Raises:
            CallError: there is none.
        """
        content = self._masked(response.content)
        text = content.decode("utf-8", "replace")
        if not response.is_success:
            raise status_error(response.status_code, response.headers, text)
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = joined_stream(text)
        if answer is None and text.strip() != "null":
            message = f"answered no JSON but {text.strip()[:EXCERPT_LENGTH]!r}; is OPENAI_BASE_URL right?"
            raise CallError("unreachable", f"{self.url}: {message}", again=True) from None
        return read_answer(answer, seconds=seconds, headers=response.headers)

    def text(self, response: "httpx2.Response") -> str:
        """Return the body of a response, with secrets masked."""
        return self._masked(response.content).decode("utf-8", "replace")

    def _masked(self, content: bytes) -> bytes:
        for secret in self.secrets:
            content = content.replace(secret, MASK)
        return content


def _check_whole_prompt(completion: Completion, sent: Mapping[str, Any]) -> None:
    """Refuse an answer to a part of the prompt: Ollama silently cuts what exceeds its context window.

    Raises:
        CallError: the endpoint counted fewer tokens than a prompt of so many bytes can have.
    """
    counted, size, text = completion.tokens_in, prompt_bytes(sent), prompt_text(sent)
    ascii_size = len(text.encode("ascii", "ignore"))
    fills_window = any(abs(counted - window) <= WINDOW_TOLERANCE for window in WINDOW_SIZES)
    minimum = size / MAX_BYTES_PER_TOKEN
    if fills_window:
        minimum = ascii_size / ASCII_BYTES_PER_TOKEN + (size - ascii_size) / ARABIC_BYTES_PER_TOKEN
    if MIN_COUNTED_TOKENS <= counted < minimum - WINDOW_TOLERANCE:
        message = f"the endpoint read {counted:,} tokens of a prompt of {size:,} bytes, so it truncated the prompt"
        remedy = "give the model a larger context (Ollama: OLLAMA_CONTEXT_LENGTH or num_ctx)"
        raise CallError("truncated", f"{message}; {remedy}", again=False)


def _client_factory(
    address: Address, timeout: float, transport: "httpx2.AsyncBaseTransport | None", *, direct: bool
) -> "Callable[[], openai.AsyncOpenAI]":
    """Return a function that makes clients of an endpoint, which do not retry.

    Args:
        address: the endpoint; the credentials and query of its URL are sent, and shown in no log.
        timeout: seconds.
        transport: replaces the network.
        direct: whether to ignore the proxies of the environment: the embedded model is on this machine.

    Raises:
        UsageError: the URL is invalid.
    """
    import httpx2
    import openai
    import openai.resources.chat  # takes a second, which is not to count as the first call's

    try:
        httpx2.URL(address.url)
    except httpx2.InvalidURL as error:
        raise UsageError(f"OPENAI_BASE_URL {address.url!r}: {error}; write it like https://host/v1") from None
    if address.query:
        hide_queries()

    class BoundedHttpClient(openai.DefaultAsyncHttpxClient):
        """Reads a body up to a bound: a megabyte of gzip can be a gigabyte."""

        async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            response = await super().send(request, **{**options, "stream": True})
            pieces, size = [], 0
            try:
                async for piece in response.aiter_bytes():
                    pieces.append(piece)
                    if (size := size + len(piece)) > MAX_RESPONSE_BYTES:
                        raise CallError(
                            "invalid", f"the answer has more than {MAX_RESPONSE_BYTES:,} bytes", again=False
                        )
            finally:
                await response.aclose()
            headers = [item for item in response.headers.multi_items() if item[0] not in _ENCODING_HEADERS]
            return httpx2.Response(response.status_code, headers=headers, content=b"".join(pieces), request=request)

    def make() -> openai.AsyncOpenAI:
        http_client = BoundedHttpClient(
            auth=address.credentials,
            limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
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

    return make
