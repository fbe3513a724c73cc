"""Articles' texts, found again by the hash that stands in the extraction."""

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
"""`other`: there is a text of this id, and it is not the one that was extracted."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts by their SHA-256, and the ids they came with."""

    by_hash: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, paths: Iterable[str | Path], column: str = "text") -> "Texts":
        """Read all articles of files, folders, patterns and URLs, each for itself: ids may come again.

        Args:
            paths: as `mahdar extract` takes them.
            column: where rows have the text.

        Raises:
            BadInputError: a path that does not exist, a folder without texts.
            UsageError: no article can be read in one of them, or a library is missing.
        """
        texts = cls()
        for path in paths:
            for document in _documents(path, Columns(column)):
                texts.by_hash[document.sha256] = document.text
                texts.ids.add(document.id)
        return texts

    def find(self, extraction: Extraction) -> tuple[str | None, Presence]:
        """The text that an extraction was made from: never one that merely has its name."""
        text = self.by_hash.get(extraction.text_sha256)
        if text is not None:
            return text, "found"
        return None, "other" if extraction.document_id in self.ids else "absent"


def _documents(path: str | Path, columns: Columns) -> Iterator[Document]:
    """What cannot be read was not extracted either; but where nothing can, that is said.

    Raises:
        UsageError: nothing can.
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
