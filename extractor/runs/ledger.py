"""The ledger: the run that results belong to, and one line for every article that needs nothing more.

The first line says what makes the results of a run comparable: model, prompts, schemas, parameters. Every other line is
an article: extracted, with the byte where its record ends in the results; or failed, with the reason. A line is written
after the record it speaks of is safely on the disk, so that whatever ends the process, the ledger never promises more
than there is.
"""

import datetime as dt
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from extractor.runs.lines import dumps, whole_lines
from extractor.runs.outputs import json_object
from extractor.runs.register import DONE, FAILED, Register, text_digest
from extractor.service import Failure
from schemas.records import Extraction

if TYPE_CHECKING:
    from extractor.service import Extractor

FORMAT: Final = 1
_TOTAL: Final = "total"
RECENT: Final = 200
"""Articles that the rate is taken from."""
_SHOWN: Final = 40
"""Characters of a value in a message."""

Identity = Mapping[str, Any]
"""what makes the results of a run comparable, part by part"""


def identity(mahdar: "Extractor") -> Identity:
    """What all results of this extractor have in common.

    Raises:
        MahdarError: no model is configured.
    """
    endpoint = mahdar.endpoint
    return {
        "model": endpoint.model,
        "mode": endpoint.mode,
        "parameters": dict(endpoint.parameters),
        "profile": mahdar.settings.profile,
        "prompts": {task.prompt.task: f"{task.prompt.ref} sha256:{task.prompt.sha256}" for task in mahdar.tasks},
        "schemas": {task.schema.task: f"sha256:{task.schema.sha256}" for task in mahdar.tasks},
        "mahdar": _version(),
    }


def changes(old: Identity, new: Identity) -> list[str]:
    """Which parts differ, and how."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        f"{name} ({_short(before.get(name))} → {_short(after.get(name))})"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one article.

    Attributes:
        sha256: of its text; empty where it could not be read.
        end: bytes of the results up to and including its record; None where it failed.
        failure: the class of the failure; None where it was extracted.
        at: when that was, in seconds since 1970.
    """

    id: str
    sha256: str
    published_at: str | None = None
    end: int | None = None
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
    def of_record(cls, record: Mapping[str, Any], end: int) -> Self:
        """The entry of a record as it stands in the results.

        Raises:
            LookupError, TypeError, ValueError: it is no record of ours.
        """
        made = record["provenance"]
        more = record.get("more") or {}
        return cls(
            id=str(record["document_id"]),
            sha256=str(record["text_sha256"]),
            published_at=record.get("published_at"),
            end=end,
            attempts=int(made["attempts"]),
            tokens_in=int(made["tokens_in"]),
            tokens_out=int(made["tokens_out"]),
            cost=made["cost"],
            cached=bool(made["cached"]),
            records=sum(map(len, (record["meetings"], record["stances"], *more.values()))),
            rejected=len(record["rejected"]),
        )

    @classmethod
    def of_extraction(cls, result: Extraction, end: int) -> Self:
        """The entry of a result whose record ends there."""
        made = result.provenance
        return cls(
            id=result.document_id,
            sha256=result.text_sha256,
            published_at=_day(result.published_at),
            end=end,
            attempts=made.attempts,
            tokens_in=made.tokens_in,
            tokens_out=made.tokens_out,
            cost=made.cost,
            cached=made.cached,
            records=sum(map(len, result.records.values())),
            rejected=len(result.rejected),
        )

    @classmethod
    def of_failure(cls, failed: Failure, sha256: str, published_at: dt.date | None) -> Self:
        """The entry of an article that failed."""
        return cls(
            id=failed.document_id,
            sha256=sha256,
            published_at=_day(published_at),
            failure=failed.failure,
            message=failed.message,
            attempts=failed.attempts,
        )

    @classmethod
    def read(cls, line: bytes) -> Self | None:
        """The entry on a line; None where there is none."""
        value = json_object(line)
        try:
            return cls(**value) if value else None
        except TypeError:
            return None

    @property
    def line(self) -> str:
        """As it stands in the ledger: what is as by default is left out."""
        told = ((field.name, getattr(self, field.name), field.default) for field in fields(self))
        return dumps({name: value for name, value, default in told if value != default})

    @property
    def error_line(self) -> str:
        """As it stands in the file of errors."""
        return dumps(
            {
                "document_id": self.id,
                "failure": self.failure,
                "message": self.message,
                "attempts": self.attempts,
            }
        )


