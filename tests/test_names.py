"""Names: spelling and shortening never make two persons of one, and nothing makes one person of two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mahdar.resolving.names import canonical, same_name, split_office, strip_titles
from mahdar.resolving.offices import Office, is_office, offices_in
from mahdar.schemas.records import Actor, Participant

# --- one person, or two

SAME = [
    # spelling
    ("عبد الله لافي", "عبدالله اللافي"),
    ("سيرغي لافروف", "سيرجي لافروف"),
    ("أنطوني بلينكن", "أنتوني بلينكن"),
    ("خميّس الجهيناوي", "خميس الجهيناوي"),
    ("محمد أبو بكر", "محمد أبوبكر"),
    ("محمد بن زايد آل نهيان", "محمد بن زايد ال نهيان"),
    ("موسى الكوني", "موسي الكونى"),
    ("Naftali Bennet", "Naftali Bennett"),
    ("Abdel Fattah al-Sisi", "Abdel Fattah El Sisi"),
    # titles and quote marks
    ("السيد فتحي باشاغا", "فتحي باشاغا"),
    ("“فتحي باشاغا”", "فتحي باشاغا"),
    ("المشير خليفة حفتر", "خليفة حفتر"),
    ("الأمير خالد بن سلمان", "خالد بن سلمان بن عبد العزيز"),
    ("الجنرال دو ديفزيون المختار بول شعبان", "المختار بول شعبان"),
    ("Mr. Sullivan", "Jake Sullivan"),
    ("وزير الخارجية الروسي سيرغي لافروف", "لافروف"),
    # short forms
    ("باشاغا", "فتحي باشاغا"),
    ("محمد المنفي", "محمد يونس المنفي"),
    ("خالد العطية", "خالد بن محمد العطية"),
    ("خالد بن سلمان", "خالد بن سلمان بن عبد العزيز"),
    ("بن زايد", "محمد بن زايد آل نهيان"),
    ("قائد السبسي", "الباجي قائد السبسي"),
    ("السبسي", "الباجي قائد السبسي"),
    ("عون", "ميشال عون"),
    ("Le Drian", "Jean-Yves Le Drian"),
    # offices
    ("وزير الخارجية الروسي", "وزير خارجية روسيا"),
    ("رئيس الوزراء اليوناني", "رئيس وزراء اليونان"),
    ("وزير الخارجية الأمريكي", "وزير الخارجية الأميركي"),
    ("وزير الشؤون الخارجية الجزائري", "وزير الخارجية الجزائري"),
    ("Russian Foreign Minister", "Foreign Minister of Russia"),
]
DIFFERENT = [
    # a given name shared, or alike
    ("محمد المنفي", "محمد أبوبكر"),
    ("محمد", "محمد المنفي"),
    ("أحمد معيتيق", "محمد معيتيق"),
    ("حسن نصر الله", "حسين نصر الله"),
    ("عمر الحكيم", "عمار الحكيم"),
    ("عبد اللطيف الزياني", "عبد الله الزياني"),
    ("Joe Biden", "Jill Biden"),
    # a surname shared, or alike
    ("بشار الأسد", "حافظ الأسد"),
    ("السراج", "الدراج"),
    # fathers and sons
    ("سلمان بن عبد العزيز", "محمد بن سلمان بن عبد العزيز"),
    ("معمر القذافي", "سيف الإسلام معمر القذافي"),
    ("زايد", "محمد بن زايد"),
    # offices
    ("وزير الداخلية المالطي", "وزير الداخلية الليبي"),
    ("الرئيس الصيني", "الرئيس الصربي"),
    ("وزير الخارجية النيجري", "وزير الخارجية النيجيري"),
    ("نائب وزير الخارجية", "وزير الخارجية"),
    ("وزيرة الخارجية الليبية", "وزير الخارجية الليبي"),
    ("وزير الداخلية المالطي", "بايرون كاميليري"),
    ("محافظ بنغازي", "محافظ طرابلس"),
    ("رئيس حكومة الوحدة الوطنية", "رئيس المجلس الرئاسي"),
    # sides
    ("الجانب الصيني", "الجانب الصربي"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_same(a: str, b: str) -> None:
    assert same_name(a, b)
    assert same_name(b, a)


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different(a: str, b: str) -> None:
    assert not same_name(a, b)
    assert not same_name(b, a)


@given(st.text(max_size=30), st.text(alphabet="محمدالبنعوزير ,.", max_size=30))
def test_sameness_has_no_direction(a: str, b: str) -> None:
    assert same_name(a, b) == same_name(b, a)


# --- titles

TITLES = [
    ("فتحي باشاغا", "فتحي باشاغا"),
    ("«فتحي باشاغا»", "فتحي باشاغا"),
    ("السيد فتحي باشاغا", "فتحي باشاغا"),
    ("السيد الرئيس محمد المنفي", "محمد المنفي"),
    ("معالي الدكتور أيمن الصفدي", "أيمن الصفدي"),
    ("د. محمد المنفي", "محمد المنفي"),
    ("م/ علي زيدان", "علي زيدان"),
    ("صاحب السمو الملكي الأمير محمد بن سلمان", "محمد بن سلمان"),
    ("المشير خليفة حفتر", "خليفة حفتر"),
    ("الفريق أول ركن محمد الحداد", "محمد الحداد"),
    ("اللواء المتقاعد خليفة حفتر", "خليفة حفتر"),
    ("الرئيس السيسي", "السيسي"),
    ("دولة الرئيس نجيب ميقاتي", "نجيب ميقاتي"),
    ("نظيره حسن روحاني", "حسن روحاني"),
    ("Dr. Eyal Hulata", "Eyal Hulata"),
    ("الرئيس الصيني", "الرئيس الصيني"),
    ("الرئيس", "الرئيس"),
    ("المشير", "المشير"),
    ("وزير الدفاع", "وزير الدفاع"),
    ("النائب العام", "النائب العام"),
    ("دولة قطر", "دولة قطر"),
    ("", ""),
]


@pytest.mark.parametrize(("name", "bare"), TITLES)
def test_titles_are_no_part_of_a_name_and_an_office_stays_whole(name: str, bare: str) -> None:
    assert strip_titles(name) == bare


# --- office and name

SPLIT = [
    ("وزير الخارجية الفرنسي جان إيف لودريان", "وزير الخارجية الفرنسي", "جان إيف لودريان"),
    ("وزير الخارجية الفرنسي، جان إيف لودريان", "وزير الخارجية الفرنسي", "جان إيف لودريان"),
    ("سيرغي لافروف، وزير الخارجية الروسي", "وزير الخارجية الروسي", "سيرغي لافروف"),
    ("وزير الدفاع التركي “خلوصي أكار”", "وزير الدفاع التركي", "خلوصي أكار"),
    ("وزير الداخلية المفوض “فتحي باشاغا”", "وزير الداخلية المفوض", "فتحي باشاغا"),
    (
        "وزير الأمن الوطني والداخلية المالطي بايرون كاميليري",
        "وزير الأمن الوطني والداخلية المالطي",
        "بايرون كاميليري",
    ),
    ("نائب رئيس المجلس الرئاسي الليبي عبد الله لافي", "نائب رئيس المجلس الرئاسي الليبي", "عبد الله لافي"),
    (
        "القائم بأعمال وزير خارجية حكومة الوحدة الوطنية نادر طاهر الباور",
        "القائم بأعمال وزير خارجية حكومة الوحدة الوطنية",
        "نادر طاهر الباور",
    ),
    (
        "نائب رئيس مجلس الوزراء وزير الدولة لشؤون الدفاع بدولة قطر خالد بن محمد العطية",
        "نائب رئيس مجلس الوزراء وزير الدولة لشؤون الدفاع بدولة قطر",
        "خالد بن محمد العطية",
    ),
    (
        "المفوض بوزارة الداخلية في حكومة الوفاق الوطني، فتحي باشاغا",
        "المفوض بوزارة الداخلية في حكومة الوفاق الوطني",
        "فتحي باشاغا",
    ),
    ("رئيس جهاز المخابرات عماد الطرابلسي", "رئيس جهاز المخابرات", "عماد الطرابلسي"),
    ("وكيل وزارة الدفاع الليبية صلاح النمروش", "وكيل وزارة الدفاع الليبية", "صلاح النمروش"),
    ("الرئيس الصيني شي جين بينج", "الرئيس الصيني", "شي جين بينج"),
    ("السفير المصري في ليبيا محمد أبوبكر مساعد وزير الخارجية المصري", "السفير المصري في ليبيا", "محمد أبوبكر"),
    (
        "أحمد معيتيق نائب رئيس مجلس الوزراء بحكومة الوفاق",
        "نائب رئيس مجلس الوزراء بحكومة الوفاق",
        "أحمد معيتيق",
    ),
    ("اللواء أيمن بديع وكيل عام جهاز المخابرات العامة", "وكيل عام جهاز المخابرات العامة", "أيمن بديع"),
    ("المشير خليفة حفتر", "المشير", "خليفة حفتر"),
    ("الرئيس السيسي", "الرئيس", "السيسي"),
    ("وزير الخارجية الروسي لافروف", "وزير الخارجية الروسي", "لافروف"),
    ("معالي وزير الخارجية أيمن الصفدي", "وزير الخارجية", "أيمن الصفدي"),
    ("أمير قطر الشيخ تميم بن حمد آل ثاني", "أمير قطر", "تميم بن حمد آل ثاني"),
    ("ولي العهد السعودي الأمير محمد بن سلمان", "ولي العهد السعودي", "محمد بن سلمان"),
    ("المرشد الأعلى للجمهورية الإسلامية علي خامنئي", "المرشد الأعلى للجمهورية الإسلامية", "علي خامنئي"),
    ("المتحدث باسم الكرملين دميتري بيسكوف", "المتحدث باسم الكرملين", "دميتري بيسكوف"),
    ("رئيس الوزراء علي زيدان", "رئيس الوزراء", "علي زيدان"),
    ("رئيسة الوزراء الإيطالية جورجيا ميلوني", "رئيسة الوزراء الإيطالية", "جورجيا ميلوني"),
    ("وزير الخارجية الإيراني حسين أمير عبد اللهيان", "وزير الخارجية الإيراني", "حسين أمير عبد اللهيان"),
    ("Israeli Prime Minister Naftali Bennet", "Israeli Prime Minister", "Naftali Bennet"),
    ("U.S. Secretary of State Antony Blinken", "U.S. Secretary of State", "Antony Blinken"),
    ("President Biden", "President", "Biden"),
    (
        "ministre français des Affaires étrangères Jean-Yves Le Drian",
        "ministre français des Affaires étrangères",
        "Jean-Yves Le Drian",
    ),
]
UNSPLIT = [
    "فتحي باشاغا",
    "وزير الداخلية المالطي",
    "الرئيس الصيني",
    "الباجي قائد السبسي",
    "حسين أمير عبد اللهيان",
    "عبد الملك الحوثي",
    "خالد بن سلمان بن عبد العزيز",
    "محمد المصري",
    # incomplete offices and words not known
    "وزير الخارجية لافروف",
    "وزير التخصصات طارق البعيد",
    "رئيس حزب العدالة والتنمية",
    "رئيس منظمة أطباء بلا حدود",
    "عميد بلدية زليتن",
    "سفير ليبيا لدى مالطا",
    "الرئيس التونسي المخلوع زين العابدين بن علي",
    "وفد برئاسة وزير الخارجية المصري",
    "وزارة الداخلية",
    "حركة حماس",
    "Prime Minister's Office",
    "Minister of Energy Transition John Smith",
    "",
]


@pytest.mark.parametrize(("given_name", "office", "name"), SPLIT)
def test_office_is_split_off_a_name(given_name: str, office: str, name: str) -> None:
    assert split_office(given_name) == (office, name)


@pytest.mark.parametrize("name", UNSPLIT)
def test_doubtful_border_leaves_a_name_whole(name: str) -> None:
    assert split_office(name) == (None, name)


def test_article_that_has_the_name_by_itself_decides() -> None:
    name = "الرئيس التونسي المخلوع زين العابدين بن علي"
    assert split_office(name, article=f"{name} وصل") == (None, name)
    assert split_office(name, article="الرئيس التونسي المخلوع، زين العابدين بن علي، وصل") == (
        "الرئيس التونسي المخلوع",
        "زين العابدين بن علي",
    )


# --- offices

OFFICES = [
    ("وزير الخارجية الروسي", [Office(("وزير", "خارجيه"), "RU")]),
    ("وزير خارجية روسيا", [Office(("وزير", "خارجيه"), "RU")]),
    ("رئيس المجلس الرئاسي الليبي", [Office(("رييس", "مجلس", "رياسي"), "LY")]),
    (
        "نائب رئيس مجلس الوزراء وزير الدولة لشؤون الدفاع بدولة قطر",
        [Office(("نايب", "رييس", "مجلس", "وزراء"), "QA"), Office(("وزير", "دوله", "دفاع"), "QA")],
    ),
    (
        "وكيل جهاز المخابرات المصرية ورئيس اللجنة المصرية",
        [Office(("وكيل", "جهاز", "مخابرات"), "EG"), Office(("رييس", "لجنه"), "EG")],
    ),
]


@pytest.mark.parametrize(("role", "offices"), OFFICES)
def test_offices_in_a_role(role: str, offices: list[Office]) -> None:
    assert list(offices_in(role)) == offices


def test_office_is_told_from_a_name_and_a_body() -> None:
    assert is_office("معالي وزير الخارجية")
    assert is_office("Israeli Prime Minister")
    assert not is_office("وزارة الخارجية")
    assert not is_office("أمير عبد اللهيان")


# --- one actor a person


def person(name: str, role: str | None = None, country: str | None = None, **more: str) -> Actor:
    return Actor(name=name, type="person", role=role, country=country, **more)


def office(name: str, country: str | None = None) -> Actor:
    return Actor(name=name, type="role", country=country)


def names(*actors: Actor) -> dict[str, str]:
    return {given_name: actor.name for given_name, actor in canonical(actors).items()}


MERGED = [
    (
        [person("فتحي باشاغا"), person("باشاغا"), person("السيد فتحي باشاغا"), person("“فتحي باشاغا”")],
        dict.fromkeys(("فتحي باشاغا", "باشاغا", "السيد فتحي باشاغا", "“فتحي باشاغا”"), "فتحي باشاغا"),
    ),
    (
        [person("عبد الله لافي"), person("عبدالله اللافي"), person("اللافي")],
        dict.fromkeys(("عبد الله لافي", "عبدالله اللافي", "اللافي"), "عبدالله اللافي"),
    ),
    (
        [person("محمد المنفي"), person("محمد يونس المنفي"), person("محمد أبوبكر")],
        {"محمد المنفي": "محمد يونس المنفي", "محمد يونس المنفي": "محمد يونس المنفي", "محمد أبوبكر": "محمد أبوبكر"},
    ),
    (
        [
            person("نادر طاهر الباور", "القائم بأعمال وزير خارجية حكومة الوحدة الوطنية"),
            person("طاهر الباعور", "المكلف بوزارة الخارجية بحكومة الوحدة الوطنية"),
        ],
        {"نادر طاهر الباور": "نادر طاهر الباور", "طاهر الباعور": "نادر طاهر الباور"},
    ),
    ([person("شي جين بينج", "الرئيس الصيني"), person("شي")], {"شي جين بينج": "شي جين بينج", "شي": "شي جين بينج"}),
    (
        [person("خلوصي أكار", "وزير الدفاع التركي"), office("وزير الدفاع التركي"), office("وزير دفاع تركيا")],
        dict.fromkeys(("خلوصي أكار", "وزير الدفاع التركي", "وزير دفاع تركيا"), "خلوصي أكار"),
    ),
    (
        [person("بايرون كاميليري", "وزير الأمن الوطني والداخلية المالطي"), office("وزير الداخلية المالطي")],
        {"بايرون كاميليري": "بايرون كاميليري", "وزير الداخلية المالطي": "بايرون كاميليري"},
    ),
    (
        [person("وزير الخارجية الروسي سيرغي لافروف"), person("لافروف"), office("وزير الخارجية", "RU")],
        dict.fromkeys(("وزير الخارجية الروسي سيرغي لافروف", "لافروف", "وزير الخارجية"), "سيرغي لافروف"),
    ),
]
APART = [
    # a short form that fits two persons, and one of another country
    [person("محمد المنفي"), person("أحمد المنفي"), person("المنفي")],
    [person("محمد المنفي", country="LY"), person("المنفي", country="TN")],
    # a father and his son, both by their full names
    [person("معمر القذافي", "الزعيم الليبي السابق"), person("سيف الإسلام معمر القذافي", "مرشح رئاسي")],
    # an office of two persons, a deputy's, a minister of state's, a head of something else, another country's
    [person("سامح شكري", "وزير الخارجية"), person("سيرغي لافروف", "وزير الخارجية"), office("وزير الخارجية")],
    [person("ميخائيل بوغدانوف", "نائب وزير الخارجية الروسي"), office("وزير الخارجية الروسي")],
    [person("سلطان المريخي", "وزير الدولة للشؤون الخارجية القطري"), office("وزير الخارجية القطري")],
    [person("إبراهيم قالن", "رئيس المخابرات التركية"), office("الرئيس التركي")],
    [person("بايرون كاميليري", "وزير الداخلية المالطي"), office("وزير الداخلية الليبي")],
    # two role phrases, two countries
    [office("وزير الداخلية المالطي"), office("وزير الداخلية الليبي")],
    [Actor(name="تركيا", type="country"), person("خلوصي أكار"), Actor(name="وزارة الدفاع", type="organization")],
]


@pytest.mark.parametrize(("actors", "expected"), MERGED)
def test_forms_of_one_actor_become_the_fullest(actors: list[Actor], expected: dict[str, str]) -> None:
    assert names(*actors) == expected


@pytest.mark.parametrize("actors", APART)
def test_actors_that_may_be_two_stay_two(actors: list[Actor]) -> None:
    assert names(*actors) == {actor.name: actor.name for actor in actors}


def test_merged_actor_has_the_fullest_role_and_what_any_form_states() -> None:
    actors = [
        person("باشاغا", "وزير الداخلية", None),
        person("فتحي باشاغا", "وزير الداخلية المفوض بحكومة الوفاق الوطني", "LY"),
        person("وزير الداخلية الليبي فتحي باشاغا", None, "LY", organization="وزارة الداخلية"),
    ]
    assert canonical(actors)["باشاغا"] == Actor(
        name="فتحي باشاغا",
        type="person",
        role="وزير الداخلية المفوض بحكومة الوفاق الوطني",
        organization="وزارة الداخلية",
        country="LY",
    )


def test_country_is_the_roles_before_the_majoritys() -> None:
    told = [
        person("خلوصي أكار", "وزير الدفاع التركي", "TR"),
        person("أكار", None, "TR"),
        person("خلوصي آكار", None, "LY"),
    ]
    assert canonical(told)["خلوصي آكار"].country == "TR"
    mostly = [person("أيمن بديع", None, "EG"), person("أيمن بديع", None, "LY"), person("أيمن بديع", None, "EG")]
    assert canonical(mostly)["أيمن بديع"].country == "EG"


def test_rank_is_the_role_of_who_has_no_other() -> None:
    assert canonical([person("المشير خليفة حفتر")])["المشير خليفة حفتر"].role == "المشير"


def test_office_without_a_holder_is_a_role_by_that_name() -> None:
    merged = canonical([person("وزير الداخلية المالطي", None, "MT")])["وزير الداخلية المالطي"]
    assert merged == Actor(name="وزير الداخلية المالطي", type="role", role="وزير الداخلية المالطي", country="MT")


def test_office_of_several_countries_is_left_alone() -> None:
    assert canonical([office("وزير الخارجية", "EG"), office("وزير الخارجية", "LY")]) == {}


def test_bodies_are_one_only_where_they_are_written_the_same() -> None:
    assert names(
        Actor(name="المجلس الرئاسي", type="organization"),
        Actor(name="المجلس الرئاسى", type="organization"),
        Actor(name="المجلس الرئاسي اليمني", type="organization"),
    ) == {
        "المجلس الرئاسي": "المجلس الرئاسي",
        "المجلس الرئاسى": "المجلس الرئاسي",
        "المجلس الرئاسي اليمني": "المجلس الرئاسي اليمني",
    }


def test_participants_merge_with_holders() -> None:
    met = Participant(name="فتحي باشاغا", type="person", country="LY", capacity="principal")
    assert canonical([met, person("باشاغا")])["باشاغا"] == person("فتحي باشاغا", country="LY")


def test_no_actors_no_names() -> None:
    assert canonical([]) == {}
