"""What goes wrong outside: every failure has its class, its message and its remedy, and costs no other article."""

import asyncio
import datetime as dt
import email.utils
import json
import logging
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from newsroom import ANSWER, ARTICLE, HURRIED, KEY, NOTHING, configured, meeting, reads_well, records, stance, weather

from mahdar import (
    Document,
    Extraction,
    ExtractionError,
    Extractor,
    Failure,
    MahdarError,
    NoModelError,
    Policy,
    Settings,
    UsageError,
)
from mahdar.cache.completion import Completion
from mahdar.cache.disk import DiskStore
from mahdar.llm.call import Call
from mahdar.llm.client import Client
from mahdar.llm.endpoint import remote_endpoint
from mahdar.llm.plan import plan
from mahdar.llm.reply import retry_after
from mahdar.llm.transport import OpenAITransport
from mahdar.prompts import STANDARD, PromptLibrary
from mahdar.runs.lines import dumps
from mahdar.tasks import load_tasks
from mahdar.validation.source import Source

from loopback import Asked, Endpoint, Reply, completion, status

ROOT = Path(__file__).parents[1]
HTML = "<!doctype html>\n<html><head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>"


def page(code: int) -> Reply:
    """What a proxy says in place of the endpoint."""
    return Reply(HTML, status=code, headers={"Content-Type": "text/html"})


def escaped(content: str) -> Reply:
    """A completion in which all that is not ASCII is escaped, so that it can be sent."""
    return Reply(json.dumps(completion(content).body))


def failed(endpoint: Endpoint | str, cache: Path, policy: Policy = HURRIED, **settings: Any) -> Failure:
    """How the request for meetings ends."""
    with Extractor(configured(endpoint, cache, **settings), tasks=["meetings"], policy=policy) as mahdar:
        (result,) = mahdar.extract_many([ARTICLE])
    assert isinstance(result, Failure)
    return result


def content(said: Any) -> Reply:
    """An answer whose content is sent as it is, text or not."""
    return Reply({"choices": [{"message": {"content": said}}]})


