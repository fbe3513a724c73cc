"""Recording and replay: what is written down, what comes back, and what a replay says that lacks an answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import KEY, MET, TALKS, Corpus, answers

from evals.running import recording
from evals.running.recording import Recordings
from evals.running.runs import read
from extractor.documents.document import Document
from extractor.llm.completion import Completion

from loopback import Asked, Endpoint, Reply, completion, status


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus.write(tmp_path, monkeypatch)


def record(corpus: Corpus, replies: Any = answers, *more: object, model: str = "loopback") -> Endpoint:
    with corpus.served(replies, model=model) as endpoint:
        corpus.run("-o", corpus / "record.json", *more, mode="record")
    corpus.configure(model=model)
    return endpoint


def recorded(corpus: Corpus, article: str = "talks", model: str = "loopback") -> list[dict[str, Any]]:
    file = corpus / "recordings" / model / f"{article}.json"
    return list(json.loads(file.read_text(encoding="utf-8"))["answers"])


def test_a_replay_is_the_run_that_was_recorded(corpus: Corpus) -> None:
    record(corpus)
    assert corpus.run("-o", corpus / "replay.json", mode="replay").code == 0
    one, other = read(corpus / "record.json"), read(corpus / "replay.json")
    assert [outcome.score.meetings for outcome in one.outcomes] == [
        outcome.score.meetings for outcome in other.outcomes
    ]
    assert [outcome.score.stances for outcome in one.outcomes] == [outcome.score.stances for outcome in other.outcomes]
    assert other.summary.effort.tokens_in == one.summary.effort.tokens_in == 400
    assert other.summary.effort.calls == one.summary.effort.calls == 4
    assert one.asked == other.asked


def test_a_recording_can_be_read_by_a_reviewer(corpus: Corpus) -> None:
    record(corpus)
    assert sorted(path.name for path in (corpus / "recordings" / "loopback").iterdir()) == [
        "talks.json",
        "weather.json",
    ]
    text = (corpus / "recordings" / "loopback" / "talks.json").read_text(encoding="utf-8")
    assert KEY not in text
    assert f'"{MET}"' in text
    entries = recorded(corpus)
    assert [entry["fingerprint"] for entry in entries] == sorted(entry["fingerprint"] for entry in entries)
    assert {entry["components"]["task"] for entry in entries} == {"meetings", "stances"}
    for entry in entries:
        assert entry["article"] == "talks"
        assert MET in entry["question"]
        assert json.loads(entry["text"]) == entry["answer"]


def test_what_is_recorded_is_not_asked_again_unless_anew(corpus: Corpus) -> None:
    assert len(record(corpus).requests) == 4
    assert len(record(corpus).requests) == 0
    assert len(record(corpus, answers, "--fresh").requests) == 4


def own_prompt(corpus: Corpus) -> tuple[object, ...]:
    """A folder with a newer prompt for meetings."""
    folder = corpus / "prompts" / "meetings"
    folder.mkdir(parents=True)
    front = 'task = "meetings"\nversion = 99\ndescription = "own"\nlanguage = "en"\nchanged = "own"\n'
    body = "{% block system %}List the meetings.{% endblock %}\n{% block user %}{{ article }}{% endblock %}\n"
    (folder / "v99.md").write_text(f"+++\n{front}+++\n{body}", encoding="utf-8")
    return "--prompts", corpus / "prompts"


def test_a_replay_with_another_prompt_names_what_changed_and_the_command(corpus: Corpus) -> None:
    record(corpus)
    ended = corpus.run(*own_prompt(corpus), mode="replay")
    assert ended.code == 2
    assert "meetings: not recorded for talks, weather; changed: template or examples" in ended.err
    assert "stances" not in ended.err
    assert f"mahdar eval run --mode record --articles {corpus / 'articles'}" in ended.err
    assert f"--prompts {corpus / 'prompts'}" in ended.err


def test_a_replay_of_another_model_names_both(corpus: Corpus) -> None:
    record(corpus)
    corpus.configure(model="other")
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert "changed: model (loopback → other)" in ended.err


def test_a_replay_in_another_mode_names_both(corpus: Corpus) -> None:
    record(corpus)
    corpus.monkeypatch.setenv("MAHDAR_MODE", "md_json")
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert "changed: mode (json_schema → md_json)" in ended.err


def test_a_replay_of_another_text_names_the_article(corpus: Corpus) -> None:
    record(corpus)
    (corpus / "articles" / "talks.txt").write_text(f"{TALKS}\nانتهى.\n", encoding="utf-8")
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert "not recorded for talks; changed: article\n" in ended.err


def test_a_replay_without_recordings_says_so_and_starts_no_model(corpus: Corpus) -> None:
    corpus.monkeypatch.setenv("MAHDAR_PROFILE", "standard")  # the small one is asked nothing here
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert "not recorded for talks" in ended.err
    assert "nothing like it is" in ended.err


def test_recording_again_leaves_nothing_of_what_was_asked_before(corpus: Corpus) -> None:
    record(corpus)
    before = {entry["fingerprint"] for entry in recorded(corpus)}
    record(corpus, answers, *own_prompt(corpus))
    after = {entry["fingerprint"] for entry in recorded(corpus)}
    assert len(before) == len(after) == 2
    assert len(before & after) == 1


def test_answers_of_other_tasks_and_models_stay(corpus: Corpus) -> None:
    record(corpus)
    record(corpus, answers, "--task", "meetings")
    record(corpus, model="vendor/other")
    assert len(recorded(corpus)) == 2
    assert len(recorded(corpus, model="vendor_other-53072fb6")) == 2


def test_an_answer_that_nothing_can_be_made_of_is_recorded_and_fails_again(corpus: Corpus) -> None:
    def replies(asked: Asked) -> Reply:
        return completion("I cannot say.") if MET in asked.article and asked.task == "stances" else answers(asked)

    record(corpus, replies)
    ended = corpus.run("-o", corpus / "replay.json", mode="replay")
    assert ended.code == 1
    assert [outcome.failed and outcome.failed.failure for outcome in read(corpus / "replay.json").outcomes] == [
        "unparsable",
        None,
    ]


def test_an_error_of_the_endpoint_is_no_answer(corpus: Corpus) -> None:
    record(corpus, status(400))
    assert not (corpus / "recordings").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [('"version": 1', '"version": 2'), ('"kind": "talks"', '"kind": "visit"'), ("{", "[")],
    ids=["of another version", "changed by hand", "no JSON"],
)
def test_a_file_that_is_no_recording_is_named(corpus: Corpus, before: str, after: str) -> None:
    record(corpus)
    file = corpus / "recordings" / "loopback" / "talks.json"
    file.write_text(file.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert f"mahdar: {file}: no recording" in ended.err


@pytest.mark.parametrize("name", ["..", "../../etc", "a/b", ".hidden", "", "nul\\name"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    recordings = Recordings(tmp_path / "recordings")
    recording.article.set(Document(name, "نص"))
    recordings.put("f", Completion("{}"), {"task": "meetings", "model": name})
    (file,) = tmp_path.rglob("*.json")
    assert file.parents[1] == tmp_path / "recordings"
    assert Recordings(tmp_path / "recordings").get("f") == Completion("{}")


def test_articles_whose_names_make_one_file_name_have_two_files(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path)
    for number, name in enumerate(("2020/talks", "2020_talks", "2020:talks")):
        recording.article.set(Document(name, "نص"))
        recordings.put(str(number), Completion("{}"), {"task": "meetings", "model": "m"})
    assert len(list(tmp_path.rglob("*.json"))) == 3


def test_another_question_about_an_unchanged_article_is_told_as_such(tmp_path: Path) -> None:
    asked = {"task": "stances", "model": "m", "mode": "json_schema", "parameters": "{}", "messages": "c"}
    recordings = Recordings(tmp_path)
    recording.article.set(Document("talks", TALKS))
    recordings.put("f", Completion("{}"), {**asked, "prompt": "p", "schema": "s", "article": "one sentence"})
    missing = recordings.miss({**asked, "prompt": "p", "schema": "t", "article": "another"})
    assert str(missing) == "stances: not recorded; changed: what is asked about the article"
