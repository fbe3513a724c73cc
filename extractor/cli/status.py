"""`mahdar status`: how far a run has come, from its ledger alone; it may be under way."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from mahdar.cli.display import cost
from mahdar.errors import UsageError
from mahdar.runs.target import Target
from mahdar.runs.ledger import MADE_BY, History, Identity, entries, header_of
from mahdar.runs.results import is_locked
from mahdar.wording import counted

RUNNING, WHOLE, BROKEN_OFF = "running", "complete", "not complete"
_NAME: Final = 10
"""Columns that the name of a line takes."""


@dataclass(frozen=True, slots=True)
class Status:
    """How far a run has come.

    Attributes:
        state: running, complete, or not complete: interrupted, stopped, or not known to be at its end.
        total: articles there are; None while that is not known.
        failed: articles by the class of their failure.
        cost: US dollars; None where one article's is not known.
        rate: articles a minute, lately; None where there are too few to tell.
    """

    state: str
    done: int
    failed: dict[str, int]
    total: int | None
    records: int
    rejected: int
    cached: int
    tokens: int
    cost: float | None
    rate: float | None
    run: Identity

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)

    def __iter__(self) -> Iterator[str]:
        """Line by line, for a reader."""
        yield _line("state", self.state)
        yield _line("done", f"{counted(self.done, 'article', self.total)}, {self.cached:,} from the cache")
        for name, number in sorted(self.failed.items()):
            yield _line("failed", f"{number:,} {name}")
        yield _line("records", f"{self.records:,}, {self.rejected:,} rejected")
        yield _line("tokens", f"{self.tokens:,}")
        yield _line("cost", cost(self.cost))
        if self.rate is not None:
            yield _line("rate", f"{self.rate:,.1f} articles a minute")
        yield _line("made by", ", ".join(dict.fromkeys(self.run[MADE_BY].values())))
        if prompts := dict.fromkeys(str(ref).split()[0] for ref in self.run.get("prompts", {}).values()):
            yield _line("prompts", ", ".join(prompts))


def status(output: Path) -> Status:
    """The status of the run that writes to `output`.

    Raises:
        UsageError: no run has.
    """
    ledger = Target.written(output).ledger
    try:
        run = header_of(ledger)
        if run is None:
            raise UsageError(f"{ledger} is no ledger: name what `mahdar extract` was told to write with --output")
        history = History()
        for entry, _ in entries(ledger):
            history.add(entry)
        failed = Counter(entry.failure or "" for entry in history.failures(ledger))
    except FileNotFoundError:
        said = f"{output}: no run has written here"
        raise UsageError(f"{said}; name what `mahdar extract` was told to write with --output") from None
    except OSError as error:
        said = f"{ledger}: {error.strerror}"
        raise UsageError(f"{said}; name what `mahdar extract` was told to write with --output") from None
    return Status(
        state=_state(history, running=is_locked(ledger)),
        done=history.done,
        failed=dict(failed),
        total=history.total,
        records=history.records,
        rejected=history.rejected,
        cached=history.cached,
        tokens=history.tokens,
        cost=history.cost,
        rate=_rate(list(history.latest)),
        run=run,
    )


def _state(history: History, *, running: bool) -> str:
    if running:
        return RUNNING
    return WHOLE if history.total is not None and history.done + history.failed >= history.total else BROKEN_OFF


def _rate(times: list[int]) -> float | None:
    """Articles a minute over the latest of them."""
    seconds = times[-1] - times[0] if times else 0
    return round(60 * (len(times) - 1) / seconds, 1) if seconds > 0 else None


def _line(name: str, said: str) -> str:
    return f"{name:<{_NAME}}{said}"
