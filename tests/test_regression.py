"""The seeds, replayed from the recorded answers of the embedded model, scored, and gated by the accepted figures.

Where this fails after a change of a prompt, record again (`mahdar eval run --mode record`), look at what was won and
lost (`mahdar eval compare`), and accept it (`mahdar eval accept`) if it is better.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.comparing.figures import figures
from evals.comparing.gate import gate, read, reason
from evals.running.evaluation import Plan, evaluate
from evals.running.runs import Run
from evals.running.runs import read as read_run
from extractor.errors import UsageError

ROOT = Path(__file__).parents[1]
EVALS = ROOT / "evals"
RECORDINGS, BASELINE = EVALS / "recordings", EVALS / "baseline.json"
RUN_FILES = sorted((EVALS / "baselines").glob("*.json"))

if not (RECORDINGS.exists() or BASELINE.exists()):
    pytest.skip(
        f"no answers are recorded yet in {RECORDINGS.relative_to(ROOT)}: mahdar eval run --mode record -o RUN.json, "
        "then mahdar eval accept RUN.json",
        allow_module_level=True,
    )


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The run, of the embedded model whatever the environment says."""
    plan = Plan(ROOT / "seeds" / "articles", ROOT / "seeds" / "labels", mode="replay", recordings=RECORDINGS)
    with pytest.MonkeyPatch.context() as environment:
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MAHDAR_MODEL", "MAHDAR_MODE", "MAHDAR_LOCAL_MODEL"):
            environment.delenv(name, raising=False)
        environment.setenv("MAHDAR_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        try:
            yield evaluate(plan)
        except UsageError as error:
            pytest.fail(str(error), pytrace=False)


def test_all_five_seeds_are_replayed(replayed: Run) -> None:
    assert len(replayed.outcomes) == 5
    assert [one.document_id for one in replayed.outcomes] == [
        path.stem for path in sorted((ROOT / "seeds" / "articles").glob("*.txt"))
    ]


def test_no_figure_falls_below_what_was_accepted(replayed: Run) -> None:
    cases = gate(replayed, read(BASELINE), place=BASELINE.relative_to(ROOT).as_posix())
    assert len(cases) == 6 * len(figures(replayed.summary))
    if any(case.fell for case in cases):
        pytest.fail("\n".join(reason(cases)), pytrace=False)


def test_nothing_is_recorded_that_is_not_asked(replayed: Run) -> None:
    asked = {
        one for outcome in replayed.outcomes if outcome.extraction for one in outcome.extraction.provenance.fingerprints
    }
    extracted = {outcome.document_id for outcome in replayed.outcomes if outcome.extraction}
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDINGS.glob("*/*.json"))]
    recorded = {
        entry["fingerprint"]
        for file in files
        for entry in file["answers"]
        if entry["components"]["task"] != "naive" and entry["article"] in extracted
    }
    assert recorded - asked == set()


@pytest.mark.parametrize("path", RUN_FILES, ids=lambda path: path.stem)
def test_a_committed_run_file_is_of_the_seeds_and_of_this_scoring(path: Path) -> None:
    run = read_run(path)
    labels = {file.stem for file in (ROOT / "seeds" / "labels").glob("*.json")}
    assert {one.document_id for one in run.outcomes} == labels
