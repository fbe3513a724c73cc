"""Agreement of two annotators."""

from pathlib import Path

import pytest
from tiny import LABELS, Corpus, changed, mahdar, write_labels

from mahdar.evals.comparing.agreement import agreement, krippendorff


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus.write(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("first", "second", "alpha"),
    [
        # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), examples A and B
        ("0100000010", "1110010000", 0.095),
        ("aabbdcccedda", "babbbccceddd", 0.692),
        ("aabb", "aabb", 1.0),
        ("aaaa", "aaaa", None),
        ("", "", None),
    ],
)
def test_alpha_is_as_published(first: str, second: str, alpha: float | None) -> None:
    found = krippendorff(list(zip(first, second, strict=True)))
    assert found == (None if alpha is None else pytest.approx(alpha, abs=5e-4))


def test_annotators_who_agree_score_one_both_ways(corpus: Corpus) -> None:
    ended = mahdar("eval", "agreement", corpus / "labels", corpus / "labels", "--articles", corpus / "articles")
    assert ended.code == 0
    assert "meetings 1.000 1.000 1.000" in ended.words
    assert "meetings.kind 1 1 –" in ended.words


def test_what_one_annotator_adds_costs_precision_one_way_and_recall_the_other(corpus: Corpus) -> None:
    second = changed(LABELS, "stances.0.act", "praise")
    second["stances"] = []
    write_labels(corpus / "second", second)
    found = agreement(corpus / "labels", corpus / "second", corpus / "articles")
    assert (found.forth.stances.micro.records.precision, found.forth.stances.micro.records.recall) == (0, 0)
    assert (found.forth.stances.counts.gold, found.back.stances.counts.gold) == (1, 0)
    assert found.forth.meetings.micro.soft.f1 == found.back.meetings.micro.soft.f1 == 1


def test_a_closed_field_is_counted_over_records_that_both_have(corpus: Corpus) -> None:
    write_labels(corpus / "second", changed(LABELS, "stances.0.act", "praise"))
    found = agreement(corpus / "labels", corpus / "second", corpus / "articles")
    by_field = {alpha.field: alpha for alpha in found.alphas}
    assert (by_field["stances.act"].pairs, by_field["stances.act"].agreed) == (1, 0)
    assert by_field["stances.act"].alpha == 0
    assert (by_field["stances.polarity"].pairs, by_field["stances.polarity"].agreed) == (1, 1)


def test_an_article_that_only_one_has_labelled_is_named(corpus: Corpus) -> None:
    write_labels(corpus / "second")
    (corpus / "second" / "weather.json").unlink()
    ended = mahdar("eval", "agreement", corpus / "labels", corpus / "second", "--articles", corpus / "articles")
    assert ended.code == 2
    assert f"{corpus / 'labels' / 'weather.json'}: not in {corpus / 'second'}" in ended.err


def test_articles_that_neither_has_labelled_are_left_aside(corpus: Corpus) -> None:
    (corpus / "articles" / "sport.txt").write_text("فاز الفريق.", encoding="utf-8")
    ended = mahdar("eval", "agreement", corpus / "labels", corpus / "labels", "--articles", corpus / "articles")
    assert ended.code == 0
