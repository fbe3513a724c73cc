"""Read what `mahdar extract -o` wrote, one line at a time, or the run file of `mahdar eval run`."""

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
"""Suffix of the file of failed articles, beside the results."""
_TABLE_SUFFIXES: Final = (".parquet", ".duckdb", ".xlsx")
"""Suffixes of table files, which are made from the records beside them: OUT.parquet from OUT.parquet.jsonl."""

Line = Mapping[str, Any]
Result = Extraction | Failure


class FurtherRecord(Record):
    """A record of a task that is not installed; its fields are kept as they are."""

    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True, slots=True)
class Output:
    """One article's extraction, and its place in the file."""

    place: str
    """file and line"""
    line: Line
    extraction: Extraction


@dataclass(frozen=True, slots=True)
class Outputs:
    """A file of extractions, read line by line on each iteration, so that it may be larger than memory."""

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
        """Yield the failures in this file and in the error file beside it."""
        beside = [self.path.with_name(self.path.name + ERRORS)]
        if Path(self.path.stem).suffix.lower() in _TABLE_SUFFIXES:  # the errors of OUT.parquet.jsonl are OUT.parquet's
            beside.append(self.path.with_name(self.path.stem + ERRORS))
        for file in (self.path, *filter(Path.is_file, beside)):
            yield from (as_failure(place, line) for place, line in lines(file) if "failure" in line)


def lines(path: Path) -> Iterator[tuple[str, Line]]:
    """Yield the JSON objects of a file with their places, such as `output.jsonl:3`; skip blank lines.

    Raises:
        UsageError: the file cannot be read, or a line holds no object.
    """
    path = _readable(path)
    with _opened(path) as file:
        first = file.readline()
        run = _run(path, first, file)
        yield from _of_lines(path, chain([first], file)) if run is None else _of_run(path, run)


def read_run(path: Path) -> Line | None:
    """Read a run file of `mahdar eval run`; return None if the file is JSON Lines.

    Raises:
        UsageError: the file cannot be read, or is one object that is no run.
    """
    path = _readable(path)
    with _opened(path) as file:
        return _run(path, file.readline(), file)


def as_extraction(place: str, value: Any) -> Extraction:
    """Validate the value of a line as an extraction, with the records of further tasks in full.

    Raises:
        UsageError: it is not an extraction.
    """
    try:
        more = value.get("more") if isinstance(value, dict) else None
        if not more:
            return Extraction.model_validate(value)
        extraction = Extraction.model_validate({**value, "more": {}})
        classes = {task: record_class(task) for task in more}
        further = {task: tuple(_record(classes[task], record) for record in records) for task, records in more.items()}
        return extraction.model_copy(update={"more": further})
    except ValidationError as error:
        raise UsageError(f"{place}: no extraction: {problem(error)}") from None
    except (AttributeError, TypeError):
        raise UsageError(f"{place}: no extraction: $.more: must hold lists of records by task") from None


def _record(cls: type[Record] | None, value: Any) -> Record:
    """Validate a record by its task's class if that is installed and accepts it, else as a `FurtherRecord`."""
    if cls is not None:
        with suppress(ValidationError):
            return cls.model_validate(value)
    return FurtherRecord.model_validate(value)


def as_failure(place: str, value: Line) -> Failure:
    """Make a failure from the object of a line.

    Raises:
        UsageError: it is not a failure.
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
    """Return the first of pydantic's errors as one line, with its path."""
    first = error.errors(include_url=False)[0]
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
    return f"${steps}: {first['msg']}"


def _run(path: Path, first: str, rest: TextIO) -> Line | None:
    """Return the run if the file holds one: an object over many lines, or with `repeats` on the first; else None."""
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
                raise UsageError(
                    f"{path}:{number}: no JSON object on this line; `mahdar extract -o FILE` writes one an article"
                )
            yield f"{path}:{number}", line


def _of_run(path: Path, run: Line) -> Iterator[tuple[str, Line]]:
    """Yield extractions and failures of a run; its scores are ignored, since another version may have made them."""
    repeats = run["repeats"]
    if not isinstance(repeats, list) or len(repeats) != 1:
        size = len(repeats) if isinstance(repeats, list) else "none"
        raise UsageError(f"{path}: $.repeats: one is scored again, got {size}: run it once")
    for index, article in enumerate(repeats[0]):
        place = f"{path}: $.repeats[0][{index}]"
        failed = article.get("failed")
        if failed is None:
            yield place, article.get("extraction") or {}
        elif failed["failure"] != "missing":
            yield place, {"document_id": article["document_id"], **failed}


def _readable(path: Path) -> Path:
    """Return the JSON Lines that a table file was made from; any other path as it is.

    Raises:
        UsageError: the JSON Lines are not beside the file.
    """
    if path.suffix.lower() not in _TABLE_SUFFIXES or path.is_dir():
        return path
    records = path.with_name(f"{path.name}.jsonl")
    if path.is_file() and not records.is_file():
        raise UsageError(f"{path}: is no JSON Lines, and {records.name}, from which it is made, is not beside it")
    return records if records.is_file() else path


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise UsageError(f"{path}: is not UTF-8 ({where}); name a file that `mahdar extract -o` wrote") from None


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """Parse a text as a JSON object; return None if it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
