"""Linking: one id for one actor and one meeting over all articles, what stays two, corrections, later runs, scores."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from mahdar.cli.app import main

LAVROV: Final = {"name": "سيرغي لافروف", "type": "person", "role": "وزير الخارجية الروسي", "country": "RU"}
SHOUKRY: Final = {"name": "سامح شكري", "type": "person", "role": "وزير الخارجية المصري", "country": "EG"}
EGYPT: Final = {"name": "مصر", "type": "country", "country": "EG"}


def person(name: str, role: str | None = None, country: str | None = None) -> dict[str, Any]:
    return {"name": name, "type": "person", "role": role, "country": country}


def office(name: str, country: str) -> dict[str, Any]:
    return {"name": name, "type": "role", "role": name, "country": country}


def body(name: str, country: str | None = None, type_: str = "organization") -> dict[str, Any]:
    return {"name": name, "type": type_, "country": country}


def meeting(*principals: dict[str, Any], **fields: Any) -> dict[str, Any]:
    told = {"kind": "talks", "channel": "in_person", "status": "held", "topics": [], "outcomes": [], "place": None}
    day = fields.pop("day", None)
    quote = fields.pop("quote", None) or "، ".join(one["name"] for one in principals)
    return {
        **told,
        "date": {"text": day, "value": day, "resolution": "explicit"} if day else None,
        "participants": [{"capacity": "principal", **one} for one in principals],
        "evidence": [{"quote": quote, "start": 0, "end": len(quote), "match": "exact"}],
        "attribution": [],
        **fields,
    }


def article(
    id_: str, published_at: str | None, *meetings: dict[str, Any], stances: Iterable[Any] = ()
) -> dict[str, Any]:
    return {
        "document_id": id_,
        "text_sha256": hashlib.sha256(id_.encode()).hexdigest(),
        "language": "ar",
        "published_at": published_at,
        "meetings": [{"id": f"m{number}", **one} for number, one in enumerate(meetings, 1)],
        "stances": [*stances],
        "rejected": [],
        "provenance": {},
    }


class Desk:
    """A folder of linked records, and the command that fills it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.said = ""

    def link(self, *articles: dict[str, Any], corrections: str = "", name: str = "records.jsonl") -> int:
        records = self.folder / name
        records.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in articles), encoding="utf-8")
        options: list[str] = []
        if corrections:
            table = self.folder / "mine.csv"
            table.write_text(corrections, encoding="utf-8")
            options = ["--corrections", str(table)]
        try:
            main(["link", str(records), "-o", str(self.folder / "linked"), *options])
        except SystemExit as end:
            self.said = self._capsys.readouterr().err
            return int(end.code or 0)
        return 0

    def lines(self, name: str) -> list[dict[str, Any]]:
        text = (self.folder / "linked" / name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def ids(self) -> dict[tuple[str, str], str]:
        return {
            (line["document_id"], party["name"]): party["actor_id"]
            for line in self.lines("records.jsonl")
            for one in line["meetings"]
            for party in one["participants"]
        }

    def events(self) -> dict[str, str]:
        return {
            f"{line['document_id']}/{one['id']}": one["event_id"]
            for line in self.lines("records.jsonl")
            for one in line["meetings"]
        }

    def review(self) -> list[dict[str, str]]:
        with (self.folder / "linked" / "review.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


ONE: Final = [
    (LAVROV, person("سيرجي لافروف", "وزير خارجية روسيا", "RU")),
    (LAVROV, person("Sergey Lavrov", "Russian Foreign Minister", "RU")),
    (LAVROV, person("لافروف", None, "RU")),
    (LAVROV, office("وزير الخارجية الروسي", "RU")),
    (person("أنتوني بلينكن", None, "US"), person("أنطوني بلينكن", "كاتب الدولة الأمريكي", "US")),
    (person("عبد الله اللافي", None, "LY"), person("عبدالله لافي", None, "LY")),
    (person("فتحي باشاغا", "وزير الداخلية المفوض", "LY"), person("باشاغا", "وزير الداخلية", "LY")),
    (person("محمد بن زايد آل نهيان", None, "AE"), person("محمد بن زايد", "رئيس دولة الإمارات", "AE")),
    (person("هاكان فيدان", "رئيس جهاز المخابرات التركي", "TR"), person("هاكان فيدان", "وزير الخارجية التركي", "TR")),
    (person("رمطان لعمامرة", "وزير الخارجية الجزائري", "DZ"), person("رمطان لعمامرة", "المبعوث الأممي", "UN")),
    (person("بايرون كاميليري", "وزير الداخلية المالطي", "MT"), office("وزير الداخلية المالطي", "MT")),
    (EGYPT, body("القاهرة", "EG", "country")),
    (body("روسيا", "RU", "country"), body("الجانب الروسي", "RU", "country")),
    (body("السعودية", "SA", "country"), body("المملكة", "SA", "country")),
    (body("حلف شمال الأطلسي"), body("NATO")),
    (body("حركة حماس", "PS"), body("حماس", "PS")),
    (body("وزارة الخارجية المصرية", "EG"), body("وزارة الخارجية", "EG")),
    (body("الشعب الليبي", "LY", "people"), body("Libyan people", "LY", "people")),
]
TWO: Final = [
    (person("محمد بن سلمان", None, "SA"), person("سلمان بن عبد العزيز", None, "SA")),
    (person("محمد بن سلمان", None, "SA"), person("خالد بن سلمان", None, "SA")),
    (person("جوزيف عون", "قائد الجيش", "LB"), person("ميشال عون", "الرئيس اللبناني", "LB")),
    (person("علي عبد الله صالح", None, "YE"), person("أحمد علي عبد الله صالح", None, "YE")),
    (person("جورج بوش الأب", None, "US"), person("جورج بوش الابن", None, "US")),
    (person("أحمد علي", None, "EG"), person("أحمد علي", None, "YE")),
    (person("ستيفاني وليامز", None, "UN"), person("ستيفاني خوري", None, "UN")),
    (office("وزير الخارجية المصري", "EG"), office("وزير الخارجية الليبي", "LY")),
    (office("السفير الأمريكي", "US"), office("السفير الأمريكي", "US")),
    (LAVROV, office("نائب وزير الخارجية الروسي", "RU")),
    (LAVROV, person("لافروف", "رئيس الاتحاد الروسي للشطرنج", "RU")),
    (body("وزارة الداخلية", "LY"), body("وزارة الداخلية", "TN")),
    (body("الحكومة المصرية", "EG", "government"), EGYPT),
    (body("الوفد الليبي", "LY", "delegation"), body("الوفد الليبي", "LY", "delegation")),
    (body("الكونغو الديمقراطية", "CD", "country"), body("الكونغو برازافيل", "CG", "country")),
]


@pytest.mark.parametrize(("a", "b"), ONE, ids=lambda one: one["name"])
def test_one_actor(desk: Desk, a: dict[str, Any], b: dict[str, Any]) -> None:
    assert (
        desk.link(article("1", "2023-05-01", meeting(a, EGYPT)), article("2", "2023-05-03", meeting(b, SHOUKRY))) == 0
    )

    ids = desk.ids()
    assert ids["1", a["name"]] == ids["2", b["name"]]


@pytest.mark.parametrize(("a", "b"), TWO, ids=lambda one: one["name"])
def test_two_actors(desk: Desk, a: dict[str, Any], b: dict[str, Any]) -> None:
    other = body("تركيا", "TR", "country")
    assert (
        desk.link(article("1", "2023-05-01", meeting(a, other)), article("2", "2023-05-03", meeting(b, SHOUKRY))) == 0
    )

    ids = desk.ids()
    assert ids["1", a["name"]] != ids["2", b["name"]]


def test_a_surname_that_two_bear_is_neither_and_is_listed(desk: Desk) -> None:
    joseph, michel = person("جوزيف عون", None, "LB"), person("ميشال عون", None, "LB")
    desk.link(
        article("1", "2022-01-01", meeting(joseph, EGYPT)),
        article("2", "2022-01-01", meeting(michel, EGYPT)),
        article("3", "2022-01-01", meeting(person("عون", None, "LB"), EGYPT)),
    )

    assert len(set(desk.ids().values())) == 4
    assert {(row["a_name"], row["b_name"], row["against"]) for row in desk.review()} == {
        ("جوزيف عون", "عون", "2 actors bear the name"),
        ("ميشال عون", "عون", "2 actors bear the name"),
    }


def test_two_whom_one_article_tells_apart_stay_two(desk: Desk) -> None:
    full, short = person("محمد أحمد الصباح", None, "KW"), person("محمد الصباح", None, "KW")
    desk.link(article("1", "2022-01-01", meeting(full, short)), article("2", "2022-02-01", meeting(short, EGYPT)))

    ids = desk.ids()
    assert ids["1", "محمد أحمد الصباح"] != ids["1", "محمد الصباح"] == ids["2", "محمد الصباح"]


def test_an_office_long_before_its_holder_is_nobody_yet(desk: Desk) -> None:
    role = office("وزير الداخلية المالطي", "MT")
    camilleri = person("بايرون كاميليري", "وزير الداخلية المالطي", "MT")
    desk.link(article("1", "2012-01-01", meeting(role, EGYPT)), article("2", "2020-07-21", meeting(camilleri, EGYPT)))

    assert len(set(desk.ids().values())) == 3
    assert [row["against"] for row in desk.review()] == ["not known to hold it about then"]


def test_an_actor_is_told_with_its_forms_offices_and_reasons(desk: Desk) -> None:
    head = person("هاكان فيدان", "رئيس جهاز المخابرات التركي", "TR")
    minister = person("حاكان فيدان", "وزير الخارجية التركي", "TR")
    desk.link(article("1", "2021-03-04", meeting(head, EGYPT)), article("2", "2023-09-08", meeting(minister, EGYPT)))

    fidan = next(one for one in desk.lines("actors.jsonl") if "فيدان" in one["name"])
    assert fidan["names"] == [{"name": "حاكان فيدان", "articles": 1}, {"name": "هاكان فيدان", "articles": 1}]
    assert fidan["offices"] == [
        {"role": "رئيس جهاز المخابرات التركي", "first": "2021-03-04", "last": "2021-03-04", "articles": 1},
        {"role": "وزير الخارجية التركي", "first": "2023-09-08", "last": "2023-09-08", "articles": 1},
    ]
    assert (fidan["countries"], fidan["articles"], fidan["n_articles"]) == (["TR"], ["1", "2"], 2)
    assert [one["reasons"] for one in fidan["why"]] == [["name: another spelling", "country: TR"]]


TALKS: Final = {"day": "2023-01-31", "place": {"city": "موسكو", "country": "RU"}}


@pytest.mark.parametrize(
    ("a", "b", "one"),
    [
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(SHOUKRY, LAVROV, **TALKS), True),
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(LAVROV, SHOUKRY), True),
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(LAVROV, EGYPT, **TALKS), True),
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(LAVROV, office("وزير الخارجية المصري", "EG"), **TALKS), True),
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(LAVROV, SHOUKRY, kind="summit", **TALKS), True),
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(LAVROV, SHOUKRY, day="2023-01-28"), False),
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(LAVROV, SHOUKRY, channel="phone", day="2023-01-31"), False),
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(LAVROV, SHOUKRY, status="planned", **TALKS), False),
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(LAVROV, SHOUKRY, kind="press_conference", **TALKS), False),
        (meeting(LAVROV, SHOUKRY, **TALKS), meeting(LAVROV, person("أيمن الصفدي", None, "JO"), **TALKS), False),
    ],
)
def test_one_meeting_or_two(desk: Desk, a: dict[str, Any], b: dict[str, Any], *, one: bool) -> None:
    desk.link(article("1", "2023-01-31", a), article("2", "2023-02-01", b))

    events = desk.events()
    assert (events["1/m1"] == events["2/m1"]) is one


