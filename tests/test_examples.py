"""Examples of prompts: what is checked before a model is shown one."""

import json
from pathlib import Path
from typing import Any

import pytest

from mahdar.cli.examples import problems
from mahdar.prompts.library import read_prompt

ARTICLE = (
    "استقبل وزير الخارجية العماني بدر البوسعيدي في مسقط، الأحد، نظيره التونسي نبيل عمار.\n"
    "وأشاد عمار بدور سلطنة عمان في تسوية النزاعات.\n"
)
FRONT = """+++
tasks = ["meetings", "stances"]
version = 1
description = "Meetings and stances."
language = "en"
changed = "2024-01-01"
examples = ["talks.json"]
+++
"""
TEMPLATE = "{% block system %}Read. {{ fields }}{% endblock %}\n{% block user %}{{ sentences }}{% endblock %}\n"
ACTORS: list[dict[str, Any]] = [
    {"id": "a1", "name": "بدر البوسعيدي", "type": "person", "role": None, "organization": None, "country": None},
    {"id": "a2", "name": "نبيل عمار", "type": "person", "role": None, "organization": None, "country": None},
]
MEETING: dict[str, Any] = {
    "evidence": [1],
    "principals": ["a1", "a2"],
    "others": [],
    "kind": "talks",
    "channel": "in_person",
    "status": "held",
    "date": "الأحد",
    "place": {"venue": None, "city": "مسقط", "country": None},
    "topics": [],
    "outcomes": [],
    "attribution": [],
}

FIELDS = "evidence, principals, others, kind, channel, status, date, place, topics, outcomes, attribution"


def found(folder: Path, answer: dict[str, Any], template: str = TEMPLATE) -> list[str]:
    """The problems of a prompt with one example, without the folder's name."""
    path = folder / "mine" / "v1.md"
    path.parent.mkdir()
    path.write_text(FRONT + template, encoding="utf-8")
    example = json.dumps({"article": ARTICLE, "answer": answer}, ensure_ascii=False)
    (path.parent / "talks.json").write_text(example, encoding="utf-8")
    return [one.removeprefix(f"{path.parent}/") for one in problems(read_prompt(path))]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, [], id="holds"),
        pytest.param(
            {"evidence": [1, 3]},
            ["$.meetings[0].evidence[1]: is no sentence of the article; they are numbered from 1 to 2"],
            id="no such sentence",
        ),
        pytest.param(
            {"date": "الإثنين"},
            ["$.meetings[0].date: is not in the article; copy it letter by letter, or write null"],
            id="a date from nowhere",
        ),
        pytest.param(
            {"principals": ["a1"]}, ["$.meetings[0]: participants: needs 2 when held, got 1"], id="only one met"
        ),
        pytest.param(
            {"place": {"venue": None, "city": "الدوحة", "country": None}},
            ["$.meetings[0].place.city: not in the article"],
            id="a city that is left out on the way to the record",
        ),
        pytest.param(
            {"place": {"city": "مسقط", "venue": None, "country": None}},
            ["$.meetings[0].place: has city, venue, country; the schema has, in this order, venue, city, country"],
            id="fields in another order",
        ),
        pytest.param(
            {"note": "x"},
            [f"$.meetings[0]: has {FIELDS}, note; the schema has, in this order, {FIELDS}"],
            id="a field of no schema",
        ),
    ],
)
def test_an_example_obeys_what_it_teaches(tmp_path: Path, changed: dict[str, Any], expected: list[str]) -> None:
    answer = {"actors": ACTORS, "meetings": [{**MEETING, **changed}], "stances": []}
    assert found(tmp_path, answer) == [f"talks.json: {one}" for one in expected]


def test_an_example_answers_every_task_of_its_prompt(tmp_path: Path) -> None:
    assert found(tmp_path, {"actors": ACTORS, "meetings": [MEETING]}) == [
        "talks.json: $: has actors, meetings; the schema has, in this order, actors, meetings, stances",
        "talks.json: $.stances: is missing",
    ]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (TEMPLATE.replace("fields", "feilds"), "block 'system': 'feilds' is undefined; correct the template"),
        (TEMPLATE.replace("sentences", "lines"), "block 'user': 'lines' is undefined; correct the template"),
        (TEMPLATE.replace("block user", "block users"), "no block 'user'; write {% block user %}…{% endblock %}"),
    ],
)
def test_a_template_renders(tmp_path: Path, template: str, reason: str) -> None:
    answer = {"actors": ACTORS, "meetings": [MEETING], "stances": []}
    assert found(tmp_path, answer, template) == [f"v1.md: {reason}"]
