"""A task is a template and a schema: a third one needs a folder in prompts and a model, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import BeforeValidator, Field

from extractor import Extractor, PromptError, Settings
from schemas.drafts import DRAFTS, ActorDraft, DateDraft, Drafts, ItemDraft, Phrase
from schemas.records import Actor, Date, Record

from loopback import Endpoint, completion

ARTICLE = "وقعت تونس والجزائر، يوم 3 مارس 2021، اتفاقا للتبادل الحر، وفق وزارة التجارة التونسية."
ANSWER = {
    "agreements": [
        {
            "evidence": ["وقعت تونس والجزائر، يوم 3 مارس 2021، اتفاقا للتبادل الحر"],
            "attribution": ["وزارة التجارة التونسية"],
            "parties": [{"name": "تونس", "type": "country"}, {"name": "الجزائر", "type": "country"}],
            "subject": "التبادل الحر",
            "date": {"text": "يوم 3 مارس 2021"},
        },
        {"evidence": ["وقعت تونس وليبيا اتفاقا للصيد"], "parties": [{"name": "تونس"}], "subject": "الصيد"},
    ]
}
TEMPLATE = """+++
task = "agreements"
version = 1
description = "Who agreed what with whom"
language = "en"
changed = "first version"
+++
{% block system %}List every agreement as JSON.
{{ fields }}{% endblock %}
{% block user %}{{ article }}{% endblock %}
"""


class Agreement(Record):
    id_prefix: ClassVar[str] = "g"

    parties: tuple[Actor, ...]
    subject: str | None
    date: Date | None = None


@pytest.fixture
def agreements(tmp_path: Path) -> Iterator[Path]:
    class AgreementDraft(ItemDraft):
        parties: Annotated[tuple[ActorDraft, ...], Field(max_length=6)]
        subject: Phrase
        date: DateDraft | None = None

    class AgreementDrafts(Drafts, task="agreements", record=Agreement):
        agreements: Annotated[
            tuple[AgreementDraft, ...], Field(max_length=9), BeforeValidator(lambda items: items or [])
        ]

    folder = tmp_path / "prompts" / "agreements"
    folder.mkdir(parents=True)
    (folder / "v1.md").write_text(TEMPLATE, encoding="utf-8")
    yield folder.parent
    del DRAFTS["agreements"]


def test_a_third_task_is_grounded_resolved_and_numbered_like_the_built_in_ones(
    agreements: Path, tmp_path: Path
) -> None:
    with Endpoint(completion(ANSWER)) as endpoint:
        settings = Settings(base_url=endpoint.url, api_key="k", model="m", cache=tmp_path)
        with Extractor(settings, tasks=["agreements"], prompts=[agreements]) as mahdar:
            result = mahdar.extract(ARTICLE)

    (agreement,) = result.more["agreements"]
    assert isinstance(agreement, Agreement)
    assert (agreement.id, agreement.subject) == ("g1", "التبادل الحر")
    assert [actor.country for actor in agreement.parties] == ["TN", "DZ"]
    assert agreement.date is not None
    assert agreement.date.value == "2021-03-03"
    assert agreement.attribution == ("وزارة التجارة التونسية",)
    assert "evidence: not in the article" in [item.reason for item in result.rejected]
    assert result.model_dump(mode="json")["more"]["agreements"][0]["subject"] == "التبادل الحر"
    assert "subject: text" in endpoint.requests[0].messages[0]["content"]


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        pytest.param("agreement", "prompt 'agreement': not found; there are meetings@1", id="unknown task"),
        pytest.param("meetings@99", "prompt 'meetings@99': not found; there are meetings@1", id="unknown version"),
    ],
)
def test_a_task_that_is_not_there_is_named_with_those_that_are(ref: str, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        Extractor(tasks=[ref])