def test_a_meeting_keeps_what_its_articles_contradict(desk: Desk) -> None:
    topics = [{"text": "سوريا", "code": "regional_international"}]
    cairo = {"place": {"city": "القاهرة", "country": "EG"}, "topics": topics}
    desk.link(
        article("1", "2023-01-31", meeting(LAVROV, SHOUKRY, day="2023-01-31", **cairo)),
        article("2", "2023-02-01", meeting(LAVROV, SHOUKRY, day="2023-01-31", **cairo)),
        article("3", "2023-02-01", meeting(LAVROV, SHOUKRY, day="2023-02-01", **cairo)),
    )

    (event,) = desk.lines("events.jsonl")
    assert (event["date"]["value"], event["n_articles"], event["n_independent"]) == ("2023-01-31", 3, 3)
    assert event["contradictions"] == [
        {
            "field": "day",
            "values": [
                {"value": "2023-01-31", "articles": ["1", "2"]},
                {"value": "2023-02-01", "articles": ["3"]},
            ],
        }
    ]


def test_a_wire_text_under_two_names_counts_once(desk: Desk) -> None:
    text = (
        "بحث وزير الخارجية الروسي سيرغي لافروف مع نظيره المصري سامح شكري في موسكو سبل تسوية الأزمة السورية وأمن "
        "الملاحة في البحر الأحمر وزيادة التبادل التجاري بين البلدين خلال العام المقبل"
    )
    copy = text.replace("خلال العام المقبل", "العام المقبل")
    desk.link(
        article("wire", "2023-01-31", meeting(LAVROV, SHOUKRY, quote=text, **TALKS)),
        article("paper", "2023-02-01", meeting(LAVROV, SHOUKRY, quote=copy, **TALKS)),
        article("other", "2023-02-01", meeting(LAVROV, SHOUKRY, quote="التقى لافروف نظيره شكري.", **TALKS)),
    )

    (event,) = desk.lines("events.jsonl")
    assert (event["n_articles"], event["n_independent"]) == (3, 2)
    assert {one["article_id"]: one["copy_of"] for one in event["sources"]} == {
        "wire": None,
        "paper": "wire",
        "other": None,
    }
    assert "3 articles, 1 near-duplicate among them" in desk.said