def total_line(articles: int) -> str:
    """The line that says how many articles there are."""
    return dumps({_TOTAL: articles})


def _total(line: bytes) -> int | None:
    found = (json_object(line) or {}).get(_TOTAL)
    return found if isinstance(found, int) else None


def header(of: Identity) -> str:
    """The ledger's first line."""
    return dumps({"mahdar_ledger": FORMAT, "run": of})


def read_header(line: bytes) -> Identity | None:
    """The run that a ledger's first line names; None where it is no such line."""
    value = json_object(line) or {}
    run = value.get("run")
    return run if value.get("mahdar_ledger") == FORMAT and isinstance(run, dict) else None


def header_of(path: Path) -> Identity | None:
    """The run that a ledger is of; None where its first line is torn or says nothing of the kind."""
    with path.open("rb") as file:
        first = next(whole_lines(file), None)
    return read_header(first[0]) if first else None


def entries(path: Path) -> Iterator[tuple[Entry | int, int]]:
    """Every entry, or number of articles in all, and where its line ends, up to the first line that is neither."""
    with path.open("rb") as file:
        lines = whole_lines(file)
        next(lines, None)
        for line, end in lines:
            entry = Entry.read(line) or _total(line)
            if entry is None:
                return
            yield entry, end


class History:
    """What the entries of a ledger amount to.

    Attributes:
        register: every article that the ledger speaks of.
        end: bytes of the results that they account for.
        last: the last entry of a record, and the byte where that begins.
        cost: US dollars; None once one article's cost is not known.
        total: articles there are; None while that is not known.
        latest: when each of the latest articles came to its end.
    """

    def __init__(self) -> None:
        self.register = Register()
        self.total: int | None = None
        self.latest: deque[int] = deque(maxlen=RECENT)
        self.end = 0
        self.last: tuple[Entry, int] | None = None
        self.done = self.failed = self.tokens = self.records = self.rejected = self.cached = 0
        self.cost: float | None = 0.0
        self._failed_again: Counter[str] = Counter()

    def add(self, entry: Entry | int) -> None:
        """Take in the next entry, or number of articles in all."""
        if isinstance(entry, int):
            self.total = entry
            return
        if entry.at:  # one of a record that came too late for the ledger has no time
            self.latest.append(entry.at)
        flags, _ = self.register.get(entry.id)
        self.failed -= flags == FAILED
        if entry.end is None:
            self._failed_again[entry.id] += flags == FAILED
            self.failed += 1
        else:
            self._add_record(entry, entry.end)
        self.tokens += entry.tokens_in + entry.tokens_out
        fate = FAILED if entry.end is None else DONE
        self.register.put(entry.id, fate, text_digest(entry.sha256, entry.published_at))

    def _add_record(self, entry: Entry, end: int) -> None:
        self.last, self.end = (entry, self.end), end
        self.done += 1
        self.records += entry.records
        self.rejected += entry.rejected
        self.cached += entry.cached
        self.cost = None if self.cost is None or entry.cost is None else self.cost + entry.cost

    def failures(self, path: Path) -> Iterator[Entry]:
        """Of the ledger, the last entry of each article that has failed and not been extracted since."""
        earlier = +self._failed_again
        for entry, _ in entries(path):
            if isinstance(entry, int) or self.register.get(entry.id)[0] != FAILED:
                continue
            if earlier[entry.id]:
                earlier[entry.id] -= 1
            else:
                yield entry


def _flat(parts: Identity, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in parts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, value


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _version() -> str:
    try:
        return version("mahdar")
    except PackageNotFoundError:
        return "not installed"
