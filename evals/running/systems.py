"""Systems: who extracts. mahdar itself, asked live, recorded or replayed; `mahdar.evals.naive.program` is another."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from mahdar.documents.document import Document
from mahdar.errors import ExtractionError, UsageError
from mahdar.evals.running.corpus import Case
from mahdar.evals.running.recording import Recordings
from mahdar.evals.running.runs import Asked, Mode
from mahdar.evals.running.transports import RecordingTransport, ReplayTransport
from mahdar.llm.client import Client, Policy
from mahdar.llm.drafter import LLMDrafter
from mahdar.llm.endpoint import EMBEDDED_PASSAGE, PASSAGE, Endpoint, embedded_endpoint, remote_endpoint
from mahdar.llm.transport import OpenAITransport, Progress
from mahdar.results import Failure
from mahdar.schemas.records import Extraction
from mahdar.service import Extractor
from mahdar.settings import EMBEDDED, OFFLINE, Settings
from mahdar.tasks import TASKS

REMOTE_CONCURRENCY = 8
"""Articles at once of a hosted model. On this machine it gains nothing, and one by one the seconds are honest."""


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
        """

    def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen of a system."""

    model: str | None = None
    tasks: tuple[str, ...] = TASKS
    prompts: tuple[Path, ...] = ()
    schemas: tuple[str, ...] = ()
    """modules that define further tasks, imported already"""
    answer_mode: str | None = None
    concurrency: int | None = None


class Mahdar:
    """The extractor, without its cache: live asks anew, record writes every answer down, replay reads them.

    Args:
        options: what is chosen.
        mode: where answers come from.
        recordings: the answers that were written down.
        endpoint: what is asked, or was; None for the rule reader.
        settings: of the environment; a replay takes none of them.
        progress: told what the embedded model's start is doing.
    """

    def __init__(
        self,
        options: Options,
        mode: Mode,
        recordings: Recordings,
        endpoint: Endpoint | None,
        *,
        settings: Settings,
        progress: Progress | None = None,
    ) -> None:
        if mode == "replay" and endpoint is not None:
            settings = Settings(model=EMBEDDED if endpoint.embedded else endpoint.model)
        self._endpoint = endpoint
        self._replayed = recordings if mode == "replay" else None
        self.concurrency = concurrency_of(options, mode, endpoint)
        self._extractor = Extractor(
            settings,
            tasks=options.tasks,
            prompts=options.prompts,
            store=None,
            concurrency=self.concurrency,
            transport=_recording(recordings, endpoint, settings, progress) if mode == "record" else None,
            drafter=_replaying(recordings, endpoint, self.concurrency) if mode == "replay" else None,
            progress=progress,
        )

    @property
    def asked(self) -> Asked:
        """By what makes the records, and how it is asked."""
        makers, endpoint = self._extractor.made_by, self._endpoint
        return Asked(
            system="mahdar",
            made_by={task: maker.name for task, maker in makers.items()},
            mode=endpoint.mode if endpoint else None,
            parameters=dict(endpoint.parameters) if endpoint else {},
            prompts={task: maker.prompt for task, maker in makers.items() if maker.prompt},
            schemas={task: maker.schema for task, maker in makers.items() if maker.schema},
            said=self._replayed.described(endpoint.model).said if self._replayed and endpoint else None,
        )

    def extract(self, document: Document) -> Extraction:
        """Extract one article; in a replay its seconds are those of the recorded calls."""
        found = self._extractor.extract(document)
        if self._replayed is None:
            return found
        seconds = round(self._replayed.seconds(found.provenance.fingerprints), 3)
        return found.model_copy(update={"provenance": found.provenance.model_copy(update={"seconds": seconds})})

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


def endpoint_of(options: Options, mode: Mode, recordings: Recordings, settings: Settings) -> Endpoint | None:
    """What is asked: by the settings, or in a replay by the recordings; None for the rule reader.

    Raises:
        UsageError: the rule reader has no answers to record or to replay; nothing is recorded; or the settings name no
            endpoint that can be used.
        NoModelError: the embedded model is named, and the extra `local` is not installed.
    """
    replayed = mode == "replay" and options.model != OFFLINE
    if settings.offline and mode != "live" and not replayed:
        raise UsageError(f"--mode {mode}: the rule reader has no answers to {mode}: run it live, or name a model")
    if not replayed:
        if settings.offline:
            return None
        return embedded_endpoint(settings) if settings.embedded else remote_endpoint(settings)
    found = recordings.described(options.model)
    return Endpoint(
        base_url="",
        api_key="",
        model=found.model,
        mode=options.answer_mode or found.mode,
        passage=EMBEDDED_PASSAGE if found.embedded else PASSAGE,
        parameters=found.parameters,
        embedded=found.embedded,
    )


def concurrency_of(options: Options, mode: Mode, endpoint: Endpoint | None) -> int:
    """Articles at once."""
    on_this_machine = endpoint is None or (endpoint.embedded and mode != "replay")
    return options.concurrency or (1 if on_this_machine else REMOTE_CONCURRENCY)


def _recording(
    recordings: Recordings, endpoint: Endpoint | None, settings: Settings, progress: Progress | None
) -> Callable[[], RecordingTransport]:
    """What makes the transport of a recording; the extractor closes it."""
    assert endpoint is not None, "the rule reader is not recorded"
    asked = endpoint
    return lambda: RecordingTransport(recordings, OpenAITransport(asked, timeout=settings.timeout, progress=progress))


def _replaying(recordings: Recordings, endpoint: Endpoint | None, concurrency: int) -> LLMDrafter:
    """Who drafts from recordings, as their endpoint was asked; the environment has no part in it."""
    assert endpoint is not None, "the rule reader is not replayed"
    policy = Policy().for_embedded() if endpoint.embedded else Policy()
    return LLMDrafter(endpoint, Client(ReplayTransport(recordings), None, policy=policy, concurrency=concurrency))


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
    """
    found = []
    for result in extract_documents(system, [case.document for case in cases]):
        found.append(result)
        done(result)
    return found


def extract_documents(system: System, documents: Sequence[Document]) -> Iterator[Extraction | Failure]:
    """Extract documents, several at once, and yield the results in their order."""
    if system.concurrency == 1:
        yield from (_result(system, document) for document in documents)
        return
    pool = ThreadPoolExecutor(system.concurrency)
    try:
        waiting = [pool.submit(_result, system, document) for document in documents]
        yield from (future.result() for future in waiting)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # who interrupts does not wait for the article under way


def _result(system: System, document: Document) -> Extraction | Failure:
    try:
        return system.extract(document)
    except ExtractionError as error:
        return Failure(document.id, error.failure, str(error), error.usage)