def test_a_later_run_keeps_every_id(desk: Desk) -> None:
    first = article("b", "2023-01-31", meeting(LAVROV, SHOUKRY, **TALKS))
    desk.link(first)
    ids, events = desk.ids(), desk.events()

    other = person("سيرجي لافروف", "وزير الخارجية الروسي", "RU")
    desk.link(article("a", "2023-02-01", meeting(other, SHOUKRY, **TALKS), meeting(other, EGYPT)), name="later.jsonl")

    now = desk.ids()
    assert ids.items() <= now.items()
    assert events.items() <= desk.events().items()
    assert now["a", "سيرجي لافروف"] == ids["b", "سيرغي لافروف"] == "A1"
    assert now["a", "مصر"] == "A3"
    assert desk.events()["a/m1"] == events["b/m1"] == "E1"
    assert desk.events()["a/m2"] == "E2"


def test_an_article_that_is_given_again_is_no_second_one(desk: Desk) -> None:
    first = article("1", "2023-01-31", meeting(LAVROV, SHOUKRY, **TALKS))
    desk.link(first)
    before = desk.lines("records.jsonl")
    desk.link(first)

    assert desk.lines("records.jsonl") == before


def test_an_article_that_stands_twice_in_the_files_is_named(desk: Desk) -> None:
    once = article("a", "2021-04-01", meeting(SHOUKRY, LAVROV, day="2021-04-01"))
    again = article("a", "2021-04-01", meeting(EGYPT, LAVROV, day="2021-04-01"))
    assert desk.link(once, again) == 0
    assert desk.said.startswith("1 article in the files again, first records kept: a\n")
    assert [len(line["meetings"]) for line in desk.lines("records.jsonl")] == [1]
    assert {name for _, name in desk.ids()} == {"سامح شكري", "سيرغي لافروف"}


