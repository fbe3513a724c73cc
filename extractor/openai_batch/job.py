"""Store in a job file what was submitted to a provider; the file is replaced atomically after every step.

`JOB.json` holds the ids of the batches and their results. Beside it are, for each batch, its requests by fingerprint
(`JOB.json.1.requests.jsonl`) and those that failed (`JOB.json.1.errors.jsonl`). None of these files holds a key or the
text of an article.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mahdar.errors import UsageError
from mahdar.runs.lines import dumps, lock, write_whole
from mahdar.runs.outputs import json_object

VERSION: Final = 2
OLDER: Final = frozenset({1})
"""Older versions of job files, whose requests differ from this version's."""
_CLOSED: Final = ConfigDict(frozen=True, extra="forbid")
_Read = TypeVar("_Read")


class BatchResult(BaseModel):
    """The result of a batch that has ended and was collected.

    Attributes:
        kept: answers put into the store.
        failed: requests without an answer, by class of failure.
        strangers: lines that are unreadable, or about a request that is not in the batch.
        cost: US dollars; None if the price is unknown.
    """

    model_config = _CLOSED

    kept: int = 0
    failed: dict[str, int] = Field(default_factory=dict)
    strangers: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None


class Batch(BaseModel):
    """One file of requests at the provider.

    Attributes:
        sha256: SHA-256 of the file.
        batch_id: the provider's id of the batch; None while only the file is uploaded.
        result: None until the batch is collected.
    """

    model_config = _CLOSED

    number: int
    requests: int
    sha256: str
    file_id: str
    batch_id: str | None = None
    result: BatchResult | None = None


class _Stored(BaseModel):
    """The content of a job file."""

    model_config = _CLOSED

    version: Literal[2]
    endpoint: str
    model: str
    batches: tuple[Batch, ...] = ()


@dataclass(frozen=True, slots=True)
class SubmittedRequest:
    """A request, as stored with its job.

    Attributes:
        document: id of the article; of the first one if several lead to the same request.
        reask: whether the request asks again after an invalid answer.
        components: the values that the fingerprint is computed from, by name.
    """

    fingerprint: str
    document: str
    reask: bool
    components: Mapping[str, str]


class BatchJob:
    """A job file. Every method that changes it returns after the change is on the disk."""

    def __init__(self, path: Path, stored: _Stored) -> None:
        self.path = path
        self._stored = stored

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a job file.

        Raises:
            UsageError: the file cannot be read, is no job, or is of an older version.
        """
        try:
            content = path.read_bytes()
            if (json_object(content) or {}).get("version") in OLDER:
                raise UsageError(
                    f"{path} was written by an older mahdar, whose requests differ from this version's: submit the "
                    "articles again, with another name for --output"
                )
            return cls(path, _Stored.model_validate_json(content))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror}); `mahdar batch submit` writes a job") from None
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            raise UsageError(
                f"{path}: is no job of mahdar (at {place or 'its beginning'}); name another file"
            ) from None

    @classmethod
    def at(cls, path: Path, *, endpoint: str, model: str) -> Self:
        """Read the job file at `path`, or make a new job, which is written with its first batch.

        Raises:
            UsageError: the file is no job, or a job for another model or endpoint.
        """
        if not os.path.exists(path):  # noqa: PTH110  # Path.exists raises below a closed folder
            return cls(path, _Stored(version=VERSION, endpoint=endpoint, model=model))
        job = cls.read(path)
        job.check(endpoint=endpoint)
        if job.model != model:
            raise UsageError(f"{path} is a job for the model {job.model}, not {model}; name another file with --output")
        return job

    def check(self, *, endpoint: str) -> None:
        """Check that `endpoint` is the one that the batches were submitted to.

        Raises:
            UsageError: it is another one.
        """
        submitted = self._stored.endpoint
        if submitted != endpoint:
            raise UsageError(
                f"{self.path} was submitted to {submitted}, and OPENAI_BASE_URL names {endpoint}; set it back"
            )

    @property
    def model(self) -> str:
        """The model of the requests."""
        return self._stored.model

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The batches in the order of submission."""
        return self._stored.batches

    def put(self, batch: Batch) -> None:
        """Add a batch, or replace the batch of the same number."""
        by_number = {each.number: each for each in self.batches} | {batch.number: batch}
        self._stored = self._stored.model_copy(update={"batches": tuple(by_number.values())})
        write_whole(self.path, [self._stored.model_dump_json(indent=1)])

    def entries(self, batch: Batch) -> Iterator[SubmittedRequest]:
        """Yield the requests of a batch.

        Raises:
            UsageError: their file is missing or damaged.
        """
        return self._lines(batch.number, "requests", _entry)

    def errors(self, batch: Batch) -> Iterator[Mapping[str, Any]]:
        """Yield the failed requests of a batch, as `mahdar.openai_batch.collection` wrote them.

        Raises:
            UsageError: their file is missing or damaged.
        """
        return self._lines(batch.number, "errors", _error) if batch.result and batch.result.failed else iter(())

    def under_way(self) -> set[str]:
        """Return the fingerprints of all requests in batches that are not collected yet."""
        waiting = (batch for batch in self.batches if batch.result is None)
        return {entry.fingerprint for batch in waiting for entry in self.entries(batch)}

    def write_entries(self, number: int, entries: Iterable[SubmittedRequest]) -> None:
        """Write the requests of a batch, before they are uploaded."""
        write_whole(self._beside(number, "requests"), (dumps(asdict(entry)) for entry in entries))

    def write_errors(self, batch: Batch, errors: Iterable[Mapping[str, Any]]) -> None:
        """Write the failed requests of a batch; remove the file if there are none."""
        write_whole(self._beside(batch.number, "errors"), map(dumps, errors))

    def _lines(self, number: int, kind: str, read: Callable[[Any], _Read]) -> Iterator[_Read]:
        path = self._beside(number, kind)
        try:
            with path.open("rb") as lines:
                yield from map(read, map(json.loads, lines))
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            said = f"{type(error).__name__}: {error}"
            raise UsageError(f"{path}: cannot be read ({said}); it belongs beside {self.path.name}") from None

    def _beside(self, number: int, kind: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}.{kind}.jsonl")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a job file against other processes that submit or collect it.

    Raises:
        UsageError: another process holds the lock, or the lock file cannot be created.
    """
    try:
        descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); name another file with --output") from None
    try:
        if not lock(descriptor):
            raise UsageError(f"{path}: another process is at work on this job; wait for it to end")
        yield
    finally:
        os.close(descriptor)


def _entry(line: Any) -> SubmittedRequest:
    """Validate the object of a line as a request.

    Raises:
        LookupError, TypeError, ValueError: it is not a request.
    """
    entry = SubmittedRequest(**line)
    texts = (entry.fingerprint, entry.document, *(entry.components[name] for name in ("task", "schema")))
    if not all(isinstance(text, str) for text in texts) or not isinstance(entry.reask, bool):
        raise TypeError("a request has texts, and says whether it is a re-ask")
    return entry


def _error(line: Any) -> Mapping[str, Any]:
    """Validate the object of a line as a failed request.

    Raises:
        LookupError, TypeError: it is not a failed request.
    """
    if not isinstance(line["fingerprint"], str):
        raise TypeError("a fingerprint is a text")
    return dict(line)
