"""Runs: extracted and scored articles, the file they are kept in, and outputs that are scored again."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from tiny import KEY, LABELS, MET, NOTHING, WEATHER, Corpus, answers, changed, mahdar, only_meetings, write_labels

from mahdar.evals import SCORING
from mahdar.evals.comparing.figures import figures, figures_of
from mahdar.evals.running.evaluation import Plan, evaluate
from mahdar.evals.running.runs import read

from loopback import Asked, Reply, status


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus.write(tmp_path, monkeypatch)


def failing_talks(asked: Asked) -> Reply:
    return status(400) if MET in asked.article else answers(asked)


def without_weather(asked: Asked) -> Reply:
    return status(400) if MET not in asked.article else answers(asked)


def test_a_run_shows_headline_fields_articles_and_effort(corpus: Corpus) -> None:
    with corpus.served() as endpoint:
        ended = corpus.run()
    assert ended.code == 0
    assert len(endpoint.requests) == 2
    for shown in (
        "meetings .950",
        "stances 1.000",
        "meetings: date 1.000",
        "stances: polarity 1.000",
        "talks",
        "evidence 2 exact, 0 folded, 0 not found",
        "records 0 rejected, 0 duplicates",
        "2 of 2 articles valid at the first try, 2 calls, 0 re-asked, 0 articles failed",
        "200 + 40 tokens, cost unknown",
        f"scoring {SCORING.version} sha256:{SCORING.sha256[:12]}",
    ):
        assert shown in ended.words


def test_a_run_file_holds_what_is_needed_to_read_it_later(corpus: Corpus) -> None:
    made = read(corpus.made("run.json"))
    assert (made.scoring_version, made.scoring_sha256) == (SCORING.version, SCORING.sha256)
    assert (made.asked.system, made.asked.mode) == ("mahdar", "json_schema")
    assert made.asked.made_by == {"meetings": "loopback", "stances": "loopback"}
    assert made.asked.parameters.keys() == {"max_tokens", "temperature"}
    assert made.asked.prompts.keys() == made.asked.schemas.keys() == {"meetings", "stances"}
    (talks, weather) = made.outcomes
    assert talks.labels.meetings[0].kind == "talks"
    assert talks.extraction is not None
    assert talks.extraction.meetings[0].evidence[0].quote == MET
    assert weather.extraction is not None
    assert weather.extraction.meetings == ()


def test_a_run_file_knows_nothing_of_the_machine(corpus: Corpus) -> None:
    text = corpus.made("run.json").read_text(encoding="utf-8")
    for private in (str(corpus.folder), KEY, "127.0.0.1"):
        assert private not in text


def test_two_runs_of_the_same_answers_differ_in_time_alone(corpus: Corpus) -> None:
    with corpus.served():
        plan = Plan(corpus / "articles", corpus / "labels", recordings=corpus / "recordings", mode="record")
        evaluate(plan)
    replay = Plan(corpus / "articles", corpus / "labels", recordings=corpus / "recordings", mode="replay")
    one, other = (evaluate(replay, clock=lambda day=day: dt.datetime(2030, 1, day, tzinfo=dt.UTC)) for day in (1, 2))
    assert one.when != other.when
    assert one.model_copy(update={"when": other.when}).dumps() == other.dumps()


@pytest.mark.parametrize(("replies", "failed"), [(failing_talks, "talks"), (without_weather, "weather")])
def test_an_article_that_fails_scores_zero_and_is_named(corpus: Corpus, replies: Any, failed: str) -> None:
    with corpus.served(replies):
        ended = corpus.run("-o", corpus / "run.json")
    assert ended.code == 1
    assert "failed and scores zero: refused" in ended.words
    made = read(corpus / "run.json")
    assert made.summary.articles == 2
    assert figures(made.summary)["articles.extracted"] == 0.5
    (outcome,) = (one for one in made.outcomes if one.failed)
    assert outcome.document_id == failed
    assert figures_of(outcome.score)["meetings.soft_f1"] == figures_of(outcome.score)["stances.soft_f1"] == 0


def test_repeats_are_live_and_show_mean_and_spread(corpus: Corpus) -> None:
    def forgetful(asked: Asked) -> Reply:
        return answers(asked) if len(endpoint.requests) <= 2 else only_meetings(asked)

    with corpus.served(forgetful) as endpoint:
        ended = corpus.run("--repeat", 2, "-o", corpus / "run.json")
    assert len(endpoint.requests) == 4
    assert "stances.soft_f1 .500 .707 1.000 .000" in ended.words
    assert [figures(one)["stances.soft_f1"] for one in read(corpus / "run.json").summaries] == [1, 0]


def test_a_recorded_answer_is_not_repeated(corpus: Corpus) -> None:
    ended = corpus.run("--repeat", 2, mode="replay")
    assert ended.code == 2
    assert "--repeat 2: repeats are live" in ended.err


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("meetings.0.evidence.0.quote", "لم يقل أحد هذا", "$.meetings[0].evidence[0].quote: not in the article"),
        ("meetings.0.participants.0.country", "ZZ", "$.meetings[0].participants[0].country: 'ZZ' is no country"),
        ("meetings.0.kind", "talk", "$.meetings[0].kind: choose 'talks', "),
        ("meetings.0.date.value", "4/2/2024", "$.meetings[0].date.value: '4/2/2024' is no EDTF date"),
        ("stances.0.id", "s2", "$.stances[0].id: must be 's1', got 's2'"),
    ],
)
def test_unsound_labels_are_named_with_file_and_path(corpus: Corpus, path: str, value: Any, problem: str) -> None:
    write_labels(corpus / "labels", talks=changed(LABELS, path, value))
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert f"{corpus / 'labels' / 'talks.json'}: {problem}" in ended.err


def test_every_unsound_file_is_named_at_once(corpus: Corpus) -> None:
    write_labels(corpus / "labels", changed(LABELS, "stances.0.id", "s7"), NOTHING | {"document_id": "climate"})
    (corpus / "labels" / "weather.json").write_text("{", encoding="utf-8")
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert "talks.json: $.stances[0].id" in ended.err
    assert "climate.json: no article climate.txt" in ended.err
    assert "weather.json: $:" in ended.err


def test_an_article_without_labels_is_not_left_out_in_silence(corpus: Corpus) -> None:
    (corpus / "articles" / "sport.txt").write_text("فاز الفريق.", encoding="utf-8")
    ended = corpus.run(mode="replay")
    assert ended.code == 2
    assert "article 'sport' has no labels" in ended.err


@pytest.mark.parametrize("option", ["--articles", "--labels"])
def test_a_folder_that_is_not_there_is_named(corpus: Corpus, option: str) -> None:
    ended = corpus.run(option, corpus / "nowhere", mode="replay")
    assert ended.code == 2
    assert "nowhere" in ended.err


def extracted(corpus: Corpus, replies: Any = answers) -> Path:
    """What `mahdar extract` writes."""
    file = corpus / "output.jsonl"
    with corpus.served(replies):
        mahdar("extract", corpus / "articles", "--no-cache", "-o", file, "--overwrite")
    return file


def test_outputs_are_scored_without_a_model_as_the_run_was(corpus: Corpus) -> None:
    made = read(corpus.made("run.json"))
    ended = mahdar("eval", "score", extracted(corpus), *corpus.options, "-o", corpus / "scored.json")
    assert ended.code == 0
    assert figures(read(corpus / "scored.json").summary) == figures(made.summary)


def test_a_score_can_be_had_as_json(corpus: Corpus) -> None:
    ended = mahdar("eval", "score", extracted(corpus), *corpus.options, "--json")
    assert [one["document_id"] for one in json.loads(ended.out)["repeats"][0]] == ["talks", "weather"]


def test_an_output_that_is_missing_or_failed_scores_zero(corpus: Corpus) -> None:
    output = extracted(corpus, without_weather)
    assert json.loads(output.with_name("output.jsonl.errors.jsonl").read_text(encoding="utf-8"))["failure"] == "refused"
    told = mahdar("eval", "score", output, *corpus.options)
    assert "weather failed and scores zero: refused" in told.words
    output.with_name("output.jsonl.errors.jsonl").unlink()
    told = mahdar("eval", "score", output, *corpus.options)
    assert told.code == 0
    assert "weather failed and scores zero: missing" in told.words


def test_without_the_articles_evidence_stays_unchecked(corpus: Corpus) -> None:
    ended = mahdar("eval", "score", extracted(corpus), "--labels", corpus / "labels")
    assert ended.code == 0
    assert "evidence 0 exact, 0 folded, 0 not found, 2 unchecked" in ended.words


def unlabelled(corpus: Corpus, output: Path) -> str:
    (corpus / "labels" / "weather.json").unlink()
    (corpus / "articles" / "weather.txt").unlink()
    return f"{output}: article 'weather' has no labels"


def twice(_corpus: Corpus, output: Path) -> str:
    lines = output.read_text(encoding="utf-8").splitlines(keepends=True)
    talks, weather = sorted(lines, key=lambda line: json.loads(line)["document_id"])
    output.write_text(talks + weather + talks, encoding="utf-8")
    return f"{output}:1, {output}:3: article 'talks' has two results: keep one"


def rewritten(corpus: Corpus, output: Path) -> str:
    (corpus / "articles" / "weather.txt").write_text(f"{WEATHER}.", encoding="utf-8")
    return f"{output}: article 'weather' was extracted from another text"


def cut(_corpus: Corpus, output: Path) -> str:
    output.write_text(output.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    return f"{output}:2: no JSON object"


def foreign(_corpus: Corpus, output: Path) -> str:
    output.write_text('{"id": 1}\n', encoding="utf-8")
    return f"{output}:1: no extraction: $.document_id: Field required"


@pytest.mark.parametrize("spoil", [unlabelled, twice, rewritten, cut, foreign])
def test_outputs_that_cannot_be_scored_are_named(corpus: Corpus, spoil: Any) -> None:
    output = extracted(corpus)
    problem = spoil(corpus, output)
    ended = mahdar("eval", "score", output, *corpus.options)
    assert ended.code == 2
    assert problem in ended.err


def test_a_run_of_another_scoring_version_is_refused_until_it_is_scored_again(corpus: Corpus) -> None:
    file = corpus.made("run.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    content |= {"scoring_version": "0.9.0", "scoring_sha256": "0" * 64}
    content["repeats"][0][0]["score"] = {"of": "another form"}
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    ended = mahdar("eval", "compare", file, file)
    assert ended.code == 2
    assert f"{file}: scored by version 0.9.0 (00000000), this is {SCORING.version}" in ended.err
    assert mahdar("eval", "score", file, *corpus.options, "-o", file).code == 0
    again = read(file)
    assert again.asked.prompts.keys() == {"meetings", "stances"}
    assert figures(again.summary)["stances.soft_f1"] == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "is not JSON"), ("[]", "is not a run file"), ('{"repeats": [], "version": 9}', "of version 9, this reads 2")],
)
def test_what_is_no_run_file_is_named(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(text, encoding="utf-8")
    ended = mahdar("eval", "compare", file, file)
    assert ended.code == 2
    assert ended.err.startswith(f"mahdar: {file}: ")
    assert problem in ended.err