FAULTS = [
    pytest.param(status(403), "unreachable", 1, "check OPENAI_API_KEY", id="no right"),
    pytest.param(status(429), "rate_limited", 4, "HTTP 429: as the test wants it", id="too fast"),
    pytest.param(status(500), "unreachable", 4, "HTTP 500: as the test wants it", id="broken for ever"),
    pytest.param(page(502), "unreachable", 4, "HTTP 502: <!doctype html> <html>", id="a proxy's page"),
    pytest.param(status(408), "unreachable", 4, "HTTP 408", id="too slow, it says"),
    pytest.param(status(413), "bad_input", 1, "longer than the model reads", id="too large"),
    pytest.param(
        status(400, message="This model's maximum context length is 8192 tokens."),
        "bad_input",
        1,
        "the article is longer than the model reads",
        id="too long",
    ),
    pytest.param(
        status(400, message="Unknown parameter: 'response_format.json_schema'"),
        "refused",
        1,
        "set MAHDAR_MODE to json, tools or md_json",
        id="a mode it does not have",
    ),
    pytest.param(status(400), "refused", 1, "meetings: HTTP 400: as the test wants it", id="refused by the endpoint"),
    pytest.param(page(200), "unreachable", 4, "answered no JSON but '<!doctype html>", id="a page in place of JSON"),
    pytest.param(Reply(b""), "unreachable", 4, "answered no JSON but ''", id="nothing in place of JSON"),
    pytest.param(Reply(b"\xff\xfe{}"), "unreachable", 4, "answered no JSON", id="no text in place of JSON"),
    pytest.param(Reply("[" * 100_000), "unreachable", 4, "answered no JSON", id="no end of lists"),
    pytest.param(Reply({}), "unreachable", 4, "answered without a choice: {}", id="an empty object"),
    pytest.param(Reply([1]), "unreachable", 4, "answered without a choice: [1]", id="a list"),
    pytest.param(Reply("null"), "unreachable", 4, "answered without a choice: null", id="null"),
    pytest.param(Reply({"choices": []}), "unreachable", 4, "without a choice", id="no choice"),
    pytest.param(Reply({"choices": [{"message": None}]}), "unreachable", 4, "without a choice", id="no message"),
    pytest.param(
        Reply({"error": {"message": "overloaded"}}),
        "unreachable",
        4,
        "HTTP 529 in an answer",
        id="an error called well",
    ),
    pytest.param(Reply(disconnect=True), "unreachable", 4, "http://127.0.0.1:", id="cut before a word"),
    pytest.param(Reply(reset=True), "unreachable", 4, "http://127.0.0.1:", id="reset"),
    pytest.param(Reply(ANSWER, drop_after=30), "unreachable", 4, "http://127.0.0.1:", id="cut in the middle"),
    pytest.param(completion("", refusal="I can't."), "refused", 1, "meetings: I can't.", id="refused by the model"),
    pytest.param(completion("", finish="content_filter"), "refused", 1, "filtered the answer", id="filtered"),
    pytest.param(
        completion('{"meetings": [{"evid', finish="length"), "truncated", 1, "cut after 20 tokens", id="cut too early"
    ),
    pytest.param(completion(""), "unparsable", 2, "meetings: $: the answer is empty", id="empty"),
    pytest.param(content(5), "unparsable", 2, "meetings: $: the answer is empty", id="a number for an answer"),
    pytest.param(completion(None), "unparsable", 2, "meetings: $: the answer is empty", id="null for an answer"),
    pytest.param(
        Reply({"choices": [{"message": {"tool_calls": [{"id": "1"}]}}]}),
        "unreachable",
        4,
        "without a choice",
        id="no call",
    ),
    pytest.param(completion(HTML), "unparsable", 2, "begins with '<!doctype html>", id="a page for an answer"),
    pytest.param(completion("لا أدري"), "unparsable", 2, "begins with 'لا أدري'", id="prose"),
    pytest.param(
        completion({"result": []}),
        "invalid",
        2,
        "$: an object with the lists 'actors', 'meetings' is asked for",
        id="another form",
    ),
]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(
            Reply(rb'{"error":{"message":"\u0643\u0644\u0645\u0629 \ud83d word"}}', status=400), id="an error"
        ),
        pytest.param(Reply(rb'{"error":{"message":"\u0643\u0644\u0645\u0629 \ud83d word"}}'), id="no choice"),
    ],
)
def test_half_a_surrogate_pair_in_an_error_can_be_written(reply: Reply, tmp_path: Path) -> None:
    with Endpoint(reply) as endpoint:
        found = failed(endpoint, tmp_path)
    assert "كلمة \ufffd word" in found.message
    assert dumps(found.message).encode()


@pytest.mark.parametrize(("reply", "failure", "attempts", "message"), FAULTS)
def test_a_fault_has_its_class_and_its_remedy(
    reply: Reply, failure: str, attempts: int, message: str, tmp_path: Path
) -> None:
    with Endpoint(reply) as endpoint:
        found = failed(endpoint, tmp_path)
    assert (found.failure, found.attempts) == (failure, attempts)
    assert message in found.message
    assert len(found.message.splitlines()) == 1
    assert len(endpoint.requests) == attempts
    with closing(DiskStore(tmp_path)) as store:
        assert [entry for _, entry in store.entries() if entry and attempts != 2] == []


