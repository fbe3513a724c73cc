"""Extract documents for an evaluation: ask the model live, record its answers, or replay recorded ones."""

import datetime as dt
import logging
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mahdar.cli.progress import Silent, shown
from mahdar.documents.document import Document
from mahdar.errors import UsageError
from mahdar.evals.running.recording import Description, Recordings
from mahdar.evals.running.runs import Asked, Mode
from mahdar.evals.running.transports import RecordingTransport, ReplayTransport
from mahdar.llm.client import Client, Policy
from mahdar.llm.drafter import LLMDrafter
from mahdar.llm.endpoint import EMBEDDED_PASSAGE_TOKENS, PASSAGE_TOKENS, Endpoint, endpoint_of
from mahdar.llm.transport import OpenAITransport
from mahdar.results import Failure
from mahdar.runs.outputs import Result
from mahdar.runs.run import RunTally
from mahdar.service import Extractor
from mahdar.settings import EMBEDDED, OFFLINE, Settings
from mahdar.tasks import TASKS

log = logging.getLogger("mahdar")

REMOTE_CONCURRENCY = 8
"""Articles in flight to a hosted model. On this machine one at a time is as fast, and makes the seconds comparable."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose; None leaves it to the environment, or in a replay to the recording."""

    model: str | None = None
    tasks: tuple[str, ...] = TASKS
    prompts: tuple[Path, ...] = ()
    schemas: tuple[str, ...] = ()
    """modules that define further tasks, already imported"""
    answer_mode: str | None = None
    concurrency: int | None = None
    """articles in flight"""


def record_line(words: Sequence[str], options: Options, *, embedded: bool) -> str:
    """Return the line that tells how to record answers.

    Args:
        words: the command and its first options.
        options: the tasks, templates and modules that the command needs too.
        embedded: whether it asks the embedded model, which needs no endpoint.
    """
    further = [word for task in options.tasks if options.tasks != TASKS for word in ("--task", task)]
    further += [word for folder in options.prompts for word in ("--prompts", str(folder))]
    further += [word for module in options.schemas for word in ("--schemas", module)]
    needed = "" if embedded else ", with OPENAI_API_KEY or OPENAI_BASE_URL set"
    return f"record: {shlex.join([*words, *further])}{needed}"


@dataclass(frozen=True, slots=True)
class Extracted:
    """The results of extracting the same documents once or several times."""

    repeats: tuple[Mapping[str, Result], ...]
    """document id → extraction or failure, in the order of the documents; one mapping for each repeat"""
    asked: Asked


def extract_documents(
    documents: Sequence[Document],
    options: Options,
    mode: Mode,
    folder: Path,
    *,
    record_command: Callable[[Endpoint | None], str],
    fresh: bool = False,
    repeats: int = 1,
) -> Extracted:
    """Extract documents without the cache.

    Args:
        documents: the articles, each with its own id.
        options: model, tasks, templates and concurrency.
        mode: `live` asks the model, `record` also writes its answers to the folder, `replay` reads them from there
            and takes nothing from the environment.
        folder: the recordings.
        record_command: returns the command that would record these documents, for messages.
        fresh: when recording, ask again for answers that are recorded.
        repeats: how many times to extract all documents.

    Raises:
        UsageError: a setting is unusable, the rule reader is to be recorded or replayed, or a replay lacks an answer.
        NoModelError: no model is reachable.
    """
    settings = Settings() if mode == "replay" else Settings.from_environment()
    settings = replace(settings, model=options.model or settings.model, mode=options.answer_mode or settings.mode)
    recordings = Recordings(folder, {document.sha256: document.id for document in documents}, fresh=fresh)
    try:
        endpoint = _endpoint(options, mode, recordings, settings)
    except UsageError as error:
        if mode != "replay":
            raise
        raise UsageError(f"{error}\n{record_command(None)}") from None
    slow = endpoint is not None and endpoint.embedded and mode != "replay"
    try:
        with (
            shown(len(documents) * repeats, slow=slow) as progress,
            _extractor(options, mode, recordings, endpoint, settings=settings, progress=progress) as extractor,
        ):
            results = _extract(extractor, documents, repeats, progress, recordings if mode == "replay" else None)
            asked = _asked(extractor, endpoint, recordings if mode == "replay" else None)
    finally:
        if mode == "record" and endpoint is not None:
            recordings.describe(
                Description(
                    model=endpoint.model,
                    mode=endpoint.mode,
                    parameters=endpoint.parameters,
                    embedded=endpoint.embedded,
                    asked=dt.datetime.now(dt.UTC).date(),
                )
            )
    if recordings.missed:
        raise UsageError("\n".join((*recordings.missed, record_command(endpoint))))
    if recordings.reasks_missed:
        log.warning(
            "validation now asks again about %s, which is not recorded: the first answers stand; %s",
            ", ".join(recordings.reasks_missed),
            record_command(endpoint),
        )
    if mode == "record":
        recordings.prune({id_ for id_, result in results[0].items() if not isinstance(result, Failure)})
    return Extracted(results, asked)


