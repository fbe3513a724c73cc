"""Readings: who met, and who takes which position, by the words of an Arabic sentence."""

import pytest

from mahdar.offline.readings import read


def met(text: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Kind, status and parties of every encounter."""
    reading = read(text)
    return [
        (one.kind, one.status, [(reading.cast.actor(party.mention).name, party.capacity) for party in one.parties])
        for one in reading.encounters
    ]


def held(text: str) -> list[tuple[str, str, list[str], str]]:
    """Act, polarity, holders and target of every position."""
    reading = read(text)
    return [
        (one.act, one.polarity, [reading.cast.actor(holder).name for holder in one.holders], one.target)
        for one in reading.positions
    ]


P, H, M = "principal", "host", "member"


@pytest.mark.parametrize(
    ("text", "encounter"),
    [
        pytest.param(
            "استقبل وزير الخارجية المغربي ناصر العلمي نظيره الإسباني خوسيه لوبيز في الرباط.",
            ("talks", "held", [("ناصر العلمي", P), ("خوسيه لوبيز", P)]),
            id="an object without a preposition",
        ),
        pytest.param(
            "أجرى الرئيس الجزائري عبد المجيد تبون مكالمة هاتفية مع نظيره الفرنسي إيمانويل ماكرون.",
            ("talks", "held", [("عبد المجيد تبون", P), ("إيمانويل ماكرون", P)]),
            id="a call",
        ),
        pytest.param(
            "وقع وزراء خارجية السودان وتشاد والنيجر أمس إعلانا مشتركا في نيامي.",
            ("signing", "held", [("السودان", P), ("تشاد", P), ("النيجر", P)]),
            id="ministers of several countries are told by the countries",
        ),
        pytest.param(
            "ستحتضن موريتانيا القمة العربية المقبلة في نواكشوط.",
            ("summit", "planned", [("القمة العربية", P), ("موريتانيا", H)]),
            id="a summit and its host",
        ),
        pytest.param(
            "شارك وفد برلماني أردني في اجتماع اللجنة السياسية للاتحاد البرلماني العربي، الذي انعقد أمس في بيروت.",
            ("session", "held", [("وفد برلماني أردني", P), ("اللجنة السياسية", P)]),
            id="a committee's sitting and who takes part",
        ),
        pytest.param(
            "انعقدت القمة العربية الطارئة في بغداد أمس السبت لبحث الأوضاع في غزة.",
            ("session", "held", [("القمة العربية الطارئة", P)]),
            id="a summit of which nobody else is named is the sitting of one body",
        ),
        pytest.param(
            "بحث وزير الدفاع العراقي أحمد الجبوري مع الوفد الكويتي أمن الحدود."
            " ويضم الوفد الكويتي اللواء فهد العتيبي والسفير سالم الرشيد.",
            (
                "talks",
                "held",
                [("أحمد الجبوري", P), ("الوفد الكويتي", P), ("فهد العتيبي", M), ("سالم الرشيد", M)],
            ),
            id="a delegation's members, told later",
        ),
        pytest.param(
            "حذر المفوض رائد الصالح من تفاقم الأزمة خلال اجتماعه بالسفير الياباني كينجي تاناكا في عمان.",
            ("talks", "held", [("رائد الصالح", P), ("كينجي تاناكا", P)]),
            id="a pronoun on the noun is who met",
        ),
        pytest.param(
            "زار وزير الخارجية العماني بدر البوسعيدي طهران حيث التقى الرئيس الإيراني إبراهيم رئيسي.",
            ("talks", "held", [("بدر البوسعيدي", P), ("إبراهيم رئيسي", P)]),
            id="a dropped subject, and the object right behind the verb",
        ),
        pytest.param(
            "من المقرر أن يزور العاهل الأردني الملك عبد الله الثاني واشنطن غدا للقاء الرئيس الأمريكي جو بايدن.",
            ("talks", "planned", [("عبد الله الثاني", P), ("جو بايدن", P)]),
            id="a purpose",
        ),
        pytest.param(
            "التأم بتونس العاصمة اجتماع ضم وزير الداخلية كمال الفقي وسفير إيطاليا أليساندرو بروناس.",
            ("talks", "held", [("كمال الفقي", P), ("أليساندرو بروناس", P)]),
            id="a meeting that gathers",
        ),
        pytest.param(
            "بحث نائب رئيس الوزراء وزير الخارجية الأردني أيمن الصفدي ونظيره السوري فيصل المقداد، الأحد، سبل التعاون.",
            ("talks", "held", [("أيمن الصفدي", P), ("فيصل المقداد", P)]),
            id="two who discuss, without a preposition between them",
        ),
        pytest.param(
            "ألغى وزير الخارجية الألماني زيارته إلى بكين.",
            ("visit", "cancelled", [("وزير الخارجية الألماني", P)]),
            id="a visit to a town",
        ),
    ],
)
def test_who_met_is_read_from_the_sentence(text: str, encounter: tuple[str, str, list[tuple[str, str]]]) -> None:
    assert met(text) == [encounter]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("تلقى الرئيس التونسي قيس سعيد رسالة خطية من نظيره الجزائري عبد المجيد تبون.", id="a letter"),
        pytest.param("ولم يلتق الوزير أي مسؤول إسرائيلي خلال زيارته.", id="nobody named"),
        pytest.param("لم يلتق الوزير سامر الخطيب السفير الياباني كينجي تاناكا.", id="a verb that is negated"),
        pytest.param("أدان مجلس التعاون الخليجي الهجوم على السفينة.", id="no word of meeting"),
        pytest.param("عقد مجلس الوزراء اجتماعه الأسبوعي أمس في القاهرة.", id="a cabinet's sitting"),
    ],
)
def test_what_is_no_encounter_is_not_read_as_one(text: str) -> None:
    assert met(text) == []


def test_the_same_people_on_two_days_met_twice() -> None:
    text = (
        "استقبل أمير الكويت الشيخ مشعل الأحمد يوم 4 مارس السفير الياباني كينجي تاناكا.\n"
        "واستقبل أمير الكويت الشيخ مشعل الأحمد يوم 19 مارس السفير الياباني كينجي تاناكا."
    )
    assert len(met(text)) == 2


@pytest.mark.parametrize(
    ("text", "position"),
    [
        pytest.param(
            "اعتبر وزير الخارجية الأردني عمر الزعبي توسيع المستوطنات انتهاكا صارخا للقانون الدولي.",
            ("condemn", "against", ["عمر الزعبي"], "توسيع المستوطنات"),
            id="a judgement stands behind its target",
        ),
        pytest.param(
            "أكد الرئيس اللبناني سمير حداد أن الجيش يحمي كل المواطنين دون تمييز.",
            ("support", "favor", ["سمير حداد"], "الجيش يحمي كل المواطنين دون تمييز"),
            id="an assertion",
        ),
        pytest.param(
            "شدد الرئيس اللبناني سمير حداد على أنه لا مبرر لتأجيل الانتخابات البلدية.",
            ("reject", "against", ["سمير حداد"], "مبرر لتأجيل الانتخابات البلدية"),
            id="what there is not",
        ),
        pytest.param(
            "أكدت وزيرة العدل هالة منصور التزام تونس بمكافحة الفساد.",
            ("commit", "against", ["هالة منصور"], "الفساد"),
            id="whose commitment it is stands before what it is to, and countering is against",
        ),
        pytest.param(
            "دعا الأمين العام لمنظمة التعاون الإسلامي حسين عارف الدول الأعضاء إلى عدم نقل سفاراتها إلى القدس.",
            ("call_for", "against", ["حسين عارف"], "نقل سفاراتها إلى القدس"),
            id="what is not to be done",
        ),
        pytest.param(
            "حمّل رئيس الوزراء الفلسطيني محمد اشتية إسرائيل المسؤولية الكاملة عن التصعيد.",
            ("accuse", "against", ["محمد اشتية"], "إسرائيل"),
            id="who is held responsible",
        ),
        pytest.param(
            "أدان مجلس التعاون الخليجي بأشد العبارات الهجوم على السفينة.",
            ("condemn", "against", ["مجلس التعاون الخليجي"], "الهجوم على السفينة"),
            id="how strongly is no part of the target",
        ),
        pytest.param(
            "أعربت فرنسا عن قلقها البالغ إزاء التصعيد في جنوب لبنان.",
            ("concern", "against", ["فرنسا"], "التصعيد في جنوب لبنان"),
            id="a noun of position with its possessor",
        ),
        pytest.param(
            "أعرب الوزير سامر الخطيب عن شكره للحكومة الإسبانية على دعمها.",
            ("thank", "favor", ["سامر الخطيب"], "دعمها"),
            id="the deed that is thanked for",
        ),
        pytest.param(
            "قال وزير المالية اللبناني يوسف الخليل إن بلاده بحاجة إلى دعم صندوق النقد الدولي.",
            ("affirm_importance", "favor", ["يوسف الخليل"], "دعم صندوق النقد الدولي"),
            id="a need",
        ),
        pytest.param(
            "أعلن وزير الخارجية المصري سامح شكري رفض بلاده أي تدخل خارجي في السودان.",
            ("reject", "against", ["سامح شكري"], "تدخل خارجي في السودان"),
            id="an object right behind the owner of a noun",
        ),
        pytest.param(
            "وصل وزير الخارجية المصري سامح شكري إلى القاهرة. وأكد شكري رفضه للتدخل في السودان.",
            ("reject", "against", ["سامح شكري"], "التدخل في السودان"),
            id="a surname alone before a noun of position",
        ),
        pytest.param(
            "وصل وزير الخارجية المصري سامح شكري إلى القاهرة. ورفض شكري التدخل في السودان.",
            ("reject", "against", ["سامح شكري"], "التدخل في السودان"),
            id="a surname alone before a definite object",
        ),
    ],
)
def test_a_position_is_read_from_the_sentence(text: str, position: tuple[str, str, list[str], str]) -> None:
    assert held(text) == [position]


def test_a_list_of_demands_is_as_many_positions() -> None:
    text = "طالبت حركة النهضة الحكومة بالإفراج عن المعتقلين، وإعادة فتح المكاتب، وتحديد موعد للانتخابات."
    assert [target for _, _, _, target in held(text)] == [
        "الإفراج عن المعتقلين",
        "إعادة فتح المكاتب",
        "تحديد موعد للانتخابات",
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("هل تدعم مصر هذا القرار؟", id="a question"),
        pytest.param("لم يرحب الرئيس التركي بالقرار.", id="a verb that is negated"),
        pytest.param("أكد الوزير سامر الخطيب عدم دعم المشروع.", id="a noun that is negated"),
        pytest.param("قال الوزير سامر الخطيب إن الاجتماع ليس انتهاكا للهدنة.", id="a judgement that is negated"),
        pytest.param("ذكرت وكالة الأنباء السورية أن القصف انتهاك للهدنة.", id="an agency passes on"),
    ],
)
def test_what_is_no_position_is_not_read_as_one(text: str) -> None:
    assert held(text) == []


@pytest.mark.parametrize(
    ("text", "reporters"),
    [
        pytest.param(
            "وأفادت وزارة الداخلية أن الوزير سامر الخطيب أكد ضرورة ضبط الحدود. وثمن الخطيب جهود الشرطة.",
            ["وزارة الداخلية", "وزارة الداخلية"],
            id="who reports goes on reporting",
        ),
        pytest.param(
            "وأفادت وزارة الداخلية أن الوزير سامر الخطيب أكد ضرورة ضبط الحدود. وأدان الاتحاد الأوروبي الهجوم.",
            ["وزارة الداخلية", None],
            id="another body speaks for itself",
        ),
        pytest.param(
            "ورفض الوزير سامر الخطيب، عبر حسابه على موقع «تويتر»، مشروع القرار.",
            ["حسابه على موقع «تويتر"],
            id="an account of one's own",
        ),
    ],
)
def test_who_reports_a_position_is_its_attribution(text: str, reporters: list[str | None]) -> None:
    assert [one.attribution for one in read(text).positions] == reporters


@pytest.mark.parametrize(
    ("text", "speech"),
    [
        ("رفض الوزير سامر الخطيب مشروع القرار.", "indirect"),
        ("قال الوزير سامر الخطيب: «نرفض مشروع القرار».", "direct"),
        ("وقالت الوزارة إن سامر الخطيب «أكد خلال اللقاء رفض مشروع القرار».", "indirect"),
    ],
)
def test_speech_is_direct_only_in_the_holders_own_words(text: str, speech: str) -> None:
    assert [one.speech for one in read(text).positions] == [speech]
