"""Cues: which words announce an encounter, a position, a status."""

import pytest

from mahdar.offline.cues import AnnotatedSentence, lines_of, starts_with


def line(text: str) -> AnnotatedSentence:
    return AnnotatedSentence(text, 0, len(text))


@pytest.mark.parametrize(
    ("text", "table", "code"),
    [
        ("والتقى السادات كارتر", "meeting", "met"),
        ("سيلتقي فانس الملك غدا", "status", "planned"),
        ("ألغى بيغن الزيارة", "status", "cancelled"),
        ("تلقى كارتر اتصالا هاتفيا", "channel", "phone"),
        ("عقد الوزيران مؤتمرا صحفيا", "kind", "press_conference"),
        ("بحضور وزير الدفاع", "present", "attendee"),
        ("وأشاد كارتر بالسادات", "stance", "praise"),
        ("وأدانت سوريا الاتفاق", "stance", "condemn"),
        ("نرفض الوثيقتين", "stance", "reject"),
        ("داعيا إلى الحوار", "stance", "call_for"),
        ("أهمية المفاوضات", "stance_noun", "affirm_importance"),
        ("قطاع النفط والغاز", "topic_code", "energy"),
    ],
)
def test_a_word_tells_its_code(text: str, table: str, code: str) -> None:
    assert code in line(text).codes(table)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("بحث الوزير الملف", "stance"),  # not «حث»
        ("يوم الاثنين", "stance"),  # not «أثنى»
        ("في مدينة القاهرة", "stance"),  # not «مدينة» as "condemning"
        ("عبر الهاتف", "speech"),  # «عبر» without «عن» is "through"
    ],
)
def test_a_word_within_another_tells_nothing(text: str, table: str) -> None:
    assert line(text).codes(table) == frozenset()


def test_vowel_signs_and_stretched_letters_make_no_difference() -> None:
    assert line("وأكّــد الرئيس").codes("speech") == {"said"}


@pytest.mark.parametrize(
    ("target", "code", "rest"),
    [
        ("وقف الاستيطان في الضفة", "stop", "الاستيطان في الضفة"),
        ("إنهاء الاحتلال", "stop", "الاحتلال"),
        ("دعم السلام", "stop", ""),
        ("وقف إطلاق النار", "spared", ""),
    ],
)
def test_what_shall_end_is_told_from_the_word_of_ending(target: str, code: str, rest: str) -> None:
    assert starts_with(target, code) == rest


def test_sentences_of_the_body_come_without_headlines() -> None:
    text = "كارتر يلتقي السادات\n\nالتقى الرئيس الأمريكي جيمي كارتر الرئيس المصري أنور السادات. وغادر بعد ساعة."
    assert [one.text for one in lines_of(text)] == [
        "التقى الرئيس الأمريكي جيمي كارتر الرئيس المصري أنور السادات.",
        "وغادر بعد ساعة.",
    ]


def test_a_line_broken_to_fit_a_page_is_one_sentence() -> None:
    text = "President Carter met President Sadat at the White House on\nMonday and spoke with him for an hour."
    assert len(lines_of(text)) == 1
