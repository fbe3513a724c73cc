"""The way of a request: what is sent, what names it, and that no question is asked twice."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from newsroom import ARTICLE, HURRIED, MEETINGS, MET, configured, meeting, reads_well, weather

from extractor import Document, Extraction, Extractor, Failure, Policy, UsageError
from extractor.cache.disk import DiskStore
from extractor.llm.client import Answer, Asker, Usage
from extractor.llm.completion import Completion
from extractor.llm.request import Request, build_request
from prompts import ARTICLE as NAME
from prompts import PromptLibrary
from schemas.tasks import task_schema

from loopback import Asked, Endpoint, Reply, completion, status

ROOT = Path(__file__).parents[1]


def request(article: str = ARTICLE, task: str = "meetings", **changes: Any) -> Request:
    settings = {"model": "loopback", "mode": "json_schema", "parameters": {"temperature": 0}, **changes}
    return build_request(PromptLibrary().get(task), task_schema(task), {NAME: article}, **settings)


def spent(result: Extraction) -> tuple[int, int, int]:
    made = result.provenance
    return made.calls, made.attempts, made.tokens_in + made.tokens_out


# --- what is sent


def tool_call(arguments: Any) -> Reply:
    """An answer in the arguments of a tool."""
    called = [{"id": "1", "type": "function", "function": {"name": "MeetingDrafts", "arguments": arguments}}]
    message = {"role": "assistant", "content": None, "tool_calls": called}
    return Reply({"choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]})


def content(text: Any) -> Reply:
    """An answer whose content has an unusual form."""
    return Reply({"choices": [{"message": {"content": text}}]})


WRITTEN = json.dumps(MEETINGS, ensure_ascii=False)


@pytest.mark.parametrize(
    ("mode", "reply"),
    [
        pytest.param("json_schema", completion(WRITTEN), id="json_schema"),
        pytest.param("json", completion(WRITTEN), id="json"),
        pytest.param("md_json", completion(f"```json\n{WRITTEN}\n```"), id="md_json"),
        pytest.param("tools", tool_call(WRITTEN), id="tools"),
        pytest.param("tools", tool_call(MEETINGS), id="tools, arguments that are no text"),
        pytest.param("tools", completion(WRITTEN), id="tools, answered in words"),
        pytest.param("json_schema", content([{"type": "text", "text": WRITTEN}]), id="content in parts"),
    ],
)
def test_every_mode_brings_the_same_records(mode: str, reply: Reply, tmp_path: Path) -> None:
    with (
        Endpoint(reply) as endpoint,
        Extractor(configured(endpoint, tmp_path, mode=mode), tasks=["meetings"]) as mahdar,
    ):
        result = mahdar.extract(ARTICLE)
    assert [one.evidence[0].quote for one in result.meetings] == [MET]
    assert result.rejected == ()


def sent(mode: str, tmp_path: Path) -> dict[str, Any]:
    """The body of the question about meetings."""
    with (
        Endpoint(completion(WRITTEN)) as endpoint,
        Extractor(configured(endpoint, tmp_path, mode=mode), tasks=["meetings"]) as mahdar,
    ):
        mahdar.extract(ARTICLE)
    body: dict[str, Any] = endpoint.requests[0].body
    assert (body["model"], body["temperature"]) == ("loopback", 0)
    assert body["max_tokens"] > 0
    assert ARTICLE.strip() in body["messages"][-1]["content"]
    return body


def test_a_json_schema_is_sent_as_it_is_and_strict(tmp_path: Path) -> None:
    body = sent("json_schema", tmp_path)
    schema = task_schema("meetings").json_schema
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "MeetingDrafts", "schema": schema, "strict": True},
    }
    assert body.keys() == {"model", "messages", "response_format", "temperature", "max_tokens"}


def test_a_tool_is_sent_that_has_to_be_used(tmp_path: Path) -> None:
    body = sent("tools", tmp_path)
    ((tool),) = body["tools"]
    schema = task_schema("meetings").json_schema
    assert tool["type"] == "function"
    assert tool["function"]["name"] == "MeetingDrafts"
    assert tool["function"]["parameters"]["properties"] == schema["properties"]
    assert tool["function"]["parameters"]["required"] == ["meetings"]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "MeetingDrafts"}}
    assert "response_format" not in body


def test_in_json_mode_the_schema_stands_in_words(tmp_path: Path) -> None:
    body = sent("json", tmp_path)
    assert body["response_format"] == {"type": "json_object"}
    assert '"participants"' in body["messages"][0]["content"]


def test_in_markdown_mode_nothing_but_words_is_sent(tmp_path: Path) -> None:
    body = sent("md_json", tmp_path)
    assert body.keys() == {"model", "messages", "temperature", "max_tokens"}
    assert '"participants"' in body["messages"][0]["content"]
    assert body["messages"][-1]["content"].endswith("not the JSON_SCHEMA")


@pytest.mark.parametrize("mode", ["json_schema", "json", "tools", "md_json"])
def test_the_second_question_is_shaped_like_the_first(mode: str, tmp_path: Path) -> None:
    with (
        Endpoint(completion('{"meetings": []}')) as endpoint,
        Extractor(configured(endpoint, tmp_path, mode=mode), tasks=["meetings"]) as mahdar,
    ):
        list(mahdar.extract_many([ARTICLE, weather(1)], concurrency=1))
    first, second = (asked.body for asked in endpoint.requests)
    assert first["messages"][:-1] == second["messages"][:-1]
    assert {**first, "messages": ()} == {**second, "messages": ()}
    assert weather(1).strip() in second["messages"][-1]["content"]


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
            assert (result.provenance.model, len(result.meetings), len(result.stances)) == (model, 1, 1)
    assert [asked.body["model"] for asked in (*first.requests, *second.requests)] == ["one", "one", "two", "two"]


# --- the re-ask


def test_a_reask_carries_the_last_answer_and_one_line_a_problem(tmp_path: Path) -> None:
    answers = [
        {"meetings": [meeting(kind="party")]},
        {"meetings": [meeting(participants=meeting()["participants"][:1])]},
        MEETINGS,
    ]
    with (
        Endpoint([completion(answer) for answer in answers]) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], policy=Policy(reasks=2)) as mahdar,
    ):
        result = mahdar.extract(ARTICLE)
    first, second, third = (asked.messages for asked in endpoint.requests)
    assert second[: len(first)] == third[: len(first)] == first
    assert [json.loads(turns[-2]["content"]) for turns in (second, third)] == answers[:2]
    assert [len(turns) - len(first) for turns in (second, third)] == [2, 2]
    assert third[-1] == {
        "role": "user",
        "content": (
            "Correct these and answer with the whole JSON again:\n$.meetings[0].participants: needs 2 when held, got 1"
        ),
    }
    assert not any(words in turns[-1]["content"] for turns in (second, third) for words in MET.split())
    assert (len(result.meetings), result.rejected) == (1, ())
    assert (result.provenance.reasks, result.provenance.valid_at_first) == (2, False)
    assert spent(result) == (3, 3, 360)


def test_the_same_problem_twice_is_not_asked_about_again(tmp_path: Path) -> None:
    bad = completion({"meetings": [meeting(), meeting(kind="party")]})
    with (
        Endpoint(bad) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], policy=Policy(reasks=9)) as mahdar,
    ):
        result = mahdar.extract(ARTICLE)
    assert len(endpoint.requests) == 2
    assert len(result.meetings) == 1
    assert [one.path for one in result.rejected] == ["$.meetings[1].kind"]


@pytest.mark.parametrize(
    ("second", "attempts"),
    [
        pytest.param([status(500)] * 4, 5, id="nobody answers"),
        pytest.param([completion("", refusal="No.")], 2, id="refused"),
        pytest.param([completion('{"meetings": [', finish="length")], 2, id="truncated"),
        pytest.param([completion("")], 2, id="empty"),
        pytest.param([completion({"meetings": []})], 2, id="less than before"),
    ],
)
def test_what_an_answer_brought_is_not_lost_with_the_next(second: list[Reply], attempts: int, tmp_path: Path) -> None:
    first = completion({"meetings": [meeting(), meeting(kind="party")]})
    with (
        Endpoint([first, *second]) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], policy=HURRIED) as mahdar,
    ):
        result = mahdar.extract(ARTICLE)
    assert len(result.meetings) == 1
    assert [one.path for one in result.rejected] == ["$.meetings[1].kind"]
    assert result.provenance.attempts == attempts


@pytest.mark.parametrize("changes", [{"attempts": 0}, {"reasks": -1}, {"first_wait": -1}, {"longest_wait": -0.1}])
def test_a_policy_that_cannot_be_followed_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="at least one attempt"):
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
        pytest.param({"task": "stances"}, {"task", "schema", "prompt", "messages"}, id="task"),
    ],
)
def test_the_components_say_what_has_changed(changes: dict[str, Any], parts: set[str]) -> None:
    one, other = request(), request(**changes)
    assert {name for name in one.components if one.components[name] != other.components[name]} == parts
    assert (one.fingerprint == other.fingerprint) == (not parts)


def test_an_edited_template_has_another_fingerprint() -> None:
    prompt = PromptLibrary().get("meetings")
    edited = replace(prompt, text=prompt.text.replace("JSON", "json", 1))
    one, other = (
        build_request(each, task_schema("meetings"), {NAME: ARTICLE}, model="m", mode="json", parameters={})
        for each in (prompt, edited)
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
from extractor import Document, Extractor
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
    assert len(here) == 2
    assert prints == [[each.encode() for each in here]] * 2


# --- asked once


def test_asked_again_it_costs_nothing_and_says_so(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint:
        with Extractor(configured(endpoint, tmp_path)) as mahdar:
            first, again = mahdar.extract(ARTICLE), mahdar.extract(ARTICLE)
        with Extractor(configured(endpoint, tmp_path)) as mahdar:
            later = mahdar.extract(ARTICLE)
    assert len(endpoint.requests) == 2
    assert (first.provenance.cached, spent(first)) == (False, (2, 2, 240))
    for result in (again, later):
        assert (result.provenance.cached, spent(result), result.provenance.cost) == (True, (0, 0, 0), 0.0)
        assert (result.meetings, result.stances) == (first.meetings, first.stances)
        assert result.provenance.fingerprints == first.provenance.fingerprints


def test_a_reask_is_found_again_too(tmp_path: Path) -> None:
    bad = completion({"meetings": [meeting(kind="party")]})
    with (
        Endpoint([bad, completion(MEETINGS)]) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"]) as mahdar,
    ):
        first, again = mahdar.extract(ARTICLE), mahdar.extract(ARTICLE)
    assert first.meetings == again.meetings
    assert len(first.provenance.fingerprints) == 2
    assert (again.provenance.cached, again.provenance.fingerprints) == (True, first.provenance.fingerprints)


def test_without_a_store_everything_is_asked_again(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path), store=None) as mahdar:
        assert [mahdar.extract(ARTICLE).provenance.cached for _ in range(2)] == [False, False]
    assert len(endpoint.requests) == 4
    assert list(tmp_path.iterdir()) == []


def test_what_nothing_could_be_made_of_is_not_kept(tmp_path: Path) -> None:
    refused = completion("", refusal="No.")
    with (
        Endpoint([refused, completion(MEETINGS)]) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"]) as mahdar,
    ):
        refusal, result = (next(mahdar.extract_many([ARTICLE])) for _ in range(2))
    assert isinstance(refusal, Failure)
    assert isinstance(result, Extraction)
    assert spent(result) == (1, 1, 120)


def test_the_same_article_at_once_is_asked_about_once(tmp_path: Path) -> None:
    answer = threading.Event()
    with (
        Endpoint(completion(MEETINGS, after=answer)) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], store=None, concurrency=9) as mahdar,
    ):
        documents = [Document(str(number), ARTICLE) for number in range(9)]
        results = mahdar.extract_many(documents)
        threading.Thread(target=lambda: (endpoint.await_requests(1), answer.set())).start()
        found = list(results)
    assert len(endpoint.requests) == 1
    assert {result.document_id for result in found} == set("012345678")
    assert sorted(result.provenance.calls for result in found if isinstance(result, Extraction)) == [0] * 8 + [1]


class Gate:
    """A caller that answers when told to, and counts."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.arrived: asyncio.Queue[Request] = asyncio.Queue()
        self.asked = self.most = self.under_way = 0

    async def ask(self, request: Request) -> Completion:
        self.arrived.put_nowait(request)
        self.asked += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.open.wait()
        finally:
            self.under_way -= 1
        return Completion(WRITTEN, tokens_in=1)


