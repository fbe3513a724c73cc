"""The rule reader through its door: what an article's sentences come to, without a model."""

import asyncio
import tomllib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mahdar import Document
from mahdar.assembling.extraction import assemble
from mahdar.errors import UsageError
from mahdar.offline import RulesDrafter
from mahdar.prompts import Prompt
from mahdar.schemas.drafts import Drafts, MeetingDraft, StanceDraft
from mahdar.schemas.records import Extraction, Meeting, Stance
from mahdar.schemas.tasks import TaskSchema, task_schema
from mahdar.tasks import Task
from mahdar.validation.source import Source

BOTH = ("meetings", "stances")
UNUSED = Prompt("none", 1, BOTH, "", "en", "2024-01-01", "", (), Path("none/v1.md"))
MET = (
    "التقى الرئيس المصري أنور السادات، الأحد، رئيس الوزراء الإسرائيلي مناحيم بيغن في القاهرة، "
    "بحضور وزير الخارجية موشيه ديان."
)


def tasks(names: Sequence[str] = BOTH) -> list[Task]:
    return [Task(UNUSED, task_schema(name)) for name in names]


def extraction(text: str, names: Sequence[str] = BOTH) -> Extraction:
    document = Document("a", text)
    drafted = asyncio.run(RulesDrafter().draft(document, tasks(names)))
    return assemble(document, tasks(names), drafted, 0.0)


def meetings(text: str) -> tuple[Meeting, ...]:
    return extraction(text).meetings


def stances(text: str) -> tuple[Stance, ...]:
    return extraction(text).stances


def parties(meeting: Meeting) -> list[tuple[str, str]]:
    return [(one.name, one.capacity) for one in meeting.participants]


def test_a_meeting_holds_who_met_and_who_was_present() -> None:
    (meeting,) = meetings(MET)
    assert parties(meeting) == [("أنور السادات", "principal"), ("مناحيم بيغن", "principal"), ("موشيه ديان", "attendee")]
    assert (meeting.date and meeting.date.text, meeting.place and meeting.place.city) == ("الأحد", "القاهرة")


@pytest.mark.parametrize(
    ("text", "status", "channel", "kind"),
    [
        ("أجرى الرئيس جيمي كارتر اتصالا هاتفيا مع الملك حسين.", "held", "phone", "talks"),
        ("ومن المقرر أن يلتقي وزير الخارجية سايروس فانس الملك حسين غدا.", "planned", "in_person", "talks"),
        ("عقد الرئيس جيمي كارتر مؤتمرا صحفيا مع الرئيس أنور السادات.", "held", "in_person", "press_conference"),
    ],
)
def test_status_channel_and_kind_are_read_from_the_words(text: str, status: str, channel: str, kind: str) -> None:
    (meeting,) = meetings(text)
    assert (meeting.status, meeting.channel, meeting.kind) == (status, channel, kind)


def test_an_encounter_told_twice_is_one_with_both_sentences() -> None:
    again = "\nوقال السادات إن اجتماعه مع بيغن كان صريحا."
    (meeting,) = meetings(MET + again)
    assert [piece.quote for piece in meeting.evidence] == [MET, again.strip()]


def test_relations_between_countries_are_no_encounter() -> None:
    assert meetings("تناول اللقاء العلاقات بين مصر وإسرائيل.") == ()


def test_all_of_a_large_meeting_are_kept() -> None:
    countries = "المصري والتونسي والجزائري والليبي والسوداني والصومالي والقطري والكويتي"
    presidents = " و".join(f"الرئيس {one}" for one in countries.split(" و"))
    (meeting,) = meetings(f"التقى {presidents} في القاهرة.")
    assert len(meeting.participants) == 8


@pytest.mark.parametrize(
    ("text", "holder", "act", "polarity", "target"),
    [
        ("أشاد الرئيس جيمي كارتر بشجاعة السادات.", "جيمي كارتر", "praise", "favor", "شجاعة السادات"),
        ("أدان الرئيس حافظ الأسد الاتفاق المنفرد.", "حافظ الأسد", "condemn", "against", "الاتفاق المنفرد"),
        ("وأكد الرئيس أنور السادات أهمية السلام.", "أنور السادات", "affirm_importance", "favor", "السلام"),
        ("دعا الملك حسين إلى وقف الاستيطان.", "حسين", "call_for", "against", "الاستيطان"),
        ("دعا الملك حسين إلى وقف إطلاق النار.", "حسين", "call_for", "favor", "وقف إطلاق النار"),
    ],
)
def test_a_position_has_holder_act_and_target(text: str, holder: str, act: str, polarity: str, target: str) -> None:
    (stance,) = stances(text)
    assert [one.name for one in stance.holders] == [holder]
    assert (stance.act, stance.polarity, stance.target.text) == (act, polarity, target)


def test_a_proposition_has_the_verb_the_holder_and_the_rest_of_the_clause() -> None:
    (stance,) = stances("وأكد الرئيس أنور السادات أهمية السلام.")
    assert stance.proposition == "أكد أنور السادات أهمية السلام"


