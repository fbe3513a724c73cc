"""Represent the outcome of one article as a row of the ledger, protected by a checksum.

The checksum of a row is keyed by the identity of its run. It tells a row as it was written from a damaged one, from a
row of another run, and from bytes that look like a row.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from hashlib import blake2b
from typing import Any, Final, Self

from mahdar.results import Failure
from mahdar.runs.identity import Identity
from mahdar.runs.lines import dumps
from mahdar.schemas.records import Extraction

ROW_CHECKSUM: Final = 8
"""Bytes in the checksum of a row."""
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Entry:
    """The outcome of one article: a row of the ledger.

    Attributes:
        text_sha256: SHA-256 of the article's text; empty if the article could not be read.
        line: checksum of the article's line in the results; None if it has none. An entry with both a line and a
            failure is of an article that was extracted, has changed since, and failed with its new text.
        failure: class of the failure; None if the article was extracted.
        cost: US dollars; None if unknown.
        at: when the entry was written, in seconds since 1970.
    """

    id: str
    text_sha256: str
    published_at: str | None = None
    line: bytes | None = None
    failure: str | None = None
    message: str = ""
    attempts: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    cached: bool = False
    records: int = 0
    rejected: int = 0
    at: int = 0

    @classmethod
    def of_extraction(cls, result: Extraction, line: bytes, at: int) -> Self:
        """Make the entry of an extraction whose line has the checksum `line`."""
        provenance = result.provenance
        return cls(
            id=result.document_id,
            text_sha256=result.text_sha256,
            published_at=_iso(result.published_at),
            line=line,
            attempts=provenance.attempts,
            tokens_in=provenance.tokens_in,
            tokens_out=provenance.tokens_out,
            cost=provenance.cost,
            cached=provenance.cached,
            records=sum(map(len, result.records.values())),
            rejected=len(result.rejected),
            at=at,
        )

    @classmethod
    def of_failure(
        cls, failed: Failure, text_sha256: str, published_at: dt.date | None, line: bytes | None, at: int
    ) -> Self:
        """Make the entry of a failed article; `line` is the checksum of the record of its earlier text, if any."""
        spent = failed.usage
        return cls(
            id=failed.document_id,
            text_sha256=text_sha256,
            published_at=_iso(published_at),
            line=line,
            failure=failed.failure,
            message=failed.message,
            attempts=spent.attempts,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost=None if spent.unpriced else float(spent.cost),
            at=at,
        )

    def is_of(self, text_sha256: str, published_at: dt.date | None) -> bool:
        """Whether the entry is of this text and day. The day counts because «yesterday» depends on it."""
        return (self.text_sha256, self.published_at) == (text_sha256, _iso(published_at))

    @property
    def error_line(self) -> str:
        """The failure as a line of the error file."""
        names = ("failure", "message", "attempts", "tokens_in", "tokens_out", "cost")
        return dumps({"document_id": self.id, **{name: getattr(self, name) for name in names}})

    def row(self, key: bytes) -> tuple[Any, ...]:
        """Return the values of the entry followed by their checksum; `key` is the run's, see `run_key`."""
        return with_checksum(key, astuple(self))

    @classmethod
    def from_row(cls, row: Sequence[Any], key: bytes) -> Self | None:
        """Return the entry in a row; None if the row is not as a run with this key wrote it."""
        return cls(*row[:-1]) if is_intact(key, row) else None


def run_key(run: Identity) -> bytes:
    """Return the key of the checksums of a run's rows."""
    return blake2b(json.dumps(run, ensure_ascii=False, sort_keys=True).encode(), digest_size=32).digest()


def with_checksum(key: bytes, values: Sequence[Any]) -> tuple[Any, ...]:
    """Return the values of a row followed by their checksum."""
    return (*values, row_checksum(key, values))


def is_intact(key: bytes, row: Sequence[Any]) -> bool:
    """Return whether the last value of a row is the checksum of the others."""
    return bool(row[-1] == row_checksum(key, row[:-1]))


def row_checksum(key: bytes, values: Iterable[str | bytes | float | None]) -> bytes:
    """Return the checksum of a row's values. Numbers count by value: SQLite stores 2.0 as 2 and True as 1."""
    plain = [
        value if value is None or isinstance(value, str) else value.hex() if isinstance(value, bytes) else float(value)
        for value in values
    ]
    return blake2b(_encode(plain).encode(), digest_size=ROW_CHECKSUM, key=key).digest()


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
