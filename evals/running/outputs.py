"""Outputs: what `mahdar extract` wrote, or what a run file holds, to be scored without a model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mahdar.errors import UsageError
from mahdar.evals.running.corpus import Case
from mahdar.evals.running.runs import Asked, CaseResult, outcome, outcome_without_text
from mahdar.runs.outputs import ERRORS, Result, as_extraction, as_failure, lines, problem, read_run
from mahdar.schemas.labels import Labels


@dataclass(frozen=True, slots=True)
class Results:
    """Results by article, and who was asked for them where that is known."""

    results: Mapping[str, Result]
    asked: Asked | None = None


def read_outputs(path: Path) -> Results:
    """The results in a file of JSON Lines and in the error file beside it, or in a run file, by article.

    Raises:
        UsageError: the file cannot be read, a line is no result, or an article has two.
    """
    run = read_run(path)
    errors = path.with_name(path.name + ERRORS)
    found = [*_results(path), *(_results(errors) if run is None and errors.is_file() else ())]
    twice = sorted({one.document_id for _place, one in found} - _once(found))
    if twice:
        places = ", ".join(place for place, one in found if one.document_id == twice[0])
        raise UsageError(f"{places}: article {twice[0]!r} has two results: keep one")
    asked = _asked(path, run["asked"]) if run and "asked" in run else None
    return Results({one.document_id: one for _place, one in found}, asked)


def score_outputs(results: Mapping[str, Result], corpus: tuple[Case, ...], place: Path) -> tuple[CaseResult, ...]:
    """The articles of a corpus, scored; one without a result scores zero.

    Raises:
        UsageError: a result has no labels.
    """
    _refuse_unlabelled(results, {case.document.id for case in corpus}, place)
    return tuple(outcome(case, results.get(case.document.id), str(place)) for case in corpus)


def score_without_texts(
    results: Mapping[str, Result], gold: Mapping[str, Labels], place: Path
) -> tuple[CaseResult, ...]:
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


def _results(path: Path) -> Iterator[tuple[str, Result]]:
    for place, line in lines(path):
        yield place, as_failure(place, line) if "failure" in line else as_extraction(place, line)