def test_what_a_person_corrects_the_next_run_obeys(desk: Desk) -> None:
    bushes = (
        article("1991", "1991-04-01", meeting(person("جورج بوش", "الرئيس الأمريكي", "US"), EGYPT)),
        article("2001", "2001-04-01", meeting(person("جورج بوش", "الرئيس الأمريكي", "US"), EGYPT)),
        article("2003", "2003-04-01", meeting(person("بوش", None, "US"), EGYPT)),
    )
    desk.link(*bushes)
    assert len({id_ for (_, name), id_ in desk.ids().items() if "بوش" in name}) == 1

    desk.link(
        *bushes,
        corrections="decision,a,a_name,a_country,a_article,b,b_name,b_country,b_article\n"
        "apart,,جورج بوش,,1991,,جورج بوش,,2001\n"
        "same,,بوش,US,,,جورج بوش,,2001\n"
        "id,,جورج بوش,,2001,Q207,,,\n",
    )

    ids = desk.ids()
    assert ids["1991", "جورج بوش"] == "A1"
    assert ids["2001", "جورج بوش"] == ids["2003", "بوش"] == "Q207"


def test_mentions_of_an_office_between_two_holders_stay_apart(desk: Desk) -> None:
    desk.link(
        article("1", "2020-12-20", meeting(person("دونالد ترامب", "الرئيس الأمريكي", "US"), EGYPT)),
        article("2", "2021-01-10", meeting(office("الرئيس الأمريكي", "US"), LAVROV)),
        article("3", "2021-01-25", meeting(office("الرئيس الأمريكي", "US"), SHOUKRY)),
        article("4", "2021-02-01", meeting(person("جو بايدن", "الرئيس الأمريكي", "US"), EGYPT)),
    )
    ids = desk.ids()
    assert ids["2", "الرئيس الأمريكي"] != ids["3", "الرئيس الأمريكي"]


