"""The way of a request: what is sent, what names it, and that no question is asked twice."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from newsroom import ACTORS, ANSWER, ARTICLE, HURRIED, MET, configured, meeting, reads_well, records, weather

from mahdar import Document, Extraction, ExtractionError, Extractor, Failure, MahdarError, Policy, UsageError
from mahdar.cache.completion import Completion
from mahdar.cache.disk import DiskStore
from mahdar.drafting import Drafter, Request
from mahdar.llm.call import Call, Transport
from mahdar.llm.client import Client
from mahdar.llm.conversation import ValidatedAnswer, arguments_of
from mahdar.llm.endpoint import Endpoint as At
from mahdar.llm.plan import plan
from mahdar.llm.reply import CallError
from mahdar.prompts import STANDARD, PromptLibrary
from mahdar.results import Usage
from mahdar.schemas.tasks import answer_schema
from mahdar.tasks import load_tasks
from mahdar.validation.source import Source

from loopback import Asked, Endpoint, completion
from loopback import Reply as Sent

ROOT = Path(__file__).parents[1]


MODES = ("json_schema", "json", "tools", "md_json")
BOTH = ("meetings", "stances")


def request(article: str = ARTICLE, tasks: tuple[str, ...] = BOTH, **changes: Any) -> Request:
    settings = {"model": "loopback", "mode": "json_schema", "parameters": {"temperature": 0}, **changes}
    (made,) = plan(
        Document("1", article), load_tasks(tasks, PromptLibrary(), STANDARD), At(base_url="", api_key="", **settings)
    )
    return made


def spent(result: Extraction) -> tuple[int, int, int]:
    made = result.provenance
    return made.calls, made.attempts, made.tokens_in + made.tokens_out


# --- what is sent


def tool_calls(*arguments: Any) -> Sent:
    """An answer in the arguments of a tool, called once or several times."""
    called = [
        {"id": str(number), "type": "function", "function": {"name": "Records", "arguments": one}}
        for number, one in enumerate(arguments)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": called}
    return Sent({"choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]})


def message(**fields: Any) -> Sent:
    """An answer whose message has an unusual form."""
    return Sent({"choices": [{"message": fields}]})


WRITTEN = json.dumps(ANSWER, ensure_ascii=False)
HALVES = [json.dumps({"actors": ACTORS, name: ANSWER[name]}, ensure_ascii=False) for name in BOTH]


@pytest.mark.parametrize(
    ("mode", "reply"),
    [
        pytest.param("json_schema", completion(WRITTEN), id="json_schema"),
        pytest.param("json", completion(WRITTEN), id="json"),
        pytest.param("md_json", completion(f"```json\n{WRITTEN}\n```"), id="md_json"),
        pytest.param("md_json", completion(f"<think>[[[ {{</think>\n{WRITTEN}"), id="md_json, behind brackets"),
        pytest.param("tools", tool_calls(WRITTEN), id="tools"),
        pytest.param("tools", tool_calls(*HALVES), id="tools, one call a task"),
        pytest.param("tools", tool_calls("{", WRITTEN), id="tools, one call that is broken"),
        pytest.param("tools", tool_calls(ANSWER), id="tools, arguments that are no text"),
        pytest.param("tools", completion(WRITTEN), id="tools, answered in words"),
        pytest.param("json_schema", message(content=[{"type": "text", "text": WRITTEN}]), id="content in parts"),
        pytest.param("json_schema", message(content=None, reasoning_content=WRITTEN), id="in the field for reasoning"),
    ],
)
def test_every_mode_brings_the_same_records(mode: str, reply: Sent, tmp_path: Path) -> None:
    with Endpoint(reply) as endpoint, Extractor(configured(endpoint, tmp_path, mode=mode)) as mahdar:
        result = mahdar.extract(ARTICLE)
    assert [one.evidence[0].quote for one in result.meetings] == [MET]
    assert (len(result.stances), result.rejected, result.provenance.valid_at_first) == (1, (), True)


def sent(mode: str, tmp_path: Path) -> dict[str, Any]:
    """The body of the request."""
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path, mode=mode)) as mahdar:
        mahdar.extract(ARTICLE)
    body: dict[str, Any] = endpoint.requests[0].body
    assert (body["model"], body["temperature"]) == ("loopback", 0)
    assert body["max_tokens"] > 0
    return body


def test_a_json_schema_is_sent_as_it_is_and_strict(tmp_path: Path) -> None:
    body = sent("json_schema", tmp_path)
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Records", "schema": answer_schema(BOTH).json_schema, "strict": True},
    }
    assert body.keys() == {"model", "messages", "response_format", "temperature", "max_tokens"}


def test_a_tool_is_sent_that_has_to_be_used_once(tmp_path: Path) -> None:
    body = sent("tools", tmp_path)
    ((tool),) = body["tools"]
    assert tool["type"] == "function"
    assert {name: tool["function"][name] for name in ("name", "parameters", "strict")} == {
        "name": "Records",
        "parameters": answer_schema(BOTH).json_schema,
        "strict": True,
    }
    assert body["tool_choice"] == {"type": "function", "function": {"name": "Records"}}
    assert body["parallel_tool_calls"] is False
    assert "response_format" not in body


def test_in_json_mode_the_schema_stands_in_words(tmp_path: Path) -> None:
    body = sent("json", tmp_path)
    assert body["response_format"] == {"type": "json_object"}
    assert '"principals"' in body["messages"][0]["content"]


def test_in_markdown_mode_nothing_but_words_is_sent(tmp_path: Path) -> None:
    body = sent("md_json", tmp_path)
    assert body.keys() == {"model", "messages", "temperature", "max_tokens"}
    assert '"principals"' in body["messages"][0]["content"]
    assert body["messages"][-1]["content"].endswith("not the JSON_SCHEMA")


@pytest.mark.parametrize("mode", MODES)
def test_what_is_sent_is_known_before(mode: str, tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path, mode=mode)) as mahdar:
        (planned,) = mahdar.plan(ARTICLE)
        mahdar.extract(ARTICLE)
    assert endpoint.requests[0].body == arguments_of(planned)


@pytest.mark.parametrize("mode", MODES)
def test_the_second_request_is_shaped_like_the_first(mode: str, tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path, mode=mode)) as mahdar:
        list(mahdar.extract_many([ARTICLE, weather(1)], concurrency=1))
    first, second = (asked.body for asked in endpoint.requests)
    assert first["messages"][:-1] == second["messages"][:-1]
    others = {"messages": (), "max_tokens": 0}  # the bound follows the article's length
    assert {**first, **others} == {**second, **others}
    assert weather(1).strip() in second["messages"][-1]["content"]


BRACES = "قال {{ 7*7 }} إن {# سرّ #} الاجتماع {% if x %} انتهى {% endfor %} في {{ article }}."


@pytest.mark.parametrize("mode", MODES)
def test_an_article_is_never_read_as_a_template(mode: str, tmp_path: Path) -> None:
    bad = completion(records([meeting(kind="party")]))
    with (
        Endpoint([bad, completion(records(actors=()))]) as endpoint,
        Extractor(configured(endpoint, tmp_path, mode=mode)) as mahdar,
    ):
        mahdar.extract(f"{BRACES}\n\n{ARTICLE}")
    assert len(endpoint.requests) == 2
    for asked in endpoint.requests:
        assert any(f"[1] {BRACES}\n" in turn["content"] for turn in asked.messages if turn["role"] == "user")


def test_arabic_is_sent_as_arabic(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        mahdar.extract(ARTICLE)
    assert all("نواكشوط".encode() in asked.raw for asked in endpoint.requests)


def test_the_key_is_sent_as_a_bearer_and_once(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path, api_key="sk-one")) as mahdar:
        mahdar.extract(ARTICLE)
    assert {asked.headers["authorization"] for asked in endpoint.requests} == {"Bearer sk-one"}


def test_credentials_in_the_url_are_sent_as_such(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint:
        named = endpoint.url.replace("//", "//reader:open-sesame@")
        with Extractor(configured(named, tmp_path)) as mahdar:
            mahdar.extract(ARTICLE)
    assert {asked.headers["authorization"] for asked in endpoint.requests} == {"Basic cmVhZGVyOm9wZW4tc2VzYW1l"}


def test_the_environment_alone_decides_who_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Endpoint(reads_well) as first, Endpoint(reads_well) as second:
        for endpoint, model in ((first, "one"), (second, "two")):
            monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
            monkeypatch.setenv("MAHDAR_MODEL", model)
            with Extractor() as mahdar:
                result = mahdar.extract(ARTICLE)
            assert (result.provenance.made_by, len(result.meetings), len(result.stances)) == (
                {"meetings": model, "stances": model},
                1,
                1,
            )
    assert [asked.body["model"] for asked in (*first.requests, *second.requests)] == ["one", "two"]


@pytest.mark.parametrize("changes", [{"attempts": 0}, {"reasks": -1}, {"first_wait": -1}, {"longest_wait": -0.1}])
def test_a_policy_that_cannot_be_followed_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="attempts and silent must be 1 or more"):
        Policy(**changes)


# --- the fingerprint


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        pytest.param({}, set(), id="nothing"),
        pytest.param({"article": ARTICLE + "."}, {"article", "messages"}, id="article"),
        pytest.param({"model": "other"}, {"model"}, id="model"),
        pytest.param({"mode": "tools"}, {"mode"}, id="mode"),
        pytest.param({"parameters": {"temperature": 1}}, {"parameters"}, id="parameters"),
        pytest.param({"tasks": ("stances",)}, {"task", "schema", "messages"}, id="task"),
    ],
)
def test_the_components_say_what_has_changed(changes: dict[str, Any], parts: set[str]) -> None:
    one, other = request(), request(**changes)
    assert {name for name in one.components if one.components[name] != other.components[name]} == parts
    assert (one.fingerprint == other.fingerprint) == (not parts)


def test_an_edited_template_has_another_fingerprint(tmp_path: Path) -> None:
    prompt = PromptLibrary().get("meetings")
    folder = tmp_path / prompt.name
    folder.mkdir()
    for example in prompt.path.parent.glob("*.json"):
        (folder / example.name).write_bytes(example.read_bytes())
    edited = prompt.path.read_text(encoding="utf-8").replace("JSON", "json", 1)
    (folder / prompt.path.name).write_text(edited, encoding="utf-8")
    one = request()
    (other,) = plan(
        Document("1", ARTICLE),
        load_tasks(BOTH, PromptLibrary(tmp_path), STANDARD),
        At(base_url="", api_key="", model="loopback", parameters={"temperature": 0}),
    )
    assert {name for name in one.components if one.components[name] != other.components[name]} == {"prompt", "messages"}


def test_the_order_of_parameters_is_no_difference() -> None:
    one = request(parameters={"temperature": 0, "seed": 1})
    assert one.fingerprint == request(parameters={"seed": 1, "temperature": 0}).fingerprint


def test_turns_cannot_be_cut_differently_to_the_same_fingerprint() -> None:
    one = replace(request(), messages=({"role": "user", "content": "أ\nب"},))
    other = replace(request(), messages=({"role": "user", "content": "أ"}, {"role": "user", "content": "ب"}))
    assert one.fingerprint != other.fingerprint


PROGRAM = """
import sys
from mahdar import Document, Extractor
with Extractor() as mahdar:
    print(*mahdar.extract(sys.stdin.buffer.read().decode()).provenance.fingerprints)
