"""The gate: a run against the accepted figures, and what accepting a run changes."""

import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tiny import HELD, LABELS, Corpus, answering, changed, drafted, mahdar, only_meetings, write_labels

from mahdar.evals.comparing.gate import Allowances, baseline, gate, lowered
from mahdar.evals.running.runs import read


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus.write(tmp_path, monkeypatch)


@pytest.fixture
def good(corpus: Corpus) -> Path:
    """A run, and the baseline it was accepted as."""
    run = corpus.made("good.json")
    assert mahdar("eval", "accept", run, "--baseline", corpus / "baseline.json").code == 0
    return run


def test_a_run_that_is_as_good_passes(corpus: Corpus, good: Path) -> None:
    ended = mahdar("eval", "gate", good, "--baseline", corpus / "baseline.json")
    assert ended.code == 0
    assert "0 fell by more than is allowed" in ended.out


def test_a_run_that_is_worse_is_stopped_and_the_figures_are_named(corpus: Corpus, good: Path) -> None:
    worse = corpus.made("worse.json", only_meetings)
    ended = mahdar("eval", "gate", worse, "--baseline", corpus / "baseline.json")
    assert ended.code == 1
    assert ended.out.startswith("stances.soft_f1, all articles: 1.000 → 0.000, a fall of 1.000, allowed are 0.01\n")
    assert "meetings" not in ended.out


def test_junit_has_a_case_for_each_figure_and_article(corpus: Corpus, good: Path) -> None:
    worse = corpus.made("worse.json", only_meetings)
    mahdar("eval", "gate", worse, "--baseline", corpus / "baseline.json", "--junit", corpus / "junit.xml")
    suite = ET.parse(corpus / "junit.xml").getroot()
    cases = {(case.get("classname"), case.get("name")): case for case in suite}
    figures = json.loads((corpus / "baseline.json").read_text(encoding="utf-8"))["figures"]
    assert cases.keys() == {(figure, name) for figure in figures for name in ("all articles", "talks", "weather")}
    (failure,) = cases["stances.soft_f1", "talks"]
    assert failure.get("message") == "stances.soft_f1, talks: 1.000 → 0.000, a fall of 1.000, allowed are 0.05"
    assert len(cases["meetings.soft_f1", "talks"]) == 0
    assert suite.get("failures") == str(sum(len(case) for case in suite))


def test_junit_lies_beside_the_run_unless_told_otherwise(corpus: Corpus, good: Path) -> None:
    mahdar("eval", "gate", good, "--baseline", corpus / "baseline.json")
    assert (corpus / "good.junit.xml").exists()


UNDATED = answering(drafted([HELD | {"date": None}]))
"""The talks without their date: one field of one record."""


def test_one_field_that_is_lost_is_named(corpus: Corpus, good: Path) -> None:
    ended = mahdar("eval", "gate", corpus.made("undated.json", UNDATED), "--baseline", corpus / "baseline.json")
    assert ended.code == 1
    assert "meetings.fields.date, all articles: 1.000 → 0.000" in ended.out


def test_how_far_figures_may_fall_can_be_said(corpus: Corpus, good: Path) -> None:
    worse = corpus.made("undated.json", UNDATED)
    assert mahdar("eval", "gate", worse, "--baseline", corpus / "baseline.json", "--max-drop", "0.99").code == 1
    assert mahdar("eval", "gate", worse, "--baseline", corpus / "baseline.json", "--max-drop", "1").code == 0


@pytest.mark.parametrize(
    ("allowances", "fallen"),
    [
        (Allowances(), {("meetings.soft_f1", "all articles"), ("meetings.soft_f1", "talks")}),
        (Allowances(article=0.5), {("meetings.soft_f1", "all articles")}),
        (Allowances(figures={"meetings.soft_f1": 0.5}), {("meetings.soft_f1", "talks")}),
        (Allowances(corpus=0.5, article=0.5), set()),
    ],
)
def test_an_allowance_is_of_all_articles_of_each_or_of_a_figure(
    corpus: Corpus, good: Path, allowances: Allowances, fallen: set[Any]
) -> None:
    worse = read(corpus.made("undated.json", UNDATED))
    cases = gate(worse, baseline(read(good), allowances))
    assert {(case.figure, case.article) for case in cases if case.fell and case.figure.endswith("soft_f1")} == fallen


def test_accepting_less_says_what_it_lowers_and_asks(corpus: Corpus, good: Path) -> None:
    worse = corpus.made("worse.json", only_meetings)
    before = (corpus / "baseline.json").read_text(encoding="utf-8")
    for typed, code in (("", 2), ("n\n", 1)):
        corpus.monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        asked = mahdar("eval", "accept", worse, "--baseline", corpus / "baseline.json")
        assert asked.code == code
        assert "lowers stances.soft_f1, all articles: 1.000 → 0.000" in asked.out
        assert (corpus / "baseline.json").read_text(encoding="utf-8") == before
    corpus.monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert mahdar("eval", "accept", worse, "--baseline", corpus / "baseline.json").code == 0
    assert mahdar("eval", "gate", worse, "--baseline", corpus / "baseline.json").code == 0


def test_accepting_less_can_be_agreed_to_beforehand(corpus: Corpus, good: Path) -> None:
    worse = corpus.made("worse.json", only_meetings)
    assert mahdar("eval", "accept", worse, "--baseline", corpus / "baseline.json", "--yes").code == 0


def test_accepting_more_asks_nothing_and_keeps_the_allowances(corpus: Corpus) -> None:
    file = corpus / "baseline.json"
    mahdar("eval", "accept", corpus.made("worse.json", only_meetings), "--baseline", file)
    content = json.loads(file.read_text(encoding="utf-8"))
    content["allowances"]["article"] = 0.3
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    ended = mahdar("eval", "accept", corpus.made("good.json"), "--baseline", file)
    assert ended.code == 0
    assert "0 figures lowered" in ended.out
    assert json.loads(file.read_text(encoding="utf-8"))["allowances"]["article"] == 0.3


def test_what_falls_by_little_is_still_said_to_be_lowered(good: Path) -> None:
    old = baseline(read(good))
    new = old.model_copy(update={"figures": {**old.figures, "meetings.soft_f1": 0.949}})
    assert [case.figure for case in lowered(old, new)] == ["meetings.soft_f1"]


def relabelled(corpus: Corpus) -> str:
    write_labels(corpus / "labels", changed(LABELS, "stances.0.act", "praise"))
    return "the labels of talks have changed"


def fewer(corpus: Corpus) -> str:
    (corpus / "labels" / "weather.json").unlink()
    (corpus / "articles" / "weather.txt").unlink()
    return "of other articles than the run; weather is in one of them alone"


def otherwise_scored(corpus: Corpus) -> str:
    file = corpus / "baseline.json"
    content = json.loads(file.read_text(encoding="utf-8")) | {"scoring_sha256": "0" * 64}
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return "scored by version"


def spoiled(corpus: Corpus) -> str:
    (corpus / "baseline.json").write_text("{}", encoding="utf-8")
    return "no baseline"


@pytest.mark.parametrize("spoil", [relabelled, fewer, otherwise_scored, spoiled])
def test_a_baseline_that_does_not_fit_is_refused(corpus: Corpus, good: Path, spoil: Any) -> None:
    problem = spoil(corpus)
    run = corpus.made("again.json")
    ended = mahdar("eval", "gate", run, "--baseline", corpus / "baseline.json")
    assert ended.code == 2
    assert f"{corpus / 'baseline.json'}: " in ended.err
    assert problem in ended.err
