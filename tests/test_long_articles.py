"""An article longer than a model reads is asked in passages; what comes back is one extraction of the whole."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mahdar import Extractor, Settings
from mahdar.llm.endpoint import embedded_endpoint, remote_endpoint
from mahdar.llm.transport import OpenAITransport

from loopback import Asked, Endpoint, Reply, completion

FILLER = "وتناول التقرير الاقتصادي رقم {} أسعار القمح والشعير في أسواق المدينة القديمة خلال الموسم الماضي."
MET = "التقى وزير الخارجية المصري سامح شكري نظيره الأردني أيمن الصفدي في القاهرة."
AGAIN = "وقال شكري عقب لقائه الصفدي إن التعاون مستمر بين الطرفين."
LAST = "ومن المقرر أن يلتقي الصفدي المبعوث الأممي في جنيف."
TOLD: Mapping[str, Sequence[str]] = {
    MET: ("سامح شكري", "أيمن الصفدي"),
    AGAIN: ("شكري", "الصفدي"),
    LAST: ("الصفدي", "المبعوث الأممي"),
}
"""A sentence, and who meets there."""


def article(fillers: int) -> str:
    """Three sentences about meetings, far from each other."""
    filler = [FILLER.format(number) for number in range(fillers)]
    half = fillers // 2
    return "\n".join([MET, *filler[:half], AGAIN, *filler[half:], LAST, ""])


def answer(asked: Asked) -> Reply:
    """The meetings of a passage, each with the number that its sentence has there."""
    shown = asked.messages[-1]["content"]
    actors: list[dict[str, Any]] = []
    meetings: list[dict[str, Any]] = []
    for sentence, names in TOLD.items():
        found = re.search(rf"^\[(\d+)\] {re.escape(sentence)}$", shown, re.MULTILINE)
        if found is None:
            continue
        ids = [f"a{len(actors) + number}" for number in (1, 2)]
        actors += [{"id": id_, "name": name, "type": "person"} for id_, name in zip(ids, names, strict=True)]
        status = "planned" if sentence == LAST else "held"
        meetings.append({"evidence": [int(found[1])], "principals": ids, "status": status})
    return completion({"actors": actors, "meetings": meetings})


def test_passages_are_asked_apart_and_told_once(tmp_path: Path) -> None:
    text = article(900)
    with Endpoint(answer) as endpoint:
        settings = Settings(base_url=endpoint.url, api_key="k", model="m", cache=tmp_path)
        with Extractor(settings, tasks=["meetings"]) as mahdar:
            result = mahdar.extract(text)

    passages = [asked.article for asked in endpoint.requests]
    assert len(passages) > 1
    assert all(passage.rstrip().endswith(".") for passage in passages)
    assert [[actor.name for actor in meeting.participants] for meeting in result.meetings] == [
        ["سامح شكري", "أيمن الصفدي"],
        ["أيمن الصفدي", "المبعوث الأممي"],
    ]
    quotes = [piece for meeting in result.meetings for piece in meeting.evidence]
    assert [piece.quote for piece in quotes] == [MET, AGAIN, LAST]
    assert [text[piece.start : piece.end] for piece in quotes] == [piece.quote for piece in quotes]


def at_loopback(endpoint: Endpoint, settings: Settings) -> Callable[[], OpenAITransport]:
    """What makes a transport that asks a server on loopback in place of the embedded one."""
    named = Settings(base_url=endpoint.url, api_key="k", model=embedded_endpoint(settings).model, cache=settings.cache)
    return lambda: OpenAITransport(remote_endpoint(named), timeout=30)


def test_the_embedded_model_is_asked_a_few_sentences_at_a_time_and_says_how_far_it_is(tmp_path: Path) -> None:
    settings, told = Settings(model="embedded", cache=tmp_path), list[tuple[str, float | None]]()
    with Endpoint(answer) as endpoint:

        def extract() -> None:
            transport = at_loopback(endpoint, settings)
            with Extractor(
                settings, tasks=["meetings"], transport=transport, progress=lambda *said: told.append(said)
            ) as mahdar:
                assert [len(meeting.evidence) for meeting in mahdar.extract(article(6)).meetings] == [2, 1]

        extract()
        asked, read = len(endpoint.requests), tuple(told)
        extract()  # from the cache, which takes no time and needs no sign of progress

    assert asked == len(endpoint.requests) > 3
    assert (
        read
        == tuple(told)
        == tuple((f"{count} of {asked} passages read", count / asked) for count in range(1, asked + 1))
    )


@pytest.mark.parametrize("wrong", [{"actors": [], "meetings": [{"evidence": [99], "principals": ["a1"]}]}, "no JSON"])
def test_the_embedded_model_is_not_asked_again(tmp_path: Path, wrong: Any) -> None:
    def first_wrong(asked: Asked) -> Reply:
        return completion(wrong) if MET in asked.article else answer(asked)

    settings = Settings(model="embedded", cache=tmp_path)
    with Endpoint(first_wrong) as endpoint:
        transport = at_loopback(endpoint, settings)
        with Extractor(settings, tasks=["meetings"], transport=transport) as mahdar:
            result = mahdar.extract(article(6))

    questions = [asked.article for asked in endpoint.requests]
    assert len(set(questions)) == len(questions)
    assert [[piece.quote for piece in meeting.evidence] for meeting in result.meetings] == [[AGAIN], [LAST]]
    assert result.rejected


def test_what_the_embedded_model_may_write_is_bounded(tmp_path: Path) -> None:
    settings = Settings(model="embedded", cache=tmp_path)
    with Endpoint(answer) as endpoint, Extractor(settings, transport=at_loopback(endpoint, settings)) as mahdar:
        mahdar.extract(article(2))

    for asked in endpoint.requests:
        assert asked.body["max_tokens"] == 600
        schema = asked.body["response_format"]["json_schema"]["schema"]
        lists = re.findall(r'"type": "array"', json.dumps(schema))
        assert len(re.findall(r'"maxItems": [1-4]\b', json.dumps(schema))) == len(lists) > 0


def test_a_passage_cites_only_what_it_shows(tmp_path: Path) -> None:
    def first_cited(asked: Asked) -> Reply:
        if LAST not in asked.messages[-1]["content"]:
            return answer(asked)
        actors = [{"id": "a1", "name": "الصفدي", "type": "person"}, {"id": "a2", "name": "سامح شكري", "type": "person"}]
        return completion({"actors": actors, "meetings": [{"evidence": [1], "principals": ["a1", "a2"]}]})

    settings = Settings(model="embedded", cache=tmp_path)
    with Endpoint(first_cited) as endpoint:
        transport = at_loopback(endpoint, settings)
        with Extractor(settings, tasks=["meetings"], transport=transport) as mahdar:
            result = mahdar.extract(article(6))

    assert [[piece.quote for piece in meeting.evidence] for meeting in result.meetings] == [[MET, AGAIN]]
    assert [(one.path, one.reason) for one in result.rejected] == [
        ("$.meetings[0].evidence[0]", "is no sentence of the article; they are numbered from 8 to 9"),
        ("$.meetings[0].evidence", "needs 1, got 0"),
    ]


@pytest.mark.parametrize(("model", "bound"), [("m", 4_312), ("o3-mini", 16_000), ("vendor/gpt-5-mini", 16_000)])
def test_an_answer_is_bounded_by_its_article_unless_the_model_thinks_to_itself(
    tmp_path: Path, model: str, bound: int
) -> None:
    with Endpoint(answer) as endpoint:
        settings = Settings(base_url=endpoint.url, api_key="k", model=model, cache=tmp_path)
        with Extractor(settings, tasks=["meetings"]) as mahdar:
            mahdar.extract(article(2))

    assert endpoint.requests[0].body["max_tokens"] == bound
