"""Find the text of an extraction's article by its hash."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mahdar.documents.document import Document
from mahdar.errors import UsageError
from mahdar.runs.rows import Columns
from mahdar.runs.sources import Articles
from mahdar.schemas.records import Extraction

Presence = Literal["found", "absent", "other"]
"""`other`: there is a text with this id, but not the one that was extracted."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts by SHA-256, and the ids of their documents."""

    by_hash: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, paths: Iterable[str | Path], column: str = "text") -> "Texts":
        """Read all articles of files, folders, patterns and URLs; the same id may occur in several.

        Args:
            paths: as `mahdar extract` takes them.
            column: name of the column that holds the text.

        Raises:
            BadInputError: a path does not exist, or a folder has no texts.
            UsageError: no article of a path can be read, or a library is missing.
        """
        texts = cls()
        for path in paths:
            for document in _documents(path, Columns(column)):
                texts.by_hash[document.sha256] = document.text
                texts.ids.add(document.id)
        return texts

    def find(self, extraction: Extraction) -> tuple[str | None, Presence]:
        """Return the text that was extracted, never another one with the same id; None if it is unknown."""
        text = self.by_hash.get(extraction.text_sha256)
        if text is not None:
            return text, "found"
        return None, "other" if extraction.document_id in self.ids else "absent"


def _documents(path: str | Path, columns: Columns) -> Iterator[Document]:
    """Yield the readable documents of a path; unreadable ones were not extracted either.

    Raises:
        UsageError: no document is readable.
    """
    reason = None
    for article in Articles([path], columns):
        if isinstance(article, Document):
            yield article
            reason = ""
        elif reason is None:
            reason = article.reason
    if reason:
        raise UsageError(f"--articles {path}: {reason}")
