"""The ledger: the run that results belong to, and one line for every article that needs nothing more.

The first line says what makes the results of a run comparable: who makes the records of each task, and where that is a
model its prompts, schemas and parameters. Every other line is an article: extracted, with the byte where its record
ends in the results; or failed, with the reason. A line is written after the record it speaks of is safely on the disk,
so that whatever ends the process, the ledger never promises more than there is.
"""

import datetime as dt
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from mahdar.errors import UsageError
from mahdar.results import Failure
from mahdar.runs.lines import dumps, whole_lines
from mahdar.runs.outputs import json_object
from mahdar.runs.register import DONE, FAILED, Register, text_digest
from mahdar.schemas.records import Extraction

if TYPE_CHECKING:
    from mahdar.service import Extractor

FORMAT: Final = 2
MADE_BY: Final = "made_by"
"""The part of a run's identity that names the maker of each task's records."""
REMEDY: Final = "give --overwrite to replace what is there, or another name"
RETRIED: Final = "internal"
"""The class of failure that the next run tries again by itself: the fault is mahdar's, not the article's."""
LEFT: Final = frozenset({"over_budget"})
"""Classes of failure that speak of the run, not of the article: it is left as it was."""
_TOTAL: Final = "total"
RECENT: Final = 200
"""Articles that the rate is taken from."""
_SHOWN: Final = 40
"""Characters of a value in a message."""

Identity = Mapping[str, Any]
"""what makes the results of a run comparable, part by part"""


def identity(mahdar: "Extractor") -> Identity:
    """What all results of this extractor have in common; mode and parameters only where a model is asked.

    Raises:
        MahdarError: the settings name no model that could be asked.
    """
    makers, endpoint = mahdar.made_by, mahdar.endpoint
    asked = {"mode": endpoint.mode, "parameters": dict(endpoint.parameters)} if endpoint is not None else {}
    return {
        MADE_BY: {task: maker.name for task, maker in makers.items()},
        "prompts": {task: maker.prompt for task, maker in makers.items() if maker.prompt},
        "schemas": {task: maker.schema for task, maker in makers.items() if maker.schema},
        **asked,
        "mahdar": _version(),
    }


def check_same_run(place: Path | str, before: Identity, now: Identity) -> None:
    """Refuse to add the results of one run to those of another.

    Args:
        place: where the results are.
        before: the run that they are of.
        now: the run that would add to them.

    Raises:
        UsageError: the runs differ; says in what. Of runs by different makers, that alone.
    """
    if MADE_BY not in before:
        raise older(place)
    ours, theirs = _makers(now), _makers(before)
    if ours != theirs:
        raise UsageError(f"{place} has records made by {theirs}, and this run makes them by {ours}: {REMEDY}")
    if differing := changes(before, now):
        raise UsageError(f"{place} is of another run, which differs in {', '.join(differing)}: {REMEDY}")


def older(place: Path | str) -> UsageError:
    """Why a run of an older version is not gone on with, and what that costs."""
    return UsageError(
        f"{place} is of a run of an older mahdar, which is left as it is: all its articles are asked again under "
        "another name, or with --overwrite, which replaces it"
    )


def changes(old: Identity, new: Identity) -> list[str]:
    """Which parts differ, and how."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        f"{name} ({_short(before.get(name))} → {_short(after.get(name))})"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _makers(of: Identity) -> str:
    """The makers of a run, each once; of several, with their tasks."""
    by_task: Mapping[str, str] = of[MADE_BY]
    names = dict.fromkeys(by_task.values())
    if len(names) == 1:
        return next(iter(names))
    return ", ".join(f"{name} ({task})" for task, name in by_task.items()) or "nobody"


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one article.

    Attributes:
        sha256: of its text; empty where it could not be read.
        end: bytes of the results up to and including its record; None where it failed.
        failure: the class of the failure; None where it was extracted. One whose class is in `LEFT` has been left as
            it was, and only what was spent on it counts.
        cost: US dollars; None where that is not known.
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
        spent = failed.usage
        return cls(
            id=failed.document_id,
            sha256=sha256,
            published_at=_day(published_at),
            failure=failed.failure,
            message=failed.message,
            attempts=spent.attempts,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost=None if spent.unpriced else float(spent.cost),
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
    def error(self) -> dict[str, Any]:
        """A failure as it stands in a file of errors."""
        told = ("failure", "message", "attempts", "tokens_in", "tokens_out", "cost")
        return {"document_id": self.id, **{name: getattr(self, name) for name in told}}

    @property
    def error_line(self) -> str:
        """The same on a line."""
        return dumps(self.error)


def total_line(articles: int) -> str:
    """The line that says how many articles there are."""
    return dumps({_TOTAL: articles})


def _total(line: bytes) -> int | None:
    found = (json_object(line) or {}).get(_TOTAL)
    return found if isinstance(found, int) else None


def header(of: Identity) -> str:
    """The ledger's first line."""
    return dumps({"mahdar_ledger": FORMAT, "run": of})


def header_of(path: Path) -> Identity | None:
    """The run that a ledger is of; None where its first line is torn or says nothing of the kind.

    Raises:
        UsageError: it is of an older version.
    """
    with path.open("rb") as file:
        first = next(whole_lines(file), None)
    value = (json_object(first[0]) if first else None) or {}
    run, written = value.get("run"), value.get("mahdar_ledger")
    if not isinstance(run, dict) or not isinstance(written, int):
        return None
    if written < FORMAT:
        raise older(path)
    return run if written == FORMAT else None


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
        tokens_in, tokens_out: of all articles, whatever they came to.
        cost: US dollars, of the same; None once one article's cost is not known.
        total: articles there are; None while that is not known.
        latest: when each of the latest articles came to its end.
    """

    def __init__(self) -> None:
        self.register = Register()
        self.total: int | None = None
        self.latest: deque[int] = deque(maxlen=RECENT)
        self.end = 0
        self.last: tuple[Entry, int] | None = None
        self.done = self.failed = self.records = self.rejected = self.cached = 0
        self.tokens_in = self.tokens_out = 0
        self.cost: float | None = 0.0
        self._failed_again: Counter[str] = Counter()

    def add(self, entry: Entry | int) -> None:
        """Take in the next entry, or number of articles in all."""
        if isinstance(entry, int):
            self.total = entry
            return
        self.tokens_in += entry.tokens_in
        self.tokens_out += entry.tokens_out
        self.cost = None if self.cost is None or entry.cost is None else self.cost + entry.cost
        if entry.failure in LEFT:
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
        fate = FAILED if entry.end is None else DONE
        of_text = RETRIED if entry.failure == RETRIED else entry.sha256  # no text's: as good as new
        self.register.put(entry.id, fate, text_digest(of_text, entry.published_at))

    def _add_record(self, entry: Entry, end: int) -> None:
        self.last, self.end = (entry, self.end), end
        self.done += 1
        self.records += entry.records
        self.rejected += entry.rejected
        self.cached += entry.cached

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.tokens_in + self.tokens_out

    def failures(self, path: Path) -> Iterator[Entry]:
        """Of the ledger, the last entry of each article that has failed and not been extracted since."""
        earlier = +self._failed_again
        for entry, _ in entries(path):
            if isinstance(entry, int) or entry.failure in LEFT or self.register.get(entry.id)[0] != FAILED:
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
