"""Where results go: JSON Lines in a file or on standard output, tables on a terminal, failures beside them."""

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from rich.console import Console

from extractor.commands import display
from extractor.errors import UsageError
from extractor.reading.outputs import ERRORS, Result
from extractor.service import Failure
from schemas.records import Extraction

PIPED_WIDTH: Final = 100
"""Columns of a table that no terminal shows."""
# JSON allows these inside a string, but many a reader of lines takes them for the end of one.
_LINE_ENDS: Final = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


class Output(Protocol):
    """Takes results as they come."""

    def write(self, result: Result) -> None:
        """Take one."""


class LineFile:
    """A file of whole lines: each is there at once and entire, or not at all.

    Raises:
        UsageError: the file has something in it that may not be replaced, or cannot be written.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
            self._is_plain = stat.S_ISREG(os.fstat(self._file).st_mode)
            self._clear(overwrite=overwrite)
        except OSError as error:
            raise self._unwritable(error) from None

    def _clear(self, *, overwrite: bool) -> None:
        if not self._is_plain:
            return
        if os.fstat(self._file).st_size and not overwrite:
            os.close(self._file)
            raise UsageError(f"{self.path} has results in it: give --overwrite to replace them, or another name")
        os.ftruncate(self._file, 0)

    def write(self, line: str) -> None:
        """Add a line.

        Raises:
            UsageError: the disk is full, say; what there was before stays as it was.
        """
        data, written = line.encode() + b"\n", 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            if self._is_plain:
                os.ftruncate(self._file, os.lseek(self._file, 0, os.SEEK_CUR) - written)
            raise self._unwritable(error) from None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _unwritable(self, error: OSError) -> UsageError:
        return UsageError(f"{self.path} cannot be written: {error.strerror}; name another file with --output")


class JsonlFile:
    """Extractions in one file; failures in another beside it, which is there only if there are any."""

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self._results = LineFile(path, overwrite=overwrite)
        self._errors: LineFile | None = None
        self._errors_path = path.with_name(path.name + ERRORS)
        self._errors_path.unlink(missing_ok=True)

    def write(self, result: Result) -> None:
        """Add it to the one file or the other."""
        if isinstance(result, Extraction):
            self._results.write(json_line(result))
            return
        if self._errors is None:
            self._errors = LineFile(self._errors_path, overwrite=True)
        self._errors.write(json_line(result))

    def close(self) -> None:
        """Let go of both."""
        self._results.close()
        if self._errors is not None:
            self._errors.close()


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
            said = display.clean(result.message)
            print(f"{display.clean(result.document_id)}: {result.failure}: {said}", file=sys.stderr)  # noqa: T201


@contextmanager
def outputs(file: Path | None = None, *, overwrite: bool = False, table: bool | None = None) -> Iterator[list[Output]]:
    """Where results are to go, until it is left.

    Args:
        file: takes JSON Lines.
        overwrite: replace what the file holds.
        table: show tables, or write JSON Lines to standard output; by default, and without a file, tables on a
            terminal and JSON Lines into a pipe.
    """
    with ExitStack() as files:
        chosen: list[Output] = [Complaints()]
        if file is not None:
            chosen.append(files.enter_context(closing(JsonlFile(file, overwrite=overwrite))))
        if table or (table is None and file is None and sys.stdout.isatty()):
            chosen.append(Tables(standard_output()))
        elif table is False or file is None:
            chosen.append(JsonLines(sys.stdout.buffer))
        yield chosen


def standard_output() -> Console:
    """For readers: as wide as the terminal, or as `PIPED_WIDTH`; numbers are not coloured."""
    free = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if free else PIPED_WIDTH)


def json_line(result: Result) -> str:
    """A result as JSON on one line, Arabic as Arabic."""
    if isinstance(result, Extraction):
        text = result.model_dump_json()
    else:
        text = json.dumps(asdict(result), ensure_ascii=False, separators=(",", ":"))
    return text.translate(_LINE_ENDS)
