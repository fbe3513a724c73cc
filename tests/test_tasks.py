"""A task is a template and a schema: a third one needs a folder in prompts and a model, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import BeforeValidator, Field
from tiny import mahdar

from mahdar import Extractor, PromptError, Settings, UsageError
from mahdar.schemas.drafts import DRAFTS, ActorId, Attributions, DateText, Drafts, ItemDraft, Phrase
from mahdar.schemas.records import Actor, Date, Record

from loopback import Endpoint, completion

ARTICLE = "وقعت تونس والجزائر، يوم 3 مارس 2021، اتفاقا للتبادل الحر، وفق وزارة التجارة التونسية."
ACTORS = [
    {"id": "a1", "name": "تونس", "type": "country"},
    {"id": "a2", "name": "الجزائر", "type": "country"},
    {"id": "a3", "name": "ليبيا", "type": "country"},
]
AGREED = {
    "evidence": [1],
    "parties": ["a1", "a2"],
    "subject": "التبادل الحر",
    "date": "يوم 3 مارس 2021",
    "attribution": ["وزارة التجارة التونسية"],
}
ANSWER = {"actors": ACTORS, "agreements": [AGREED, {"evidence": [1], "parties": ["a1", "a3"], "subject": "الصيد"}]}
FRONT = """+++
tasks = [{tasks}]
version = 1
description = "Who agreed what with whom"
language = "en"
changed = "first version"
+++
"""
TEMPLATE = """{% block system %}List every one of {{ tasks | join(", ") }} as JSON.
{{ fields }}{% endblock %}
{% block user %}{{ sentences }}{% endblock %}
"""


class Agreement(Record):
    id_prefix: ClassVar[str] = "g"

    parties: tuple[Actor, ...]
    subject: str | None
    date: Date | None = None


def write_template(folder: Path, name: str, *tasks: str) -> Path:
    """A folder with a template for some tasks."""
    file = folder / name / "v1.md"
    file.parent.mkdir(parents=True)
    named = ", ".join(f'"{task}"' for task in tasks)
    file.write_text(FRONT.format(tasks=named) + TEMPLATE, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def agreements() -> Iterator[None]:
    class AgreementDraft(ItemDraft):
        parties: Annotated[tuple[ActorId, ...], Field(max_length=6)]
        subject: Phrase
        date: DateText = None
        attribution: Attributions = ()

    class AgreementDrafts(Drafts, task="agreements", record=Agreement):
        agreements: Annotated[
            tuple[AgreementDraft, ...], Field(max_length=9), BeforeValidator(lambda items: items or [])
        ]

    yield
    del DRAFTS["agreements"]


def test_a_third_task_is_grounded_resolved_and_numbered_like_the_built_in_ones(tmp_path: Path) -> None:
    prompts = write_template(tmp_path / "prompts", "agreements", "agreements")
    with Endpoint(completion(ANSWER)) as endpoint:
        settings = Settings(base_url=endpoint.url, api_key="k", model="m", cache=tmp_path)
        with Extractor(settings, tasks=["agreements"], prompts=[prompts]) as mahdar:
            result = mahdar.extract(ARTICLE)

    (agreement,) = result.more["agreements"]
    assert isinstance(agreement, Agreement)
    assert (agreement.id, agreement.subject) == ("g1", "التبادل الحر")
    assert [actor.country for actor in agreement.parties] == ["TN", "DZ"]
    assert agreement.date is not None
    assert agreement.date.value == "2021-03-03"
    assert agreement.attribution == ("وزارة التجارة التونسية",)
    assert {"$.actors[2].name", "$.agreements[1].subject"} <= {item.path for item in result.rejected}
    assert result.model_dump(mode="json")["more"]["agreements"][0]["subject"] == "التبادل الحر"
    assert result.provenance.made_by == {"agreements": "m"}
    assert "subject: text" in endpoint.requests[0].messages[0]["content"]


def test_a_template_that_shows_the_article_shows_its_body(tmp_path: Path) -> None:
    prompts = write_template(tmp_path / "prompts", "agreements", "agreements")
    file = prompts / "agreements" / "v1.md"
    file.write_text(file.read_text(encoding="utf-8").replace("sentences", "article"), encoding="utf-8")
    caption, last = "اقرأ أيضا", "وكان الوفدان وصلا أمس إلى العاصمة."
    with Endpoint(completion(ANSWER)) as endpoint:
        settings = Settings(base_url=endpoint.url, api_key="k", model="m", cache=tmp_path)
        with Extractor(settings, tasks=["agreements"], prompts=[prompts]) as mahdar:
            mahdar.extract(f"{caption}\n{ARTICLE}\n{caption}\n{last}\n")

    assert endpoint.requests[0].messages[-1]["content"] == f"<article>\n{ARTICLE}\n{last}\n</article>"


def test_tasks_that_share_a_template_are_asked_in_one_request_and_others_in_their_own(tmp_path: Path) -> None:
    apart = write_template(tmp_path / "apart", "agreements", "agreements")
    together = write_template(tmp_path / "together", "news", "meetings", "stances", "agreements")
    tasks = ["meetings", "stances", "agreements"]
    answer = {**ANSWER, "meetings": [], "stances": []}
    with Endpoint(completion(answer)) as endpoint:
        settings = Settings(base_url=endpoint.url, api_key="k", model="m", cache=tmp_path)
        for prompts in (apart, together):
            with Extractor(settings, tasks=tasks, prompts=[prompts], store=None) as mahdar:
                assert len(mahdar.extract(ARTICLE).more["agreements"]) == 1
    asked = dict.fromkeys(one.lists for one in endpoint.requests)  # each also asked again
    assert sorted(asked) == [("agreements",), ("meetings", "stances"), ("meetings", "stances", "agreements")]


def test_a_third_task_needs_no_more_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = write_template(tmp_path / "prompts", "agreements", "agreements")
    (tmp_path / "news.txt").write_text(ARTICLE, encoding="utf-8")
    with Endpoint(completion(ANSWER)) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("MAHDAR_MODEL", "m")
        arguments = ["extract", tmp_path / "news.txt", "--task", "agreements", "--prompts", prompts]
        ended = mahdar(*arguments, "-o", tmp_path / "out.jsonl")
    assert ended.code == 0
    assert [one["id"] for one in json.loads((tmp_path / "out.jsonl").read_bytes())["more"]["agreements"]] == ["g1"]


def test_the_rules_say_which_tasks_they_read(tmp_path: Path) -> None:
    prompts = write_template(tmp_path / "prompts", "agreements", "agreements")
    with (
        Extractor(Settings(model="offline"), tasks=["agreements"], prompts=[prompts]) as mahdar,
        pytest.raises(UsageError, match="task 'agreements': there are rules for meetings and stances only"),
    ):
        mahdar.extract(ARTICLE)


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        pytest.param("agreement", "task 'agreement': no template asks for it; there are ", id="unknown task"),
        pytest.param("meetings@99", "prompt 'meetings@99': not found; there are news@1 ", id="unknown version"),
    ],
)
def test_a_task_that_is_not_there_is_named_with_those_that_are(ref: str, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        Extractor(tasks=[ref])