"""


def test_key_url_process_and_hash_seed_leave_the_fingerprint_alone(tmp_path: Path) -> None:
    prints = []
    for number in range(2):
        with Endpoint(reads_well) as endpoint:
            environment = {
                "PATH": os.environ["PATH"],
                "OPENAI_BASE_URL": endpoint.url,
                "OPENAI_API_KEY": f"sk-{number}",
                "MAHDAR_MODEL": "loopback",
                "MAHDAR_CACHE_DIR": str(tmp_path / str(number)),
                "PYTHONHASHSEED": str(number),
            }
            ran = [sys.executable, "-c", PROGRAM]
            done = subprocess.run(
                ran, cwd=ROOT, env=environment, input=ARTICLE.encode(), capture_output=True, check=True
            )
            prints.append(done.stdout.split())
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        here = mahdar.extract(ARTICLE).provenance.fingerprints
    assert len(here) == 1
    assert prints == [[each.encode() for each in here]] * 2


# --- asked once


def test_asked_again_it_costs_nothing_and_says_so(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint:
        with Extractor(configured(endpoint, tmp_path)) as mahdar:
            first, again = mahdar.extract(ARTICLE), mahdar.extract(ARTICLE)
        with Extractor(configured(endpoint, tmp_path)) as mahdar:
            later = mahdar.extract(ARTICLE)
    assert len(endpoint.requests) == 1
    assert (first.provenance.cached, spent(first)) == (False, (1, 1, 120))
    for result in (again, later):
        assert (result.provenance.cached, spent(result), result.provenance.cost) == (True, (0, 0, 0), 0.0)
        assert (result.meetings, result.stances) == (first.meetings, first.stances)
        assert result.provenance.fingerprints == first.provenance.fingerprints


def test_without_a_store_everything_is_asked_again(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path), store=None) as mahdar:
        assert [mahdar.extract(ARTICLE).provenance.cached for _ in range(2)] == [False, False]
    assert len(endpoint.requests) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "unusable",
    [
        pytest.param([completion("", refusal="No.")], id="refused"),
        pytest.param([completion('{"meetings": [', finish="MAX_TOKENS")], id="cut too early"),
        pytest.param([completion("لا أدري"), completion("لا أدري")], id="unreadable, the last time"),
    ],
)
def test_what_nothing_could_be_made_of_is_not_kept(unusable: list[Sent], tmp_path: Path) -> None:
    with (
        Endpoint([*unusable, completion(ANSWER)]) as endpoint,
        Extractor(configured(endpoint, tmp_path)) as mahdar,
    ):
        failure, result = (next(mahdar.extract_many([ARTICLE])) for _ in range(2))
    assert isinstance(failure, Failure)
    assert isinstance(result, Extraction)
    assert spent(result) == (1, 1, 120)


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(completion("لا أدري"), id="unreadable"),
        pytest.param(completion("", refusal="No."), id="refused"),
        pytest.param(completion('{"meetings": [', finish="length"), id="cut"),
    ],
)
def test_a_reask_that_brings_nothing_is_paid_once_where_the_first_answer_stands(again: Sent, tmp_path: Path) -> None:
    first = completion(records([meeting(), meeting(evidence=[9])]))
    with Endpoint([first, again]) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        results = [mahdar.extract(ARTICLE) for _ in range(2)]
    assert len(endpoint.requests) == 2
    assert [(len(result.meetings), result.provenance.calls) for result in results] == [(1, 2), (1, 0)]


def test_an_unreadable_answer_that_led_to_a_reask_does_not_fail_for_ever(tmp_path: Path) -> None:
    replies = [completion("لا أدري"), Sent(status=400), completion(ANSWER)]
    with Endpoint(replies) as endpoint:
        with (
            Extractor(configured(endpoint, tmp_path), policy=HURRIED) as mahdar,
            pytest.raises(ExtractionError, match="HTTP 400"),
        ):
            mahdar.extract(ARTICLE)
        with Extractor(configured(endpoint, tmp_path), policy=Policy(reasks=0)) as mahdar:
            results = [mahdar.extract(ARTICLE) for _ in range(2)]
    assert [(len(result.meetings), result.provenance.calls) for result in results] == [(1, 1), (1, 0)]


def test_the_attempts_of_a_call_that_fails_are_those_of_who_made_it() -> None:
    class Failing(Gate):
        async def send(self, call: Call) -> Completion:
            await super().send(call)
            raise CallError("unreachable", "HTTP 500", again=True)

    async def run() -> list[int]:
        gate = Failing()
        client = asking(gate)
        waiting = [asyncio.create_task(ask(client)) for _ in range(3)]
        await gate.arrived.get()
        gate.open.set()
        errors = await asyncio.gather(*waiting, return_exceptions=True)
        return [error.attempts for error in errors if isinstance(error, ExtractionError)]

    assert sorted(asyncio.run(run())) == [0, 0, 4]


def test_the_same_article_at_once_is_asked_about_once(tmp_path: Path) -> None:
    answer = threading.Event()
    with (
        Endpoint(completion(ANSWER, after=answer)) as endpoint,
        Extractor(configured(endpoint, tmp_path), store=None, concurrency=9) as mahdar,
    ):
        documents = [Document(str(number), ARTICLE) for number in range(9)]
        results = mahdar.extract_many(documents)
        threading.Thread(target=lambda: (endpoint.await_requests(1), answer.set())).start()
        found = list(results)
    assert len(endpoint.requests) == 1
    assert {result.document_id for result in found} == set("012345678")
    assert sorted(result.provenance.calls for result in found if isinstance(result, Extraction)) == [0] * 8 + [1]


class Gate:
    """A transport that answers when told to, and counts."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.arrived: asyncio.Queue[Call] = asyncio.Queue()
        self.asked = self.most = self.under_way = 0

    async def send(self, call: Call) -> Completion:
        self.arrived.put_nowait(call)
        self.asked += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.open.wait()
        finally:
            self.under_way -= 1
        return Completion('{"actors": [], "meetings": [], "stances": []}', tokens_in=1)

    async def close(self) -> None: ...


