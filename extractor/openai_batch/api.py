"""Access a provider's files and batches through openai's client.

Idempotent requests are retried by the client. Creating a batch is not retried: if the answer was lost, the batch is
looked up among the provider's batches first.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile, gettempdir
from typing import IO, TYPE_CHECKING, Final

from mahdar.errors import MahdarError, NoModelError, UsageError
from mahdar.llm.endpoint import Endpoint, address_of
from mahdar.llm.network import check_network
from mahdar.llm.reply import status_error
from mahdar.llm.transport import MASK
from mahdar.observability.logs import hide_queries

if TYPE_CHECKING:
    import httpx2

CHAT: Final = "/v1/chat/completions"
"""Path of the requests in a batch, at every provider, whatever its base URL."""
WINDOW: Final = "24h"
"""Completion window; the only one that exists."""
MARK: Final = "mahdar"
"""Key of the batch metadata that holds the SHA-256 of its file."""
RETRIES: Final = 4
KEPT: Final = 30 * 86_400.0
"""Seconds for which a provider keeps the answers of a batch; older batches are not reused."""
PAGE: Final = 100
ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
USABLE: Final = frozenset({"validating", "in_progress", "finalizing", "completed"})
NOT_FOUND: Final = 404
LONGEST_LINE: Final = 32_000_000
"""Bytes, about a hundred times the longest answer allowed. A longer line is skipped, so as not to hold it in memory."""


@dataclass(frozen=True, slots=True)
class State:
    """The state of a batch at the provider.

    Attributes:
        done: requests answered.
        failed: requests that failed.
        answers: id of the output file; None until there is one.
        errors: id of the error file; None if there is none.
        reason: code and message of the error for which the whole batch was refused; None if it was not.
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
        """Whether the batch has ended."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Found:
    """A batch found at the provider."""

    batch_id: str
    file_id: str


class BatchApi:
    """The batch API of a provider.

    Args:
        endpoint: address and key.
        timeout: seconds to wait for a connection, and for each piece of a response.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        import openai

        address = address_of(endpoint.base_url, endpoint.api_key)
        self.url, self._secrets = address.url, address.secrets
        check_network()
        if address.query:
            hide_queries()
        self._client = openai.OpenAI(
            api_key=address.key,
            base_url=address.url,
            default_query=address.query,
            max_retries=RETRIES,
            timeout=timeout,
            http_client=openai.DefaultHttpxClient(auth=address.credentials, timeout=timeout),
        )

    def upload(self, content: IO[bytes], name: str) -> str:
        """Upload a file of requests, and return its id."""
        with self._translated_errors():
            return _id(self._client.files.create(file=(name, content), purpose="batch").id)

    def create(self, file_id: str, sha256: str) -> str:
        """Create a batch of an uploaded file, and return its id."""
        with self._translated_errors():
            batches = self._client.with_options(max_retries=0).batches
            batch = batches.create(
                input_file_id=file_id, endpoint=CHAT, completion_window=WINDOW, metadata={MARK: sha256}
            )
            return _id(batch.id)

    def find(self, sha256: str, known: frozenset[str], file_id: str | None = None) -> Found | None:
        """Find a batch of the same requests that runs or has completed, other than those of `known` ids.

        Args:
            sha256: of the file of requests.
            known: ids of batches to skip.
            file_id: id of the uploaded file, by which batches without metadata are recognized.

        Returns:
            The batch; None if there is none.
        """
        with self._translated_errors():
            for batch in self._client.batches.list(limit=PAGE):
                if batch.created_at < time.time() - KEPT:
                    break
                same = (batch.metadata or {}).get(MARK) == sha256 or batch.input_file_id == file_id
                if same and batch.status in USABLE and batch.id not in known:
                    return Found(batch.id, batch.input_file_id)
        return None

    def state(self, batch_id: str) -> State:
        """Return the state of a batch."""
        with self._translated_errors():
            batch = self._client.batches.retrieve(batch_id)
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

    @contextmanager
    def lines(self, file_id: str) -> Iterator[Iterator[bytes] | None]:
        """Download a file and give its lines; None if the provider has deleted it."""
        with spooled() as copy:
            try:
                with self._translated_errors(), self._client.files.with_streaming_response.content(file_id) as response:
                    copy.writelines(response.iter_bytes())
            except _GoneError:
                yield None
                return
            copy.seek(0)
            yield map(self._blotted, _lines(copy))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _blotted(self, line: bytes) -> bytes:
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        return line

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Translate errors of openai's client into errors of one line.

        Raises:
            NoModelError: the provider cannot be reached, or cannot answer now.
            UsageError: the provider refuses, or has no batch API.
        """
        import httpx2
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            raise self._refused(error.response) from None
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            cause = error.__cause__ or error
            message = self._blotted((str(cause) or type(cause).__name__).encode()).decode("utf-8", "replace")
            raise NoModelError(f"{self.url}: {message}; run the same command again") from None
        except (AttributeError, TypeError, ValueError):  # openai's client raises these for answers of another form
            raise UsageError(
                f"{self.url}: answers /files and /batches in an unknown form; does it have a batch API?"
            ) from None

    def _refused(self, response: "httpx2.Response") -> MahdarError:
        body = self._blotted(response.content).decode("utf-8", "replace")
        error = status_error(response.status_code, response.headers, body)
        if error.again:
            return NoModelError(f"{self.url}: {error}; run the same command again later")
        kind = _GoneError if response.status_code == NOT_FOUND else UsageError
        return kind(f"{self.url}: {error}")


@contextmanager
def spooled() -> Iterator[IO[bytes]]:
    """Open a temporary file without a name, which is deleted when it is closed.

    Raises:
        UsageError: the file cannot be written, as on a full disk.
    """
    try:
        with TemporaryFile() as file:
            yield file
    except OSError as error:
        raise UsageError(f"{gettempdir()}: cannot be written ({error.strerror}); free space, or set TMPDIR") from None


class _GoneError(UsageError):
    """The provider has no such object, or not for this account."""


def _id(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file, split at line feeds alone: an answer may hold other line separators."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST_LINE)
            line = b"{"  # not JSON, so counted as unreadable
        yield line
