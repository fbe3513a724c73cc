"""Outputs: what `mahdar extract` wrote, or what a run file holds, to be scored without a model."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evals.running.corpus import Case
from evals.running.runs import Asked, Outcome, outcome, outcome_without_text, problem
from extractor.batch.export import ERRORS
from extractor.errors import UsageError
from extractor.service import Failure
from schemas.labels import Labels
from schemas.records import Extraction

Result = Extraction | Failure


@dataclass(frozen=True, slots=True)
class Outputs:
    """Results by article, and who was asked for them where that is known."""

    results: Mapping[str, Result]
    asked: Asked | None = None


def read_outputs(path: Path) -> Outputs:
    """The results in a file of JSON Lines and in the error file beside it, or in a run file, by article.

    Raises:
        UsageError: the file cannot be read, a line is no result, or an article has two.
    """
    text = _text(path)
    whole = _json(text)
    if isinstance(whole, dict) and "repeats" in whole:
        found = list(_of_run(path, whole))
    else:
        found = list(_of_lines(path, text))
        errors = path.with_name(path.name + ERRORS)
        found += list(_of_lines(errors, _text(errors))) if errors.is_file() else []
    twice = sorted({one.document_id for _place, one in found} - _once(found))
    if twice:
        places = ", ".join(place for place, one in found if one.document_id == twice[0])
        raise UsageError(f"{places}: article {twice[0]!r} has two results: keep one")
    asked = _asked(path, whole["asked"]) if isinstance(whole, dict) and "asked" in whole else None
    return Outputs({one.document_id: one for _place, one in found}, asked)


def score_outputs(results: Mapping[str, Result], corpus: tuple[Case, ...], place: Path) -> tuple[Outcome, ...]:
    """The articles of a corpus, scored; one without a result scores zero.

    Raises:
        UsageError: a result has no labels.
    """
    _refuse_unlabelled(results, {case.document.id for case in corpus}, place)
    return tuple(outcome(case, results.get(case.document.id), str(place)) for case in corpus)


def score_without_texts(results: Mapping[str, Result], gold: Mapping[str, Labels], place: Path) -> tuple[Outcome, ...]:
    """`score_outputs` where there are labels only: grounding stays unchecked.

    Raises:
        UsageError: a result has no labels.
    """
    _refuse_unlabelled(results, gold.keys(), place)
    return tuple(outcome_without_text(labels, results.get(id_)) for id_, labels in sorted(gold.items()))


def _asked(path: Path, value: Any) -> Asked:
    try:
        return Asked.model_validate(value)
    except ValidationError as error:
        raise UsageError(f"{path}: asked: {problem(error)}") from None


def _refuse_unlabelled(results: Mapping[str, Result], known: Any, place: Path) -> None:
    without = sorted(results.keys() - set(known))
    if without:
        raise UsageError(
            "\n".join(f"{place}: article {id_!r} has no labels: label it, or leave it out" for id_ in without)
        )


def _once(found: list[tuple[str, Result]]) -> set[str]:
    names = [one.document_id for _place, one in found]
    return {name for name in names if names.count(name) == 1}


def _of_run(path: Path, run: Mapping[str, Any]) -> Iterator[tuple[str, Result]]:
    """The outputs alone: scores of another version are not looked at."""
    try:
        (repeat,) = run["repeats"]
    except (TypeError, ValueError):
        raise UsageError(f"{path}: $.repeats: one is scored again, got {len(run['repeats'])}: run it once") from None
    for index, one in enumerate(repeat):
        place = f"{path}: $.repeats[0][{index}]"
        failed = one.get("failed")
        if failed is None:
            yield place, _extraction(place, one.get("extraction"))
        elif failed["failure"] != "missing":
            yield place, Failure(document_id=one["document_id"], **failed)


def _of_lines(path: Path, text: str) -> Iterator[tuple[str, Result]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            place = f"{path}:{number}"
            value = _json(line)
            if not isinstance(value, dict):
                raise UsageError(
                    f"{place}: no JSON object on this line; `mahdar extract -o FILE` writes one an article"
                )
            yield place, _failure(place, value) if "failure" in value else _extraction(place, value)


def _extraction(place: str, value: Any) -> Extraction:
    try:
        return Extraction.model_validate(value)
    except ValidationError as error:
        raise UsageError(f"{place}: no extraction: {problem(error)}") from None


def _failure(place: str, value: dict[str, Any]) -> Failure:
    try:
        return Failure(**value)
    except TypeError as error:
        raise UsageError(f"{place}: no failure as `mahdar extract` writes it: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no UTF-8: {error.reason} at byte {error.start}") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
