"""From drafts to records: what the article bears out becomes a record, what it does not is rejected by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from extractor import Document
from extractor.assembling.extraction import assemble
from extractor.llm.client import Answer, Usage
from extractor.llm.validation import read_drafts
from extractor.tasks import Task
from prompts import PromptLibrary
from schemas.records import Extraction, Provenance
from schemas.tasks import task_schema

SEEDS = Path(__file__).parents[1] / "seeds"
ARTICLE = (
    "استقبل وزير الخارجية المصري سامح شكري، أمس الثلاثاء بالقاهرة، نظيره الأردني أيمن الصفدي، بحضور السفير الأردني.\n"
    "ورفض شكري بشكل قاطع «تهجير السكان»، وأشاد بدور الأردن في استقبال اللاجئين.\n"
    "ومن المقرر أن يلتقي الصفدي يوم الخميس المبعوث الأممي في وساطة قطرية.\n"
)
MEETING: dict[str, Any] = {
    "evidence": ["استقبل وزير الخارجية المصري سامح شكري، أمس الثلاثاء بالقاهرة، نظيره الأردني أيمن الصفدي"],
    "participants": [
        {"name": "سامح شكري", "type": "person", "role": "وزير الخارجية المصري", "capacity": "principal"},
        {"name": "نظيره الأردني أيمن الصفدي", "type": "person", "capacity": "principal"},
    ],
    "status": "held",
    "kind": "talks",
    "channel": "in_person",
}
STANCE: dict[str, Any] = {
    "evidence": ["ورفض شكري بشكل قاطع «تهجير السكان»"],
    "holders": [{"name": "شكري", "type": "person"}],
    "act": "reject",
    "target": {"text": "تهجير السكان"},
    "polarity": "against",
    "proposition": "رفض شكري تهجير السكان",
}


def extraction(article: str = ARTICLE, *, published_at: str | None = "2024-05-15", **answers: Any) -> Extraction:
    library = PromptLibrary()
    tasks = [Task(library.get(f"{name}@1"), task_schema(name)) for name in answers]
    read = [
        (
            task,
            Answer(read_drafts(json.dumps({task.schema.task: answers[task.schema.task]}), task.schema), Usage(), ()),
            None,
        )
        for task in tasks
    ]
    return assemble(Document("a1", article, published_at=published_at), read, Provenance(model="none"))  # type: ignore[arg-type]


def test_a_drafted_meeting_becomes_a_record_with_spans_codes_and_dates() -> None:
    (meeting,) = extraction(
        meetings=[{**MEETING, "date": {"text": "أمس الثلاثاء"}, "place": {"city": "القاهرة"}}]
    ).meetings

    assert [(actor.name, actor.role, actor.country) for actor in meeting.participants] == [
        ("سامح شكري", "وزير الخارجية المصري", "EG"),
        ("أيمن الصفدي", "نظيره الأردني", "JO"),
    ]
    assert (meeting.id, meeting.format, meeting.cameo, meeting.plover) == ("m1", "bilateral", "040", "CONSULT")
    assert meeting.date is not None
    assert (meeting.date.text, meeting.date.value) == ("أمس الثلاثاء", "2024-05-14")
    assert meeting.place is not None
    assert (meeting.place.city, meeting.place.country) == ("القاهرة", "EG")
    (piece,) = meeting.evidence
    assert ARTICLE[piece.start : piece.end] == piece.quote
    assert piece.match == "exact"


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        pytest.param(
            {"evidence": ["ورفض وزير الخارجية المصري سامح شكري نظيره"]},
            "",
            "evidence: not in the article",
            id="invented",
        ),
        pytest.param(
            {"participants": [MEETING["participants"][0], {"name": "خليفة حفتر"}]},
            ".participants[1]",
            "name: not in the article",
            id="name",
        ),
        pytest.param({"date": {"text": "20 يوليو"}}, ".date.text", "not in the article", id="date"),
        pytest.param({"place": {"city": "موسكو"}}, ".place.city", "not in the article", id="city"),
        pytest.param(
            {"topics": [{"text": "ملف المياه", "code": "other"}]}, ".topics[0]", "text: not in the article", id="topic"
        ),
        pytest.param(
            {"attribution": ["وكالة رويترز"]}, ".attribution[0]", "attribution[0]: not in the article", id="source"
        ),
    ],
)
def test_what_the_article_does_not_say_is_rejected_with_its_reason(
    change: dict[str, Any], path: str, reason: str
) -> None:
    result = extraction(meetings=[{**MEETING, **change}])

    assert (f"$.meetings[0]{path}", reason) in [(item.path, item.reason) for item in result.rejected]
    assert "حفتر" not in result.model_copy(update={"rejected": ()}).model_dump_json()


def test_a_quote_of_an_example_is_named_as_such() -> None:
    example = PromptLibrary().get("meetings@1").examples[0].answer["meetings"][0]
    result = extraction(meetings=[example])

    assert result.meetings == ()
    assert result.rejected[-1].reason == "evidence: comes from a few-shot example, not from the article"


@pytest.mark.parametrize(
    ("stance", "kept"),
    [
        pytest.param({}, 1, id="as the article says"),
        pytest.param({"evidence": ["وقبل شكري بشكل قاطع «تهجير السكان»"]}, 0, id="reversed quote"),
        pytest.param({"evidence": ["شكري بشكل قاطع «تهجير السكان»"]}, 0, id="without its rejection"),
        pytest.param({"proposition": "أعلن شكري انسحاب بلاده من المعاهدة الدولية"}, 0, id="invented proposition"),
        pytest.param({"holders": [{"name": "عبد الفتاح السيسي"}]}, 0, id="holder of no such name"),
    ],
)
def test_a_stance_stands_by_its_words_alone(stance: dict[str, Any], kept: int) -> None:
    result = extraction(stances=[{**STANCE, **stance}])

    assert len(result.stances) == kept
    assert bool(result.rejected) == (not kept)


def test_the_same_meeting_told_twice_is_one_record_with_the_evidence_of_both() -> None:
    again = {
        **MEETING,
        "evidence": ["ورفض شكري بشكل قاطع «تهجير السكان»"],
        "participants": [{"name": "شكري"}, {"name": "الصفدي"}],
    }
    (meeting,) = extraction(meetings=[MEETING, again]).meetings

    assert [actor.name for actor in meeting.participants] == ["سامح شكري", "أيمن الصفدي"]
    assert len(meeting.evidence) == 2


def test_a_stance_names_the_meeting_at_which_all_its_holders_were() -> None:
    result = extraction(meetings=[MEETING], stances=[STANCE])

    assert result.stances[0].meeting == "m1"
    assert result.stances[0].holders[0].name == "سامح شكري"


def test_a_country_may_be_named_by_its_adjective_and_a_planned_day_lies_ahead() -> None:
    planned = {
        "evidence": ["ومن المقرر أن يلتقي الصفدي يوم الخميس المبعوث الأممي في وساطة قطرية."],
        "participants": [
            {"name": "الصفدي"},
            {"name": "المبعوث الأممي", "type": "role"},
            {"name": "قطر", "type": "country", "capacity": "mediator"},
        ],
        "date": {"text": "يوم الخميس"},
        "status": "planned",
    }
    (meeting,) = extraction(meetings=[planned]).meetings

    assert [(actor.name, actor.country) for actor in meeting.participants][1:] == [
        ("المبعوث الأممي", "UN"),
        ("قطر", "QA"),
    ]
    assert meeting.date is not None
    assert meeting.date.value == "2024-05-16"


def _draft_actor(actor: dict[str, Any]) -> dict[str, Any]:
    known = ("name", "type", "role", "organization", "capacity")
    return {name: actor[name] for name in known if name in actor}


def _draft(record: dict[str, Any]) -> dict[str, Any]:
    """A label as a model that makes no mistake would have drafted it: without what code resolves."""
    drafted = {name: value for name, value in record.items() if name not in {"id", "meeting", "note", "alternatives"}}
    drafted["evidence"] = [piece["quote"] for piece in record["evidence"]]
    for name in ("participants", "holders"):
        if name in record:
            drafted[name] = [_draft_actor(actor) for actor in record[name]]
    if record.get("place"):
        drafted["place"] = {name: record["place"][name] for name in ("venue", "city")}
    if (record.get("target") or {}).get("actor"):
        drafted["target"] = {**record["target"], "actor": _draft_actor(record["target"]["actor"])}
    return drafted


@pytest.mark.parametrize("path", sorted((SEEDS / "labels").glob("*.json")), ids=lambda path: path.stem)
def test_no_gold_record_of_a_seed_is_lost_between_draft_and_record(path: Path) -> None:
    labels = json.loads(path.read_text(encoding="utf-8"))
    text = (SEEDS / "articles" / f"{path.stem}.txt").read_bytes().decode("utf-8")
    drafts = {task: [_draft(record) for record in labels[task]] for task in ("meetings", "stances")}
    result = extraction(text, published_at=None, **drafts)

    assert [meeting.id for meeting in result.meetings] == [record["id"] for record in labels["meetings"]]
    assert len(result.stances) == len(labels["stances"])
    dates = [(record["date"] or {}).get("value") for record in labels["meetings"]]
    assert [meeting.date.value if meeting.date else None for meeting in result.meetings] == dates
