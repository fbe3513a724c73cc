"""The drafter that asks a model: who made the records, what becomes of passages, and what the endpoint is sent."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from newsroom import ACTORS, ANSWER, ARTICLE, MET, NOTHING, configured, records, stance, weather

from mahdar import Document, Policy
from mahdar.cache.completion import Completion
from mahdar.drafting import Drafted
from mahdar.errors import ExtractionError
from mahdar.llm.call import Call
from mahdar.llm.client import Client
from mahdar.llm.drafter import LLMDrafter
from mahdar.llm.endpoint import Endpoint as At
from mahdar.llm.endpoint import remote_endpoint
from mahdar.llm.reply import CallError
from mahdar.llm.transport import OpenAITransport
from mahdar.prompts import STANDARD, PromptLibrary
from mahdar.schemas.tasks import answer_schema
from mahdar.tasks import Task, load_tasks

from loopback import Endpoint, completion, status

BOTH = ("meetings", "stances")
AT = At(base_url="", api_key="", model="loopback", passage=80)
LONG = Document("1", f"{ARTICLE}\n{weather(1)}\n{weather(7)}")
"""An article of several passages."""


class Passages:
    """A transport that reads well, and fails at the passages about seven towns."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0

    async def send(self, call: Call) -> Completion:
        self.asked += 1
        shown = call.arguments["messages"][-1]["content"]
        if self.error is not None and " 7 " in shown:
            raise self.error
        return Completion(
            json.dumps(ANSWER if MET in shown else NOTHING, ensure_ascii=False), tokens_in=1, tokens_out=1
        )

    async def close(self) -> None: ...


def tasks(*names: str) -> Sequence[Task]:
    return load_tasks(names or BOTH, PromptLibrary(), STANDARD)


def drafted(transport: Any, endpoint: At = AT, document: Document = LONG) -> Drafted:
    policy = Policy(first_wait=0, longest_wait=0)
    client = Client(transport, None, policy=policy.for_embedded() if endpoint.embedded else policy, concurrency=4)
    return asyncio.run(LLMDrafter(endpoint, client).draft(document, tasks()))


def test_who_made_the_records_is_known_by_task() -> None:
    drafter, known = LLMDrafter(AT, Client(Passages(), None, policy=Policy(), concurrency=1)), tasks()
    prompt = known[0].prompt
    made = drafter.made_by(known)
    assert list(made) == ["meetings", "stances"]
    for maker in made.values():
        assert maker.name == "loopback"
        assert maker.prompt == f"{prompt.ref} sha256:{prompt.sha256}"
        assert maker.schema == f"sha256:{answer_schema(BOTH).sha256}"


def test_the_passages_of_an_article_come_together() -> None:
    transport = Passages()
    found = drafted(transport)
    assert transport.asked == len(found.fingerprints) == found.usage.calls > 1
    assert {task: [item.path for item in items] for task, items in found.items.items()} == {
        "meetings": ["$.meetings[0]"],
        "stances": ["$.stances[0]"],
    }
    (meeting,) = found.items["meetings"]
    assert sorted(meeting.actors) == ["a1", "a2"]
    assert found.valid_at_first


def test_an_article_of_which_a_passage_fails_has_failed() -> None:
    with pytest.raises(ExtractionError, match="no") as caught:
        drafted(Passages(CallError("refused", "no", again=False)))
    assert caught.value.failure == "refused"


def test_of_the_embedded_model_the_other_passages_are_kept_and_a_timeout_is_not_repeated() -> None:
    transport = Passages(CallError("timeout", "no answer within 300 s", again=True))
    found = drafted(transport, replace(AT, embedded=True))
    assert len(found.items["meetings"]) == 1
    for task in BOTH:
        assert [(one.path, one.code, one.message) for one in found.problems[task]] == [
            ("$", "timeout", "a passage of the article failed: meetings+stances: no answer within 300 s")
        ]
    assert (found.valid_at_first, found.usage.attempts) == (False, transport.asked)


def test_an_article_of_which_all_passages_fail_has_failed_with_any_model() -> None:
    with pytest.raises(ExtractionError, match="no answer") as caught:
        drafted(
            Passages(CallError("timeout", "no answer", again=True)),
            replace(AT, embedded=True),
            Document("1", weather(7)),
        )
    assert (caught.value.failure, caught.value.attempts) == ("timeout", 1)


def test_a_problem_belongs_to_the_task_of_its_list() -> None:
    class Wrong(Passages):
        async def send(self, _: Call) -> Completion:
            answer = records([], [stance(act="sing")], [ACTORS[0], ACTORS[1] | {"name": "ألار كاريس"}])
            return Completion(json.dumps(answer, ensure_ascii=False))

    found = drafted(Wrong(), document=Document("1", ARTICLE), endpoint=replace(AT, passage=9_000))
    assert "$.stances[0].act" in [one.path for one in found.problems["stances"]]
    assert [one.path for one in found.problems["meetings"]] == ["$.actors[1].name"]


def test_parameters_that_openai_does_not_know_are_sent_as_they_are(tmp_path: Path) -> None:
    with Endpoint([status(500), completion(ANSWER)]) as endpoint:
        at = replace(
            remote_endpoint(configured(endpoint, tmp_path)), parameters={"max_tokens": 9, "repeat_penalty": 1.1}
        )

        async def run() -> Drafted:
            transport = OpenAITransport(at, timeout=30)
            client = Client(transport, None, policy=Policy(first_wait=0), concurrency=1)
            try:
                return await LLMDrafter(at, client).draft(Document("1", ARTICLE), tasks())
            finally:
                await transport.close()

        found = asyncio.run(run())
    assert found.usage.attempts == 2
    assert [asked.body["repeat_penalty"] for asked in endpoint.requests] == [1.1, 1.1]
