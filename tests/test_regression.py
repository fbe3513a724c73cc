"""The seeds under test: recorded answers replayed, scored and gated by the accepted figures; the rule reader as well.

Where a replay lacks an answer after a change of a template or a schema, it names what changed and the command that
records anew; then look at what was won and lost (`mahdar eval compare`), and accept it (`mahdar eval accept`) if it is
better.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mahdar.errors import UsageError
from mahdar.evals.comparing.figures import HEADLINES, figures
from mahdar.evals.comparing.gate import ALL, gate, read, reason
from mahdar.evals.running.evaluation import Plan, evaluate
from mahdar.evals.running.extracting import Options
from mahdar.evals.running.recording import DESCRIPTION, REFERENCE
from mahdar.evals.running.runs import Run
from mahdar.evals.tables import number

ROOT = Path(__file__).parents[1]
EVALS = ROOT / "evals"
RECORDINGS, TEMPLATES = EVALS / "recordings", EVALS / "templates"
BASELINE, RULES = EVALS / "baseline.json", EVALS / "baselines" / "rules.json"
SENSELESS, NO_RULES = "senseless", "no-rules"
"""Recordings of other templates, really asked: tests of the gate itself."""

Replay = Callable[[str], Run]


def folder_of(name: str) -> Path:
    """Where a template's answers are recorded."""
    return RECORDINGS if name == REFERENCE else RECORDINGS / name


@pytest.fixture(scope="module")
def replay() -> Replay:
    """Replay the answers to a template, once."""
    runs: dict[str, Run] = {}

    def replayed(name: str) -> Run:
        if not (folder_of(name) / REFERENCE).exists():
            pytest.skip(f"no answers are recorded yet in {(folder_of(name) / REFERENCE).relative_to(ROOT)}")
        if name not in runs:
            prompts = () if name == REFERENCE else (TEMPLATES / name,)
            try:
                runs[name] = evaluate(seeds(Options(prompts=prompts), recordings=folder_of(name)))
            except UsageError as error:
                pytest.fail(str(error), pytrace=False)
        return runs[name]

    return replayed


def seeds(options: Options, recordings: Path | None = None) -> Plan:
    """A replay of the seeds, or where no recordings are named a live run."""
    articles, labels = ROOT / "seeds" / "articles", ROOT / "seeds" / "labels"
    if recordings is None:
        return Plan(articles, labels, options=options)
    return Plan(articles, labels, "replay", recordings, options=options)


def refused(run: Run, baseline: Path = BASELINE) -> tuple[str, ...]:
    """What the gate says against a run, and nothing where it passes."""
    cases = gate(run, read(baseline), place=baseline.relative_to(ROOT).as_posix())
    return tuple(reason(cases)) if any(case.fell for case in cases) else ()


def test_all_five_seeds_are_replayed(replay: Replay) -> None:
    articles = [path.stem for path in sorted((ROOT / "seeds" / "articles").glob("*.txt"))]
    assert len(articles) == 5
    assert [one.document_id for one in replay(REFERENCE).outcomes] == articles


def test_no_figure_falls_below_what_was_accepted(replay: Replay) -> None:
    if said := refused(replay(REFERENCE)):
        pytest.fail("\n".join(said), pytrace=False)


def test_every_figure_of_every_seed_is_gated(replay: Replay) -> None:
    run = replay(REFERENCE)
    assert len(gate(run, read(BASELINE))) == 6 * len(figures(run.summary))


def test_a_senseless_prompt_is_refused_by_its_score(replay: Replay) -> None:
    cases = gate(replay(SENSELESS), read(BASELINE))
    assert {case.figure for case in cases if case.fell and case.article == ALL} >= set(HEADLINES)


@pytest.mark.parametrize("name", [REFERENCE, NO_RULES, SENSELESS])
def test_what_the_gate_says_is_what_is_written(replay: Replay, name: str) -> None:
    run = replay(name)
    scores = [number(figures(run.summary)[figure]) for figure in HEADLINES]
    row = f"| `{name}` | {scores[0]} | {scores[1]} | {'refused' if refused(run) else 'passes'} |"
    if row not in (EVALS / "analysis.md").read_text(encoding="utf-8"):
        pytest.fail(f"evals/analysis.md, what the gate can tell: write {row}", pytrace=False)


@pytest.mark.parametrize("name", [REFERENCE, NO_RULES, SENSELESS])
def test_nothing_is_recorded_that_is_not_asked(replay: Replay, name: str) -> None:
    """Re-asks apart: a validator may ask again about less than it did."""
    found = [one.extraction.provenance.fingerprints for one in replay(name).outcomes if one.extraction]
    failed = {one.document_id for one in replay(name).outcomes if one.failed}
    files = [path for path in (folder_of(name) / REFERENCE).glob("*.json") if path.name != DESCRIPTION]
    answers = [entry for path in files for entry in json.loads(path.read_text(encoding="utf-8"))["answers"]]
    firsts = {one["fingerprint"] for one in answers if "reask_of" not in one and one["article"] not in failed}
    assert firsts <= {fingerprint for fingerprints in found for fingerprint in fingerprints}


@pytest.mark.parametrize("name", [REFERENCE, NO_RULES, SENSELESS])
def test_a_recording_says_what_it_is(replay: Replay, name: str) -> None:
    said = replay(name).asked.said
    assert said is not None
    assert not said.startswith("Answers of")


def test_the_rule_reader_keeps_its_figures() -> None:
    if said := refused(evaluate(seeds(Options(model="offline"))), RULES):
        pytest.fail("\n".join(said), pytrace=False)
