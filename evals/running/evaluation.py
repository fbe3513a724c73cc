"""Evaluate: extract a labelled corpus as planned, or take outputs that exist, and score them into a run."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mahdar.errors import UsageError
from mahdar.evals.options import ARTICLES, LABELS, RECORDINGS
from mahdar.evals.running.corpus import read_corpus, read_labels
from mahdar.evals.running.extracting import Options, extract_documents, record_line
from mahdar.evals.running.runs import Asked, CaseResult, Mode, Run, case_result, new_run
from mahdar.llm.endpoint import Endpoint
from mahdar.runs.outputs import ERRORS, Result, as_extraction, as_failure, lines, problem, read_run
from mahdar.settings import EMBEDDED

if TYPE_CHECKING:
    from mahdar.documents.document import Document
    from mahdar.schemas.labels import Labels


def now() -> dt.datetime:
    """Return the time in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run to make.

    Attributes:
        articles: folder of *.txt.
        labels: folder of a JSON file for each article.
        mode: where answers come from.
        recordings: folder of recorded answers.
        fresh: when recording, ask again for answers that are recorded.
        repeats: how many times to extract the corpus.
        options: model, tasks, templates and concurrency.
    """

    articles: Path = ARTICLES
    labels: Path = LABELS
    mode: Mode = "live"
    recordings: Path = RECORDINGS
    fresh: bool = False
    repeats: int = 1
    options: Options = field(default_factory=Options)

    def record_command(self, endpoint: Endpoint | None) -> str:
        """Return the command that records this plan's answers; `endpoint` is the one that is replayed, if known."""
        embedded = endpoint is not None and endpoint.embedded
        model = self.options.model or (endpoint.model if endpoint else None)
        words = ["mahdar", "eval", "run", "--mode", "record"]
        for name, value, default in (
            ("--model", EMBEDDED if embedded else model, None),
            ("--articles", self.articles, ARTICLES),
            ("--labels", self.labels, LABELS),
            ("--recordings", self.recordings, RECORDINGS),
        ):
            words += [name, str(value)] if value != default else []
        return record_line(words, self.options, embedded=embedded)


def evaluate(plan: Plan, clock: Callable[[], dt.datetime] = now) -> Run:
    """Extract and score a corpus as planned.

    Raises:
        UsageError: a file is invalid, or a replay lacks an answer.
        NoModelError: no model is reachable.
    """
    cases = read_corpus(plan.articles, plan.labels)
    extracted = extract_documents(
        [case.document for case in cases],
        plan.options,
        plan.mode,
        plan.recordings,
        record_command=plan.record_command,
        fresh=plan.fresh,
        repeats=plan.repeats,
    )
    repeats = tuple(
        tuple(case_result(case.labels, results[case.document.id], case.document) for case in cases)
        for results in extracted.repeats
    )
    return new_run(extracted.asked, plan.mode, repeats, clock())


def rescore(outputs: Path, labels: Path, articles: Path | None = None) -> Run:
    """Score outputs that exist. A labelled article without a result scores zero.

    Args:
        outputs: what `mahdar extract -o` wrote, or a run file.
        labels: folder of label files.
        articles: folder of texts; without it evidence stays unchecked.

    Raises:
        UsageError: a file is invalid, an article has two results, or a result has no labels.
    """
    results, asked = _read_outputs(outputs)
    corpus: list[tuple[Labels, Document | None]]
    if articles is None:
        corpus = [(gold, None) for _id, gold in sorted(read_labels(labels).items())]
    else:
        corpus = [(case.labels, case.document) for case in read_corpus(articles, labels, partly=True)]
    unlabelled = sorted(results.keys() - {gold.document_id for gold, _document in corpus})
    if unlabelled:
        raise UsageError(
            "\n".join(f"{outputs}: article {id_!r} has no labels: label it, or leave it out" for id_ in unlabelled)
        )
    scored = tuple(
        case_result(gold, results.get(gold.document_id), document, str(outputs)) for gold, document in corpus
    )
    return new_run(asked or _asked(scored), "scored", (scored,), now())


def _read_outputs(path: Path) -> tuple[Mapping[str, Result], Asked | None]:
    """Read results by article, and from a run file also who was asked."""
    run = read_run(path)
    errors = path.with_name(path.name + ERRORS)
    files = [path] if run is not None or not errors.is_file() else [path, errors]
    results: dict[str, Result] = {}
    places: dict[str, str] = {}
    for place, line in (found for file in files for found in lines(file)):
        result = as_failure(place, line) if "failure" in line else as_extraction(place, line)
        id_ = result.document_id
        if id_ in results:
            raise UsageError(f"{places[id_]}, {place}: article {id_!r} has two results: keep one")
        results[id_], places[id_] = result, place
    if run is None or "asked" not in run:
        return results, None
    try:
        return results, Asked.model_validate(run["asked"])
    except ValidationError as error:
        raise UsageError(f"{path}: asked: {problem(error)}") from None


def _asked(scored: Iterable[CaseResult]) -> Asked:
    """Tell who was asked from the provenance of the extractions."""
    provenances = [case.extraction.provenance for case in scored if case.extraction]
    return Asked(
        system="output",
        made_by={task: maker for made in provenances for task, maker in made.made_by.items()},
        prompts={task: ref for made in provenances for task, ref in made.prompts.items()},
        schemas={task: ref for made in provenances for task, ref in made.schemas.items()},
    )
