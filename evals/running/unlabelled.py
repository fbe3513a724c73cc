"""Articles without labels: record a model's answers to them, and replay the answers into extractions."""

from collections.abc import Mapping
from pathlib import Path

from mahdar.documents.document import BadInput, Document
from mahdar.errors import BadInputError, UsageError
from mahdar.evals.running.extracting import Options, extract_documents, record_line
from mahdar.evals.running.runs import Mode
from mahdar.runs.outputs import Result
from mahdar.runs.sources import Articles


def record(articles: Path, recordings: Path, options: Options, *, fresh: bool = False) -> Mapping[str, Result]:
    """Ask the configured model about every article, and record its answers.

    Args:
        articles: a file of JSON Lines, CSV or Parquet, or a folder of *.txt.
        recordings: the folder for the answers; what is recorded there already is not asked again.
        options: which model, tasks and templates.
        fresh: ask again for answers that are recorded.

    Returns:
        Document id → extraction, or a `Failure` for an article that failed.

    Raises:
        UsageError: an article cannot be read, or no endpoint is configured.
    """
    return _extract(articles, recordings, options, "record", fresh=fresh)


def replay(articles: Path, recordings: Path, options: Options | None = None) -> Mapping[str, Result]:
    """Extract every article from recorded answers: no model, no network, no environment variable.

    Args:
        articles: as for `record`.
        recordings: the folder of the answers.
        options: which of several recorded models, which tasks and templates; by default those of the recording.

    Returns:
        Document id → extraction, or a `Failure` for an article whose recorded answer is unusable.

    Raises:
        UsageError: an article cannot be read, or its answer is not recorded; the message says what has changed and
            gives the command that records it.
    """
    return _extract(articles, recordings, options or Options(), "replay")


def _extract(
    articles: Path, recordings: Path, options: Options, mode: Mode, *, fresh: bool = False
) -> Mapping[str, Result]:
    try:
        read = list(Articles([articles]))
    except BadInputError as error:
        raise UsageError(f"articles: {error}") from None
    if unreadable := [item.reason for item in read if isinstance(item, BadInput)]:
        raise UsageError("\n".join(unreadable))
    words = ["mahdar", "eval", "record", str(articles), "--recordings", str(recordings)]
    words += ["--model", options.model] if options.model else []
    documents = [item for item in read if isinstance(item, Document)]
    extracted = extract_documents(
        documents,
        options,
        mode,
        recordings,
        fresh=fresh,
        record_command=lambda endpoint: record_line(
            words, options, embedded=endpoint is not None and endpoint.embedded
        ),
    )
    return extracted.repeats[0]