def asker(caller: Gate, concurrency: int = 8) -> Asker:
    return Asker(caller, None, policy=HURRIED, concurrency=concurrency)


def test_who_is_cancelled_takes_no_other_along() -> None:
    async def run() -> tuple[Usage, int]:
        gate = Gate()
        asking = asker(gate)
        first, second = (asyncio.create_task(asking.answer(request())) for _ in range(2))
        await gate.arrived.get()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        gate.open.set()
        return (await second).usage, gate.asked

    assert asyncio.run(run()) == (Usage(calls=1, attempts=1, tokens_in=1, unpriced=1), 2)


def test_a_question_that_nobody_waits_for_is_given_up() -> None:
    async def run() -> int:
        gate = Gate()
        waiting = [asyncio.create_task(asker(gate).answer(request())) for _ in range(2)]
        await gate.arrived.get()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return gate.under_way

    assert asyncio.run(run()) == 0


def test_no_more_calls_are_under_way_than_allowed() -> None:
    async def run() -> tuple[int, int]:
        gate = Gate()
        asking = asker(gate, concurrency=3)
        waiting = [asyncio.create_task(asking.answer(request(weather(number)))) for number in range(9)]
        for _ in range(3):
            await gate.arrived.get()
        gate.open.set()
        await asyncio.gather(*waiting)
        return gate.most, gate.asked

    assert asyncio.run(run()) == (3, 9)