FATAL = [
    pytest.param(status(401), "unreachable", "HTTP 401: as the test wants it; check OPENAI_API_KEY", id="wrong key"),
    pytest.param(status(404), "unreachable", "check OPENAI_BASE_URL and MAHDAR_MODEL", id="not found"),
    pytest.param(page(405), "unreachable", "HTTP 405: <!doctype html> <html>", id="another server"),
    pytest.param(
        status(429, message="insufficient_quota"), "rate_limited", "the account has no credit left", id="quota spent"
    ),
    pytest.param(status(402), "rate_limited", "the account has no credit left", id="payment required"),
    pytest.param(
        status(429, {"retry-after": "3600"}), "rate_limited", "asks to wait 3600 s", id="too fast for an hour"
    ),
    pytest.param(status(503, {"retry-after": "999"}), "unreachable", "asks to wait 999 s", id="away for long"),
]


@pytest.mark.parametrize(("reply", "failure", "message"), FATAL)
def test_what_every_question_would_meet_ends_the_run_before_its_first_answer_only(
    reply: Reply, failure: str, message: str, tmp_path: Path
) -> None:
    texts = [weather(number) for number in range(5)]
    with (
        Endpoint(reply) as endpoint,
        Extractor(configured(endpoint, tmp_path), concurrency=1, tasks=["meetings"]) as mahdar,
        pytest.raises(NoModelError, match=r"^the endpoint (refuses|does not answer): HTTP ") as caught,
    ):
        next(mahdar.extract_many(texts))
    assert message in str(caught.value)
    assert len(endpoint.requests) == 1
    with (
        Endpoint([completion(NOTHING), *[reply] * 4]) as endpoint,
        Extractor(configured(endpoint, tmp_path), concurrency=1, tasks=["meetings"]) as mahdar,
    ):
        first, *others = mahdar.extract_many(texts)
    assert isinstance(first, Extraction)
    assert [(one.failure, one.attempts) for one in others if isinstance(one, Failure)] == [(failure, 1)] * 4


def test_what_was_spent_before_the_model_went_away_is_told(tmp_path: Path) -> None:
    """The first answer does not hold, and was paid for; asking again, the model is gone."""
    wrong = completion(records([meeting(principals=["a1", "a9"])]), tokens=(300, 40))
    with (
        Endpoint([wrong, *[status(401)] * 20]) as endpoint,
        Extractor(configured(endpoint, tmp_path), policy=Policy(silent=1), concurrency=1) as mahdar,
        pytest.raises(NoModelError) as caught,
    ):
        list(mahdar.extract_many([ARTICLE]))
    assert (caught.value.usage.tokens_in, caught.value.usage.tokens_out) == (300, 40)


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = failed(f"http://127.0.0.1:{port}/v1", tmp_path)
    assert (found.failure, found.attempts) == ("unreachable", 4)
    assert found.message == f"meetings: http://127.0.0.1:{port}/v1: All connection attempts failed"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(ANSWER, after=threading.Event()), id="no word"),
        pytest.param(Reply(ANSWER, drip=0.05), id="a byte now and then"),
    ],
)
def test_an_answer_that_takes_too_long(reply: Reply, tmp_path: Path) -> None:
    with Endpoint(reply) as endpoint:
        found = failed(endpoint, tmp_path, Policy(attempts=2, first_wait=0), timeout=0.3)
    assert (found.failure, found.attempts) == ("timeout", 2)
    assert found.message == f"meetings: {endpoint.url}: no answer within 0.3 s"


def test_extract_raises_what_extract_many_reports(tmp_path: Path) -> None:
    with (
        Endpoint(status(403)) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"]) as mahdar,
        pytest.raises(ExtractionError, match="check OPENAI_API_KEY") as caught,
    ):
        mahdar.extract(ARTICLE)
    assert (caught.value.failure, caught.value.attempts) == ("unreachable", 1)


@pytest.mark.parametrize(
    "replies",
    [
        [status(500), status(500), completion(ANSWER)],
        [status(429), status(503, {"retry-after": "0"}), completion(ANSWER)],
        [Reply(disconnect=True), Reply(reset=True), completion(ANSWER)],
        [page(502), page(200), completion(ANSWER)],
        [Reply(ANSWER, drop_after=9), Reply({}), completion(ANSWER)],
    ],
)
def test_what_passes_is_waited_for(replies: list[Reply], tmp_path: Path) -> None:
    with (
        Endpoint(replies) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], policy=HURRIED) as mahdar,
    ):
        result = mahdar.extract(ARTICLE)
    assert len(result.meetings) == 1
    assert (result.provenance.calls, result.provenance.attempts, result.provenance.valid_at_first) == (1, 3, True)


