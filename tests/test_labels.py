"""Label files: their shape, the checks they must pass, and the extraction they stand for."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from mahdar.schemas import edtf
from mahdar.schemas.labels import LabelError, Labels, as_extraction, check, parse, read

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "seeds" / "labels").glob("*.json"))

ARTICLE = (
    "التقت وزيرة الخارجية الليبية نجلاء المنقوش، أمس الثلاثاء في تونس العاصمة، نظيرها التونسي عثمان الجرندي.\n"
    "ورحّبت المنقوش بإعادة فتح المعابر."
)
MINISTER = {
    "name": "نجلاء المنقوش",
    "aliases": ["المنقوش", "وزيرة الخارجية الليبية"],
    "type": "person",
    "role": "وزيرة الخارجية الليبية",
    "organization": None,
    "country": "LY",
}
COLLEAGUE = MINISTER | {"name": "عثمان الجرندي", "aliases": ["نظيرها التونسي"], "role": None, "country": "TN"}
LABELS: dict[str, Any] = {
    "document_id": "example",
    "language": "ar",
    "published_at": "2021-07-14",
    "meetings": [
        {
            "id": "m1",
            "kind": "talks",
            "channel": "in_person",
            "status": "held",
            "participants": [MINISTER | {"capacity": "principal"}, COLLEAGUE | {"capacity": "principal"}],
            "date": {"text": "أمس الثلاثاء", "value": "2021-07-13", "accept": [None]},
            "place": {"venue": None, "city": "تونس العاصمة", "country": "TN", "accept": [None]},
            "topics": [],
            "outcomes": [],
            "attribution": [],
            "evidence": [{"quote": "التقت وزيرة الخارجية الليبية نجلاء المنقوش، أمس الثلاثاء"}],
            "alternatives": {"channel": ["unspecified"]},
            "note": "the channel is implied",
        }
    ],
    "stances": [
        {
            "id": "s1",
            "meeting": "m1",
            "holders": [MINISTER],
            "holder_mode": "individual",
            "on_behalf_of": None,
            "target": {"text": "إعادة فتح المعابر", "actor": None},
            "addressee": None,
            "polarity": "favor",
            "act": "support",
            "proposition": "رحّبت المنقوش بإعادة فتح المعابر",
            "speech": "indirect",
            "attribution": [],
            "evidence": [{"quote": "ورحّبت المنقوش بإعادة فتح المعابر."}],
        }
    ],
}


def changed(path: str, value: Any) -> str:
    """The example with one value replaced, added, or, with `...`, removed: `meetings.0.date.value`."""
    labels = copy.deepcopy(LABELS)
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    part: Any = labels
    for step in steps:
        part = part[step]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return json.dumps(labels, ensure_ascii=False)


def problems(path: str, value: Any, stem: str = "example") -> list[str]:
    return check(parse(changed(path, value)), ARTICLE, stem)


def test_sound_labels_have_no_problems() -> None:
    labels = parse(json.dumps(LABELS))
    assert check(labels, ARTICLE, "example") == []
    assert labels.meetings[0].place is not None
    assert labels.meetings[0].place.accept == (None,)
    assert [actor.name for actor in labels.actors] == ["نجلاء المنقوش", "عثمان الجرندي", "نجلاء المنقوش"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_label_file_is_sound(file: Path) -> None:
    article = (ROOT / "seeds" / "articles" / f"{file.stem}.txt").read_text(encoding="utf-8")
    assert check(read(file), article, file.stem) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("meetings.0.kind", "talk", "$.meetings[0].kind: choose 'talks', 'negotiation', "),
        ("stances.0.act", None, "$.stances[0].act: choose 'support', "),
        ("stances.0.colour", "red", "$.stances[0].colour: no field of this name: correct it, or remove it"),
        ("meetings.0.evidence.0.start", 0, "$.meetings[0].evidence[0].start: no field of this name"),
        ("meetings.0.date", ..., "$.meetings[0].date: is missing"),
        ("meetings.0.place.city", "", "$.meetings[0].place.city: String should match"),
        ("meetings.0.participants.1.country", "tn", "$.meetings[0].participants[1].country: String should match"),
        ("meetings.0.alternatives", {"kind": ["chat"]}, "$.meetings[0].alternatives.kind[0]: choose 'talks', "),
        ("meetings.0.alternatives", {"date": [None]}, "$.meetings[0].alternatives.date: no field of this name"),
        ("stances.0.holders", [], "$.stances[0].holders: at least 1 needed, got 0"),
        ("document_id", 7, "$.document_id: Input should be a valid string, got 7"),
        ("published_at", "yesterday", "$.published_at: Input should be a valid date"),
    ],
)
def test_another_shape_is_refused_with_its_path(path: str, value: Any, problem: str) -> None:
    with pytest.raises(LabelError) as caught:
        parse(changed(path, value), "example.json")
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(problem)
    assert str(caught.value) == f"example.json: {caught.value.problems[0]}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"document_id": "a", "document_id": "b"}', "$: key 'document_id' stands twice in one object: keep one"),
        ("{'document_id': 1}", "$: Expecting property name"),
    ],
)
def test_what_is_no_plain_json_is_refused(text: str, problem: str) -> None:
    with pytest.raises(LabelError) as caught:
        parse(text)
    assert caught.value.problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("document_id", "other", ["$.document_id: 'other' is not the file's name 'example': rename one of them"]),
        (
            "meetings.0.id",
            "m2",
            ["$.meetings[0].id: must be 'm1', got 'm2'", "$.stances[0].meeting: 'm1' is no meeting of this file"],
        ),
        ("stances.0.id", "1", ["$.stances[0].id: must be 's1', got '1'"]),
        ("stances.0.meeting", "m9", ["$.stances[0].meeting: 'm9' is no meeting of this file"]),
        (
            "meetings.0.date.value",
            "2021-02-30",
            ["$.meetings[0].date.value: '2021-02-30' is no EDTF date, such as 2020-07-20 or XXXX-07-20"],
        ),
        (
            "meetings.0.date.accept",
            [None, "13/07/2021"],
            ["$.meetings[0].date.accept[1]: '13/07/2021' is no EDTF date, such as 2020-07-20 or XXXX-07-20"],
        ),
        (
            "stances.0.holders.0.country",
            "XX",
            ["$.stances[0].holders[0].country: 'XX' is no country of ISO 3166-1 (two letters), nor EU or UN"],
        ),
        (
            "meetings.0.place.country",
            "UK",
            ["$.meetings[0].place.country: 'UK' is no country of ISO 3166-1 (two letters), nor EU or UN"],
        ),
        (
            "meetings.0.evidence",
            [],
            ["$.meetings[0].evidence: 1 to 4 pieces, got 0"],
        ),
        (
            "stances.0.evidence",
            [{"quote": "المعابر"}] * 4,
            ["$.stances[0].evidence: 1 to 3 pieces, got 4"],
        ),
        (
            "stances.0.proposition",
            "كلمة " * 31,
            ["$.stances[0].proposition: at most 30 words, got 31"],
        ),
        (
            "meetings.0.participants",
            [MINISTER | {"capacity": "principal"}],
            ["$.meetings[0].participants: needs 2 when held, got 1"],
        ),
        (
            "meetings.0.participants",
            [MINISTER | {"capacity": "host"}, COLLEAGUE | {"capacity": "attendee"}],
            ["$.meetings[0].participants: none is a principal, and only principals say which meeting it is"],
        ),
    ],
)
def test_a_problem_is_told_with_its_path(path: str, value: Any, expected: list[str]) -> None:
    assert problems(path, value) == expected


def test_a_quote_that_is_not_verbatim_is_told_where_it_leaves_the_article() -> None:
    """The article has a shadda."""
    (problem,) = problems("stances.0.evidence.0.quote", "ورحبت المنقوش بإعادة فتح المعابر.")
    assert problem.startswith("$.stances[0].evidence[0].quote: not in the article letter by letter: agrees up to 'ورح'")


def test_a_quote_has_at_most_400_characters() -> None:
    labels = parse(changed("stances.0.evidence.0.quote", "أكد " * 101))
    (problem,) = check(labels, ARTICLE + "أكد " * 101)
    assert problem == "$.stances[0].evidence[0].quote: at most 400 characters, got 404: quote the clause that says it"


@pytest.mark.parametrize(
    ("kind", "status"), [("session", "held"), ("visit", "held"), ("talks", "planned"), ("talks", "denied")]
)
def test_one_participant_will_do_for_a_sitting_a_visit_and_what_did_not_take_place(kind: str, status: str) -> None:
    labels = json.loads(changed("meetings.0.participants", [MINISTER | {"capacity": "principal"}]))
    labels["meetings"][0] |= {"kind": kind, "status": status}
    assert check(parse(json.dumps(labels)), ARTICLE) == []


@pytest.mark.parametrize("code", ["EU", "UN", "PS"])
def test_the_contract_knows_two_codes_beyond_iso(code: str) -> None:
    assert problems("stances.0.holders.0.country", code) == []


def test_no_records_are_labels_too() -> None:
    labels = json.loads(changed("meetings", []))
    labels["stances"] = []
    assert check(parse(json.dumps(labels)), ARTICLE) == []


def test_a_file_is_named_in_its_error(tmp_path: Path) -> None:
    file = tmp_path / "example.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(LabelError, match=r"example\.json: \$\.document_id: is missing"):
        read(file)


def test_labels_as_an_extraction_have_offsets() -> None:
    extraction = as_extraction(parse(json.dumps(LABELS)), ARTICLE)
    (piece,) = extraction.stances[0].evidence
    assert ARTICLE[piece.start : piece.end] == piece.quote
    assert extraction.meetings[0].format == "bilateral"


def test_labels_of_another_article_are_no_extraction() -> None:
    with pytest.raises(LabelError, match="not in the article"):
        as_extraction(Labels.model_validate_json(json.dumps(LABELS)), "نص آخر")


@pytest.mark.parametrize(
    "value",
    [
        *("2020-07-20", "2020-07", "2020", "XXXX-07-20", "XXXX-02-29", "2020-02-29", "XXXX-07"),
        *("2020-07-20/2020-07-22", "2020-07/2020-09", "XXXX-07-20/XXXX-07-22", "2020-07-XX"),
    ],
)
def test_dates_of_the_contract_are_edtf(value: str) -> None:
    assert edtf.parse(value) is not None


@pytest.mark.parametrize(
    "value",
    [
        *("", "20-07-2020", "2020-7-20", "2020-13", "2021-02-29", "2020-00-10", "XXXX", "XXXX-XX-20", "2020-XX-20"),
        *("2020-07-22/2020-07-20", "2020-07-20/2020-07-20", "2020/XXXX-07", "2020-07-20/", "2020/2021/2022", "أمس"),
    ],
)
def test_other_texts_and_impossible_days_are_not(value: str) -> None:
    assert edtf.parse(value) is None


@pytest.mark.parametrize(
    ("wide", "narrow", "coarser"),
    [
        ("2020-07", "2020-07-20", True),
        ("2020", "2020-07-20", True),
        ("XXXX-07-20", "2020-07-20", True),
        ("2020-07-20/2020-07-22", "2020-07-21", True),
        ("2020-07", "2020-07-20/2020-07-22", True),
        ("2020-07/2020-08", "2020-07-20/2020-07-22", True),
        ("XXXX-07-20/XXXX-07-22", "2020-07-21", True),
        ("2020-07-20", "2020-07-20", False),
        ("2020-07-XX", "2020-07", False),
        ("2020-07-20", "2020-07", False),
        ("2020-07-20", "XXXX-07-20", False),
        ("2020-07-20/2020-07-22", "XXXX-07-21", False),
        ("2020-07-20/2020-07-22", "2020-07-23", False),
        ("2020-07-20/2020-07-22", "2020-07", False),
        ("2020-08", "2020-07-20", False),
        ("2021", "2020-07-20", False),
        ("XXXX-07", "2020-07-20/2020-08-02", False),
        ("أمس", "2020-07-20", False),
    ],
)
def test_coarser_says_less_and_contradicts_nothing(wide: str, narrow: str, *, coarser: bool) -> None:
    assert edtf.is_coarser(wide, narrow) is coarser