def test_a_wait_for_another_process_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked, told = [request(weather(number)) for number in range(2)], []

    class Time:
        now = 0.0

        async def sleep(self, seconds: float) -> None:
            self.now += seconds
            told.append((self.now, len(caplog.records)))
            if self.now > 60:
                for each in asked:
                    theirs.put(each.fingerprint, Completion(WRITTEN), {})

    async def run() -> list[Answer]:
        time = Time()
        asking = Asker(Gate(), ours, policy=HURRIED, concurrency=8, clock=lambda: time.now, sleep=time.sleep)
        return await asyncio.gather(*map(asking.answer, asked))

    with closing(DiskStore(tmp_path)) as theirs, closing(DiskStore(tmp_path)) as ours:
        assert all(theirs.claim(each.fingerprint) for each in asked)
        answers = asyncio.run(run())
    assert [answer.usage.hits for answer in answers] == [1, 1]
    assert [record.message for record in caplog.records] == ["another process asks the same; waiting for it"]
    assert {now >= 10 for now, lines in told if lines} == {True}


# --- from where it is called


def test_it_works_where_an_event_loop_runs_already(tmp_path: Path) -> None:
    async def notebook(mahdar: Extractor) -> list[int]:
        one = mahdar.extract(ARTICLE)
        other = await mahdar.aextract(ARTICLE)
        many = [result async for result in mahdar.aextract_many([ARTICLE, weather(1)])]
        found = [one, other, *(result for result in many if isinstance(result, Extraction))]
        return sorted(len(result.meetings) for result in found)

    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        assert asyncio.run(notebook(mahdar)) == [0, 1, 1, 1]
    assert len(endpoint.requests) == 4