def asking(gate: Gate, concurrency: int = 8) -> Client:
    return Client(gate, None, policy=HURRIED, concurrency=concurrency)


async def ask(client: Client, article: str = ARTICLE) -> ValidatedAnswer:
    return await client.ask(request(article), Source(article))


def test_who_is_cancelled_takes_no_other_along() -> None:
    async def run() -> tuple[Usage, int]:
        gate = Gate()
        client = asking(gate)
        first, second = (asyncio.create_task(ask(client)) for _ in range(2))
        await gate.arrived.get()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        gate.open.set()
        return (await second).usage, gate.asked

    assert asyncio.run(run()) == (Usage(calls=1, attempts=1, tokens_in=1, unpriced=1), 2)


def test_a_question_that_nobody_waits_for_is_given_up() -> None:
    async def run() -> int:
        gate = Gate()
        waiting = [asyncio.create_task(ask(asking(gate))) for _ in range(2)]
        await gate.arrived.get()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return gate.under_way

    assert asyncio.run(run()) == 0


def test_no_more_calls_are_under_way_than_allowed() -> None:
    async def run() -> tuple[int, int]:
        gate = Gate()
        client = asking(gate, concurrency=3)
        waiting = [asyncio.create_task(ask(client, weather(number))) for number in range(9)]
        for _ in range(3):
            await gate.arrived.get()
        gate.open.set()
        await asyncio.gather(*waiting)
        return gate.most, gate.asked

    assert asyncio.run(run()) == (3, 9)


