"""Labels through the command line: checked, and begun."""

import json
from pathlib import Path

import pytest
from tiny import LABELS, TALKS, Corpus, changed, mahdar, write_labels

ROOT = Path(__file__).parents[1]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus.write(tmp_path, monkeypatch)


def test_the_seeds_of_this_project_are_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    ended = mahdar("seeds", "check")
    assert ended.code == 0
    assert ended.out.startswith("5 articles, ")


def test_sound_labels_are_counted(corpus: Corpus) -> None:
    assert mahdar("seeds", "check", *corpus.options).out == "2 articles, 1 meeting, 1 stance: all valid\n"


def test_every_problem_is_named_with_its_file_and_path(corpus: Corpus) -> None:
    labels = changed(changed(LABELS, "stances.0.evidence.0.quote", "لم يقل"), "meetings.0.id", "m2")
    write_labels(corpus / "labels", labels)
    ended = mahdar("seeds", "check", *corpus.options)
    assert ended.code == 2
    file = corpus / "labels" / "talks.json"
    assert f"{file}: $.meetings[0].id: must be 'm1', got 'm2'" in ended.err
    assert f"{file}: $.stances[0].evidence[0].quote: not in the article" in ended.err


def test_a_skeleton_has_every_field_and_is_refused_until_it_is_filled_in(corpus: Corpus) -> None:
    article = corpus / "articles" / "more.txt"
    article.write_text(TALKS, encoding="utf-8")
    ended = mahdar("seeds", "new", article, "--labels", corpus / "labels")
    assert ended.code == 0
    file = corpus / "labels" / "more.json"
    folders = ("--articles", str(article.parent), "--labels", str(corpus / "labels"))
    assert ended.out == f"fill in {file}, then run: mahdar seeds check {' '.join(folders)}\n"
    skeleton = json.loads(file.read_text(encoding="utf-8"))
    assert (skeleton["document_id"], skeleton["language"]) == ("more", "ar")
    assert skeleton["meetings"][0].keys() == LABELS["meetings"][0].keys()
    assert skeleton["stances"][0].keys() == LABELS["stances"][0].keys()
    assert skeleton["stances"][0]["polarity"] == "favor | against | neutral"
    ended = mahdar("seeds", "check", *folders)
    assert ended.code == 2
    assert f"{file}: $.stances[0].polarity: choose 'favor', 'against' or 'neutral'\n" in ended.err
    assert "Tuple" not in ended.err
    for task in ("meetings", "stances"):
        skeleton[task] = LABELS[task]
    file.write_text(json.dumps(skeleton, ensure_ascii=False), encoding="utf-8")
    assert mahdar("seeds", "check", *corpus.options).code == 0


def test_labels_that_are_there_are_not_overwritten(corpus: Corpus) -> None:
    ended = mahdar("seeds", "new", corpus / "articles" / "talks.txt", "--labels", corpus / "labels")
    assert ended.code == 2
    assert f"{corpus / 'labels' / 'talks.json'}: the article is labelled already" in ended.err


@pytest.mark.parametrize("name", ["nowhere.txt", ""], ids=["no file", "a folder"])
def test_a_skeleton_is_of_one_article(corpus: Corpus, name: str) -> None:
    ended = mahdar("seeds", "new", corpus / "articles" / name, "--labels", corpus / "labels")
    assert ended.code == 2
    assert "no article" in ended.err