def _endpoint(options: Options, mode: Mode, recordings: Recordings, settings: Settings) -> Endpoint | None:
    """Return the endpoint of the settings, or in a replay the recorded one; None for the rule reader."""
    replayed = mode == "replay" and options.model != OFFLINE
    if settings.offline and mode != "live" and not replayed:
        raise UsageError(f"--mode {mode}: the rule reader has no answers to {mode}: run it live, or name a model")
    if not replayed:
        if settings.offline:
            return None
        return endpoint_of(settings)
    recorded = recordings.described(options.model)
    return Endpoint(
        base_url="",
        api_key="",
        model=recorded.model,
        mode=options.answer_mode or recorded.mode,
        passage=EMBEDDED_PASSAGE_TOKENS if recorded.embedded else PASSAGE_TOKENS,
        parameters=recorded.parameters,
        embedded=recorded.embedded,
    )


def _extractor(
    options: Options,
    mode: Mode,
    recordings: Recordings,
    endpoint: Endpoint | None,
    *,
    settings: Settings,
    progress: Silent,
) -> Extractor:
    one_at_a_time = endpoint is None or (endpoint.embedded and mode != "replay")
    concurrency = options.concurrency or (1 if one_at_a_time else REMOTE_CONCURRENCY)
    transport: Callable[[], RecordingTransport] | None = None
    drafter: LLMDrafter | None = None
    if mode == "record" and endpoint is not None:
        at = endpoint
        transport = lambda: RecordingTransport(  # noqa: E731  # made in the extractor's event loop, which closes it
            recordings, OpenAITransport(at, timeout=settings.timeout, progress=progress.phase)
        )
    if mode == "replay" and endpoint is not None:
        settings = Settings(model=EMBEDDED if endpoint.embedded else endpoint.model)
        policy = Policy().for_embedded() if endpoint.embedded else Policy()
        client = Client(ReplayTransport(recordings), None, policy=policy, concurrency=concurrency)
        drafter = LLMDrafter(endpoint, client)
    return Extractor(
        settings,
        tasks=options.tasks,
        prompts=options.prompts,
        store=None,
        concurrency=concurrency,
        transport=transport,
        drafter=drafter,
        progress=progress.phase,
    )


def _extract(
    extractor: Extractor,
    documents: Sequence[Document],
    repeats: int,
    progress: Silent,
    replayed: Recordings | None,
) -> tuple[Mapping[str, Result], ...]:
    """Extract all documents, repeatedly; in a replay an extraction takes the seconds of its recorded calls."""
    tally = RunTally(len(documents) * repeats)
    repeated = []
    for _ in range(repeats):
        results: dict[str, Result] = {}
        for result in extractor.extract_many(documents):
            if replayed is not None and not isinstance(result, Failure):
                seconds = round(replayed.seconds(result.provenance.fingerprints), 3)
                made = result.provenance.model_copy(update={"seconds": seconds})
                result = result.model_copy(update={"provenance": made})  # noqa: PLW2901
            results[result.document_id] = result
            tally.add(result)
            progress.advance(result, tally)
        repeated.append({document.id: results[document.id] for document in documents})
    return tuple(repeated)


def _asked(extractor: Extractor, endpoint: Endpoint | None, replayed: Recordings | None) -> Asked:
    makers = extractor.made_by
    return Asked(
        system="mahdar",
        made_by={task: maker.name for task, maker in makers.items()},
        mode=endpoint.mode if endpoint else None,
        parameters=dict(endpoint.parameters) if endpoint else {},
        prompts={task: maker.prompt for task, maker in makers.items() if maker.prompt},
        schemas={task: maker.schema for task, maker in makers.items() if maker.schema},
        said=replayed.described(endpoint.model).said if replayed and endpoint else None,
    )