def test_a_wait_for_another_process_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked, told = [request(weather(number)) for number in range(2)], []
    empty = Completion('{"actors": [], "meetings": [], "stances": []}')

    class Time:
        now = 0.0

        async def sleep(self, seconds: float) -> None:
            self.now += seconds
            told.append((self.now, len(caplog.records)))
            if self.now > 60:
                for each in asked:
                    theirs.put(each.fingerprint, empty, {})

    async def run() -> list[ValidatedAnswer]:
        time = Time()
        client = Client(Gate(), ours, policy=HURRIED, concurrency=8, clock=lambda: time.now, sleep=time.sleep)
        return await asyncio.gather(*(ask(client, weather(number)) for number in range(2)))

    with closing(DiskStore(tmp_path)) as theirs, closing(DiskStore(tmp_path)) as ours:
        assert all(theirs.claim(each.fingerprint) for each in asked)
        replies = asyncio.run(run())
    assert [reply.usage.hits for reply in replies] == [1, 1]
    warning = "another process sends the same request; waiting for its answer"
    assert [record.message for record in caplog.records] == [warning]
    assert {now >= 10 for now, lines in told if lines} == {True}


# --- from where it is called


def test_it_is_closed_by_async_with_and_opens_again(tmp_path: Path) -> None:
    async def twice(mahdar: Extractor) -> list[Extraction]:
        async with mahdar as one:
            first = await one.aextract(ARTICLE)
        async with mahdar as same:
            return [first, await same.aextract(ARTICLE)]

    with Endpoint(reads_well) as endpoint:
        results = asyncio.run(twice(Extractor(configured(endpoint, tmp_path))))
    assert [(len(one.meetings), one.provenance.cached) for one in results] == [(1, False), (1, True)]
    assert len(endpoint.requests) == 1


