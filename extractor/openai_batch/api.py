"""The provider's files and batches, by openai's client.

What is harmless to ask twice, the client asks again by itself. A batch is never created twice: who lost the answer to
that looks among the provider's batches first.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile, gettempdir
from typing import IO, TYPE_CHECKING, Final

from mahdar.errors import MahdarError, NoModelError, UsageError
from mahdar.llm.endpoint import Address, Endpoint, address_of
from mahdar.llm.network import check_network
from mahdar.llm.reply import status_error
from mahdar.llm.transport import BLOT
from mahdar.observability.logs import hide_queries

if TYPE_CHECKING:
    import httpx2
    import openai
    from openai.types import Batch

CHAT: Final = "/v1/chat/completions"
"""What the requests of a batch ask, at every provider, whatever its base URL."""
WINDOW: Final = "24h"
"""The only one there is."""
MARK: Final = "mahdar"
"""The metadata that says which file a batch is of."""
RETRIES: Final = 4
KEPT: Final = 30 * 86_400.0
"""Seconds that a provider keeps the answers of a batch; an older one is none to go on with."""
PAGE: Final = 100
ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
USABLE: Final = frozenset({"validating", "in_progress", "finalizing", "completed"})
NOT_FOUND: Final = 404
LONGEST_LINE: Final = 32_000_000
"""Bytes; the longest answer allowed has a hundredth of that. A longer line is passed over, not held in memory."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a batch stands.

    Attributes:
        done: requests that have their answer.
        failed: requests that will have none.
        answers: the file of answers, once there is one.
        errors: the file of errors, if there are any.
        reason: why the whole batch was refused: a code and a message.
    """

    id: str
    status: str
    done: int
    failed: int
    answers: str | None
    errors: str | None
    reason: tuple[str, str] | None

    @property
    def ended(self) -> bool:
        """Nothing more will come."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Found:
    """A batch that is there already."""

    batch_id: str
    file_id: str


class BatchApi:
    """A provider that takes batches.

    Args:
        endpoint: where it is.
        timeout: seconds without a sign of life.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        address = address_of(endpoint.base_url, endpoint.api_key)
        self.url, self._secrets = address.url, address.secrets
        self._client = _client(address, timeout)

    def upload(self, content: IO[bytes], name: str) -> str:
        """The id of a new file of requests."""
        with self._named():
            return _id(self._client.files.create(file=(name, content), purpose="batch").id)

    def create(self, file_id: str, sha256: str) -> str:
        """The id of a new batch of an uploaded file."""
        with self._named():
            batches = self._client.with_options(max_retries=0).batches
            made = batches.create(
                input_file_id=file_id, endpoint=CHAT, completion_window=WINDOW, metadata={MARK: sha256}
            )
            return _id(made.id)

    def find(self, sha256: str, known: frozenset[str], file_id: str | None = None) -> Found | None:
        """A batch of the same requests that runs, or has run, and is none of those known."""
        with self._named():
            for batch in self._client.batches.list(limit=PAGE):
                if batch.created_at < time.time() - KEPT:
                    break
                same = (batch.metadata or {}).get(MARK) == sha256 or batch.input_file_id == file_id
                if same and batch.status in USABLE and batch.id not in known:
                    return Found(batch.id, batch.input_file_id)
        return None

    def state(self, batch_id: str) -> State:
        """Where a batch stands."""
        with self._named():
            return self._state(self._client.batches.retrieve(batch_id))

    @contextmanager
    def lines(self, file_id: str) -> Iterator[Iterator[bytes] | None]:
        """The lines of a file, after all of it has come; None where the provider has it no longer."""
        with spooled() as copy:
            try:
                with self._named(), self._client.files.with_streaming_response.content(file_id) as response:
                    copy.writelines(response.iter_bytes())
            except _GoneError:
                yield None
                return
            copy.seek(0)
            yield map(self._blotted, _lines(copy))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _state(self, batch: "Batch") -> State:
        counts, refused = batch.request_counts, (batch.errors and batch.errors.data) or []
        said = self._blotted(" ".join((refused[0].message or "").split()).encode()).decode() if refused else ""
        return State(
            id=batch.id,
            status=batch.status,
            done=counts.completed if counts else 0,
            failed=counts.failed if counts else 0,
            answers=batch.output_file_id,
            errors=batch.error_file_id,
            reason=(refused[0].code or "", said) if refused else None,
        )

    def _blotted(self, line: bytes) -> bytes:
        for secret in self._secrets:
            line = line.replace(secret, BLOT)
        return line

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What goes wrong, in one line.

        Raises:
            NoModelError: the provider is not reached, or cannot answer now.
            UsageError: it refuses.
        """
        import httpx2
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            raise self._refused(error.response) from None
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            cause = error.__cause__ or error
            said = self._blotted((str(cause) or type(cause).__name__).encode()).decode("utf-8", "replace")
            raise NoModelError(f"{self.url}: {said}; run the same command again") from None
        except (AttributeError, TypeError, ValueError):  # what openai's client makes of an answer that is none
            raise UsageError(f"{self.url}: answers /files and /batches in no form that is known; has it any?") from None

    def _refused(self, response: "httpx2.Response") -> MahdarError:
        said = self._blotted(response.content).decode("utf-8", "replace")
        error = status_error(response.status_code, response.headers, said)
        if error.again:
            return NoModelError(f"{self.url}: {error}; run the same command again later")
        kind = _GoneError if response.status_code == NOT_FOUND else UsageError
        return kind(f"{self.url}: {error}")


@contextmanager
def spooled() -> Iterator[IO[bytes]]:
    """A file for what is passing through: it has no name, and is gone with the process.

    Raises:
        UsageError: the disk is full.
    """
    try:
        with TemporaryFile() as file:
            yield file
    except OSError as error:
        raise UsageError(f"{gettempdir()}: cannot be written ({error.strerror}); free space, or set TMPDIR") from None


class _GoneError(UsageError):
    """What was asked for is not there, or not for this account."""


def _client(address: Address, timeout: float) -> "openai.OpenAI":
    """A client that sends credentials and query of the URL as it would send them."""
    import openai

    check_network()
    if address.query:
        hide_queries()
    return openai.OpenAI(
        api_key=address.key,
        base_url=address.url,
        default_query=address.query,
        max_retries=RETRIES,
        timeout=timeout,
        http_client=openai.DefaultHttpxClient(auth=address.credentials, timeout=timeout),
    )


def _id(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Its lines, by line feeds alone: an answer may hold other characters that end a line elsewhere."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST_LINE)
            line = b"{"  # unreadable, and counted as such
        yield line
