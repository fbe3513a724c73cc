"""Articles without labels: recorded by a command, replayed without a model."""

import json
from pathlib import Path

import pytest
from tiny import TALKS, WEATHER, Corpus, answering, answers, drafted, mahdar

from mahdar.errors import UsageError
from mahdar.evals.running.unlabelled import replay
from mahdar.results import Failure
from mahdar.schemas.records import Extraction

from loopback import status


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus.write(tmp_path, monkeypatch)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Both articles as JSON Lines."""
    file = tmp_path / "articles.jsonl"
    written = [{"id": "talks", "published_at": "2024-02-05", "text": TALKS}, {"id": "weather", "text": WEATHER}]
    file.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in written), encoding="utf-8")
    return file


def test_recorded_answers_are_replayed_without_an_endpoint(corpus: Corpus, rows: Path) -> None:
    with corpus.served() as endpoint:
        recorded = mahdar("eval", "record", rows, "--recordings", corpus / "recordings")
        again = mahdar("eval", "record", rows, "--recordings", corpus / "recordings")
        assert len(endpoint.requests) == 2
    assert (recorded.code, again.code) == (0, 0)
    assert "2 of 2 articles recorded" in recorded.words
    corpus.forget()
    found = replay(rows, corpus / "recordings")
    assert list(found) == ["talks", "weather"]
    talks, weather = found["talks"], found["weather"]
    assert isinstance(talks, Extraction)
    assert isinstance(weather, Extraction)
    assert [actor.name for actor in talks.meetings[0].participants] == ["بدر البوسعيدي", "نبيل عمار"]
    assert str(talks.published_at) == "2024-02-05"
    assert weather.meetings == ()


def test_a_folder_of_texts_is_recorded_as_well(corpus: Corpus) -> None:
    with corpus.served():
        assert mahdar("eval", "record", corpus / "articles", "--recordings", corpus / "recordings").code == 0
    assert sorted(path.name for path in (corpus / "recordings" / "loopback").iterdir()) == [
        "recording.json",
        "talks.json",
        "weather.json",
    ]


def test_fresh_asks_again(corpus: Corpus, rows: Path) -> None:
    with corpus.served():
        mahdar("eval", "record", rows, "--recordings", corpus / "recordings")
    with corpus.served(answering(drafted(meetings=()))):
        mahdar("eval", "record", rows, "--recordings", corpus / "recordings", "--fresh")
    corpus.forget()
    talks = replay(rows, corpus / "recordings")["talks"]
    assert isinstance(talks, Extraction)
    assert talks.meetings == ()


def test_an_article_that_fails_is_named_and_the_others_are_recorded(corpus: Corpus, rows: Path) -> None:
    with corpus.served(lambda asked: answers(asked) if "صفاقس" in asked.article else status(400)):
        ended = mahdar("eval", "record", rows, "--recordings", corpus / "recordings")
    assert ended.code == 1
    assert "talks: refused:" in ended.words
    assert "1 of 2 articles recorded" in ended.words


def test_an_answer_that_cannot_be_used_fails_in_the_replay_too(corpus: Corpus, rows: Path) -> None:
    with corpus.served(answering("no JSON")):
        assert mahdar("eval", "record", rows, "--recordings", corpus / "recordings").code == 1
    corpus.forget()
    talks = replay(rows, corpus / "recordings")["talks"]
    assert isinstance(talks, Failure)
    assert talks.failure == "unparsable"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("", "nothing is recorded there"),
        ("هبت رياح", "not recorded: meetings, stances for weather"),
    ],
)
def test_what_is_not_recorded_is_said_with_the_remedy(corpus: Corpus, rows: Path, before: str, said: str) -> None:
    if before:
        with corpus.served():
            mahdar("eval", "record", rows, "--recordings", corpus / "recordings")
        rows.write_text(rows.read_text(encoding="utf-8").replace(before, "هدأت رياح"), encoding="utf-8")
    corpus.forget()
    with pytest.raises(UsageError) as raised:
        replay(rows, corpus / "recordings")
    assert said in str(raised.value)
    assert f"record: mahdar eval record {rows} --recordings {corpus / 'recordings'}" in str(raised.value)


def test_rules_have_nothing_to_record(corpus: Corpus, rows: Path) -> None:
    ended = mahdar("eval", "record", rows, "--recordings", corpus / "recordings", "--model", "offline")
    assert ended.code == 2
    assert "the rule reader has no answers to record" in ended.words
