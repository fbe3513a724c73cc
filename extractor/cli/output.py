"""Where results go: JSON Lines in a file or on standard output, tables on a terminal, failures beside them."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from rich.console import Console

from mahdar.cli import display
from mahdar.documents.bidi import clean
from mahdar.errors import UsageError
from mahdar.limits.budget import Spending
from mahdar.results import Failure
from mahdar.runs.ledger import History, identity
from mahdar.runs.lines import LineFile, json_line
from mahdar.runs.outputs import Result
from mahdar.runs.results import Results
from mahdar.runs.target import Target
from mahdar.schemas.records import Extraction
from mahdar.service import Extractor
from mahdar.tables.export import export

PIPED_WIDTH: Final = 100
"""Columns of a table that no terminal shows."""


class Stream:
    """Extractions in a file that is no file on a disk, and cannot be taken up again: a pipe, a device."""

    def __init__(self, path: Path) -> None:
        self._file = LineFile(path)

    def write(self, result: Result) -> None:
        """Write it, unless it failed."""
        if isinstance(result, Extraction):
            self._file.write(json_line(result))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


@contextmanager
def kept(
    target: Target | None, mahdar: Extractor, *, overwrite: bool = False
) -> Iterator[tuple[Results | None, Stream | None]]:
    """The files that results are kept in, or the stream that they go to, until it is left.

    What earlier runs into the same files spent counts against the budget.

    Raises:
        UsageError: it has something in it that may not be replaced or gone on from, or cannot be written.
    """
    if target is None:
        yield None, None
        return
    target.check()
    try:
        if target.records.exists() and not (target.records.is_file() or target.records.is_dir()):
            with closing(Stream(target.records)) as stream:
                yield None, stream
            return
        results = _results(target, mahdar, overwrite=overwrite)
    except OSError as error:
        raise UsageError(f"{target.path} cannot be used: {error.strerror}; name another with --output") from None
    with results:
        mahdar.charge(_spent(results.progress, mahdar))
        yield results, None


def _results(target: Target, mahdar: Extractor, *, overwrite: bool) -> Results:
    path = target.records
    if not (overwrite or target.form == "jsonl" or path.exists()) and target.path.is_file():
        raise UsageError(f"{target.path} has something in it: give --overwrite to replace it, or another name")
    if target.is_folder:
        target.path.mkdir(parents=True, exist_ok=True)
        if not overwrite and (target.path / OLDER_PARTS).exists():
            raise older(target.path)
    return Results(path, identity(mahdar), name=target.name, overwrite=overwrite)


def _spent(progress: Progress, mahdar: Extractor) -> Spending:
    """What a run has spent so far; where a cost was not known, by the price of now."""
    if progress.cost is None:
        return Spending.of(mahdar.price, progress.tokens_in, progress.tokens_out)
    return Spending(Decimal(str(progress.cost)), progress.tokens)


def finish(target: Target) -> Iterator[str]:
    """Make the form that was asked for of the records that a run has kept; what is to be said of it.

    Raises:
        UsageError: it cannot be written, or a library is missing.
    """
    if target.form != "jsonl":
        yield from export(target.records, target)


class JsonLines:
    """Extractions on a stream of bytes, each on a line, at once; UTF-8 whatever the terminal's encoding."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, result: Result) -> None:
        """Write it, unless it failed."""
        if isinstance(result, Extraction):
            self._stream.write(json_line(result).encode() + b"\n")
            self._stream.flush()


class Tables:
    """Extractions for a reader."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, result: Result) -> None:
        """Show it, unless it failed."""
        if isinstance(result, Extraction):
            self._console.print(display.extraction(result))


class Complaints:
    """Failures on standard error, a line each."""

    def write(self, result: Result) -> None:
        """Show it, if it failed."""
        if isinstance(result, Failure):
            said = clean(result.message)
            print(f"{clean(result.document_id)}: {result.failure}: {said}", file=sys.stderr)  # noqa: T201


def outputs(*, to_file: bool, table: bool | None = None) -> list[Output]:
    """Where results are to go besides a file.

    Args:
        to_file: they go to a file.
        table: show tables, or write JSON Lines to standard output; by default, and without a file, tables on a
            terminal and JSON Lines into a pipe.
    """
    chosen: list[Output] = [Complaints()]
    if table or (table is None and not to_file and sys.stdout.isatty()):
        chosen.append(Tables(standard_output()))
    elif table is False or not to_file:
        chosen.append(JsonLines(sys.stdout.buffer))
    return chosen


def standard_output() -> Console:
    """For readers: as wide as the terminal, or as `PIPED_WIDTH`; numbers are not coloured."""
    free = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if free else PIPED_WIDTH)
