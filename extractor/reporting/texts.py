"""Articles' texts, found again by the hash that stands in the extraction."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from extractor.errors import UsageError
from extractor.reading.document import BadInput, Document, read_documents
from schemas.records import Extraction

Presence = Literal["found", "absent", "other"]
"""`other`: there is a text of this id, and it is not the one that was extracted."""
JSON_LINES: Final = (".jsonl", ".ndjson")
_ID_FIELDS: Final = ("id", "document_id")


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts by their SHA-256, and the ids they came with."""

    by_hash: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, paths: Iterable[Path]) -> "Texts":
        """Read folders of *.txt, single texts, and JSON Lines with `id` and `text`.

        Raises:
            UsageError: a path that does not exist, or a line without a text.
            BadInputError: a folder without texts.
        """
        texts = cls()
        for document in _documents(paths):
            texts.by_hash[document.sha256] = document.text
            texts.ids.add(document.id)
        return texts

    def find(self, extraction: Extraction) -> tuple[str | None, Presence]:
        """The text that an extraction was made from: never one that merely has its name."""
        text = self.by_hash.get(extraction.text_sha256)
        if text is not None:
            return text, "found"
        return None, "other" if extraction.document_id in self.ids else "absent"


def _documents(paths: Iterable[Path]) -> Iterator[Document]:
    plain = []
    for path in paths:
        if path.suffix in JSON_LINES:
            yield from _of_lines(path)
        else:
            plain.append(path)
    for document in read_documents(plain):
        if not isinstance(document, BadInput):  # what could not be read was not extracted either
            yield document


def _of_lines(path: Path) -> Iterator[Document]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _document(f"{path}:{number}", line, str(number))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no UTF-8 ({error.reason} at byte {error.start})") from None


def _document(place: str, line: str, number: str) -> Document:
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        raise UsageError(f'{place}: no article: give {{"id": …, "text": …}} on each line')
    named = next((value[name] for name in _ID_FIELDS if value.get(name)), number)
    try:
        value["text"].encode()
    except UnicodeEncodeError:
        raise UsageError(f"{place}: the text has half a surrogate pair, so it is no Unicode") from None
    return Document(str(named), value["text"])
