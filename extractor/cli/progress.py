"""Show the progress of a run on standard error: a bar on a terminal, else a line an article if the model is slow."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, Self

from mahdar.documents.bidi import clean
from mahdar.results import Failure
from mahdar.schemas.records import Extraction
from mahdar.wording import cost, counted


class Spent(Protocol):
    """Counts of a run so far."""

    total: int | None
    tokens: int
    cost: float | None

    @property
    def done(self) -> int:
        """Number of articles that are finished."""


class Silent:
    """The display that shows nothing: for a pipe, and a model that answers in seconds."""

    def phase(self, name: str, part: float | None) -> None:
        """Show what the embedded model is doing, and which part of it is done (0 to 1; None if unknown)."""

    def advance(self, result: Extraction | Failure, spent: Spent) -> None:
        """Count an article."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Clear the display while something else is written."""
        yield

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the display."""


class Lines(Silent):
    """A plain line for each article and for each phase of the embedded model's work."""

    def __init__(self) -> None:
        self._phase = ""

    def phase(self, name: str, part: float | None) -> None:  # noqa: ARG002  # a line cannot move
        """Print the name of a phase once."""
        if name != self._phase:
            self._phase = name
            _say(name)

    def advance(self, result: Extraction | Failure, spent: Spent) -> None:
        """Print the article's id and its seconds, or its failure."""
        ended = result.failure if isinstance(result, Failure) else f"{result.provenance.seconds:.0f} s"
        done = f"{spent.done}" if spent.total is None else f"{spent.done}/{spent.total}"
        _say(f"{done} {clean(result.document_id)} {ended}")


class Bar(Silent):
    """A progress bar with articles, tokens, cost and time left; below it, the phase of the embedded model."""

    def __init__(self, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
            redirect_stdout=False,
        )
        self._articles = self._progress.add_task(counted(0, "article", total), total=total, said="")
        self._phase = self._progress.add_task("", total=1.0, said="", visible=False)
        self._lock = threading.Lock()

    def phase(self, name: str, part: float | None) -> None:
        """Move the bar of the embedded model's phase; it pulses if the part done is unknown."""
        with self._lock:
            total = None if part is None else 1.0
            self._progress.update(self._phase, description=name, total=total, completed=part or 0.0, visible=True)

    def advance(self, result: Extraction | Failure, spent: Spent) -> None:  # noqa: ARG002  # the count tells
        """Move the bar of articles."""
        with self._lock:
            self._progress.update(self._phase, visible=False)
            self._progress.update(
                self._articles,
                total=spent.total,
                completed=spent.done,
                description=counted(spent.done, "article", spent.total),
                said=f"{spent.tokens:,} tokens, {cost(spent.cost)}",
            )

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Clear the bar while results are written, if they go to the terminal."""
        if not sys.stdout.isatty():
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def shown(total: int | None, *, slow: bool) -> Silent:
    """Choose the display for standard error.

    Args:
        total: number of articles; None if unknown.
        slow: whether the model takes half a minute an article, so that silence would look like a hang.
    """
    if sys.stderr.isatty():
        return Bar(total)
    return Lines() if slow else Silent()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # the command line's own output
