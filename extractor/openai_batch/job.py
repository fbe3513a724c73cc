"""A job: what was handed to a provider, in a small file that is replaced whole after every step.

`JOB.json` holds the ids of the batches and what came of them. Beside it stand, for each batch, its requests by
fingerprint (`JOB.json.1.requests.jsonl`) and those that failed (`JOB.json.1.errors.jsonl`). None of them holds a key or
an article's words.
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
"""Versions whose requests are no longer made."""
_CLOSED: Final = ConfigDict(frozen=True, extra="forbid")
_Read = TypeVar("_Read")


class BatchResult(BaseModel):
    """What came of a batch, once it has ended and was collected.

    Attributes:
        kept: answers that are in the store.
        failed: requests without an answer, by class.
        strangers: lines about requests that were never made, or that cannot be read.
        cost: US dollars; None where the price is not known.
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
        sha256: of the file.
        batch_id: None while only the file is there.
        result: None until it was collected.
    """

    model_config = _CLOSED

    number: int
    requests: int
    sha256: str
    file_id: str
    batch_id: str | None = None
    result: BatchResult | None = None


class _Stored(BaseModel):
    """The form of the file."""

    model_config = _CLOSED

    version: Literal[2]
    endpoint: str
    model: str
    batches: tuple[Batch, ...] = ()


@dataclass(frozen=True, slots=True)
class SubmittedRequest:
    """A request as a job remembers it.

    Attributes:
        document: the article that raised it; the first, where several do.
        reask: whether an answer that did not hold came before.
        components: what the fingerprint is made of.
    """

    fingerprint: str
    document: str
    reask: bool
    components: Mapping[str, str]


class Job:
    """A job file. Every change is on the disk, entire, before the method returns."""

    def __init__(self, path: Path, stored: _Stored) -> None:
        self.path = path
        self._stored = stored

    @classmethod
    def read(cls, path: Path) -> Self:
        """The job in a file.

        Raises:
            UsageError: there is none.
        """
        try:
            content = path.read_bytes()
            if (json_object(content) or {}).get("version") in OLDER:
                raise UsageError(
                    f"{path} is a job of an older mahdar, which is left as it is: its answers are to requests that are "
                    "no longer made; submit the articles again, with another name for --output"
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
        """The job in a file, or a new one, which is written with its first batch.

        Raises:
            UsageError: the file holds something else, or a job for another model or endpoint.
        """
        if not os.path.exists(path):  # noqa: PTH110  # Path.exists raises below a closed folder
            return cls(path, _Stored(version=VERSION, endpoint=endpoint, model=model))
        job = cls.read(path)
        job.check(endpoint=endpoint)
        if job.model != model:
            raise UsageError(f"{path} is a job for the model {job.model}, not {model}; name another file with --output")
        return job

    def check(self, *, endpoint: str) -> None:
        """Refuse an endpoint that knows nothing of these batches.

        Raises:
            UsageError: it is not the one they were submitted to.
        """
        known = self._stored.endpoint
        if known != endpoint:
            raise UsageError(f"{self.path} was submitted to {known}, and OPENAI_BASE_URL names {endpoint}; set it back")

    @property
    def model(self) -> str:
        """The model that was asked."""
        return self._stored.model

    @property
    def batches(self) -> tuple[Batch, ...]:
        """In the order of submission."""
        return self._stored.batches

    def put(self, batch: Batch) -> None:
        """Add a batch, or what is new of it."""
        others = {one.number: one for one in self.batches} | {batch.number: batch}
        self._stored = self._stored.model_copy(update={"batches": tuple(others.values())})
        write_whole(self.path, [self._stored.model_dump_json(indent=1)])

    def entries(self, batch: Batch) -> Iterator[SubmittedRequest]:
        """The requests of a batch.

        Raises:
            UsageError: their file is gone, or changed.
        """
        return self._lines(batch.number, "requests", _entry)

    def errors(self, batch: Batch) -> Iterator[Mapping[str, Any]]:
        """The requests of a batch that came to nothing.

        Raises:
            UsageError: their file is gone, or changed.
        """
        return self._lines(batch.number, "errors", _error) if batch.result and batch.result.failed else iter(())

    def under_way(self) -> set[str]:
        """The fingerprints of what is with the provider, or was and is not collected yet."""
        waiting = (batch for batch in self.batches if batch.result is None)
        return {entry.fingerprint for batch in waiting for entry in self.entries(batch)}

    def write_entries(self, number: int, entries: Iterable[SubmittedRequest]) -> None:
        """Remember the requests of a batch, before any of them leaves."""
        write_whole(self._beside(number, "requests"), (dumps(asdict(entry)) for entry in entries))

    def write_errors(self, batch: Batch, errors: Iterable[Mapping[str, Any]]) -> None:
        """Name the requests of a batch that have no answer; no file where there are none."""
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
def held(path: Path) -> Iterator[None]:
    """Keep other processes from submitting or collecting the job in a file.

    Raises:
        UsageError: one does.
    """
    try:
        descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        if not lock(descriptor):
            raise UsageError(f"{path}: another process is at work on this job; wait for it to end")
        yield
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path}: cannot be written ({error.strerror}); name another file with --output")


def _entry(line: Any) -> SubmittedRequest:
    """A request, of which nothing is missing.

    Raises:
        LookupError, TypeError, ValueError: it is none.
    """
    entry = SubmittedRequest(**line)
    texts = (entry.fingerprint, entry.document, *(entry.components[name] for name in ("task", "schema")))
    if not all(isinstance(text, str) for text in texts) or not isinstance(entry.reask, bool):
        raise TypeError("a request has texts, and says whether it is a re-ask")
    return entry


def _error(line: Any) -> Mapping[str, Any]:
    """A request that came to nothing.

    Raises:
        LookupError, TypeError: it is none.
    """
    if not isinstance(line["fingerprint"], str):
        raise TypeError("a fingerprint is a text")
    return dict(line)
