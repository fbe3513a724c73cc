"""Progress of a run on standard error: a bar on a terminal, a line an article where only a slow model is worth one."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

from mahdar.documents.bidi import clean
from mahdar.results import Failure
from mahdar.schemas.records import Extraction
from mahdar.wording import cost, counted


class Spent(Protocol):
    """What the run has come to so far."""

    total: int | None
    tokens: int
    cost: float | None

    @property
    def done(self) -> int:
        """Articles that need nothing more."""


class Silent:
    """Shows nothing: for a pipe and a model that answers in seconds."""

    def phase(self, name: str, part: float | None) -> None:
        """Tell what the embedded model is doing, and how much of it is done."""

    def advance(self, result: Extraction | Failure, spent: Spent) -> None:
        """Count one article."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to others for a moment."""
        yield

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the display."""


class Lines(Silent):
    """A plain line for each article and for each phase of the embedded model's work."""

    def __init__(self) -> None:
        self._phase = ""

    def phase(self, name: str, part: float | None) -> None:  # noqa: ARG002  # a line cannot move
        """Name a phase once."""
        if name != self._phase:
            self._phase = name
            _say(name)

    def advance(self, result: Extraction | Failure, spent: Spent) -> None:
        """Name the article and its seconds, or its failure."""
        ended = result.failure if isinstance(result, Failure) else f"{result.provenance.seconds:.0f} s"
        _say(f"{_counted(spent.done, spent.total)} {clean(result.document_id)} {ended}")


class Bar(Silent):
    """Articles done, tokens, cost and time left; below it what the embedded model is doing."""

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
        """Move the bar of what the embedded model is doing; it swings where the part done is not known."""
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
        """Clear the bar while results go to the terminal; what goes to a file or a pipe does not disturb it."""
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()


def shown(total: int | None, *, slow: bool) -> Silent:
    """The display that fits standard error.

    Args:
        total: articles in the run, if that is known.
        slow: a model that takes half a minute an article, so that silence would look like a standstill.
    """
    if sys.stderr.isatty():
        return Bar(total)
    return Lines() if slow else Silent()


def _counted(done: int, total: int | None) -> str:
    return f"{done}" if total is None else f"{done}/{total}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # the command line's own output
