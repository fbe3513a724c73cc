"""Questions: what is asked about an article, what is offered and suggested, and what becomes of the answers."""

import pytest
from pydantic import ValidationError

from extractor.offline.questions import Question, task_questions
from schemas.drafts import ItemDraft, MeetingDraft, StanceDraft

MET = (
    "التقى الرئيس المصري أنور السادات، الأحد، رئيس الوزراء الإسرائيلي مناحيم بيغن في القاهرة، "
    "بحضور وزير الخارجية موشيه ديان."
)
ASKED = "قال كارتر إن الزعيمين أنور السادات، ثم جيمي كارتر، كانا في محادثات صعبة يوم الأحد بكامب ديفيد."


def small_questions(text: str) -> tuple[Question, ...]:
    return (*task_questions(text, "meetings"), *task_questions(text, "stances"))


def suggested(text: str) -> list[ItemDraft]:
    """The drafts of a model that follows every hint."""
    return [draft for question in small_questions(text) for draft in question.expand(question.proposal)]


def meetings(text: str) -> list[MeetingDraft]:
    return [draft for draft in suggested(text) if isinstance(draft, MeetingDraft)]


def stances(text: str) -> list[StanceDraft]:
    return [draft for draft in suggested(text) if isinstance(draft, StanceDraft)]


def parties(draft: MeetingDraft) -> list[tuple[str, str]]:
    return [(one.name, one.capacity) for one in draft.participants]


def test_a_meeting_holds_who_met_and_who_was_present() -> None:
    (draft,) = meetings(MET)
    assert parties(draft) == [("أنور السادات", "principal"), ("مناحيم بيغن", "principal"), ("موشيه ديان", "attendee")]
    assert (draft.date and draft.date.text, draft.place and draft.place.city) == ("الأحد", "القاهرة")


@pytest.mark.parametrize(
    ("text", "status", "channel", "kind"),
    [
        ("أجرى الرئيس جيمي كارتر اتصالا هاتفيا مع الملك حسين.", "held", "phone", "talks"),
        ("ومن المقرر أن يلتقي وزير الخارجية سايروس فانس الملك حسين غدا.", "planned", "in_person", "talks"),
        ("عقد الرئيس جيمي كارتر مؤتمرا صحفيا مع الرئيس أنور السادات.", "held", "in_person", "press_conference"),
    ],
)
def test_status_channel_and_kind_are_read_from_the_words(text: str, status: str, channel: str, kind: str) -> None:
    (draft,) = meetings(text)
    assert (draft.status, draft.channel, draft.kind) == (status, channel, kind)


def test_an_encounter_told_twice_is_one_with_both_sentences() -> None:
    again = "\nوقال السادات إن اجتماعه مع بيغن كان صريحا."
    (draft,) = meetings(MET + again)
    assert len(draft.evidence) == 2


def test_relations_between_countries_are_no_encounter() -> None:
    assert meetings("تناول اللقاء العلاقات بين مصر وإسرائيل.") == []


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
    (draft,) = stances(text)
    assert [one.name for one in draft.holders] == [holder]
    assert (draft.act, draft.polarity, draft.target.text) == (act, polarity, target)


def test_a_verb_without_subject_goes_on_with_the_last_one() -> None:
    drafts = stances("أشاد الرئيس جيمي كارتر بشجاعة السادات. كما دعا إلى ضبط النفس.")
    assert [draft.holders[0].name for draft in drafts] == ["جيمي كارتر", "جيمي كارتر"]


def test_both_sides_are_those_who_met_last() -> None:
    (draft,) = stances(MET + "\nوأكد الجانبان ضرورة استمرار الحوار.")
    assert ([one.name for one in draft.holders], draft.holder_mode) == (["أنور السادات", "مناحيم بيغن"], "joint")


@pytest.mark.parametrize("text", ["", "تصاعد القتال في المدينة.", "تناول اللقاء أهمية التعاون."])
def test_where_nobody_meets_or_says_there_is_nothing(text: str) -> None:
    assert small_questions(text) == ()


