"""Outputs: what `mahdar extract -o` wrote, read back one line at a time; or what a run file of `mahdar eval` holds."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Final, TextIO

from pydantic import ConfigDict, ValidationError

from mahdar.errors import UsageError
from mahdar.results import Failure, Usage
from mahdar.schemas.records import Extraction, Record
from mahdar.task_modules import record_class

ERRORS: Final = ".errors.jsonl"
"""Ends the name of the file beside the results, for the articles that failed."""
_MADE_OF_RECORDS: Final = (".parquet", ".duckdb", ".xlsx")
"""Outputs that are made of records kept beside them: OUT.parquet of OUT.parquet.jsonl."""

Line = Mapping[str, Any]
Result = Extraction | Failure


class FurtherRecord(Record):
    """A record of a task that this version does not know: its fields are kept as they are."""

    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True, slots=True)
class Output:
    """One article's extraction, and where it stands."""

    place: str
    """file and line"""
    line: Line
    extraction: Extraction


@dataclass(frozen=True, slots=True)
class Outputs:
    """A file of extractions, read line by line each time it is gone through: it may be larger than memory."""

    path: Path

    def __iter__(self) -> Iterator[Output]:
        """Yield the extractions in the order of the file.

        Raises:
            UsageError: the file cannot be read, or a line is no extraction.
        """
        for place, line in lines(self.path):
            if "failure" not in line:
                yield Output(place, line, as_extraction(place, line))

    def failures(self) -> Iterator[Failure]:
        """Yield the articles that have no extraction, of this file and of the error file beside it."""
        for file in (self.path, *filter(Path.is_file, self._beside())):
            yield from (as_failure(place, line) for place, line in lines(file) if "failure" in line)

    def _beside(self) -> Iterator[Path]:
        """Where a run puts what failed: by the name of its output, of which the records may be made first."""
        yield self.path.with_name(self.path.name + ERRORS)
        if Path(self.path.stem).suffix.lower() in _MADE_OF_RECORDS:
            yield self.path.with_name(self.path.stem + ERRORS)


def lines(path: Path) -> Iterator[tuple[str, Line]]:
    """The objects of a file with their places: `output.jsonl:3`; blank lines are passed over.

    Raises:
        UsageError: the file cannot be read, or a line holds no object.
    """
    path = _readable(path)
    with _opened(path) as file:
        first = file.readline()
        run = _run(path, first, file)
        yield from _of_lines(path, chain([first], file)) if run is None else _of_run(path, run)


def read_run(path: Path) -> Line | None:
    """What a run file holds; None where the file is JSON Lines.

    Raises:
        UsageError: the file cannot be read, or is one object that is no run.
    """
    path = _readable(path)
    with _opened(path) as file:
        return _run(path, file.readline(), file)


def as_extraction(place: str, value: Any) -> Extraction:
    """An extraction from what stands on a line, its further records whole.

    Raises:
        UsageError: it is none.
    """
    try:
        more = value.get("more") if isinstance(value, dict) else None
        if not more:
            return Extraction.model_validate(value)
        found = Extraction.model_validate({**value, "more": {}})
        kept = {task: tuple(_record(task, record) for record in records) for task, records in more.items()}
        return found.model_copy(update={"more": kept})
    except ValidationError as error:
        raise UsageError(f"{place}: no extraction: {problem(error)}") from None
    except (AttributeError, TypeError):
        raise UsageError(f"{place}: no extraction: $.more: lists of records by task are wanted") from None


def _record(task: str, value: Any) -> Record:
    """A further task's record: of its own class where that is known and takes it."""
    known = record_class(task)
    if known is not None:
        with suppress(ValidationError):
            return known.model_validate(value)
    return FurtherRecord.model_validate(value)


def as_failure(place: str, value: Line) -> Failure:
    """A failure from what stands on a line.

    Raises:
        UsageError: it is none.
    """
    try:
        spent = Usage(
            attempts=value.get("attempts", 0),
            tokens_in=value.get("tokens_in", 0),
            tokens_out=value.get("tokens_out", 0),
            cost=Decimal(str(value.get("cost") or 0)),
            unpriced=int(value.get("cost", 0) is None),
        )
        return Failure(value["document_id"], value["failure"], value["message"], spent)
    except (KeyError, TypeError, ArithmeticError) as error:
        raise UsageError(f"{place}: no failure as `mahdar extract` writes it: {error!r}") from None


def problem(error: ValidationError) -> str:
    """The first of pydantic's errors, with its path."""
    first = error.errors(include_url=False)[0]
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
    return f"${steps}: {first['msg']}"


def _run(path: Path, first: str, rest: TextIO) -> Line | None:
    """A run file is one object over many lines, or one with its repeats on the first."""
    if first.strip() != "{" and "repeats" not in (json_object(first) or {}):
        return None
    whole = json_object(first + rest.read())
    if whole is None or "repeats" not in whole:
        raise UsageError(
            f"{path}: neither JSON Lines nor a run file; `mahdar extract -o FILE` writes a line an article"
        )
    return whole


def _of_lines(path: Path, texts: Iterable[str]) -> Iterator[tuple[str, Line]]:
    for number, text in enumerate(texts, start=1):
        if text.strip():
            line = json_object(text)
            if line is None:
                told = "no JSON object on this line; `mahdar extract -o FILE` writes one an article"
                raise UsageError(f"{path}:{number}: {told}")
            yield f"{path}:{number}", line


def _of_run(path: Path, run: Line) -> Iterator[tuple[str, Line]]:
    """The outputs alone: scores of another version are not looked at."""
    repeats = run["repeats"]
    if not isinstance(repeats, list) or len(repeats) != 1:
        size = len(repeats) if isinstance(repeats, list) else "none"
        raise UsageError(f"{path}: $.repeats: one is scored again, got {size}: run it once")
    for index, one in enumerate(repeats[0]):
        place = f"{path}: $.repeats[0][{index}]"
        failed = one.get("failed")
        if failed is None:
            yield place, one.get("extraction") or {}
        elif failed["failure"] != "missing":
            yield place, {"document_id": one["document_id"], **failed}


def _readable(path: Path) -> Path:
    """The records that a file was made of, where it is no text itself.

    Raises:
        UsageError: they are not beside it.
    """
    if path.suffix.lower() not in _MADE_OF_RECORDS or path.is_dir():
        return path
    records = path.with_name(f"{path.name}.jsonl")
    if path.is_file() and not records.is_file():
        raise UsageError(f"{path}: reads JSON Lines: name {records.name}")
    return records if records.is_file() else path


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no UTF-8: {error.reason} at byte {error.start}") from None


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """The JSON object that a line, or a file, holds; None where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