@pytest.mark.parametrize(
    ("one", "other", "ids"),
    [
        (("وزير الصحة", "EG"), ("وزير الدفاع", "EG"), 2),
        (("وزير الصحة", "EG"), ("وزير الصحة المصري", "EG"), 1),
        ((None, None), (None, None), 2),
        ((None, "EG"), ("وزير الصحة", "EG"), 1),
    ],
    ids=["other offices", "one office", "nothing but the name", "no office told"],
)
def test_a_common_name_needs_more_to_be_one_person(
    desk: Desk, one: tuple[str | None, str | None], other: tuple[str | None, str | None], ids: int
) -> None:
    desk.link(
        article("1", "2024-02-05", meeting(person("محمد أحمد", *one), LAVROV)),
        article("2", "2024-03-09", meeting(person("محمد أحمد", *other), SHOUKRY)),
    )
    assert len({id_ for (_, name), id_ in desk.ids().items() if name == "محمد أحمد"}) == ids


NEW_ID: Final = "decision,a,a_name,a_country,a_article,b,b_name,b_country,b_article\nid,,سامح شكري,,,{},,,\n"


def test_no_correction_gives_two_actors_one_id(desk: Desk) -> None:
    met = article("1", "2020-01-01", meeting(LAVROV, SHOUKRY))
    assert desk.link(met, corrections=NEW_ID.format("A1")) == 0  # not another's yet, and none is given it
    assert sorted(desk.ids().values()) == ["A1", "A2"]

    assert desk.link(met, corrections=NEW_ID.format("A2")) == 2
    assert "'سيرغي لافروف' and 'سامح شكري' would both have the id A2" in desk.said
    assert desk.ids()["1", "سامح شكري"] == "A1"

    assert desk.link(met, corrections=NEW_ID.format("A²")) == 0
    assert desk.ids() == {("1", "سيرغي لافروف"): "A2", ("1", "سامح شكري"): "A²"}


def test_an_id_is_never_given_again_though_no_record_of_its_actor_is_left(desk: Desk) -> None:
    desk.link(article("1", "2020-01-01", meeting(LAVROV, EGYPT)), article("2", "2020-03-02", meeting(SHOUKRY, LAVROV)))
    former = desk.ids()["2", "سامح شكري"]
    desk.link(article("2", "2020-03-02"))
    desk.link(article("3", "2020-05-01", meeting(person("بدر البوسعيدي", "وزير الخارجية العماني", "OM"), EGYPT)))
    assert former not in desk.ids().values()
    assert desk.events()["3/m1"] == "E3"