def test_an_answer_is_one_of_the_names_offered() -> None:
    (question,) = small_questions(ASKED)
    assert question.values["sentence"] == ASKED
    with pytest.raises(ValidationError):
        question.answer.model_validate({"met": ["مناحيم بيغن"]})


def test_those_chosen_become_a_meeting_and_one_alone_does_not() -> None:
    (question,) = small_questions(ASKED)
    chosen = question.answer.model_validate({"met": ["أنور السادات", "جيمي كارتر"]})
    (draft,) = question.expand(chosen)
    assert isinstance(draft, MeetingDraft)
    assert [name for name, _ in parties(draft)] == ["أنور السادات", "جيمي كارتر"]
    assert question.expand(question.answer.model_validate({"met": ["جيمي كارتر"]})) == ()
    assert question.expand(question.proposal) == ()


def test_the_model_may_name_another_holder_than_the_one_suggested() -> None:
    text = "أشاد الرئيس جيمي كارتر بالاتفاق.\nوفي حديث إلى السفير كينجي تاناكا، رحب بالنتائج."
    question = small_questions(text)[-1]
    assert question.values["phrases"] == "p1. رحب بالنتائج — جيمي كارتر?"
    (draft,) = question.expand(question.answer.model_validate({"p1": "كينجي تاناكا"}))
    assert isinstance(draft, StanceDraft)
    assert [one.name for one in draft.holders] == ["كينجي تاناكا"]


def test_who_a_position_is_about_is_not_offered_as_its_holder() -> None:
    (question,) = small_questions("أشاد الرئيس جيمي كارتر بشجاعة الرئيس أنور السادات.")
    assert question.values["actors"] == "جيمي كارتر"
    assert question.settled


def test_the_model_may_name_other_parties_than_those_suggested() -> None:
    (question,) = small_questions(MET)
    assert question.values["hint"] == "أنور السادات + مناحيم بيغن"
    (draft,) = question.expand(question.answer.model_validate({"met": ["أنور السادات", "موشيه ديان"]}))
    assert isinstance(draft, MeetingDraft)
    assert [name for name, _ in parties(draft)] == ["أنور السادات", "موشيه ديان"]


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
    assert all(draft.evidence[0] in text for draft in suggested(text))


def test_all_of_a_large_meeting_met_though_the_answer_is_bounded() -> None:
    countries = "المصري والتونسي والجزائري والليبي والسوداني والصومالي والقطري والكويتي"
    presidents = " و".join(f"الرئيس {one}" for one in countries.split(" و"))
    (draft,) = meetings(f"التقى {presidents} في القاهرة.")
    assert len(draft.participants) == 8


def test_the_same_article_raises_the_same_questions() -> None:
    first, second = small_questions(ASKED), small_questions(ASKED)
    assert [one.values for one in first] == [one.values for one in second]
    assert [one.answer.model_json_schema() for one in first] == [one.answer.model_json_schema() for one in second]


def test_all_texts_of_a_draft_stand_in_the_article() -> None:
    (draft,) = meetings(MET)
    assert all(quote in MET for quote in draft.evidence)
    assert all(one.name in MET and (one.role or "") in MET for one in draft.participants)


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        pytest.param("رحب الرئيس جيمي كارتر بالاتفاق.", True, id="who holds it is named beside the verb"),
        pytest.param("وأضاف أنه يرحب بالاتفاق.", True, id="a pronoun, and nobody else it could mean"),
        pytest.param("وفي حديث إلى السفير كينجي تاناكا، رحب بالاتفاق.", False, id="a pronoun, and somebody else"),
        pytest.param("وبحضور السفير كينجي تاناكا، رحب الجانبان بالاتفاق.", False, id="both sides, and somebody else"),
    ],
)
def test_a_question_is_settled_where_the_sentence_names_who(text: str, *, settled: bool) -> None:
    met = "التقى الرئيس جيمي كارتر الوزير سايروس فانس.\n"
    (question,) = task_questions(met + text, "stances")
    assert question.settled is settled
