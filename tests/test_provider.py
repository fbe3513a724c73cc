"""Batches at a provider: submitted once, collected whole, and then every article is answered from the store."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from newsroom import ARTICLE, KEY, MET, configured, reads_well, records, weather

from mahdar.cache.disk import DiskStore
from mahdar.cli.app import main
from mahdar.limits.prices import Price
from mahdar.llm.endpoint import remote_endpoint
from mahdar.openai_batch.api import BatchApi
from mahdar.openai_batch.collection import collect
from mahdar.openai_batch.job import BatchJob, locked

from batches import Line, Provider, expired
from loopback import Asked, Endpoint, Reply, completion, status

Lines = list[Line]


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str


@dataclass
class Newsroom:
    """Articles, a provider of batches, and the command line."""

    folder: Path
    provider: Provider
    endpoint: Endpoint
    capture: pytest.CaptureFixture[str]

    @property
    def articles(self) -> Path:
        return self.folder / "articles"

    @property
    def job(self) -> Path:
        return self.folder / "job.json"

    def mahdar(self, *arguments: object) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = self.capture.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    def submit(self, *options: object) -> Ended:
        return self.mahdar("batch", "submit", self.articles, "-o", self.job, *options)

    def collect(self, *options: object) -> Ended:
        return self.mahdar("batch", "collect", self.job, *options)

    def extract(self) -> tuple[Ended, int]:
        """The command, and how many calls it made."""
        before = len(self.calls)
        return self.mahdar("extract", self.articles, "--json"), len(self.calls) - before

    @property
    def calls(self) -> list[Asked]:
        return [asked for asked in self.endpoint.requests if asked.path == "/v1/chat/completions"]

    def errors(self, number: int = 1) -> Lines:
        file = self.job.with_name(f"job.json.{number}.errors.jsonl")
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def submitted(self) -> list[str]:
        """Every fingerprint that was handed in, as often as it was."""
        return [line["custom_id"] for id_ in self.provider.batches for line in self.provider.requests(id_)]


@pytest.fixture
def newsroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Newsroom]:
    """Six articles: one with news in it, five without."""
    provider = Provider(reads_well)
    with Endpoint(provider) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("MAHDAR_MODEL", "loopback")
        room = Newsroom(tmp_path, provider, endpoint, capsys)
        room.articles.mkdir()
        for name, text in {"talks": ARTICLE, **{f"wind-{number}": weather(number) for number in range(5)}}.items():
            (room.articles / f"{name}.txt").write_text(text, encoding="utf-8")
        yield room


def test_after_a_batch_every_article_is_answered_from_the_store(newsroom: Newsroom) -> None:
    submitted = newsroom.submit()
    newsroom.provider.end()
    collected = newsroom.collect()
    extracted, calls = newsroom.extract()

    assert (submitted.code, collected.code, extracted.code, calls) == (0, 0, 0, 0)
    assert submitted.out == f"6 requests submitted in 1 batch → {newsroom.job}; 0 answered already, 0 under way\n"
    assert collected.out == ("batch_2: 6 requests, collected: 6 answers; 600 tokens in, 120 out, cost unknown\n")
    records = {line["document_id"]: line for line in map(json.loads, extracted.out.splitlines())}
    assert [len(records["talks"][kind]) for kind in ("meetings", "stances")] == [1, 1]
    assert all(one["provenance"]["cached"] for one in records.values())


def test_the_requests_of_a_batch_are_those_of_a_live_run(newsroom: Newsroom) -> None:
    newsroom.submit()
    handed_in = [line["body"] for line in newsroom.provider.requests("batch_2")]
    newsroom.extract()
    live = [asked.body for asked in newsroom.calls]
    key = lambda body: json.dumps(body, sort_keys=True)  # noqa: E731
    assert sorted(handed_in, key=key) == sorted(live, key=key)


def failing(**instead: dict[str, Any]) -> Callable[[Lines], tuple[Lines, Lines]]:
    """The answers, but for those of the first requests, which fail in the ways named."""

    def lines(answers: Lines) -> tuple[Lines, Lines]:
        errors = [answer | change for answer, change in zip(answers, instead.values(), strict=False)]
        return answers[len(instead) :], errors

    return lines


def refused(code: int, message: str) -> dict[str, Any]:
    """What an error file says of a request that was refused."""
    return {"response": {"status_code": code, "body": {"error": {"message": message}}}, "error": None}


def test_what_failed_is_named_by_class_and_submitted_again(newsroom: Newsroom) -> None:
    newsroom.submit()
    newsroom.provider.end(
        failing(
            limited=refused(429, "slow down"),
            wrong=refused(400, "no such parameter"),
            late=expired({}),
            broken={"response": None, "error": {"code": "server_error", "message": "we are sorry"}},
        )
    )
    collected = newsroom.collect()
    assert (collected.code, collected.err) == (
        1,
        "4 without an answer; `mahdar batch submit` asks again, `mahdar extract` at once\n",
    )
    assert "collected: 2 answers, 1 expired, 1 rate_limited, 1 refused, 1 unreachable;" in collected.out
    assert [(line["failure"], line["message"]) for line in newsroom.errors()] == [
        ("rate_limited", "HTTP 429: slow down"),
        ("refused", "HTTP 400: no such parameter"),
        ("expired", "batch_expired: not executed in time"),
        ("unreachable", "server_error: we are sorry"),
    ]
    assert [line["document_id"] for line in newsroom.errors()] == ["talks", "wind-0", "wind-1", "wind-2"]

    again = newsroom.submit()
    assert again.out.startswith("4 requests submitted in 1 batch")
    assert newsroom.collect().code == 0  # all that failed is under way
    newsroom.provider.end()
    assert newsroom.collect().code == 0
    assert newsroom.extract()[1] == 0
    assert sorted(set(newsroom.submitted())) == sorted(newsroom.submitted()[:6])


def test_a_batch_that_expired_keeps_what_was_answered_in_time(newsroom: Newsroom) -> None:
    newsroom.submit()
    newsroom.provider.end(lambda answers: (answers[:2], []), status="expired")
    assert "collected: 2 answers, 4 expired;" in newsroom.collect().out
    assert newsroom.submit().out.startswith("4 requests submitted in 1 batch")


def test_a_batch_that_was_refused_as_a_whole_says_why(newsroom: Newsroom) -> None:
    newsroom.submit()
    why = {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}], "object": "list"}
    newsroom.provider.end(lambda _: ([], []), status="failed", errors=why)
    assert newsroom.mahdar("batch", "status", newsroom.job).out == (
        "batch_2: 6 requests, failed, 0 answered, 0 failed; token_limit_exceeded: Enqueued token limit reached\n"
    )
    assert "collected: 0 answers, 6 rate_limited;" in newsroom.collect().out
    assert newsroom.submit().out.startswith("6 requests submitted in 1 batch")
    assert len(newsroom.provider.batches) == 2


def test_answers_that_a_live_call_would_not_keep_are_asked_for_again(newsroom: Newsroom) -> None:
    odd = iter(
        [
            completion("", refusal="I will not"),
            completion('{"meetings": [{"evid', finish="length"),
            Reply({"id": "no choice in it"}),
        ]
    )

    def lines(answers: Lines) -> tuple[Lines, Lines]:
        for answer, reply in zip(answers, odd, strict=False):
            answer["response"]["body"] = reply.body
        return answers, []

    newsroom.submit()
    newsroom.provider.end(lines)
    assert "collected: 3 answers, 1 refused, 1 truncated, 1 unreachable;" in newsroom.collect().out
    assert newsroom.submit().out.startswith("3 requests submitted in 1 batch")


def test_an_answer_that_breaks_the_rules_is_asked_about_once_more_in_the_next_batch(newsroom: Newsroom) -> None:
    def careless(asked: Asked) -> Reply:
        again = any("sing" in turn["content"] for turn in asked.messages)
        if MET in asked.article and not again:
            return completion(records([], [{"act": "sing"}]))
        return reads_well(asked)

    newsroom.provider.answering = careless
    newsroom.submit()
    newsroom.provider.end()
    newsroom.collect()
    assert newsroom.submit().out.startswith("1 request submitted in 1 batch")
    newsroom.provider.end()
    assert newsroom.collect().code == 0
    extracted, calls = newsroom.extract()
    stances = [one for line in extracted.out.splitlines() for one in json.loads(line)["stances"]]
    assert (calls, len(stances)) == (0, 1)


def test_a_re_ask_in_a_batch_is_that_of_a_live_run(newsroom: Newsroom) -> None:
    newsroom.provider.answering = lambda _: completion(records([], [{"act": "sing"}]))
    newsroom.submit()
    newsroom.provider.end()
    newsroom.collect()
    newsroom.submit()
    handed_in = [line["body"] for line in newsroom.provider.requests(list(newsroom.provider.batches)[-1])]
    newsroom.extract()
    assert sorted(map(json.dumps, handed_in)) == sorted(json.dumps(asked.body) for asked in newsroom.calls)


def test_lines_about_nothing_that_was_asked_are_counted_and_left_alone(newsroom: Newsroom) -> None:
    def lines(answers: Lines) -> tuple[Lines, Lines]:
        stranger = answers[0] | {"custom_id": "0" * 64}
        return [stranger, *answers[1:], answers[1], answers[2] | {"custom_id": 7}], [{"nothing": "at all"}]

    newsroom.submit()
    newsroom.provider.end(lines)
    collected = newsroom.collect()
    assert "5 answers, 1 unreachable, 3 lines of no known request; 500 tokens in, 100 out" in collected.out
    assert newsroom.errors()[0]["message"] == "the batch ended without an answer to it"


def test_an_answer_may_be_long_and_hold_the_line_ends_of_other_formats(newsroom: Newsroom) -> None:
    def lines(answers: Lines) -> tuple[Lines, Lines]:
        for answer in answers:
            answer["response"]["body"]["choices"][0]["message"]["content"] += "\u2028 \x85 \u2029" + " " * 3_000_000
        return answers, []

    newsroom.submit()
    newsroom.provider.end(lines)
    assert "collected: 6 answers;" in newsroom.collect().out


@pytest.mark.parametrize(
    "changes",
    [
        {"status_code": "later"},
        {"status_code": {}},
        {"body": {"choices": [{"message": {"content": [5]}}]}},
        {"body": [5]},
    ],
)
def test_an_odd_line_is_a_failure_of_its_own_request_alone(newsroom: Newsroom, changes: dict[str, Any]) -> None:
    def lines(answers: Lines) -> tuple[Lines, Lines]:
        answers[0]["response"] |= changes
        return answers, []

    newsroom.submit()
    newsroom.provider.end(lines)
    assert "collected: 5 answers, 1 unreachable;" in newsroom.collect().out


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (completion("", refusal=MET), "the model refused, or its answer was filtered"),
        (completion(MET), "$: no JSON object with the lists 'actors', 'meetings'"),
        (Reply({"output_text": MET}), "the endpoint answered without a choice"),
    ],
)
def test_the_words_of_an_answer_are_in_no_file_of_errors(newsroom: Newsroom, reply: Reply, said: str) -> None:
    newsroom.provider.answering = lambda _: reply
    newsroom.submit("--task", "meetings")
    newsroom.provider.end()
    newsroom.collect()
    # What breaks the rules once is asked about again, and is no failure before that.
    newsroom.submit("--task", "meetings")
    newsroom.provider.end()
    newsroom.collect()
    files = sorted(newsroom.folder.glob("job.json.*.errors.jsonl"))
    assert files != []
    assert [file.name for file in files if MET[:20] in file.read_text(encoding="utf-8")] == []
    assert said in json.loads(files[-1].read_text(encoding="utf-8").splitlines()[0])["message"]


def test_an_answer_that_is_unreadable_again_is_kept_and_not_paid_for_a_third_time(newsroom: Newsroom) -> None:
    newsroom.provider.answering = lambda _: completion(MET)
    for _ in range(3):
        newsroom.submit("--task", "meetings")
        newsroom.provider.end()
        newsroom.collect()
    batches = newsroom.provider.batches
    asked = [line["custom_id"] for batch in batches for line in newsroom.provider.requests(batch)]
    assert (len(batches), len(asked)) == (2, len(set(asked)))


def test_a_line_that_is_longer_than_any_answer_is_passed_over(newsroom: Newsroom) -> None:
    newsroom.submit()
    newsroom.provider.end()
    out = newsroom.provider.batches["batch_2"]["output_file_id"]
    content = newsroom.provider.files[out]
    newsroom.provider.files[out] = b'{"custom_id": "' + b"7" * 33_000_000 + b'"}\n' + content
    assert "collected: 6 answers, 1 lines of no known request;" in newsroom.collect().out


@pytest.mark.parametrize(
    ("path", "lost"),
    [
        ("POST /files", status(500, {"retry-after-ms": "1"})),
        ("POST /files", Reply({"object": "file"})),
        ("POST /batches", Reply({"id": None})),
        ("POST /batches", status(500)),
        ("POST /batches", Reply(disconnect=True)),
        ("POST /batches", status(429, {"retry-after-ms": "1"}, "insufficient_quota")),
        ("POST /batches", Reply("<html>", headers={"content-type": "text/html"})),
        ("GET /batches", Reply("[7", headers={"content-type": "application/json"})),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.status),
)
def test_wherever_a_submission_breaks_off_nothing_is_lost_and_nothing_submitted_twice(
    newsroom: Newsroom, path: str, lost: Reply
) -> None:
    """A reply that is cut off comes after the work was done: the provider has the batch, and the client no id."""
    newsroom.provider.next[path] = [lost] * 6
    first = newsroom.submit("--batch-size", 4)
    assert (first.code, first.err.count("\n")) in {(2, 1), (3, 1)}
    newsroom.provider.next.clear()

    second = newsroom.submit("--batch-size", 4)
    assert second.code == 0
    assert len(newsroom.submitted()) == len(set(newsroom.submitted())) == 6
    newsroom.provider.end()
    assert newsroom.collect().code == 0
    assert newsroom.extract()[1] == 0


@pytest.mark.parametrize("path", ["POST /files", "POST /batches"])
def test_a_submission_that_is_killed_is_taken_up_again(newsroom: Newsroom, path: str) -> None:
    newsroom.provider.next[path] = [Reply(after=threading.Event())]
    arguments = ["batch", "submit", str(newsroom.articles), "-o", str(newsroom.job)]
    killed = subprocess.Popen([sys.executable, "-m", "mahdar.cli.app", *arguments], cwd=Path(__file__).parents[1])
    newsroom.endpoint.await_requests(2 if path == "POST /files" else 3)  # the list of batches comes first
    killed.kill()
    killed.wait()

    assert newsroom.submit().code == 0
    assert len(newsroom.submitted()) == len(set(newsroom.submitted())) == 6
    newsroom.provider.end()
    newsroom.collect()
    assert newsroom.extract()[1] == 0


def test_a_batch_is_counted_at_half_the_price(newsroom: Newsroom) -> None:
    newsroom.submit()
    newsroom.provider.end()
    settings = configured(newsroom.endpoint, newsroom.folder)
    with closing(BatchApi(remote_endpoint(settings), timeout=10)) as api, closing(DiskStore(settings.cache)) as store:
        (standing,) = collect(BatchJob.read(newsroom.job), api, store, price=Price.per_million(1_000_000, 2_000_000))
    assert standing.batch.result is not None
    assert standing.batch.result.cost == 6 * (100 + 2 * 20) / 2


def test_a_job_whose_file_was_lost_is_found_again_at_the_provider(newsroom: Newsroom) -> None:
    newsroom.submit()
    newsroom.job.unlink()
    newsroom.submit()
    assert len(newsroom.provider.batches) == 1
    newsroom.provider.end()
    assert "6 answers" in newsroom.collect().out


def test_running_a_command_again_changes_nothing(newsroom: Newsroom) -> None:
    newsroom.submit("--batch-size", 5)
    assert newsroom.submit().out == (
        f"0 requests submitted in 0 batches → {newsroom.job}; 0 answered already, 6 under way\n"
    )
    assert newsroom.collect().out.splitlines() == [
        "batch_2: 5 requests, in_progress, 0 answered, 0 failed",
        "batch_4: 1 request, in_progress, 0 answered, 0 failed",
    ]
    newsroom.provider.end()
    first, second = newsroom.collect(), newsroom.collect()
    assert first == second
    assert newsroom.submit().out.startswith("0 requests submitted in 0 batches")
    assert newsroom.mahdar("batch", "status", newsroom.job).out == first.out


def test_what_was_collected_can_be_collected_again_into_an_emptied_cache(newsroom: Newsroom) -> None:
    newsroom.submit()
    newsroom.provider.end()
    newsroom.collect()
    newsroom.mahdar("cache", "clear", "--yes")
    assert newsroom.collect("--again").code == 0
    assert newsroom.extract()[1] == 0


def test_answers_that_the_provider_has_deleted_are_asked_for_again(newsroom: Newsroom) -> None:
    newsroom.submit()
    newsroom.provider.end()
    newsroom.provider.files.pop(newsroom.provider.batches["batch_2"]["output_file_id"])
    assert "collected: 0 answers, 6 unreachable;" in newsroom.collect().out
    assert newsroom.errors()[0]["message"] == "the provider has deleted the answers"
    assert newsroom.submit().out.startswith("6 requests submitted in 1 batch")


def test_files_hold_as_many_requests_as_they_may(newsroom: Newsroom) -> None:
    newsroom.submit("--batch-size", 4)
    assert [len(newsroom.provider.requests(id_)) for id_ in newsroom.provider.batches] == [4, 2]


def test_identical_articles_are_one_request(newsroom: Newsroom) -> None:
    (newsroom.articles / "talks-again.txt").write_text(ARTICLE, encoding="utf-8")
    assert newsroom.submit().out.startswith("6 requests submitted in 1 batch")


def test_an_article_that_cannot_be_read_is_named_and_the_others_go(newsroom: Newsroom) -> None:
    file = newsroom.articles / "empty.txt"
    file.write_text(" \n", encoding="utf-8")
    ended = newsroom.submit()
    assert (ended.code, ended.err) == (1, f"empty: bad_input: {file} is empty: give the article's text\n")
    assert ended.out.startswith("6 requests submitted in 1 batch")


def test_rows_are_submitted_by_the_columns_that_are_named(newsroom: Newsroom) -> None:
    rows = [{"key": "خبر", "body": ARTICLE, "day": "2024-02-05"}, {"key": "بلا يوم", "body": ARTICLE}]
    file = newsroom.folder / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    columns = ("--text-column", "body", "--id-column", "key", "--date-column", "day")
    ended = newsroom.mahdar("batch", "submit", file, "-o", newsroom.job, *columns)
    assert (ended.code, ended.out.partition(" in ")[0]) == (1, "1 request submitted")
    assert ended.err.startswith(f"بلا يوم: bad_input: {file}:2 has no column 'day'")


def test_no_file_of_a_job_holds_a_key_or_an_article(newsroom: Newsroom) -> None:
    def lines(answers: Lines) -> tuple[Lines, Lines]:
        return answers[1:], [answers[0] | refused(401, f"the key {KEY} is not right")]

    newsroom.submit()
    newsroom.provider.end(lines)
    newsroom.collect()
    files = [path for path in newsroom.folder.rglob("*") if path.is_file() and path.parent != newsroom.articles]
    content = {path.name: path.read_bytes() for path in files}
    assert {"job.json", "job.json.1.requests.jsonl", "job.json.1.errors.jsonl"} <= content.keys()
    assert [name for name, data in content.items() if KEY.encode() in data] == []
    assert [name for name, data in content.items() if name.startswith("job") and MET.encode() in data] == []
    assert "[key]" in newsroom.errors()[0]["message"]


def test_the_provider_is_told_the_key_and_nothing_but_the_requests(newsroom: Newsroom) -> None:
    newsroom.submit()
    asked = next(asked for asked in newsroom.endpoint.requests if asked.path == "/v1/batches" and asked.raw)
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    sha256 = json.loads(newsroom.job.read_bytes())["batches"][0]["sha256"]
    assert asked.body == {
        "completion_window": "24h",
        "endpoint": "/v1/chat/completions",
        "input_file_id": "file-1",
        "metadata": {"mahdar": sha256},
    }


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"MAHDAR_MODEL": "offline"}, "batches need a provider: set OPENAI_API_KEY, OPENAI_BASE_URL and MAHDAR_MODEL"),
        ({"MAHDAR_MODEL": "embedded"}, "batches need a provider: set OPENAI_API_KEY"),
        ({"MAHDAR_MODEL": "another"}, "is a job for the model loopback, not another; name another file"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, "and OPENAI_BASE_URL names http://127.0.0.1:9/v1; set it back"),
        ({"OPENAI_API_KEY": "sk-مفتاح"}, "OPENAI_API_KEY: has a character that no key has"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], said: str
) -> None:
    newsroom.submit()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ended = newsroom.submit()
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert said in ended.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory); `mahdar batch submit` writes a job"),
        ("[]", "is no job of mahdar (at its beginning); name another file"),
        ('{"version": 3, "endpoint": "", "model": ""}', "is no job of mahdar (at version); name another file"),
        ("\x00", "is no job of mahdar (at its beginning); name another file"),
    ],
)
def test_a_file_that_is_no_job_is_one_line(newsroom: Newsroom, content: str | None, said: str) -> None:
    if content is not None:
        newsroom.job.write_text(content, encoding="utf-8")
    ended = newsroom.collect()
    assert (ended.code, ended.err) == (2, f"mahdar: {newsroom.job}: {said}\n")


def test_a_job_of_an_older_version_is_named_and_left_as_it_is(newsroom: Newsroom) -> None:
    newsroom.submit()
    job = json.loads(newsroom.job.read_bytes()) | {"version": 1}
    newsroom.job.write_text(json.dumps(job), encoding="utf-8")
    before = newsroom.job.read_bytes()
    said = (
        f"mahdar: {newsroom.job} was written by an older mahdar, whose requests differ from this version's: submit the "
        "articles again, with another name for --output\n"
    )
    for ended in (newsroom.submit(), newsroom.collect(), newsroom.mahdar("batch", "status", newsroom.job)):
        assert (ended.code, ended.err) == (2, said)
    assert newsroom.job.read_bytes() == before


@pytest.mark.parametrize("line", ["[]", "5", "{}", '{"fingerprint": []}', '{"fingerprint": "a", "more": 1}', "["])
@pytest.mark.parametrize("kind", ["requests", "errors"])
def test_a_file_of_a_job_that_was_tampered_with_is_one_line(newsroom: Newsroom, kind: str, line: str) -> None:
    newsroom.submit()
    newsroom.provider.end(lambda answers: (answers[1:], [expired(answers[0])]))
    if kind == "errors":
        newsroom.collect()
    file = newsroom.job.with_name(f"job.json.1.{kind}.jsonl")
    file.write_text(f"{line}\n", encoding="utf-8")
    ended = newsroom.collect()
    if kind == "errors" and "more" in line:
        assert ended.code == 1, "only the fingerprint is needed"
        return
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith(f"mahdar: {file}: cannot be read (")


def test_two_processes_do_not_work_on_one_job(newsroom: Newsroom) -> None:
    newsroom.submit()
    with locked(newsroom.job):
        ended = newsroom.collect()
    assert (ended.code, "another process is at work on this job" in ended.err) == (2, True)