def test_one_extractor_serves_several_threads_and_loops(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        texts = [ARTICLE + weather(number) for number in range(6)]
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(mahdar.extract, texts))
            found += pool.map(lambda text: asyncio.run(mahdar.aextract(text)), texts)
    assert [len(result.meetings) for result in found] == [1] * 12
    assert len(endpoint.requests) == 12


def test_a_slow_article_keeps_no_other_waiting(tmp_path: Path) -> None:
    slow, fast = Document("slow", ARTICLE), [Document(f"fast{number}", weather(number)) for number in range(5)]
    answer = threading.Event()

    def reply(asked: Asked) -> Reply:
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


def test_closing_gives_up_what_is_under_way(tmp_path: Path) -> None:
    never = replace(completion(MEETINGS), after=threading.Event())
    with Endpoint(never) as endpoint, ThreadPoolExecutor(1) as pool:
        with Extractor(configured(endpoint, tmp_path), policy=HURRIED) as mahdar:
            asking = pool.submit(mahdar.extract, ARTICLE)
            endpoint.await_requests(2)
        assert isinstance(asking.exception(), CancelledError)
        assert len(endpoint.requests) == 2


def test_no_component_holds_the_key_or_the_url(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint:
        settings = configured(endpoint, tmp_path)
        with Extractor(settings) as mahdar:
            asked = [one.request for one in mahdar.inquiries(Document("1", ARTICLE))]
    assert len(asked) == 2
    for one in asked:
        assert str(settings.api_key) not in str(one.components)
        assert endpoint.url not in str(one.components)
