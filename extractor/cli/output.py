"""Write results to files, to a stream or to the terminal, and failures to standard error."""

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console

from mahdar.cli import display
from mahdar.cli.progress import Silent
from mahdar.documents.bidi import clean
from mahdar.errors import UsageError
from mahdar.limits.budget import Spending
from mahdar.results import Failure
from mahdar.runs.identity import identity, older_version_error
from mahdar.runs.ledger import Progress
from mahdar.runs.lines import LineFile, json_line
from mahdar.runs.outputs import Result
from mahdar.runs.results import RunResults
from mahdar.runs.run import RunTally
from mahdar.runs.target import OutputPaths
from mahdar.schemas.records import Extraction
from mahdar.service import Extractor
from mahdar.tables.export import export

PIPED_WIDTH: Final = 100
"""Columns of a table that is not written to a terminal."""
OLDER_PARTS: Final = "mahdar-run.json"
"""File in a folder of Parquet parts, which an older version wrote on a cluster."""


class Stream:
    """A pipe or device that extractions are written to; a run into it cannot be resumed."""

    def __init__(self, path: Path) -> None:
        self._file = LineFile(path)

    def write(self, result: Extraction) -> None:
        """Write an extraction."""
        self._file.write(json_line(result))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def open_results(
    target: OutputPaths | None, mahdar: Extractor, *, keep: Collection[str] = (), overwrite: bool = False
) -> Iterator[tuple[RunResults | None, Stream | None]]:
    """Open the files, or the stream, that results are written to.

    What earlier runs into the same files spent is charged to the budget.

    Returns:
        The files and None, None and the stream, or twice None without a target.

    Raises:
        UsageError: the target cannot be written, or holds something that may neither be replaced nor resumed.
    """
    if target is None:
        yield None, None
        return
    target.check()
    try:
        is_stream = target.records.exists() and not (target.records.is_file() or target.records.is_dir())
        opened = Stream(target.records) if is_stream else _results(target, mahdar, keep, overwrite=overwrite)
    except OSError as error:
        raise UsageError(f"{target.path} cannot be used: {error.strerror}; name another with --output") from None
    with closing(opened):
        if isinstance(opened, Stream):
            yield None, opened
        else:
            with mahdar.charge(_spent(opened.progress, mahdar), opened.charge):
                yield opened, None


def _results(target: OutputPaths, mahdar: Extractor, keep: Collection[str], *, overwrite: bool) -> RunResults:
    path = target.records
    if not (overwrite or target.form == "jsonl" or path.exists()) and target.path.is_file():
        raise UsageError(f"{target.path} has something in it: give --overwrite to replace it, or another name")
    if target.is_folder:
        target.path.mkdir(parents=True, exist_ok=True)
        if not overwrite and (target.path / OLDER_PARTS).exists():
            raise older_version_error(target.path)
    return RunResults(path, identity(mahdar, keep), name=target.name, overwrite=overwrite)


def _spent(progress: Progress, mahdar: Extractor) -> Spending:
    """Return what a run can have spent so far, at the most; if a cost is unknown, at the current price."""
    charged = progress.charged
    if progress.cost is not None or mahdar.price is None:
        return charged
    unsettled = max(charged.tokens - progress.tokens, 0)  # in, or out: whichever costs more
    known = mahdar.price.cost(progress.tokens_in, progress.tokens_out)
    return replace(charged, cost=known + max(mahdar.price.cost(unsettled, 0), mahdar.price.cost(0, unsettled)))


def finish(target: OutputPaths) -> Iterator[str]:
    """Convert the records of a run to the requested form, and yield messages for the user.

    Raises:
        UsageError: the form cannot be written, or a library is missing.
    """
    if target.form != "jsonl":
        yield from export(target.records, target)


class Display:
    """Shows results as they come: failures on standard error, extractions on standard output if no file takes them.

    Args:
        progress: the progress display, which is advanced with each result.
        stream: a stream to write extractions to.
        to_file: whether extractions are written to a file.
        table: write tables (True) or JSON Lines (False) to standard output; by default, unless they go to a file,
            tables on a terminal and JSON Lines into a pipe.
    """

    def __init__(
        self, progress: Silent, stream: Stream | None = None, *, to_file: bool, table: bool | None = None
    ) -> None:
        self._progress = progress
        self._stream = stream
        as_table = table or (table is None and not to_file and sys.stdout.isatty())
        self._console = standard_output() if as_table else None
        self._lines = not as_table and (table is False or not to_file)

    def __call__(self, result: Result, tally: RunTally) -> None:
        """Show a result."""
        shown = isinstance(result, Failure) or self._lines or self._console is not None
        with self._progress.paused() if shown else nullcontext():
            if isinstance(result, Failure):
                line = f"{clean(result.document_id)}: {result.failure}: {clean(result.message)}"
                print(line, file=sys.stderr)  # noqa: T201
            else:
                self._show(result)
        self._progress.advance(result, tally)

    def _show(self, result: Extraction) -> None:
        if self._stream:
            self._stream.write(result)
        if self._console:
            self._console.print(display.extraction(result))
        elif self._lines:
            sys.stdout.buffer.write(json_line(result).encode() + b"\n")
            sys.stdout.buffer.flush()


def standard_output() -> Console:
    """Make the console for tables: as wide as the terminal, else `PIPED_WIDTH`."""
    free = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if free else PIPED_WIDTH)