def test_attempts_are_counted_over_the_reask_too(tmp_path: Path) -> None:
    replies = [status(500), completion(""), status(500), completion(""), completion("")]
    with Endpoint(replies) as endpoint:
        found = failed(endpoint, tmp_path)
    assert (found.failure, found.attempts, len(endpoint.requests)) == ("unparsable", 4, 4)


# --- a fault of mahdar's own


class Broken:
    """A transport with a fault, whose words are the article's."""

    async def send(self, call: Call) -> Completion:
        raise ZeroDivisionError(call.arguments["messages"][-1]["content"])

    async def close(self) -> None: ...


def test_a_fault_of_ours_is_the_failure_of_an_article_and_repeats_nothing_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = "mahdar failed on this article: ZeroDivisionError; logged at the level DEBUG, it says where"
    with Extractor(configured("http://127.0.0.1:9/v1", tmp_path), transport=Broken()) as mahdar:
        with pytest.raises(ExtractionError) as caught:
            mahdar.extract(ARTICLE)
        (failure,) = mahdar.extract_many([ARTICLE])
    assert isinstance(failure, Failure)
    assert (caught.value.failure, str(caught.value)) == (failure.failure, failure.message) == ("internal", said)
    assert [record.getMessage() for record in caplog.records] == ["failed: ZeroDivisionError"] * 2
    assert "نواكشوط" not in caplog.text


# --- waiting