def test_a_verb_without_subject_goes_on_with_the_last_one() -> None:
    found = stances("أشاد الرئيس جيمي كارتر بشجاعة السادات. كما دعا إلى ضبط النفس.")
    assert [stance.holders[0].name for stance in found] == ["جيمي كارتر", "جيمي كارتر"]


def test_both_sides_are_those_who_met_last() -> None:
    (stance,) = stances(MET + "\nوأكد الجانبان ضرورة استمرار الحوار.")
    assert ([one.name for one in stance.holders], stance.holder_mode) == (["أنور السادات", "مناحيم بيغن"], "joint")


@pytest.mark.parametrize("text", ["", "تصاعد القتال في المدينة.", "تناول اللقاء أهمية التعاون."])
def test_where_nobody_meets_or_says_there_is_nothing(text: str) -> None:
    found = extraction(text)
    assert (found.meetings, found.stances, found.rejected) == ((), (), ())


@pytest.mark.parametrize(
    "text",
    [
        "أكد سامح  شكري رفضه التدخل الأجنبي في ليبيا.",
        "أكد سامح\u00a0شكري رفضه التدخل الأجنبي في ليبيا.",
        "- سامح شكري أكد رفضه التدخل.",
        "(سامح شكري أكد رفضه التدخل الأجنبي.)",
        "وقال الوزير إن بلاده تدعم الديمقراطية وتشكر الجميع.",
    ],
)
def test_spaces_bullets_and_brackets_are_no_obstacle(text: str) -> None:
    found = extraction(text)
    assert found.stances
    assert found.rejected == ()
    assert all(text[one.start : one.end] == one.quote for stance in found.stances for one in stance.evidence)


def test_evidence_of_a_sentence_that_is_too_long_is_the_part_with_the_clause() -> None:
    aside = "، الذي وصل إلى العاصمة في وقت متأخر من الليلة الماضية على متن طائرة خاصة قادما من بلاده" * 5
    (stance,) = stances(f"أدان الرئيس حافظ الأسد الاتفاق المنفرد{aside}.")
    (piece,) = stance.evidence
    assert len(piece.quote) <= 400
    assert piece.quote.startswith("أدان الرئيس حافظ الأسد الاتفاق المنفرد، الذي وصل")


def test_drafts_write_each_actor_once_and_cite_sentences_by_number() -> None:
    text = MET + "\nوأشاد السادات بدور الملك حسين. ودعا السادات إلى وقف إطلاق النار."
    drafted = asyncio.run(RulesDrafter().draft(Document("a", text), tasks()))
    (meeting,) = drafted.items["meetings"]
    assert isinstance(meeting.draft, MeetingDraft)
    assert (meeting.path, meeting.draft.principals, meeting.draft.evidence) == ("$.meetings[0]", ("a1", "a2"), (1,))
    assert [(one.actor, one.capacity) for one in meeting.draft.others] == [("a3", "attendee")]
    held = [item.draft for item in drafted.items["stances"]]
    assert [(one.holders, one.evidence) for one in held if isinstance(one, StanceDraft)] == [
        (("a1",), (2,)),
        (("a1",), (3,)),
    ]
    assert meeting.actors["a1"].name == "أنور السادات"
    assert Source(text).numbers == range(1, 4)


def test_provenance_names_the_rules_and_nothing_that_was_not_used() -> None:
    found = extraction(MET).provenance
    assert found.made_by == {"meetings": "mahdar-rules@2", "stances": "mahdar-rules@2"}
    assert (found.prompts, found.schemas, found.fingerprints, found.calls, found.cost) == ({}, {}, (), 0, 0.0)
    assert RulesDrafter().plan(Document("a", MET), tasks()) == ()


def test_one_task_alone_is_drafted_alone() -> None:
    found = extraction(MET + "\nوأكد الجانبان ضرورة استمرار الحوار.", ["stances"])
    assert (found.meetings, len(found.stances)) == ((), 1)


def test_a_task_without_rules_is_refused_with_the_remedy() -> None:
    agreements = Task(UNUSED, TaskSchema("agreements", Drafts, MeetingDraft, Meeting))
    with pytest.raises(UsageError, match=r"task 'agreements': there are rules for meetings and stances only.*--model"):
        asyncio.run(RulesDrafter().draft(Document("a", MET), [agreements]))


def groups(table: dict[str, Any]) -> Iterator[list[str]]:
    """The lists of words of a lexicon file, and the lemmas of its tables of forms."""
    lemmas = [name for name, value in table.items() if isinstance(value, str)]
    yield lemmas
    for value in table.values():
        if isinstance(value, dict):
            yield from groups(value)
        elif isinstance(value, list):
            yield value


@pytest.mark.parametrize("file", ["cues", "lexicon", "latin/lexicon", "latin/names"])
def test_a_lexicon_file_has_one_word_a_line_sorted_and_none_twice(file: str) -> None:
    text = (files("mahdar.offline") / f"{file}.toml").read_text(encoding="utf-8")
    found = list(groups(tomllib.loads(text)))
    assert [group for group in found if group != sorted(set(group))] == []
    lines = [line for line in text.splitlines() if line.endswith(('",', "',", '"'))]
    assert len(lines) == sum(map(len, found))