def test_ids_of_another_folder_are_refused(desk: Desk) -> None:
    desk.link(article("1", "2020-01-01", meeting(SHOUKRY, EGYPT)))
    strange = meeting({**LAVROV, "actor_id": "A1"}, EGYPT)
    assert desk.link(article("2", "2020-01-02", strange)) == 2
    assert "records.jsonl:1: has ids of another `mahdar link`" in desk.said
    assert list(desk.ids()) == [("1", "سامح شكري"), ("1", "مصر")]


@pytest.mark.parametrize(
    "changed",
    [
        {"published_at": 5},
        {"meetings": [{"id": "m1", **meeting(LAVROV, EGYPT), "date": "الأحد"}]},
        {"meetings": [{"id": "m1", **meeting(LAVROV, EGYPT), "date": {"value": 5}}]},
        {"meetings": [{"id": "m1", **meeting(LAVROV, EGYPT), "place": ["القاهرة"]}]},
        {"meetings": [{"id": "m1", **meeting(LAVROV, EGYPT), "topics": ["trade"]}]},
        {"meetings": [{"id": "m1", **meeting(LAVROV, EGYPT), "kind": 5}]},
        {"meetings": [{"id": "m1", **meeting(LAVROV, EGYPT), "event_id": 5}]},
        {"meetings": [{"id": "m1", **meeting({**LAVROV, "role": ["وزير"]}, EGYPT)}]},
        {"meetings": [{"id": "m1", **meeting({**LAVROV, "actor_id": 5}, EGYPT)}]},
        {"meetings": [{"id": "m1", **meeting({**LAVROV, "name": "\ud800"}, EGYPT)}]},
    ],
)
def test_a_line_with_a_value_of_another_type_is_refused(desk: Desk, changed: dict[str, Any]) -> None:
    line = {**article("1", "2020-01-01", meeting(LAVROV, EGYPT)), **changed}
    (desk.folder / "odd.jsonl").write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(["link", str(desk.folder / "odd.jsonl"), "-o", str(desk.folder / "linked")])
    assert end.value.code == 2
    assert not (desk.folder / "linked" / "records.jsonl").exists()


def test_an_answered_review_is_a_table_of_corrections(desk: Desk) -> None:
    role = office("وزير الداخلية المالطي", "MT")
    camilleri = person("بايرون كاميليري", "وزير الداخلية المالطي", "MT")
    articles = (
        article("1", "2012-01-01", meeting(role, EGYPT)),
        article("2", "2020-07-21", meeting(camilleri, EGYPT)),
    )
    desk.link(*articles)
    review = (desk.folder / "linked" / "review.csv").read_text(encoding="utf-8")
    header, row = review.splitlines()
    desk.link(*articles, corrections=f"{header}\nsame{row}\n")

    ids = desk.ids()
    assert ids["1", "وزير الداخلية المالطي"] == ids["2", "بايرون كاميليري"] == "A1"
    camilleri_line = next(one for one in desk.lines("actors.jsonl") if one["actor_id"] == "A1")
    assert camilleri_line["name"] == "بايرون كاميليري"
    assert camilleri_line["former_ids"] == ["A3"]
    assert desk.review() == []

    desk.link(*articles)
    assert desk.ids() == ids


HEADER: Final = "decision,a,a_name,a_country,a_article,b,b_name,b_country,b_article\n"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("decision,who\nsame,x\n", "no column a_name"),
        (HEADER + "merge,,سامح شكري,,,,مصر,,\n", "decision 'merge': say same, apart or id"),
        (HEADER + "same,,سامح شكري,,,,,,\n", "mine.csv:2: nobody on one side"),
        (HEADER + "apart,,سامح شكري,,,,سامح شكري,,\n", "is on both sides"),
        (HEADER + "same,A1,مصر,,,,سامح شكري,,\n", "A1 is not 'مصر' here"),
        (
            HEADER + "apart,,سامح شكري,,,,سيرغي لافروف,,\nsame,,سامح شكري,,,,سيرغي لافروف,,\n",
            "are to be one here, and apart in another row",
        ),
    ],
)
def test_a_correction_that_cannot_be_obeyed_is_named(desk: Desk, table: str, said: str) -> None:
    first = article("1", "2023-01-31", meeting(LAVROV, SHOUKRY, **TALKS))
    desk.link(first)
    before = desk.lines("records.jsonl")

    assert desk.link(first, corrections=table) == 2
    assert said in desk.said
    assert desk.said.count("\n") == 1
    assert desk.lines("records.jsonl") == before


