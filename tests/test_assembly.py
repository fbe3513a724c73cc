"""From drafts to records: what the article bears out becomes a record, what it does not is rejected by name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mahdar import Document
from mahdar.assembling.extraction import assemble
from mahdar.drafting import Drafted, Maker, items_of
from mahdar.prompts import Prompt
from mahdar.schemas.records import Extraction
from mahdar.schemas.tasks import answer_schema, task_schema
from mahdar.tasks import Task
from mahdar.validation.answers import salvage
from mahdar.validation.source import Source

SEEDS = Path(__file__).parents[1] / "seeds"
TASKS = ("meetings", "stances")
UNUSED = Prompt("none", 1, TASKS, "", "en", "2024-01-01", "", (), Path("none/v1.md"))
ARTICLE = (
    "استقبل وزير الخارجية المصري سامح شكري، أمس الثلاثاء بالقاهرة، نظيره الأردني أيمن الصفدي، بحضور السفير الأردني.\n"
    "ورفض شكري بشكل قاطع «تهجير السكان»، وأشاد بدور الأردن في استقبال اللاجئين.\n"
    "ومن المقرر أن يلتقي الصفدي يوم الخميس المبعوث الأممي في وساطة قطرية.\n"
)
WEATHER = "وهبت رياح قوية على السواحل.\nوبلغت الحرارة ثلاثين درجة.\nوتساقطت الأمطار على المجالات في الجبال.\n"
ONE_MET = "participants: needs 2 when held, got 1"
ACTORS: list[dict[str, Any]] = [
    {"id": "a1", "name": "سامح شكري", "type": "person", "role": "وزير الخارجية المصري"},
    {"id": "a2", "name": "نظيره الأردني أيمن الصفدي", "type": "person"},
]
MEETING: dict[str, Any] = {
    "evidence": [1],
    "principals": ["a1", "a2"],
    "status": "held",
    "kind": "talks",
    "channel": "in_person",
}
STANCE: dict[str, Any] = {
    "evidence": [2],
    "holders": ["a1"],
    "act": "reject",
    "polarity": "against",
    "target": "تهجير السكان",
    "proposition": "رفض شكري تهجير السكان",
}


def extraction(
    meetings: Any = None,
    stances: Any = None,
    *,
    actors: Any = ACTORS,
    article: str = ARTICLE,
    published_at: str | None = "2024-05-15",
) -> Extraction:
    document = Document("a1", article, published_at=published_at)  # type: ignore[arg-type]  # read as a date
    source, schema = Source(document.text, document.published_at), answer_schema(TASKS)
    given = {"actors": actors, "meetings": meetings, "stances": stances}
    answer, problems = salvage(given, schema, source)
    assert answer is not None
    drafted = Drafted(
        items=items_of(answer, schema),
        problems={"meetings": problems},
        made_by=dict.fromkeys(TASKS, Maker("somebody")),
    )
    return assemble(document, [Task(UNUSED, task_schema(task)) for task in TASKS], drafted, 0.0)


def reasons(result: Extraction) -> list[tuple[str, str]]:
    return [(one.path, one.reason) for one in result.rejected]


def test_a_drafted_meeting_becomes_a_record_with_spans_codes_and_dates() -> None:
    (meeting,) = extraction([{**MEETING, "date": "أمس الثلاثاء", "place": {"city": "القاهرة"}}]).meetings

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
    assert (piece.quote, piece.start, piece.match) == (ARTICLE.splitlines()[0], 0, "exact")


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        pytest.param(
            {"date": "20 يوليو"},
            "$.meetings[0].date",
            "is not in the article; copy it letter by letter, or write null",
            id="date",
        ),
        pytest.param({"place": {"city": "موسكو"}}, "$.meetings[0].place.city", "not in the article", id="city"),
        pytest.param(
            {"topics": [{"text": "ملف المياه", "code": "other"}]},
            "$.meetings[0].topics[0].text",
            "says what the article does not; use the article's words",
            id="topic",
        ),
        pytest.param(
            {"attribution": ["وكالة رويترز"]},
            "$.meetings[0].attribution[0]",
            "is not in the article; copy it letter by letter",
            id="source",
        ),
        pytest.param(
            {"evidence": [1, 9]},
            "$.meetings[0].evidence[1]",
            "is no sentence of the article; they are numbered from 1 to 3",
            id="sentence",
        ),
        pytest.param(
            {"others": [{"actor": "a9", "capacity": "attendee"}]},
            "$.meetings[0].others[0].actor",
            "is no id of the list of actors",
            id="actor",
        ),
    ],
)
def test_what_the_article_does_not_say_is_left_out_alone_with_its_reason(
    change: dict[str, Any], path: str, reason: str
) -> None:
    result = extraction([{**MEETING, **change}])

    assert reasons(result) == [(path, reason)]
    (meeting,) = result.meetings
    assert [actor.name for actor in meeting.participants] == ["سامح شكري", "أيمن الصفدي"]


def test_an_actor_of_no_such_name_goes_and_with_it_the_meeting_that_cannot_do_without() -> None:
    result = extraction([MEETING], actors=[ACTORS[0], {"id": "a2", "name": "خليفة حفتر"}])

    assert result.meetings == ()
    assert reasons(result) == [
        ("$.actors[1].name", "is not in the article; copy it letter by letter"),
        ("$.meetings[0].principals[1]", "is the id of an actor that does not hold"),
        ("$.meetings[0]", "participants: needs 2 when held, got 1"),
    ]


@pytest.mark.parametrize(
    ("stance", "kept"),
    [
        pytest.param({}, 1, id="as the article says"),
        pytest.param({"evidence": [3]}, 1, id="the sentence behind the one that says it"),
        pytest.param({"evidence": [4]}, 0, id="a sentence with no word of it"),
        pytest.param({"evidence": [6]}, 0, id="a sentence with «على» and an ending in common"),
        pytest.param({"proposition": "أعلن شكري انسحاب بلاده من المعاهدة الدولية"}, 0, id="invented proposition"),
        pytest.param({"target": "المعاهدة الدولية"}, 0, id="invented target"),
        pytest.param({"holders": ["a9"]}, 0, id="holder of no such id"),
        pytest.param({"act": "sing"}, 0, id="no such act"),
    ],
)
def test_a_stance_stands_by_its_words_alone(stance: dict[str, Any], kept: int) -> None:
    result = extraction(stances=[{**STANCE, **stance}], article=ARTICLE + WEATHER)

    assert len(result.stances) == kept
    assert bool(result.rejected) == (not kept)


ACTS = (
    "must be 'support', 'praise', 'thank', 'commit', 'call_for', 'demand', 'affirm_importance', 'accord', 'reject', "
    "'condemn', 'accuse', 'warn', 'concern', 'optimism', 'deny', 'recognize' or 'other'"
)
LACKS = "is not in the article; copy it letter by letter"
REUTERS = "وكالة رويترز"
WITHOUT_TARGET = {name: value for name, value in STANCE.items() if name != "target"}


@pytest.mark.parametrize(
    ("meetings", "stances", "kept", "rejected"),
    [
        pytest.param(
            [MEETING],
            [{**STANCE, "attribution": REUTERS}],
            (1, 1),
            [("$.stances[0].attribution[0]", LACKS)],
            id="one text where a list is asked for",
        ),
        pytest.param({**MEETING, "topics": None}, STANCE, (1, 1), [], id="one record where a list is asked for"),
        pytest.param(
            [{**MEETING, "topics": {"text": "ملف المياه"}}],
            [],
            (1, 0),
            [("$.meetings[0].topics[0].text", "says what the article does not; use the article's words")],
            id="one object where a list is asked for",
        ),
        pytest.param([{**MEETING, "principals": "a1"}], [], (0, 0), [("$.meetings[0]", ONE_MET)], id="one principal"),
        pytest.param(
            [None, MEETING, {**MEETING, "principals": ["a1"]}],
            [],
            (1, 0),
            [("$.meetings[2]", ONE_MET)],
            id="null before the records",
        ),
        pytest.param(
            [{**MEETING, "principals": [None, "a1", "غير محدد", "a2", "zz"]}],
            [],
            (1, 0),
            [("$.meetings[0].principals[4]", "is no id of the list of actors")],
            id="fillers between the ids",
        ),
        pytest.param(
            [],
            [{**STANCE, "act": "sing"}, {**STANCE, "attribution": [None, REUTERS]}, WITHOUT_TARGET],
            (0, 1),
            [
                ("$.stances[0].act", ACTS),
                ("$.stances[1].attribution[1]", LACKS),
                ("$.stances[2].target", "is missing"),
            ],
            id="each by its own place",
        ),
    ],
)
def test_a_list_in_another_form_costs_no_record_that_holds(
    meetings: Any, stances: Any, kept: tuple[int, int], rejected: list[tuple[str, str]]
) -> None:
    result = extraction(meetings, stances)

    assert (len(result.meetings), len(result.stances)) == kept
    assert reasons(result) == rejected


def test_what_is_found_wrong_later_keeps_its_place_and_what_the_model_wrote() -> None:
    lost = {**STANCE, "holders": ["a3"]}
    actors = [ACTORS[0], None, {"id": "a3", "name": "خليفة حفتر"}]
    result = extraction(stances=[{**STANCE, "act": "sing"}, lost, STANCE], actors=actors)

    assert reasons(result) == [
        ("$.actors[2].name", LACKS),
        ("$.stances[0].act", ACTS),
        ("$.stances[1].holders[0]", "is the id of an actor that does not hold"),
        ("$.stances[1].holders", "needs 1, got 0"),
    ]
    assert [one.item for one in result.rejected[2:]] == [lost, lost]
    assert len(result.stances) == 1


def test_a_record_keeps_its_place_where_what_stood_before_it_went() -> None:
    result = extraction([None, {**MEETING, "kind": "war"}, {**MEETING, "place": {"city": "دمشق"}}])

    assert reasons(result)[1:] == [("$.meetings[2].place.city", "not in the article")]


def test_of_two_actors_with_one_id_none_is_taken_for_the_other() -> None:
    actors = [*ACTORS, {"id": "a1", "name": "المبعوث الأممي", "type": "role"}]
    result = extraction([MEETING], [STANCE, {**STANCE, "holders": ["a2"]}], actors=actors)

    assert [[one.name for one in stance.holders] for stance in result.stances] == [["أيمن الصفدي"]]
    assert result.meetings == ()
    twice = "has an id that another actor of the list has"
    assert reasons(result)[:2] == [("$.actors[0]", twice), ("$.actors[2]", twice)]


def test_one_actor_needs_no_list() -> None:
    assert len(extraction(stances=STANCE, actors=ACTORS[0]).stances) == 1


def test_an_actor_told_twice_in_the_same_words_is_one() -> None:
    assert len(extraction([MEETING], actors=[*ACTORS, ACTORS[0]]).meetings) == 1


def test_who_is_named_twice_takes_part_once() -> None:
    draft = {**MEETING, "principals": ["a1", "a1", "a2"], "others": [{"actor": "a1", "capacity": "host"}]}
    (meeting,) = extraction([draft]).meetings

    assert [(one.name, one.capacity) for one in meeting.participants] == [
        ("سامح شكري", "principal"),
        ("أيمن الصفدي", "principal"),
    ]


def test_each_part_of_a_place_stands_by_itself() -> None:
    result = extraction([{**MEETING, "place": {"city": "دمشق", "country": "مصر"}}])

    place = result.meetings[0].place
    assert place is not None
    assert (place.city, place.country) == (None, "EG")
    assert reasons(result) == [("$.meetings[0].place.city", "not in the article")]


def test_a_clause_has_a_bound() -> None:
    topic = {"text": "السفير الأردني " * 41}
    assert reasons(extraction([{**MEETING, "topics": [topic]}])) == [
        ("$.meetings[0].topics[0].text", "takes 600 characters at most")
    ]


def test_only_sentences_that_were_shown_can_be_cited() -> None:
    source, schema = Source(ARTICLE + WEATHER).showing(range(2, 4)), answer_schema(TASKS)
    _, problems = salvage({"actors": ACTORS, "meetings": [MEETING], "stances": [STANCE]}, schema, source)

    assert list(map(str, problems)) == [
        "$.meetings[0].evidence[0]: is no sentence of the article; they are numbered from 2 to 3",
        "$.meetings[0].evidence: needs 1, got 0",
    ]


def test_the_same_meeting_told_twice_is_one_record_with_the_evidence_of_both() -> None:
    again = {**MEETING, "evidence": [2], "principals": ["a3", "a4"], "date": "يوم الخميس"}
    short = [{"id": "a3", "name": "شكري"}, {"id": "a4", "name": "الصفدي"}]
    (meeting,) = extraction([MEETING, again], actors=[*ACTORS, *short]).meetings

    assert [actor.name for actor in meeting.participants] == ["سامح شكري", "أيمن الصفدي"]
    assert len(meeting.evidence) == 2


@pytest.mark.parametrize(
    ("first", "second", "records"),
    [
        pytest.param("أمس الثلاثاء", "يوم الخميس", 2, id="another day"),
        pytest.param("أمس الثلاثاء", "أمس الثلاثاء", 1, id="the same day"),
        pytest.param("أمس الثلاثاء", None, 1, id="a day that one of them does not tell"),
        pytest.param(None, None, 1, id="no day"),
    ],
)
def test_the_same_parties_on_another_day_are_another_meeting(
    first: str | None, second: str | None, records: int
) -> None:
    drafts = [{**MEETING, "date": first}, {**MEETING, "evidence": [2], "date": second}]

    assert len(extraction(drafts).meetings) == records


def test_meetings_of_which_no_principal_is_known_are_told_apart_by_who_took_part() -> None:
    attended = [
        {**MEETING, "principals": [], "others": [{"actor": one, "capacity": "attendee"} for one in ids]}
        for ids in (("a1", "a2"), ("a1", "a3"), ("a2", "a1"))
    ]
    actors = [*ACTORS, {"id": "a3", "name": "السفير الأردني", "type": "role"}]

    assert [len(one.participants) for one in extraction(attended, actors=actors).meetings] == [2, 2]


def test_what_two_accounts_of_a_meeting_know_is_kept_once() -> None:
    refugees, displaced = {"text": "استقبال اللاجئين"}, {"text": "تهجير السكان"}
    ambassador = {"id": "a3", "name": "السفير الأردني", "type": "role"}
    more = {"others": [{"actor": "a3", "capacity": "attendee"}], "topics": [refugees, displaced]}
    result = extraction([{**MEETING, "topics": [refugees]}, {**MEETING, **more}], actors=[*ACTORS, ambassador])

    (meeting,) = result.meetings
    assert [one.text for one in meeting.topics] == ["استقبال اللاجئين", "تهجير السكان"]
    assert [one.name for one in meeting.participants] == ["سامح شكري", "أيمن الصفدي", "السفير الأردني"]


def test_a_stance_names_the_meeting_at_which_all_its_holders_were() -> None:
    result = extraction([MEETING], [STANCE])

    assert result.stances[0].meeting == "m1"
    assert result.stances[0].holders[0].name == "سامح شكري"


def test_a_country_may_be_named_by_its_adjective_and_a_planned_day_lies_ahead() -> None:
    actors = [
        {"id": "a1", "name": "الصفدي"},
        {"id": "a2", "name": "المبعوث الأممي", "type": "role"},
        {"id": "a3", "name": "قطر", "type": "country"},
    ]
    planned = {
        **MEETING,
        "evidence": [3],
        "others": [{"actor": "a3", "capacity": "mediator"}],
        "date": "يوم الخميس",
        "status": "planned",
    }
    (meeting,) = extraction([planned], actors=actors).meetings

    assert [(actor.name, actor.country, actor.capacity) for actor in meeting.participants][1:] == [
        ("المبعوث الأممي", "UN", "principal"),
        ("قطر", "QA", "mediator"),
    ]
    assert meeting.date is not None
    assert meeting.date.value == "2024-05-16"


def test_provenance_names_a_prompt_and_a_schema_only_where_a_model_was_asked() -> None:
    found = extraction([MEETING]).provenance

    assert found.made_by == {"meetings": "somebody", "stances": "somebody"}
    assert (found.prompts, found.schemas) == ({}, {})


def _as_answer(labels: Mapping[str, Any], text: str) -> dict[str, list[Any]]:
    """Labels as a model that makes no mistake would have drafted them: without what code resolves."""
    ids: dict[str, dict[str, Any]] = {}

    def cited(actor: dict[str, Any]) -> str:
        fields = {name: actor[name] for name in ("name", "type", "role", "organization")}
        known = next((id_ for id_, other in ids.items() if other == fields), f"a{len(ids) + 1}")
        ids[known] = fields
        return known

    def common(record: dict[str, Any]) -> dict[str, Any]:
        at = [(text.find(piece["quote"]), len(piece["quote"])) for piece in record["evidence"]]
        numbers = [
            number
            for number, one in enumerate(Source(text).sentences, start=1)
            if any(start < one.end and one.start < start + length for start, length in at)
        ]
        return {"evidence": numbers[:4], "attribution": record["attribution"]}

    def meeting(record: dict[str, Any]) -> dict[str, Any]:
        capacities = [(cited(one), one["capacity"]) for one in record["participants"]]
        place = record["place"] and {name: record["place"][name] for name in ("venue", "city")}
        return {
            **common(record),
            **{name: record[name] for name in ("kind", "channel", "status", "topics", "outcomes")},
            "principals": [id_ for id_, capacity in capacities if capacity == "principal"],
            "others": [{"actor": id_, "capacity": one} for id_, one in capacities if one != "principal"],
            "date": record["date"] and record["date"]["text"],
            "place": place,
        }

    def stance(record: dict[str, Any]) -> dict[str, Any]:
        actor = record["target"]["actor"]
        return {
            **common(record),
            **{
                name: record[name] for name in ("on_behalf_of", "act", "polarity", "addressee", "proposition", "speech")
            },
            "holders": [cited(one) for one in record["holders"]],
            "target": record["target"]["text"],
            "target_actor": actor and cited(actor),
        }

    lists = {"meetings": [*map(meeting, labels["meetings"])], "stances": [*map(stance, labels["stances"])]}
    return {"actors": [{"id": id_, **fields} for id_, fields in ids.items()], **lists}


@pytest.mark.parametrize("path", sorted((SEEDS / "labels").glob("*.json")), ids=lambda path: path.stem)
def test_no_gold_record_of_a_seed_is_lost_between_draft_and_record(path: Path) -> None:
    labels = json.loads(path.read_text(encoding="utf-8"))
    text = (SEEDS / "articles" / f"{path.stem}.txt").read_bytes().decode("utf-8")
    result = extraction(**_as_answer(labels, text), article=text, published_at=None)

    assert reasons(result) == []
    assert [meeting.id for meeting in result.meetings] == [record["id"] for record in labels["meetings"]]
    assert len(result.stances) == len(labels["stances"])
    dates = [(record["date"] or {}).get("value") for record in labels["meetings"]]
    assert [meeting.date.value if meeting.date else None for meeting in result.meetings] == dates
