"""Extract records from recorded answers, and link them, without a model."""

from pathlib import Path

from mahdar.errors import UsageError
from mahdar.evals.running.unlabelled import replay
from mahdar.linking.linked import link
from mahdar.results import Failure
from mahdar.runs.lines import json_line


def relinked(articles: Path, recordings: Path, folder: Path) -> Path:
    """Extract articles from recorded answers, and link the records.

    Args:
        articles: a folder of texts, or a file of JSON Lines.
        recordings: folder of the recorded answers.
        folder: receives the records and the linked records.

    Returns:
        The path of the linked `records.jsonl`.

    Raises:
        UsageError: an answer is not recorded, or is unusable.
    """
    records = folder / "extracted.jsonl"
    with records.open("w", encoding="utf-8", newline="\n") as file:
        for document_id, made in replay(articles, recordings).items():
            if isinstance(made, Failure):
                raise UsageError(f"{document_id}: its recorded answer is unusable: {made.message}; record it again")
            file.write(f"{json_line(made)}\n")
    link([records], folder / "linked")
    return folder / "linked" / "records.jsonl"