def test_it_works_where_an_event_loop_runs_already(tmp_path: Path) -> None:
    async def notebook(mahdar: Extractor) -> list[int]:
        one = mahdar.extract(ARTICLE)
        other = await mahdar.aextract(ARTICLE)
        many = [result async for result in mahdar.aextract_many([ARTICLE, weather(1)])]
        found = [one, other, *(result for result in many if isinstance(result, Extraction))]
        return sorted(len(result.meetings) for result in found)

    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        assert asyncio.run(notebook(mahdar)) == [0, 1, 1, 1]
    assert len(endpoint.requests) == 2


def test_one_extractor_serves_several_threads_and_loops(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        texts = [ARTICLE + weather(number) for number in range(6)]
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(mahdar.extract, texts))
            found += pool.map(lambda text: asyncio.run(mahdar.aextract(text)), texts)
    assert [len(result.meetings) for result in found] == [1] * 12
    assert len(endpoint.requests) == 6


def test_a_slow_article_keeps_no_other_waiting(tmp_path: Path) -> None:
    slow, fast = Document("slow", ARTICLE), [Document(f"fast{number}", weather(number)) for number in range(5)]
    answer = threading.Event()

    def reply(asked: Asked) -> Sent:
        made = reads_well(asked)
        return replace(made, after=answer) if MET in asked.article else made

    with Endpoint(reply) as endpoint, Extractor(configured(endpoint, tmp_path), concurrency=4) as mahdar:
        results = mahdar.extract_many([slow, *fast])
        first = [next(results).document_id for _ in fast]
        answer.set()
        assert sorted(first) == ["fast0", "fast1", "fast2", "fast3", "fast4"]
        assert [result.document_id for result in results] == ["slow"]