def test_a_correction_that_names_nobody_here_is_told(desk: Desk) -> None:
    first = article("1", "2023-01-31", meeting(LAVROV, SHOUKRY, **TALKS))
    assert desk.link(first, corrections=HEADER + "same,,سامح شكري,,,,شكري سامح,,\n") == 0
    assert "mine.csv:2: names nobody in these articles" in desk.said


def test_the_order_of_the_articles_changes_no_id(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    articles = [article(str(n), "2023-05-01", meeting(a, SHOUKRY)) for n, (a, _) in enumerate(ONE, 10)]
    desk.link(*articles)
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other", capsys)
    other.link(*reversed(articles))

    assert other.ids() == desk.ids()
    assert other.lines("actors.jsonl") == desk.lines("actors.jsonl")


def test_the_seed_of_hashes_changes_no_byte(tmp_path: Path) -> None:
    minister = person("سامح شكري", "وزير الخارجية المصري ورئيس مؤتمر المناخ", "EG")
    russian = person("سيرغي لافروف", "وزير الخارجية الروسي", "RU")
    lines = [
        article("a", "2022-11-01", meeting(minister, russian, day="2022-11-01")),
        article(
            "b", "2022-11-02", meeting(SHOUKRY, person("سيرجي لافروف", "وزير خارجية روسيا", "RU"), day="2022-11-01")
        ),
        article("c", "2022-11-03", meeting(office("وزير الخارجية المصري", "EG"), LAVROV, day="2022-11-03")),
    ]
    records = tmp_path / "records.jsonl"
    records.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    written = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        command = [sys.executable, "-m", "mahdar.cli.app", "link", str(records), "-o", str(out)]
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True)
        written.append({file.name: file.read_bytes() for file in sorted(out.iterdir()) if file.is_file()})
    assert written[0] == written[1]


def test_every_actor_of_a_record_has_its_id(desk: Desk) -> None:
    quote = {"quote": "x", "start": 0, "end": 1, "match": "exact"}
    stance = {
        "id": "s1",
        "holders": [{"name": "شكري", "type": "person", "country": "EG"}],
        "target": {"text": "موقف روسيا", "actor": body("موسكو", "RU", "country")},
        "evidence": [quote],
    }
    line = article("1", "2023-01-31", meeting(LAVROV, SHOUKRY, **TALKS), stances=[stance])
    line["more"] = {"agreements": [{"id": "a1", "parties": [LAVROV], "evidence": [quote]}]}
    line["kept"] = {"url": "https://example.org/1"}
    desk.link(line)

    (linked,) = desk.lines("records.jsonl")
    assert linked["stances"][0]["holders"][0]["actor_id"] == "A3"
    assert linked["stances"][0]["target"]["actor"]["actor_id"] == "A4"
    assert linked["more"]["agreements"][0]["parties"][0]["actor_id"] == "A1"
    assert linked["kept"] == {"url": "https://example.org/1"}


def test_a_cell_that_a_spreadsheet_would_compute_is_disarmed(desk: Desk) -> None:
    desk.link(article("1", "2023-01-31", meeting(person('=HYPERLINK("http://x")', None, "US"), EGYPT)))

    text = (desk.folder / "linked" / "actors.csv").read_text(encoding="utf-8")
    assert "'=HYPERLINK" in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[]", "no JSON object on this line"),
        ('{"document_id": "1"}', "records.jsonl:1: no extraction"),
        (json.dumps(article("1", "yesterday")), "$.published_at"),
        (json.dumps(article("1", None, {"kind": "talks", "participants": [EGYPT]})), "$.meetings[0].evidence"),
        (json.dumps(article("1", None, meeting(EGYPT, {"name": 5}, quote="x"))), "$.meetings[0].participants[1].name"),
    ],
)
def test_what_is_no_record_is_named(desk: Desk, line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    records = desk.folder / "records.jsonl"
    records.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(["link", str(records), "-o", str(desk.folder / "linked")])

    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert not (desk.folder / "linked" / "records.jsonl").exists()
