"""An evaluation: the plan of a run, and the run that comes of it."""

import datetime as dt
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from evals.options import ARTICLES, LABELS, RECORDINGS
from evals.running.corpus import Case, read_corpus, read_labels
from evals.running.outputs import read_outputs, score_outputs, score_without_texts
from evals.running.recording import MissingRecordingError, Recordings
from evals.running.runs import Asked, Mode, Outcome, Run, made, outcome
from evals.running.systems import Mahdar, Options, System, extract_all
from extractor.cli.progress import Silent, shown
from extractor.cli.run import Tally
from extractor.service import Failure
from extractor.settings import Settings
from extractor.tasks import TASKS
from schemas.records import Extraction


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
    system: Literal["mahdar", "naive"] = "mahdar"
    options: Options = field(default_factory=Options)

    @property
    def recording(self) -> str:
        """The command that records what this plan asks."""
        words = ["mahdar", "eval", "run", "--mode", "record"]
        for name, value, default in (
            ("--articles", self.articles, ARTICLES),
            ("--labels", self.labels, LABELS),
            ("--recordings", self.recordings, RECORDINGS),
            ("--system", self.system, "mahdar"),
            ("--model", self.options.model, None),
        ):
            words += [name, str(value)] if value != default else []
        words += [word for task in self.options.tasks if self.options.tasks != TASKS for word in ("--task", task)]
        words += [word for folder in self.options.prompts for word in ("--prompts", str(folder))]
        return shlex.join(words)


def evaluate(plan: Plan, clock: Callable[[], dt.datetime] = now) -> Run:
    """Extract and score a corpus as planned.

    Raises:
        UsageError: a file is not sound, or a replay lacks an answer.
        NoModelError: no model is reachable.
    """
    cases = read_corpus(plan.articles, plan.labels)
    recordings = Recordings(plan.recordings, fresh=plan.fresh)
    settings = Settings.from_environment()
    total = len(cases) * plan.repeats
    with shown(total, slow=settings.embedded and plan.mode != "replay") as progress:
        system = _system(plan, recordings, settings, progress)
        try:
            repeats = _repeats(plan, system, cases, progress)
        except MissingRecordingError:
            raise _missing(plan, recordings) from None
        finally:
            system.close()
        asked = system.asked
    if recordings.missed:
        raise _missing(plan, recordings)
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


def _missing(plan: Plan, recordings: Recordings) -> MissingRecordingError:
    """All that is not recorded, also where an article failed of something else first, and the command."""
    return MissingRecordingError("\n".join((*recordings.missed, f"record: {plan.recording}")))


def _system(plan: Plan, recordings: Recordings, settings: Settings, progress: Silent) -> System:
    if plan.system == "naive":
        from evals.naive.program import Naive

        return Naive(plan.options, plan.mode, recordings, settings=settings, progress=progress.phase)
    return Mahdar(plan.options, plan.mode, recordings, settings=settings, progress=progress.phase)


def _repeats(plan: Plan, system: System, cases: tuple[Case, ...], progress: Silent) -> tuple[tuple[Outcome, ...], ...]:
    tally = Tally(len(cases) * plan.repeats)

    def done(result: Extraction | Failure) -> None:
        tally.add(result)
        progress.advance(result, tally)

    return tuple(
        tuple(outcome(case, result) for case, result in zip(cases, extract_all(system, cases, done), strict=True))
        for _ in range(plan.repeats)
    )


def _asked(outcomes: tuple[Outcome, ...]) -> Asked:
    """Who was asked, by what the results say of themselves."""
    found = [one.extraction.provenance for one in outcomes if one.extraction]
    models = sorted({made.model for made in found})
    prompts = {task: ref for made in found for task, ref in made.prompts.items()}
    schemas = {task: ref for made in found for task, ref in made.schemas.items()}
    return Asked(system="output", model=", ".join(models) or "unknown", prompts=prompts, schemas=schemas)