def waits(replies: Iterable[Reply], policy: Policy, cache: Path) -> list[float]:
    """How long is waited between the attempts at one question."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def ask(url: str) -> None:
        at = remote_endpoint(configured(url, cache))
        transport = OpenAITransport(at, timeout=30)
        client = Client(transport, None, policy=policy, concurrency=1, sleep=sleep, clock=lambda: sum(waited))
        (request,) = plan(Document("1", ARTICLE), load_tasks(["meetings"], PromptLibrary(), STANDARD), at)
        await asyncio.gather(client.ask(request, Source(ARTICLE)), return_exceptions=True)
        await transport.close()

    with Endpoint(replies) as endpoint:
        asyncio.run(ask(endpoint.url))
    return waited


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Sat, 01 Jan 2000 00:00:00 GMT"}, 0.0),
    ],
)
def test_the_endpoint_says_how_long_to_wait(headers: dict[str, str], seconds: float, tmp_path: Path) -> None:
    assert waits([status(429, headers), completion(ANSWER)], Policy(), tmp_path) == [seconds]


def test_a_date_to_wait_until_is_waited_until(tmp_path: Path) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    headers = {"retry-after": email.utils.format_datetime(later, usegmt=True)}
    (waited,) = waits([status(503, headers), completion(ANSWER)], Policy(), tmp_path)
    assert 40 < waited <= 60


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("Sun, 21 Nov 2021 12:00:30 GMT", 30.0),
        ("Sun, 21 Nov 2021 12:00:30 -0000", 30.0),
        ("Sun, 21 Nov 2021 13:00:30 +0100", 30.0),
        ("Sun, 21 Nov 2021 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("٥", None),
        ("Sun, 99 Nov 2021 12:00:30 GMT", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    noon = dt.datetime(2021, 11, 21, 12, tzinfo=dt.UTC).timestamp()
    assert retry_after({"retry-after": header}, now=noon) == seconds


def test_without_a_word_the_wait_doubles_up_to_its_bound(tmp_path: Path) -> None:
    waited = waits([status(500)] * 9, Policy(attempts=7, first_wait=1, longest_wait=10), tmp_path)
    assert len(waited) == 6
    assert all(0 <= seconds <= bound for seconds, bound in zip(waited, (1, 2, 4, 8, 10, 10), strict=True))


def test_a_refusal_is_not_waited_for(tmp_path: Path) -> None:
    assert waits([status(401)], Policy(), tmp_path) == []


# --- among others


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(status(500), id="500"),
        pytest.param(page(200), id="a page"),
        pytest.param(Reply(disconnect=True), id="cut"),
        pytest.param(completion("", refusal="No."), id="refused"),
        pytest.param(escaped("\ud800"), id="half a surrogate pair"),
        pytest.param(completion("[" * 9_999), id="no end of lists"),
        pytest.param(completion('{"meetings": ' + "9" * 9_999 + "}"), id="no end of digits"),
        pytest.param(completion('{"actors": ' * 9_999), id="no end of objects"),
    ],
)
def test_one_bad_article_costs_no_good_one(fault: Reply, tmp_path: Path) -> None:
    def reply(asked: Asked) -> Reply:
        return fault if "7" in asked.article else reads_well(asked)

    texts = [ARTICLE, *map(weather, (6, 7, 8)), ARTICLE + weather(9)]
    with (
        Endpoint(reply) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], policy=HURRIED) as mahdar,
    ):
        results = list(mahdar.extract_many(texts))
    assert [type(result) for result in results].count(Failure) == 1
    good = [result for result in results if isinstance(result, Extraction)]
    assert sorted(len(result.meetings) for result in good) == [0, 0, 1, 1]


def in_passages(folder: Path) -> Path:
    """Templates that show an article a sentence or two at a time."""
    prompt = PromptLibrary().get("meetings")
    made = folder / prompt.name
    made.mkdir(parents=True)
    for file in prompt.path.parent.glob("*.json"):
        (made / file.name).write_bytes(file.read_bytes())
    text = prompt.path.read_text(encoding="utf-8").replace("version =", "passage = 80\nversion =", 1)
    (made / prompt.path.name).write_text(text, encoding="utf-8")
    return folder


def test_what_the_other_passages_brought_is_stored_for_the_next_run(tmp_path: Path) -> None:
    text = f"{ARTICLE}\n{weather(1)}\n{weather(7)}"
    prompts = [in_passages(tmp_path / "prompts")]

    def reply(asked: Asked) -> Reply:
        return status(400) if "7" in asked.article else reads_well(asked)

    with Endpoint(reply) as endpoint, Extractor(configured(endpoint, tmp_path), prompts=prompts) as mahdar:
        planned = len(mahdar.plan(text))
        assert isinstance(next(mahdar.extract_many([text])), Failure)
    assert planned == len(endpoint.requests) > 1
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path), prompts=prompts) as mahdar:
        result = mahdar.extract(text)
    assert len(endpoint.requests) == 1
    assert (len(result.meetings), len(result.stances), result.provenance.calls) == (1, 1, 1)


def test_a_cut_answer_keeps_its_whole_items_and_names_the_cut_one(tmp_path: Path) -> None:
    text = json.dumps(records([meeting(), meeting(kind="signing")]), ensure_ascii=False)
    with (
        Endpoint(completion(text[: text.rindex('"status"')], finish="length", tokens=(900, 600))) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"]) as mahdar,
    ):
        first, again = mahdar.extract(ARTICLE), mahdar.extract(ARTICLE)
    assert len(endpoint.requests) == 1
    for result in (first, again):
        assert [one.kind for one in result.meetings] == ["talks"]
        (lost,) = result.rejected
        assert lost.path == "$.meetings[1]"
        assert lost.reason == "the answer was cut after 600 tokens, in this item or after it"
        assert lost.item["evidence"] == [1]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            records([meeting(evidence=[9])], [stance(evidence=[0])]),
            "is no sentence of the article; they are numbered from 1 to 2",
            id="sentences from nowhere",
        ),
        pytest.param(
            records(
                [meeting()], [stance()], [{"id": "a1", "name": "ألكسندر ستوب"}, {"id": "a2", "name": "ألار كاريس"}]
            ),
            "is not in the article; copy it letter by letter",
            id="names from nowhere",
        ),
    ],
)
def test_what_fits_the_schema_and_not_the_article_is_asked_again_and_rejected(
    answer: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with Endpoint(completion(answer)) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        result = mahdar.extract(ARTICLE)
    assert len(endpoint.requests) == 2
    assert reason in endpoint.requests[1].messages[-1]["content"]
    assert (result.meetings, result.stances) == ((), ())
    assert reason in [one.reason for one in result.rejected]
    result.model_dump_json()


@pytest.mark.parametrize("twice", [False, True], ids=["in the answer", "escaped in the answer once more"])
def test_half_a_surrogate_pair_is_no_hindrance_to_writing(twice: bool, tmp_path: Path) -> None:  # noqa: FBT001
    text = json.dumps(records([meeting(), meeting(date="\ud800")]), ensure_ascii=twice)
    with (
        Endpoint(escaped(text)) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"]) as mahdar,
    ):
        first, again = mahdar.extract(ARTICLE), mahdar.extract(ARTICLE)
    assert again.provenance.cached
    for result in (first, again):
        assert result.meetings
        assert "\ufffd" in result.model_dump_json()


# --- the key


def echo(code: int) -> Any:
    """A server that repeats the header which it should keep to itself."""

    def reply(asked: Asked) -> Reply:
        said = f"you sent {asked.headers['authorization']} {'.' * 150} {asked.headers['authorization']}"
        return completion(said) if code == 200 else status(code, message=said)

    return reply


@pytest.mark.parametrize("code", [200, 400, 401, 429, 500])
def test_a_server_that_repeats_the_key_tells_it_nobody(
    code: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Endpoint(echo(code)) as endpoint:
        settings = configured(endpoint, tmp_path)
        mahdar = Extractor(settings, tasks=["meetings"], policy=HURRIED)
        with mahdar, pytest.raises(MahdarError) as caught:
            mahdar.extract(ARTICLE)
    error = caught.value
    assert "[key]" in str(error)
    assert len(caplog.records) > 0
    told = [str(error), repr(error), *traceback.format_exception(error), caplog.text, repr(settings), repr(mahdar)]
    told += [repr(mahdar.endpoint), repr(error.__context__), repr(error.__cause__)]
    assert not any(KEY[:12] in each for each in told)
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY[:12].encode() not in stored


def test_the_key_is_in_no_file_and_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Endpoint(reads_well) as endpoint:
        named = endpoint.url.replace("//", "//reader:open-sesame@")
        for url in (endpoint.url, named):
            with Extractor(configured(url, tmp_path)) as mahdar:
                result = mahdar.extract(ARTICLE)
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (KEY, "open-sesame"):
        assert secret not in caplog.text
        assert secret not in result.model_dump_json()
        assert secret.encode() not in stored


def with_query(endpoint: Endpoint) -> str:
    return f"{endpoint.url}?api-version=2024-02-01&code=open%2Fsesame-42"


def test_the_query_of_the_url_is_sent(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, Extractor(configured(with_query(endpoint), tmp_path)) as mahdar:
        assert len(mahdar.extract(ARTICLE).meetings) == 1
    assert [asked.path for asked in endpoint.requests] == [
        "/v1/chat/completions?api-version=2024-02-01&code=open%2Fsesame-42"
    ]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(
            status(400, message="since 2024-02-01 code=open%2Fsesame-42 (open/sesame-42) is void"),
            "meetings: HTTP 400: since 2024-02-01 code=[key] ([key]) is void",
            id="repeated by the server",
        ),
        pytest.param(Reply(disconnect=True), "{url}: Server disconnected", id="no answer"),
        pytest.param(page(200), "{url}: answered no JSON but", id="no JSON"),
    ],
)
def test_a_key_in_the_query_is_in_no_message_and_no_log(
    fault: Reply, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Endpoint(fault) as endpoint:
        found = failed(with_query(endpoint), tmp_path)
    assert said.format(url=endpoint.url) in found.message
    assert not any("sesame" in each for each in (found.message, caplog.text))


@pytest.mark.parametrize(
    "url",
    [
        "http://host:abc/v1",
        "http://host:99999/v1",
        "http://host name/v1",
        "http://host\x01/v1",
        "http://[::1/v1",
        "http://host:0/v1",
    ],
)
def test_a_url_that_is_none_stops_before_the_first_article(url: str, tmp_path: Path) -> None:
    with Extractor(configured(url, tmp_path)) as mahdar:
        for ask in (lambda: mahdar.made_by, lambda: mahdar.extract(ARTICLE)):
            with pytest.raises(UsageError, match="OPENAI_BASE_URL: not a URL; write it like https://host/v1"):
                ask()


def test_a_password_in_the_url_is_in_no_message(tmp_path: Path) -> None:
    with Endpoint(Reply(disconnect=True)) as endpoint:
        found = failed(endpoint.url.replace("//", "//reader:open-sesame@"), tmp_path)
    assert found.message.startswith(f"meetings: {endpoint.url}: ")
    assert "open-sesame" not in found.message


@pytest.mark.parametrize("key", ["sk-مفتاح-0123456789", "sk-0123456789\n", "sk-0123\t456789"])
def test_a_key_that_cannot_be_sent_is_not_shown(key: str, tmp_path: Path) -> None:
    with (
        Endpoint(reads_well) as endpoint,
        Extractor(configured(endpoint, tmp_path, api_key=key)) as mahdar,
        pytest.raises(UsageError, match="OPENAI_API_KEY: has a character that no key has") as caught,
    ):
        mahdar.extract(ARTICLE)
    assert "0123" not in str(caught.value)
    assert endpoint.requests == []


# --- the store

FULL = """
import resource, sys
from pathlib import Path
from mahdar import Extractor, Settings
url, cache = sys.argv[1:]
with Extractor(Settings(base_url=url, api_key="k", model="loopback", cache=Path(cache))) as mahdar:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))  # as if the disk had no byte left
    for text in sys.stdin.buffer.read().decode().split("---"):
        result = mahdar.extract(text)
        print(len(result.meetings), len(result.stances), result.provenance.calls)
