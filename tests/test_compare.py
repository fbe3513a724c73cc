"""Comparing runs: what was won and lost, record by record; and many runs in one table."""

from pathlib import Path

import pytest
from tiny import LABELS, SUPPORTED, Corpus, answering, answers, changed, drafted, mahdar, only_meetings, write_labels

from mahdar.evals.comparing.ablate import Variant, variants
from mahdar.evals.comparing.compare import compare_runs
from mahdar.evals.running.runs import read


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus.write(tmp_path, monkeypatch)


INVENTING = answering(
    drafted(
        stances=[
            SUPPORTED | {"act": "thank"},
            SUPPORTED | {"act": "condemn", "polarity": "against", "holders": ["a2"]},
        ]
    )
)
"""Another act, and a second stance that the article does not have."""


def test_a_run_compared_with_itself_differs_in_nothing(corpus: Corpus) -> None:
    run = corpus.made("run.json")
    ended = mahdar("eval", "compare", run, run)
    assert ended.code == 0
    assert "meetings: soft F1 ±.000; 0 articles won, 0 lost, 2 even" in ended.words
    assert "no figure and no record differs" in ended.out
    assert "→" not in ended.out


def test_a_short_comparison_has_a_row_a_run(corpus: Corpus) -> None:
    one, other = corpus.made("one.json"), corpus.made("other.json", only_meetings)
    ended = mahdar("eval", "compare", one, other, "--short")
    assert ended.code == 0
    assert "made by meetings soft F1 95% (jackknife t, n=2) stances soft F1 95% (jackknife t, n=2)" in ended.words
    assert [line.split()[0] for line in ended.out.splitlines() if "loopback" in line] == ["loopback", "loopback"]
    assert "talks" not in ended.out


def test_what_was_lost_is_shown_beside_the_labels(corpus: Corpus) -> None:
    one, other = corpus.made("one.json"), corpus.made("other.json", only_meetings)
    ended = mahdar("eval", "compare", one, other)
    assert ended.code == 0
    assert "stances: soft F1 −1.000; 0 articles won, 1 lost, 1 even" in ended.words
    assert "no test can reach p < .05 below 6" in ended.words
    assert "stances.fields.polarity 1.000 .000 −1.000" in ended.words
    assert "talks s1" in ended.words
    assert "1.00 → 0.00" in ended.words
    assert "meetings.soft_f1 .950" not in ended.words


def test_records_that_changed_and_records_made_up_are_told_apart(corpus: Corpus) -> None:
    one, other = read(corpus.made("one.json")), read(corpus.made("other.json", INVENTING))
    found = compare_runs(one, other)
    aligned, made_up = found.changes
    assert aligned.gold.id == "s1"
    assert aligned.fields == ("act: correct 1.00 → incorrect 0.50",)
    assert (made_up.gold, made_up.before) == (None, None)
    assert made_up.after.act == "condemn"
    assert [move.figure for move in found.moves if move.difference > 0] == []
    back = compare_runs(other, one)
    assert back.tests["stances"].difference == -found.tests["stances"].difference > 0
    assert back.changes[1].before.act == "condemn"


def test_runs_of_other_articles_or_labels_or_repeats_are_not_compared(corpus: Corpus) -> None:
    run = corpus.made("run.json")
    twice = corpus.made("twice.json", answers, "--repeat", 2)
    write_labels(corpus / "labels", changed(LABELS, "stances.0.act", "praise"))
    relabelled = corpus.made("relabelled.json")
    (corpus / "labels" / "weather.json").unlink()
    (corpus / "articles" / "weather.txt").unlink()
    fewer = corpus.made("fewer.json")
    for other, problem in (
        (twice, "1 and 2 repeats"),
        (relabelled, "talks: labelled differently"),
        (fewer, "weather is in one of them alone"),
    ):
        ended = mahdar("eval", "compare", run, other)
        assert ended.code == 2
        assert problem in ended.err


def test_a_matrix_has_every_combination() -> None:
    assert variants(["meetings@1,stances@1", "meetings@2"], ["small", "large"], []) == (
        Variant(("meetings@1", "stances@1"), "small", None),
        Variant(("meetings@1", "stances@1"), "large", None),
        Variant(("meetings@2",), "small", None),
        Variant(("meetings@2",), "large", None),
    )
    assert variants([], [], []) == (Variant(("meetings", "stances"), None, None),)


def test_an_ablation_is_one_table_and_a_run_file_each(corpus: Corpus) -> None:
    corpus.monkeypatch.setenv("COLUMNS", "200")
    with corpus.served() as endpoint:
        ended = mahdar(
            *("eval", "ablate", *corpus.options, "--tasks", "meetings,stances", "--tasks", "meetings"),
            *("--answer-mode", "json_schema", "--answer-mode", "tools", "-o", corpus / "runs"),
        )
    assert ended.code == 0
    assert len(endpoint.requests) == 8
    assert "meetings stances loopback json_schema .950" in ended.words
    assert "meetings loopback tools .950" in ended.words
    assert sorted(path.name for path in (corpus / "runs").iterdir()) == [
        "meetings-json_schema.json",
        "meetings-stances-json_schema.json",
        "meetings-stances-tools.json",
        "meetings-tools.json",
    ]
    assert read(corpus / "runs" / "meetings-tools.json").asked.mode == "tools"
