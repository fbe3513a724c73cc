"""Replaying: recorded answers become records, and these are linked, without a model."""

from pathlib import Path

from mahdar.errors import UsageError
from mahdar.evals.running.unlabelled import replay
from mahdar.linking.linked import link
from mahdar.results import Failure
from mahdar.runs.lines import json_line


def relinked(articles: Path, recordings: Path, folder: Path) -> Path:
    """Extract articles from recorded answers, and link what comes.

    Args:
        articles: texts, or JSON Lines of articles.
        recordings: the answers to them.
        folder: where records and linked records go.

    Returns:
        The linked `records.jsonl`.

    Raises:
        UsageError: an answer is not recorded, or cannot be used.
    """
    records = folder / "extracted.jsonl"
    with records.open("w", encoding="utf-8", newline="\n") as file:
        for document_id, made in replay(articles, recordings).items():
            if isinstance(made, Failure):
                raise UsageError(f"{document_id}: its recorded answer cannot be used: {made.message}; record it again")
            file.write(f"{json_line(made)}\n")
    link([records], folder / "linked")
    return folder / "linked" / "records.jsonl"