"""


def test_a_full_disk_costs_no_answer_and_is_warned_of_once(tmp_path: Path) -> None:
    texts = [ARTICLE, weather(1), ARTICLE]
    with Endpoint(reads_well) as endpoint:
        done = subprocess.run(
            [sys.executable, "-c", FULL, endpoint.url, str(tmp_path)],
            cwd=ROOT,
            input="---".join(texts).encode(),
            capture_output=True,
            check=True,
        )
    assert done.stdout.decode().splitlines() == ["1 1 1", "0 0 1", "1 1 1"]
    (warning,) = done.stderr.decode().splitlines()
    assert warning.startswith(f"{tmp_path}/completions-v2: an answer cannot be stored (")
    assert warning.endswith("or set MAHDAR_CACHE_DIR to another one; going on without storing answers")


def test_a_key_that_a_server_escapes_is_not_shown(tmp_path: Path) -> None:
    echo = Reply('{"choices": [{"message": null}], "key": "sk-SECRETSECRET\\/456"}')
    with Endpoint(lambda _: echo) as endpoint:
        settings = Settings(base_url=endpoint.url, api_key="sk-SECRETSECRET/456", model="m", cache=tmp_path)
        with Extractor(settings, policy=HURRIED) as mahdar:
            (failed,) = mahdar.extract_many(["استقبل الوزير ضيفه في نواكشوط صباح اليوم."])
    assert isinstance(failed, Failure)
    assert "SECRETSECRET" not in failed.message
