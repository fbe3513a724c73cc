"""Actors: who is mentioned in a text, under which name, office and country."""

import pytest

from mahdar.offline.actors import cast_of

TEXT = (
    "استقبل الرئيس المصري أنور السادات، الاثنين، وزير الخارجية الأمريكي سايروس فانس في القاهرة.\n"
    "وقال السادات إن الوزير سيعود، ونقلت وزارة الخارجية المصرية عن فانس شكره.\n"
)


def names(text: str) -> list[str]:
    cast = cast_of(text)
    return [cast.actor(mention).name for mention in cast.mentions]


@pytest.mark.parametrize(
    ("sentence", "office", "name"),
    [
        ("التقى وزير الدفاع الأردني زيد الرفاعي نظيره.", "وزير الدفاع الأردني", "زيد الرفاعي"),
        ("قال رئيس الوزراء الإسرائيلي، مناحيم بيغن، كلمته.", "رئيس الوزراء الإسرائيلي", "مناحيم بيغن"),
        ("وصل وزير الدفاع المصري “كمال حسن علي” أمس.", "وزير الدفاع المصري", "كمال حسن علي"),
        ("تحدث أندريه غروميكو، وزير الخارجية الروسي، طويلا.", "وزير الخارجية الروسي", "أندريه غروميكو"),
    ],
    ids=["right behind", "after a comma", "in quote marks", "before the office"],
)
def test_a_name_is_found_beside_its_office(sentence: str, office: str, name: str) -> None:
    mention = next(one for one in cast_of(sentence).mentions if one.kind == "person")
    assert (mention.office, mention.name) == (office, name)


def test_a_surname_alone_is_the_person_named_in_full_elsewhere() -> None:
    assert names(TEXT).count("أنور السادات") == 2
    assert names(TEXT).count("سايروس فانس") >= 2


def test_an_office_alone_is_whoever_had_it_before() -> None:
    cast = cast_of(TEXT)
    short = next(mention for mention in cast.mentions if mention.kind == "short")
    assert (short.text, cast.actor(short).name) == ("الوزير", "سايروس فانس")


def test_every_mention_stands_where_it_says() -> None:
    assert all(TEXT[one.start : one.end] == one.text for one in cast_of(TEXT).mentions)


def test_what_is_glued_before_a_name_is_no_part_of_it() -> None:
    cast = cast_of("التقى الرئيس السوري حافظ الأسد بالملك حسين ووزير الخارجية المصري محمود رياض.")
    assert [(one.particle, cast.actor(one).name) for one in cast.mentions] == [
        ("", "حافظ الأسد"),
        ("ب", "حسين"),
        ("و", "محمود رياض"),
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "أكد وزير الخارجية خلال اللقاء أهمية السلام.",
        "وزير الدفاع بأن بلاده جاهزة.",
        "شدد رئيس الوزراء على ضرورة الحوار.",
        "على سلامة الأراضي ووحدة البلاد.",
    ],
)
def test_ordinary_words_are_no_names(sentence: str) -> None:
    assert [one.name for one in cast_of(sentence).mentions if one.kind == "person"] == []


@pytest.mark.parametrize(
    ("sentence", "kind", "text"),
    [
        ("أعلنت وزارة الخارجية المصرية موقفها.", "body", "وزارة الخارجية المصرية"),
        ("وصل الوفد الإسرائيلي صباحا.", "delegation", "الوفد الإسرائيلي"),
        ("أكد الجانبان موقفهما.", "pair", "الجانبان"),
        ("دعم الشعب المصري الاتفاق.", "people", "الشعب المصري"),
        ("سافر إلى مصر.", "country", "مصر"),
    ],
)
def test_those_who_are_no_persons_are_found_by_their_heads(sentence: str, kind: str, text: str) -> None:
    assert (kind, text) in [(one.kind, one.text) for one in cast_of(sentence).mentions]


def test_a_country_adjective_alone_is_nobody() -> None:
    assert names("مبادرة مصرية برعاية أمريكية.") == []


def test_a_delegation_goes_by_its_fullest_name() -> None:
    assert names("وصل الوفد الأمني المصري.\nوغادر الوفد المصري.") == ["الوفد الأمني المصري"] * 2


def test_the_body_represented_is_read_from_the_office() -> None:
    (mention,) = [one for one in cast_of("قال رئيس المجلس الوطني الفلسطيني خالد الفاهوم كلمة.").mentions if one.office]
    assert (mention.organization, mention.country) == ("المجلس الوطني الفلسطيني", "PS")


def test_who_speaks_twice_is_somebody_though_never_named_in_full() -> None:
    once = "أوضح غروميكو أن الموقف ثابت."
    assert names(once) == []
    assert names(once + " كما شدد غروميكو على السلام.") == ["غروميكو", "غروميكو"]
