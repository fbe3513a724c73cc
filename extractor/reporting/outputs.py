"""Outputs: the file that `mahdar extract -o` wrote, and the one beside it with what failed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from extractor.commands.output import ERRORS
from extractor.errors import UsageError
from schemas.records import Extraction


@dataclass(frozen=True, slots=True)
class Output:
    """One article's extraction, and the line it comes from: records of further tasks are whole only there."""

    extraction: Extraction
    line: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outputs:
    """A file of extractions, read line by line each time it is gone through: it may be larger than memory."""

    path: Path

    def __iter__(self) -> Iterator[Output]:
        """Yield the extractions in the order of the file.

        Raises:
            UsageError: the file cannot be read, or a line is no extraction.
        """
        for place, line in _lines(self.path):
            if "failure" not in line:
                yield Output(_extraction(place, line), line)

    def failures(self) -> tuple[Mapping[str, Any], ...]:
        """The articles that have no extraction, with class and message."""
        beside = self.path.with_name(self.path.name + ERRORS)
        files = [self.path, *([beside] if beside.is_file() else [])]
        return tuple(line for file in files for _place, line in _lines(file) if "failure" in line)


def _extraction(place: str, line: Mapping[str, Any]) -> Extraction:
    try:
        return Extraction.model_validate(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(map(str, first["loc"]))
        raise UsageError(f"{place}: no extraction: {path}: {first['msg']}; extract the article again") from None


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    place = f"{path}:{number}"
                    yield place, _object(place, line)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; name what `mahdar extract -o` wrote") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no UTF-8 ({error.reason} at byte {error.start}): is it JSON Lines?") from None


def _object(place: str, line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(f"{place}: no JSON object on this line; `mahdar extract -o FILE` writes one an article")
    return value
