"""A pytest plugin: a fixture that extracts and scores your labelled articles, to test a prompt like code.

    # pytest.ini
    [pytest]
    mahdar_articles = articles
    mahdar_labels = labels
    mahdar_recordings = recordings

    # test_prompts.py
    def test_prompt(mahdar_run):
        assert mahdar_run.meetings.soft_f1 >= 0.6
        assert mahdar_run.stances.fields["polarity"] >= 0.8
        assert not mahdar_run.fallen("baseline.json")

Answers come from the recordings, without a network, an endpoint or an environment variable. `pytest --mahdar-mode
record` asks the configured model and records its answers; `--mahdar-mode live` asks it and records nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from mahdar.evals.comparing.figures import Figures, RecordFigures
    from mahdar.evals.comparing.gate import FigureCheck
    from mahdar.evals.running.evaluation import Plan
    from mahdar.evals.running.runs import Run

MODES: Final = ("replay", "record", "live")
FOLDERS: Final = {
    "mahdar_articles": ("articles", "folder of *.txt"),
    "mahdar_labels": ("labels", "folder of a JSON file for each article"),
    "mahdar_recordings": ("recordings", "where raw answers are recorded"),
}


@dataclass(frozen=True, slots=True)
class MahdarRun:
    """Figures of a run over the labelled articles, to assert on.

    Attributes:
        meetings: soft F1, F1, precision, recall, and F1 of each field.
        stances: the same.
        figures: all of these and more, by name: `evidence.found`, `articles.extracted`.
        failed: ids of the articles that could not be extracted; they score zero.
        run: the whole run, outputs included.
        folder: root of the tests, which paths of baselines are relative to.
    """

    meetings: "RecordFigures"
    stances: "RecordFigures"
    figures: "Figures"
    failed: tuple[str, ...]
    run: "Run"
    folder: Path

    def fallen(self, baseline: str | Path) -> tuple["FigureCheck", ...]:
        """Return the figures that fell by more than a baseline allows; `mahdar eval accept` writes a baseline.

        Raises:
            UsageError: the file is no baseline, or is one for other articles or labels.
        """
        from mahdar.evals.comparing import gate

        path = self.folder / baseline
        return tuple(case for case in gate.gate(self.run, gate.read(path), place=str(path)) if case.fell)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the settings and options."""
    for name, (default, said) in FOLDERS.items():
        parser.addini(name, said, default=default)
    parser.addini("mahdar_mode", f"one of {', '.join(MODES)}", default=MODES[0])
    parser.addini("mahdar_model", "the model, in place of MAHDAR_MODEL or the recorded one", default="")
    parser.addini("mahdar_tasks", "tasks: NAME or NAME@VERSION", type="args", default=[])
    parser.addini("mahdar_prompts", "folders of further templates", type="paths", default=[])
    group = parser.getgroup("mahdar")
    group.addoption("--mahdar-mode", choices=MODES, help="where answers come from; overrides mahdar_mode")
    group.addoption("--mahdar-model", metavar="NAME", help="the model; overrides mahdar_model")


@pytest.fixture(scope="session")
def mahdar_run(pytestconfig: pytest.Config) -> MahdarRun:
    """Extract and score the labelled articles once for all tests."""
    from mahdar.errors import MahdarError
    from mahdar.evals.comparing.figures import RecordFigures, figures
    from mahdar.evals.running.evaluation import evaluate

    try:
        run = evaluate(_plan(pytestconfig))
    except MahdarError as error:
        pytest.fail(f"mahdar_run: {error}", pytrace=False)
    summary = run.summary
    return MahdarRun(
        meetings=RecordFigures.of(summary.meetings),
        stances=RecordFigures.of(summary.stances),
        figures=figures(summary),
        failed=tuple(one.document_id for one in run.outcomes if one.failed),
        run=run,
        folder=pytestconfig.rootpath,
    )


def _plan(config: pytest.Config) -> "Plan":
    from mahdar.errors import UsageError
    from mahdar.evals.running.evaluation import Plan
    from mahdar.evals.running.extracting import Options
    from mahdar.tasks import TASKS

    mode = config.getoption("--mahdar-mode") or config.getini("mahdar_mode")
    if mode not in MODES:
        raise UsageError(f"mahdar_mode = {mode}: one of {', '.join(MODES)}")
    articles, labels, recordings = (config.rootpath / config.getini(name) for name in FOLDERS)
    options = Options(
        model=config.getoption("--mahdar-model") or config.getini("mahdar_model") or None,
        tasks=tuple(config.getini("mahdar_tasks")) or TASKS,
        prompts=tuple(config.getini("mahdar_prompts")),
    )
    return Plan(articles=articles, labels=labels, mode=mode, recordings=recordings, options=options)