def test_articles_are_taken_as_they_are_needed(tmp_path: Path) -> None:
    taken: list[int] = []

    def articles() -> Iterator[str]:
        for number in range(20):
            taken.append(number)
            yield weather(number)

    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        results = mahdar.extract_many(articles(), concurrency=2)
        next(results)
        assert taken == [0, 1]
        assert len(list(results)) == 19


def test_what_is_under_way_is_not_lost_where_the_articles_end_in_an_error(tmp_path: Path) -> None:
    def articles() -> Iterator[str]:
        yield from map(weather, range(3))
        raise OSError("the drive is gone")

    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        results = mahdar.extract_many(articles())
        assert [type(next(results)) for _ in range(3)] == [Extraction] * 3
        with pytest.raises(OSError, match="the drive is gone"):
            next(results)


def test_a_closed_extractor_opens_again(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint:
        mahdar = Extractor(configured(endpoint, tmp_path), store=None, concurrency=1)
        for _ in range(2):
            assert len(mahdar.extract(ARTICLE).meetings) == 1
            assert len(list(mahdar.extract_many(map(weather, range(3)), concurrency=3))) == 3
            mahdar.close()


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda mahdar: mahdar.extract(ARTICLE), id="extract"),
        pytest.param(lambda mahdar: asyncio.run(mahdar.aextract(ARTICLE)), id="aextract"),
        pytest.param(lambda mahdar: list(mahdar.extract_many([ARTICLE, weather(1)])), id="extract_many"),
    ],
)
def test_closing_gives_up_what_is_under_way(ask: Callable[[Extractor], object], tmp_path: Path) -> None:
    never = completion(ANSWER, after=threading.Event())
    with Endpoint(never) as endpoint, ThreadPoolExecutor(1) as pool:
        with Extractor(configured(endpoint, tmp_path), policy=HURRIED, concurrency=1) as mahdar:
            asking = pool.submit(ask, mahdar)
            endpoint.await_requests(1)
        error = asking.exception()
        assert type(error) is MahdarError
        assert str(error) == "the extractor was closed while it read this article; extract it again before closing"
        assert len(endpoint.requests) == 1


