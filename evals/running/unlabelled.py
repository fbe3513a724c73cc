"""Articles without labels: record what a model answers to them, and replay the answers into extractions."""

import datetime as dt
import logging
import shlex
from collections.abc import Mapping
from pathlib import Path

from mahdar.documents.document import BadInput, Document
from mahdar.errors import BadInputError, UsageError
from mahdar.evals.running.recording import Description, Recordings
from mahdar.evals.running.systems import Mahdar, Options, endpoint_of, extract_documents, with_options
from mahdar.results import Failure
from mahdar.runs.sources import Articles
from mahdar.schemas.records import Extraction
from mahdar.settings import Settings

log = logging.getLogger("mahdar")

Results = Mapping[str, Extraction | Failure]
"""By document id."""


def record(articles: Path, recordings: Path, options: Options, *, fresh: bool = False) -> Results:
    """Ask the configured model about every article, and write its answers down.

    Args:
        articles: a file of JSON Lines, CSV or Parquet, or a folder of *.txt.
        recordings: the folder for the answers; what is recorded there already is not asked again.
        options: which model, tasks and templates.
        fresh: ask again what is recorded already.

    Returns:
        The extractions, with a `Failure` for each article that failed.

    Raises:
        UsageError: an article cannot be read, or no endpoint is configured.
    """
    documents = _read(articles)
    store = _store(recordings, documents, fresh=fresh)
    settings = with_options(Settings.from_environment(), options)
    endpoint = endpoint_of(options, "record", store, settings)
    assert endpoint is not None, "a recording without a model is refused above"
    try:
        with Mahdar(options, "record", store, endpoint, settings=settings) as system:
            results = {one.document_id: one for one in extract_documents(system, documents)}
    finally:
        today = dt.datetime.now(dt.UTC).date()
        store.describe(
            Description(
                model=endpoint.model,
                mode=endpoint.mode,
                parameters=endpoint.parameters,
                embedded=endpoint.embedded,
                asked=today,
            )
        )
    store.prune({id_ for id_, one in results.items() if isinstance(one, Extraction)})
    return results


def replay(articles: Path, recordings: Path, options: Options | None = None) -> Results:
    """Extract every article from recorded answers: no model, no network, no variable of the environment.

    Args:
        articles: as for `record`.
        recordings: the folder of the answers.
        options: which of several recorded models, which tasks and templates; by default those of the recording.

    Returns:
        The extractions, with a `Failure` for each article whose recorded answer cannot be used.

    Raises:
        UsageError: an article cannot be read, or its answer is not recorded; the message says what has changed and
            names the command that records it.
    """
    chosen = options or Options()
    documents = _read(articles)
    store = _store(recordings, documents)
    remedy = f"record: {_command(articles, recordings, chosen)}, with OPENAI_API_KEY or OPENAI_BASE_URL set"
    try:
        endpoint = endpoint_of(chosen, "replay", store, Settings())
    except UsageError as error:
        raise UsageError(f"{error}\n{remedy}") from None
    with Mahdar(chosen, "replay", store, endpoint, settings=Settings()) as system:
        results = {one.document_id: one for one in extract_documents(system, documents)}
    if store.missed:
        raise UsageError("\n".join((*store.missed, remedy)))
    if store.reasks_missed:
        names = ", ".join(store.reasks_missed)
        log.warning("validation now asks again about %s, which is not recorded: the first answers stand", names)
    return results


def _read(articles: Path) -> tuple[Document, ...]:
    try:
        found = list(Articles([articles]))
    except BadInputError as error:
        raise UsageError(f"articles: {error}") from None
    if unread := [one.reason for one in found if isinstance(one, BadInput)]:
        raise UsageError("\n".join(unread))
    return tuple(one for one in found if isinstance(one, Document))


def _store(folder: Path, documents: tuple[Document, ...], *, fresh: bool = False) -> Recordings:
    return Recordings(folder, {one.sha256: one.id for one in documents}, fresh=fresh)


def _command(articles: Path, recordings: Path, options: Options) -> str:
    words = ["mahdar", "eval", "record", str(articles), "--recordings", str(recordings)]
    words += ["--model", options.model] if options.model else []
    words += [word for folder in options.prompts for word in ("--prompts", str(folder))]
    return shlex.join(words)
