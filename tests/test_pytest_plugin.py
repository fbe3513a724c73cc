"""The pytest plugin, in a project of its own: a prompt tested like code."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import Corpus, mahdar, only_meetings

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
SETTINGS = "[pytest]\nmahdar_articles = articles\nmahdar_labels = labels\nmahdar_recordings = recordings\n"
TEST = """
def test_prompt(mahdar_run):
    assert mahdar_run.meetings.soft_f1 >= 0.6
    assert mahdar_run.stances.fields["polarity"] >= 0.8
    assert mahdar_run.figures["evidence.found"] == 1
    assert mahdar_run.failed == ()
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Labelled articles, recorded answers, and the figures accepted of them.

    Made before pytester starts: it forgets the modules that a test is the first to import, and not every one of them
    can be imported twice.
    """
    with pytest.MonkeyPatch.context() as environment:
        corpus = Corpus.write(tmp_path_factory.mktemp("recorded"), environment)
        with corpus.served():
            corpus.run("-o", corpus / "run.json", mode="record")
        mahdar("eval", "accept", corpus / "run.json", "--baseline", corpus / "baseline.json")
        yield corpus.folder


@pytest.fixture
def project(recorded: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """A project with all that, and a test."""
    shutil.copytree(recorded, pytester.path, dirs_exist_ok=True)
    pytester.makefile(".ini", pytest=SETTINGS)
    pytester.makepyfile(test_prompts=TEST)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Corpus(pytester.path, monkeypatch)


def run(pytester: pytest.Pytester, *arguments: object) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "mahdar.evals.pytest_plugin", *map(str, arguments))


def test_a_prompt_is_tested_from_recordings(pytester: pytest.Pytester, project: Corpus) -> None:
    run(pytester).assert_outcomes(passed=1)


def test_a_score_that_is_too_low_fails_the_test(pytester: pytest.Pytester, project: Corpus) -> None:
    with project.served(only_meetings):
        found = run(pytester, "--mahdar-mode", "live")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*assert 0.0 >= 0.8*"])


def test_answers_are_recorded_by_an_option(pytester: pytest.Pytester, project: Corpus) -> None:
    with project.served(model="other") as endpoint:
        run(pytester, "--mahdar-mode", "record", "--mahdar-model", "another").assert_outcomes(passed=1)
        assert len(endpoint.requests) == 2
    project.forget()
    run(pytester, "--mahdar-model", "another").assert_outcomes(passed=1)


def test_an_answer_that_is_not_recorded_is_an_error_with_the_reason(pytester: pytest.Pytester, project: Corpus) -> None:
    found = run(pytester, "--mahdar-model", "other")
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(["*not recorded: meetings, stances for *; changed: model (loopback → other)*"])


def test_a_baseline_can_be_asserted_on(pytester: pytest.Pytester, project: Corpus) -> None:
    pytester.makepyfile(test_prompts="def test_prompt(mahdar_run): assert not mahdar_run.fallen('baseline.json')")
    run(pytester).assert_outcomes(passed=1)
    content = json.loads((project / "baseline.json").read_text(encoding="utf-8"))
    content["figures"]["meetings.soft_f1"] = 0.99
    (project / "baseline.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    found = run(pytester)
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*meetings.soft_f1*"])


def test_a_mode_that_does_not_exist_is_named(pytester: pytest.Pytester, project: Corpus) -> None:
    pytester.makefile(".ini", pytest=f"{SETTINGS}mahdar_mode = offline\n")
    found = run(pytester)
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(["*mahdar_mode = offline: one of replay, record, live*"])