def test_who_cancels_an_extraction_is_told_so(tmp_path: Path) -> None:
    async def run(mahdar: Extractor, endpoint: Endpoint) -> bool:
        asking = asyncio.create_task(mahdar.aextract(ARTICLE))
        await asyncio.to_thread(endpoint.await_requests, 1)
        asking.cancel()
        await asyncio.wait([asking])
        return asking.cancelled()

    never = completion(ANSWER, after=threading.Event())
    with Endpoint(never) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        assert asyncio.run(run(mahdar, endpoint))


class Closable:
    """A store and a transport that know whether they were closed."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.answers: dict[str, Completion] = {}

    def get(self, fingerprint: str) -> Completion | None:
        return self.answers.get(fingerprint)

    def put(self, fingerprint: str, completion: Completion, _: Mapping[str, str]) -> None:
        self.answers[fingerprint] = completion

    def close(self) -> None:
        self.closed.append("store")

    @property
    def transport(self) -> Transport:
        outer = self

        class Sends:
            async def send(self, _: Call) -> Completion:
                return Completion(WRITTEN)

            async def close(self) -> None:
                outer.closed.append("transport")

        return Sends()


def test_an_extractor_closes_what_it_made_and_nothing_else(tmp_path: Path) -> None:
    given, settings = Closable(), configured("http://127.0.0.1:9/v1", tmp_path)
    with Extractor(settings, store=given, transport=given.transport) as mahdar:
        mahdar.extract(ARTICLE)
    assert (given.closed, len(given.answers)) == ([], 1)
    with Extractor(settings, store=None, transport=lambda: given.transport) as mahdar:
        mahdar.extract(ARTICLE)
    assert given.closed == ["transport"]


def test_several_threads_that_ask_first_share_one_client(tmp_path: Path) -> None:
    made: list[Transport] = []
    several = threading.Barrier(8)

    def transport() -> Transport:
        made.append(Closable().transport)
        return made[-1]

    def drafter(mahdar: Extractor) -> Drafter:
        several.wait()
        return mahdar.drafter

    with (
        Extractor(configured("http://127.0.0.1:9/v1", tmp_path), transport=transport) as mahdar,
        ThreadPoolExecutor(8) as pool,
    ):
        found = set(map(id, pool.map(drafter, [mahdar] * 8)))
    assert (len(found), len(made)) == (1, 1)


def test_no_component_holds_the_key_or_the_url(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint:
        settings = configured(endpoint, tmp_path)
        with Extractor(settings) as mahdar:
            asked = mahdar.plan(ARTICLE)
    assert len(asked) == 1
    for one in asked:
        assert str(settings.api_key) not in str(one.components)
        assert endpoint.url not in str(one.components)
