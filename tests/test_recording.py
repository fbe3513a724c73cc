"""Recording and replay: what is written down, what comes back, and what a replay says that lacks an answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import HELD, KEY, MET, TALKS, Corpus, answering, answers, drafted, mahdar

from mahdar.cache.completion import Completion
from mahdar.evals.running.evaluation import Plan
from mahdar.evals.running.recording import Recordings
from mahdar.evals.running.runs import read
from mahdar.llm.endpoint import Endpoint as At

from loopback import Asked, Endpoint, Reply, completion, status

COMPONENTS = {
    "task": "meetings+stances",
    "model": "m",
    "mode": "json_schema",
    "schema": "s",
    "parameters": "{}",
    "prompt": "p",
    "article": "0123456789abcdef",
    "messages": "c",
}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus.write(tmp_path, monkeypatch)


def record(corpus: Corpus, replies: Any = answers, *more: object, model: str = "loopback") -> Endpoint:
    """Record, and forget the endpoint and all else of the environment."""
    with corpus.served(replies, model=model) as endpoint:
        corpus.run("-o", corpus / "record.json", *more, mode="record")
    corpus.forget()
    return endpoint


def file_of(corpus: Corpus, article: str = "talks", model: str = "loopback") -> Path:
    return corpus / "recordings" / model / f"{article}.json"


def recorded(corpus: Corpus, article: str = "talks", model: str = "loopback") -> list[dict[str, Any]]:
    return list(json.loads(file_of(corpus, article, model).read_text(encoding="utf-8"))["answers"])


def template(corpus: Corpus, *, ready: bool = True) -> tuple[object, ...]:
    """A folder with a newer template."""
    folder = corpus / "prompts" / "news"
    folder.mkdir(parents=True)
    front = 'version = 99\ndescription = "own"\nlanguage = "en"\nchanged = "own"\n'
    front += f'tasks = ["meetings", "stances"]\nready = {str(ready).lower()}\n'
    body = "{% block system %}List them.{% endblock %}\n{% block user %}{{ sentences }}{% endblock %}\n"
    (folder / "v99.md").write_text(f"+++\n{front}+++\n{body}", encoding="utf-8")
    return "--prompts", corpus / "prompts"


def test_a_replay_is_the_run_that_was_recorded_and_needs_no_environment(corpus: Corpus) -> None:
    record(corpus)
    assert corpus.run("-o", corpus / "replay.json", mode="replay").code == 0
    one, other = read(corpus / "record.json"), read(corpus / "replay.json")
    for before, after in zip(one.outcomes, other.outcomes, strict=True):
        assert before.score.meetings == after.score.meetings
        assert before.score.stances == after.score.stances
    assert other.summary.effort.tokens_in == one.summary.effort.tokens_in == 200
    assert other.summary.effort.calls == one.summary.effort.calls == 2
    assert other.asked.said == "Answers of loopback, asked by mahdar eval run --mode record."
    assert one.asked == other.asked.model_copy(update={"said": None})


@pytest.mark.parametrize("mode", ["json_schema", "json", "tools", "md_json"])
def test_every_mode_is_recorded_and_replayed(corpus: Corpus, mode: str) -> None:
    def replies(asked: Asked) -> Reply:
        reply = answers(asked)
        if mode == "tools":
            text = reply.body["choices"][0]["message"]["content"]
            call = {"id": "1", "type": "function", "function": {"name": "Records", "arguments": text}}
            reply.body["choices"][0]["message"] |= {"content": None, "tool_calls": [call]}
        return reply

    corpus.monkeypatch.setenv("MAHDAR_MODE", mode)
    record(corpus, replies)
    assert corpus.run("-o", corpus / "replay.json", mode="replay").code == 0
    replayed = read(corpus / "replay.json")
    assert replayed.asked.mode == mode
    assert replayed.summary.stances.micro.soft.f1 == 1


def test_a_recording_can_be_read_by_a_reviewer(corpus: Corpus) -> None:
    record(corpus)
    assert sorted(path.name for path in (corpus / "recordings" / "loopback").iterdir()) == [
        "recording.json",
        "talks.json",
        "weather.json",
    ]
    assert KEY not in file_of(corpus).read_text(encoding="utf-8")
    (entry,) = recorded(corpus)
    assert entry["components"]["task"] == "meetings+stances"
    assert entry["article"] == "talks"
    assert MET in entry["question"]
    assert json.loads(entry["text"]) == entry["answer"] == drafted()


def test_the_folder_says_what_was_asked_and_keeps_a_sentence_that_is_of_answers_in_it(corpus: Corpus) -> None:
    record(corpus)
    file = file_of(corpus, "recording")
    described = json.loads(file.read_text(encoding="utf-8"))
    assert described.keys() == {"model", "mode", "parameters", "embedded", "asked", "said"}
    assert (described["model"], described["mode"]) == ("loopback", "json_schema")
    said = "A server of this test, asked on this machine."
    file.write_text(json.dumps(described | {"said": said}), encoding="utf-8")
    file_of(corpus, "talks").unlink()
    assert len(record(corpus).requests) == 1
    assert json.loads(file.read_text(encoding="utf-8"))["said"] == said
    assert said in corpus.run(mode="replay").words
    record(corpus, answers, "--fresh")
    neutral = "Answers of loopback, asked by mahdar eval run --mode record."
    assert json.loads(file.read_text(encoding="utf-8"))["said"] == neutral


def test_what_is_recorded_is_not_asked_again_unless_anew(corpus: Corpus) -> None:
    assert len(record(corpus).requests) == 2
    assert len(record(corpus).requests) == 0
    assert len(record(corpus, answers, "--fresh").requests) == 2


def test_a_reask_is_recorded_and_replayed(corpus: Corpus) -> None:
    first, second = drafted([HELD | {"evidence": [7]}]), drafted()

    def replies(asked: Asked) -> Reply:
        return answering(second if len(asked.messages) > len(bare) else first)(asked)

    with corpus.served(answers) as endpoint:
        corpus.run()
        bare = endpoint.requests[0].messages
    assert len(record(corpus, replies).requests) == 3
    one, other = recorded(corpus)
    assert other["reask_of"] == one["fingerprint"]
    assert (one["answer"], other["answer"]) == (first, second)
    assert "$.meetings[0].evidence[0]" in other["question"]
    assert corpus.run("-o", corpus / "replay.json", mode="replay").code == 0
    record_, replay = read(corpus / "record.json"), read(corpus / "replay.json")
    assert replay.summary.effort.reasks == record_.summary.effort.reasks == 1
    assert replay.summary.effort.tokens_in == record_.summary.effort.tokens_in == 300
    for before, after in zip(record_.outcomes, replay.outcomes, strict=True):
        assert before.score.meetings == after.score.meetings
    assert replay.summary.meetings.micro.soft.f1 == pytest.approx(0.95)


def test_where_a_reask_is_not_recorded_the_first_answer_stands(
    corpus: Corpus, caplog: pytest.LogCaptureFixture
) -> None:
    bad = drafted([HELD, HELD | {"evidence": [7]}])
    record(corpus, answering(bad))
    content = json.loads(file_of(corpus).read_text(encoding="utf-8"))
    content["answers"] = [entry for entry in content["answers"] if "reask_of" not in entry]
    file_of(corpus).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert corpus.run("-o", corpus / "replay.json", mode="replay").code == 0
    assert read(corpus / "replay.json").summary.meetings.counts.aligned == 1
    assert "validation now asks again about talks, which is not recorded" in caplog.text


def test_a_changed_template_is_named_and_the_command(corpus: Corpus) -> None:
    record(corpus)
    ended = corpus.run(*template(corpus), mode="replay")
    assert ended.code == 2
    assert "not recorded: meetings, stances for talks, weather; changed: template or examples\n" in ended.err
    assert f"record: mahdar eval run --mode record --model loopback --articles {corpus / 'articles'}" in ended.err
    assert f"--prompts {corpus / 'prompts'}" in ended.err


def test_a_template_that_is_not_ready_stands_beside_the_recorded_one(corpus: Corpus) -> None:
    record(corpus)
    prompts = template(corpus, ready=False)
    assert corpus.run(*prompts, mode="replay").code == 0
    versions = ("--task", "meetings@99", "--task", "stances@99")
    assert "changed: template or examples" in corpus.run(*prompts, *versions, mode="replay").err
    record(corpus, answers, *prompts, *versions)
    assert corpus.run(*prompts, *versions, mode="replay").code == 0


def test_a_changed_schema_is_named(corpus: Corpus) -> None:
    record(corpus)
    for article in ("talks", "weather"):
        (entry,) = recorded(corpus, article)
        entry |= {"fingerprint": article, "components": entry["components"] | {"schema": "an older one"}}
        content = {"version": 2, "answers": [entry]}
        file_of(corpus, article).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert "not recorded: meetings, stances for talks, weather; changed: schema\n" in ended.err


def test_a_replay_of_another_model_names_both(corpus: Corpus) -> None:
    record(corpus)
    ended = corpus.run("--model", "other", mode="replay")
    assert ended.code == 2
    assert "changed: model (loopback → other)" in ended.err
    assert "record: mahdar eval run --mode record" in ended.err


def test_a_replay_in_another_mode_names_both(corpus: Corpus) -> None:
    record(corpus)
    matrix = ("--answer-mode", "tools", "--mode", "replay", "--recordings", corpus / "recordings")
    ended = mahdar("eval", "ablate", *corpus.options, *matrix)
    assert ended.code == 2
    assert "changed: mode (json_schema → tools)" in ended.err


def test_a_replay_of_another_text_names_the_article(corpus: Corpus) -> None:
    record(corpus)
    (corpus / "articles" / "talks.txt").write_text(f"{TALKS}\nانتهى.\n", encoding="utf-8")
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert "not recorded: meetings, stances for talks; changed: article\n" in ended.err


def test_other_tasks_than_those_recorded_are_named(corpus: Corpus) -> None:
    record(corpus)
    ended = corpus.run("--task", "meetings", mode="replay")
    assert ended.code == 2
    assert "not recorded: meetings for talks, weather; nothing like it is recorded" in ended.err


def test_a_replay_without_recordings_says_so_and_gives_the_command(corpus: Corpus) -> None:
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert f"{corpus / 'recordings'}: nothing is recorded there\nrecord: mahdar eval run --mode record" in ended.err


def test_of_several_models_one_is_chosen_by_name_or_is_the_reference(corpus: Corpus) -> None:
    for model in ("one", "another"):
        record(corpus, model=model)
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert "answers of another, one are recorded: choose with --model" in ended.err
    for options, made_by in ((("--model", "one"), "one"), ((), "reference-llm")):
        if made_by == "reference-llm":
            record(corpus, model=made_by)
        assert corpus.run(*options, "-o", corpus / "replay.json", mode="replay").code == 0
        assert read(corpus / "replay.json").asked.made_by == {"meetings": made_by, "stances": made_by}


@pytest.mark.parametrize("mode", ["record", "replay"])
def test_the_rule_reader_has_no_answers_to_record_or_to_replay(corpus: Corpus, mode: str) -> None:
    ended = corpus.run("--model", "offline", mode=mode)
    assert ended.code == 2
    assert f"--mode {mode}: the rule reader has no answers to {mode}" in ended.err


@pytest.mark.parametrize(("options", "said"), [(("--model", "offline"), ""), ((), "mahdar: no model configured")])
def test_the_rule_reader_is_run_live(corpus: Corpus, options: tuple[str, ...], said: str) -> None:
    ended = corpus.run(*options, "-o", corpus / "run.json")
    assert ended.code == 0
    assert ended.err.startswith(said)
    run = read(corpus / "run.json")
    assert run.asked.made_by["meetings"].startswith("mahdar-rules@")
    assert (run.asked.mode, run.asked.prompts, run.asked.schemas) == (None, {}, {})
    assert run.summary.effort.calls == 0


def test_recording_again_leaves_nothing_of_what_was_asked_before(corpus: Corpus) -> None:
    record(corpus)
    (before,) = recorded(corpus)
    record(corpus, answers, *template(corpus))
    (after,) = recorded(corpus)
    assert before["fingerprint"] != after["fingerprint"]


def test_answers_of_other_tasks_and_models_stay(corpus: Corpus) -> None:
    record(corpus)
    record(corpus, answers, "--task", "meetings")
    record(corpus, model="vendor/other")
    assert len(recorded(corpus)) == 2
    assert len(recorded(corpus, model="vendor_other-53072fb6")) == 1


def test_an_answer_that_nothing_can_be_made_of_is_recorded_and_fails_again(corpus: Corpus) -> None:
    def replies(asked: Asked) -> Reply:
        return completion("I cannot say.") if MET in asked.article else answers(asked)

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
    [('"version": 2', '"version": 1'), ('"kind": "talks"', '"kind": "visit"'), ("{", "[")],
    ids=["of another version", "changed by hand", "no JSON"],
)
def test_a_file_that_is_no_recording_is_named(corpus: Corpus, before: str, after: str) -> None:
    record(corpus)
    file = file_of(corpus)
    file.write_text(file.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert f"mahdar: {file}: no recording" in ended.err


@pytest.mark.parametrize("name", ["..", "../../etc", "a/b", ".hidden", "", "nul\\name", "recording"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    recordings = Recordings(tmp_path / "recordings", {COMPONENTS["article"]: name})
    recordings.put("f", Completion("{}"), COMPONENTS | {"model": name})
    (file,) = tmp_path.rglob("*.json")
    assert file.parents[1] == tmp_path / "recordings"
    assert Recordings(tmp_path / "recordings").get("f") == Completion("{}")


def test_articles_whose_names_make_one_file_name_have_two_files(tmp_path: Path) -> None:
    names = ("2020/talks", "2020_talks", "2020:talks")
    recordings = Recordings(tmp_path, {str(number): name for number, name in enumerate(names)})
    for number in range(len(names)):
        recordings.put(str(number), Completion("{}"), COMPONENTS | {"article": str(number)})
    assert len(list(tmp_path.rglob("*.json"))) == 3


@pytest.mark.parametrize(
    ("embedded", "command"),
    [
        (
            False,
            "record: mahdar eval run --mode record --model qwen2.5, with OPENAI_API_KEY or OPENAI_BASE_URL set",
        ),
        (True, "record: mahdar eval run --mode record --model embedded"),
    ],
)
def test_the_command_that_records_names_the_embedded_model_as_such(embedded: bool, command: str) -> None:  # noqa: FBT001
    assert Plan().record_command(At(base_url="", api_key="", model="qwen2.5", embedded=embedded)) == command
