"""An evaluation: the plan of a run, and the run that comes of it."""

import datetime as dt
import logging
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mahdar.cli.progress import Silent, shown
from mahdar.errors import UsageError
from mahdar.evals.options import ARTICLES, LABELS, RECORDINGS
from mahdar.evals.running.corpus import Case, read_corpus, read_labels
from mahdar.evals.running.outputs import read_outputs, score_outputs, score_without_texts
from mahdar.evals.running.recording import Description, Recordings
from mahdar.evals.running.runs import Asked, CaseResult, Mode, Run, made, outcome
from mahdar.evals.running.systems import Mahdar, Options, System, endpoint_of, extract_all, with_options
from mahdar.llm.endpoint import Endpoint
from mahdar.results import Failure
from mahdar.runs.run import Tally
from mahdar.schemas.records import Extraction
from mahdar.settings import EMBEDDED, Settings
from mahdar.tasks import TASKS

log = logging.getLogger("mahdar")


def now() -> dt.datetime:
    """The time in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run.

    Attributes:
        fresh: in a recording, ask again what is recorded already.
        repeats: how often the corpus is asked.
    """

    articles: Path = ARTICLES
    labels: Path = LABELS
    mode: Mode = "live"
    recordings: Path = RECORDINGS
    fresh: bool = False
    repeats: int = 1
    options: Options = field(default_factory=Options)

    def recording(self, endpoint: Endpoint | None) -> str:
        """The command that records what this plan asks, of the endpoint that is replayed."""
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
        words += [word for task in self.options.tasks if self.options.tasks != TASKS for word in ("--task", task)]
        words += [word for folder in self.options.prompts for word in ("--prompts", str(folder))]
        words += [word for module in self.options.schemas for word in ("--schemas", module)]
        needed = "" if embedded else ", with OPENAI_API_KEY or OPENAI_BASE_URL set"
        return f"record: {shlex.join(words)}{needed}"


def evaluate(plan: Plan, clock: Callable[[], dt.datetime] = now) -> Run:
    """Extract and score a corpus as planned.

    Raises:
        UsageError: a file is not sound, or a replay lacks an answer.
        NoModelError: no model is reachable.
    """
    cases = read_corpus(plan.articles, plan.labels)
    named = {case.document.sha256: case.document.id for case in cases}
    recordings = Recordings(plan.recordings, named, fresh=plan.fresh)
    settings = with_options(Settings.from_environment(), plan.options)
    endpoint = _endpoint(plan, recordings, settings)
    slow = endpoint is not None and endpoint.embedded and plan.mode != "replay"
    with shown(len(cases) * plan.repeats, slow=slow) as progress:
        system = _system(plan, recordings, endpoint, settings, progress)
        try:
            repeats = _repeats(plan, system, cases, progress)
            asked = system.asked
        finally:
            system.close()
            if plan.mode == "record" and endpoint is not None:
                recordings.describe(_description(endpoint, clock().date()))
    if recordings.missed:
        raise UsageError("\n".join((*recordings.missed, plan.recording(endpoint))))
    if recordings.reasks_missed:
        log.warning(
            "validation now asks again about %s, which is not recorded: the first answers stand; %s",
            ", ".join(recordings.reasks_missed),
            plan.recording(endpoint),
        )
    if plan.mode == "record":
        recordings.prune({one.document_id for one in repeats[0] if not one.failed})
    return made(asked, plan.mode, repeats, clock())


def rescore(outputs: Path, labels: Path, articles: Path | None = None, clock: Callable[[], dt.datetime] = now) -> Run:
    """Score results that are there already.

    Raises:
        UsageError: a file is not sound, or a result has no labels.
    """
    found = read_outputs(outputs)
    results = found.results
    if articles is None:
        outcomes = score_without_texts(results, read_labels(labels), outputs)
    else:
        outcomes = score_outputs(results, read_corpus(articles, labels, partly=True), outputs)
    return made(found.asked or _asked(outcomes), "scored", (outcomes,), clock())


def _endpoint(plan: Plan, recordings: Recordings, settings: Settings) -> Endpoint | None:
    try:
        return endpoint_of(plan.options, plan.mode, recordings, settings)
    except UsageError as error:
        if plan.mode != "replay":
            raise
        raise UsageError(f"{error}\n{plan.recording(None)}") from None


def _description(endpoint: Endpoint, day: dt.date) -> Description:
    return Description(
        model=endpoint.model,
        mode=endpoint.mode,
        parameters=endpoint.parameters,
        embedded=endpoint.embedded,
        asked=day,
    )


def _system(
    plan: Plan, recordings: Recordings, endpoint: Endpoint | None, settings: Settings, progress: Silent
) -> System:
    return Mahdar(plan.options, plan.mode, recordings, endpoint, settings=settings, progress=progress.phase)


def _repeats(
    plan: Plan, system: System, cases: tuple[Case, ...], progress: Silent
) -> tuple[tuple[CaseResult, ...], ...]:
    tally = Tally(len(cases) * plan.repeats)

    def done(result: Extraction | Failure) -> None:
        tally.add(result)
        progress.advance(result, tally)

    return tuple(
        tuple(outcome(case, result) for case, result in zip(cases, extract_all(system, cases, done), strict=True))
        for _ in range(plan.repeats)
    )


def _asked(outcomes: tuple[CaseResult, ...]) -> Asked:
    """Who was asked, by what the results say of themselves."""
    found = [one.extraction.provenance for one in outcomes if one.extraction]
    makers = {task: maker for made in found for task, maker in made.made_by.items()}
    prompts = {task: ref for made in found for task, ref in made.prompts.items()}
    schemas = {task: ref for made in found for task, ref in made.schemas.items()}
    return Asked(system="output", made_by=makers, prompts=prompts, schemas=schemas)
