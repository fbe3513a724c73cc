"""Systems: who extracts. mahdar itself, asked live, recorded or replayed; `evals.naive.program` is another."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from evals.running import recording
from evals.running.corpus import Case
from evals.running.recording import MissingRecordingError, RecordingDoor, Recordings, Replay
from evals.running.runs import Asked, Mode
from extractor.documents.document import Document
from extractor.errors import ExtractionError
from extractor.llm.endpoint import Endpoint, embedded_endpoint, remote_endpoint
from extractor.llm.transport import Progress
from extractor.service import Extractor, Failure
from extractor.settings import Settings
from extractor.tasks import TASKS
from schemas.records import Extraction

REMOTE_CONCURRENCY = 8
"""Articles at once of a hosted model. The embedded one gains nothing by it, and one by one its seconds are honest."""


class System(Protocol):
    """Extracts articles."""

    concurrency: int

    @property
    def asked(self) -> Asked:
        """Who is asked, and how."""

    def extract(self, document: Document) -> Extraction:
        """Extract one article.

        Raises:
            ExtractionError: it failed.
            MissingRecordingError: in a replay, an answer is not recorded.
        """

    def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen of a system."""

    model: str | None = None
    tasks: tuple[str, ...] = TASKS
    prompts: tuple[Path, ...] = ()
    answer_mode: str | None = None
    concurrency: int | None = None


class Mahdar:
    """The extractor, without its cache: live asks anew, record writes every answer down, replay reads them."""

    def __init__(
        self,
        options: Options,
        mode: Mode,
        recordings: Recordings | None = None,
        *,
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> None:
        settings = with_options(settings or Settings.from_environment(), options)
        self._endpoint = endpoint_of(settings)
        self._recordings = recordings if mode == "replay" else None
        self._options = options
        self.concurrency = options.concurrency or (1 if self._endpoint.embedded else REMOTE_CONCURRENCY)
        self._extractor = Extractor(
            settings,
            tasks=options.tasks,
            prompts=options.prompts,
            store=None,
            concurrency=self.concurrency,
            caller=_caller(self._endpoint, mode, recordings, settings.timeout, progress),
            progress=progress,
        )
        self._prompts: dict[str, str] = {}
        self._schemas: dict[str, str] = {}

    @property
    def asked(self) -> Asked:
        """By the endpoint and by what the extractions say of themselves."""
        return Asked(
            system="mahdar",
            model=self._endpoint.model,
            mode=self._endpoint.mode,
            parameters=dict(self._endpoint.parameters),
            prompts=self._prompts,
            schemas=self._schemas,
        )

    def extract(self, document: Document) -> Extraction:
        """Extract one article; in a replay its seconds are those of the recorded calls."""
        found = self._extractor.extract(document)
        self._prompts |= found.provenance.prompts
        self._schemas |= found.provenance.schemas
        return found if self._recordings is None else as_recorded(found, self._recordings)

    def close(self) -> None:
        """Let go of connections."""
        self._extractor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def with_options(settings: Settings, options: Options) -> Settings:
    """The environment's settings, overridden by what was chosen."""
    return replace(settings, model=options.model or settings.model, mode=options.answer_mode or settings.mode)


def endpoint_of(settings: Settings) -> Endpoint:
    """What the settings ask."""
    return embedded_endpoint(settings) if settings.embedded else remote_endpoint(settings)


def as_recorded(found: Extraction, recordings: Recordings) -> Extraction:
    """The extraction with the seconds that its answers took when they were recorded."""
    made = found.provenance
    seconds = round(recordings.seconds(made.fingerprints), 3)
    return found.model_copy(update={"provenance": made.model_copy(update={"seconds": seconds})})


def ignored(_result: Extraction | Failure) -> None:
    """Nobody watches."""


def extract_all(
    system: System, cases: Sequence[Case], done: Callable[[Extraction | Failure], None] = ignored
) -> list[Extraction | Failure]:
    """What becomes of every article, in their order.

    Args:
        system: who extracts.
        cases: the corpus.
        done: told of each result.

    Raises:
        MissingRecordingError: a replay lacks answers; the recordings then know all of them.
    """
    found = []
    missing: MissingRecordingError | None = None
    for result in _results(system, cases):
        if isinstance(result, MissingRecordingError):
            missing = result
        else:
            found.append(result)
            done(result)
    if missing is not None:
        raise missing
    return found


def _results(system: System, cases: Sequence[Case]) -> Iterator[Extraction | Failure | MissingRecordingError]:
    if system.concurrency == 1:
        yield from (_result(system, case.document) for case in cases)
        return
    pool = ThreadPoolExecutor(system.concurrency)
    try:
        waiting = [pool.submit(_result, system, case.document) for case in cases]
        yield from (future.result() for future in waiting)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # who interrupts does not wait for the article under way


def _result(system: System, document: Document) -> Extraction | Failure | MissingRecordingError:
    token = recording.article.set(document)
    try:
        return system.extract(document)
    except MissingRecordingError as error:
        return error
    except ExtractionError as error:
        return Failure(document.id, error.failure, str(error), error.attempts)
    finally:
        recording.article.reset(token)


def _caller(
    endpoint: Endpoint, mode: Mode, recordings: Recordings | None, timeout: float, progress: Progress | None
) -> RecordingDoor | Replay | None:
    """Who is asked in place of the endpoint; None for the endpoint itself."""
    if mode == "live":
        return None
    assert recordings is not None, "recording and replaying need recordings"
    if mode == "record":
        return RecordingDoor(recordings, endpoint, timeout=timeout, progress=progress)
    return Replay(recordings)
