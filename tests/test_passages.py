"""Sentences, passages and the language of a text."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mahdar.documents.language import language_of, script_of
from mahdar.documents.passages import Fits, Passage, estimate_tokens, split
from mahdar.documents.sentences import sentences
from mahdar.errors import BadInputError

SEEDS = Path(__file__).parents[1] / "seeds" / "articles"
# Text that looks like news gone wrong: words, stops, quotes and breaks in any order.
NEWS = st.lists(
    st.sampled_from(
        [
            *("قال", "الوزير", "د", "M", "Mr", "No", "the", "Libya", "3", "5", "٢", "https://a.ly/?b", "\u200f"),
            *(".", "..", "...", "…", "؟", "!", "،", "؛", "«", "»", "“", "”", '"', "'", "(", ")", "-"),
            *(" ", "  ", "\n", "\r\n", "\t", "\u00a0"),
        ]
    ),
    max_size=60,
).map("".join)
ANY = st.one_of(NEWS, st.text(max_size=80))


def parts(text: str) -> list[str]:
    return [text[sentence.start : sentence.end] for sentence in sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(["التقى الوزير نظيره.", "ثم غادر طرابلس."], id="a stop and a space"),
        pytest.param(["هل يلتقيان؟", "لم يتأكد ذلك!", "وانتهى الأمر…", "أو هكذا قيل"], id="every kind of stop"),
        pytest.param(["أكد الوزير، خلال اللقاء؛ أن الحوار مستمر."], id="clause marks end nothing"),
        pytest.param(["ارتفعت الصادرات 3.5 بالمئة إلى 1.200 طن.", "وزادت ٢.٧ أخرى."], id="numbers"),
        pytest.param(["استقبل د. أحمد الوفد بحضور أ.د. سالم وم. علي.", "وغادر بعدها."], id="Arabic titles"),
        pytest.param(["نقلت (أ.ف.ب) عن ج.م.ع. موقفها الرسمي."], id="Arabic initials"),
        pytest.param(["تأسست عام 1956م.", "ثم حُلّت."], id="a letter behind a year is no initial"),
        pytest.param(["Mr. Sullivan met Gen. Haftar in the U.S. Embassy.", "They left."], id="English titles"),
        pytest.param(["On Nov. 19 he read No. 5 of the list.", "He said no.", "Then he left."], id="before a number"),
        pytest.param(["M. Macron a reçu Mme. Dupont.", "J. Le Drian était présent."], id="French titles"),
        pytest.param(["See www.example.ly/a.html?b=Cd.", "Or https://t.co/x.Y for more."], id="addresses"),
        pytest.param(["« Êtes-vous prêts ? » a demandé le ministre.", "« Oui ! »", "Il est parti."], id="guillemets"),
        pytest.param(['"Why?" he asked.', '"Because."', "She left (at last.)", "Silence."], id="closing quotes"),
        pytest.param(["وصفها بأنها «مثمرة.»", "ثم أضاف: “نلتقي غدا.”", "وغادر."], id="Arabic closing quotes"),
        pytest.param(["عاجل.. الوزير يصل إلى تونس"], id="two dots are a pause"),
        pytest.param(["He said [...] that talks (…) go on."], id="an omission in brackets"),
        pytest.param(["1. لقاء الوزيرين", "2. بيان مشترك"], id="a list's numbers"),
        pytest.param(["شكرته على دعمه.” .", "وغادر .", "*** !"], id="marks without a word belong to what is before"),
    ],
)
def test_sentences_of_a_text_that_has_spaces(expected: list[str]) -> None:
    joined = "\n".join(expected) if expected[0][0] in "1ش" else " ".join(expected)
    assert parts(joined) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“لقاءات مثمرة”.وقال الوزير إنه متفائل.وأضاف", ["“لقاءات مثمرة”.", "وقال الوزير إنه متفائل.", "وأضاف"]),
        ("قال نعم.“ليبيا أولا” شعاره", ["قال نعم.", "“ليبيا أولا” شعاره"]),
        ('قال "نعم."وأضاف', ['قال "نعم."', "وأضاف"]),
        ('قال نعم."وأضاف لا"', ["قال نعم.", '"وأضاف لا"']),
        ("متى اللقاء؟وأين؟«في تونس»", ["متى اللقاء؟", "وأين؟", "«في تونس»"]),
        ("He went to Libya.The talks failed.", ["He went to Libya.", "The talks failed."]),
        ("قال...إن الحوار مستمر", ["قال...إن الحوار مستمر"]),
        ("زار د.محمد طرابلس", ["زار د.محمد طرابلس"]),
        ("اللجنة 5+5.وقالت", ["اللجنة 5+5.", "وقالت"]),
    ],
)
def test_a_sentence_may_be_glued_to_the_next(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028", "\n \n\n"])
def test_a_newline_ends_a_sentence(newline: str) -> None:
    assert parts(f"باشاغا في باريس{newline}  لقاء د.{newline}محمد ") == ["باشاغا في باريس", "لقاء د.", "محمد"]


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\t\u00a0"])
def test_blank_text_has_no_sentences(text: str) -> None:
    assert sentences(text) == ()


@given(ANY)
def test_sentences_cover_all_but_white_space_in_order(text: str) -> None:
    end = 0
    for sentence in sentences(text):
        assert not text[end : sentence.start].strip()
        assert end <= sentence.start < sentence.end
        assert text[sentence.start : sentence.end] == text[sentence.start : sentence.end].strip()
        end = sentence.end
    assert not text[end:].strip()


def up_to(length: int) -> Fits:
    return lambda piece: len(piece) <= length


def pieces(text: str, length: int) -> list[str]:
    return [text[passage.start : passage.end] for passage in split(text, up_to(length))]


def test_a_text_that_fits_is_one_passage() -> None:
    assert split("التقى الوزير نظيره.", up_to(100)) == (Passage(0, 19),)


def test_an_empty_text_has_no_passages() -> None:
    assert split("", up_to(100)) == ()


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        pytest.param(
            "التقى الوزير نظيره. وغادر.\nوقال إن الحوار مستمر. وأضاف.",
            40,
            ["التقى الوزير نظيره. وغادر.\n", "وقال إن الحوار مستمر. وأضاف."],
            id="between paragraphs",
        ),
        pytest.param(
            "التقى الوزير نظيره. وقال إن الحوار مستمر في تونس.",
            40,
            ["التقى الوزير نظيره. ", "وقال إن الحوار مستمر في تونس."],
            id="between sentences",
        ),
        pytest.param(
            "استقبل الوزير السفير اليوم.\nلقاء آخر\nوأكد الوزير موقفه.",
            40,
            ["استقبل الوزير السفير اليوم.\n", "لقاء آخر\nوأكد الوزير موقفه."],
            id="a headline stays with its paragraph",
        ),
        pytest.param(
            "أكد الوزير تمسكه بالحوار، ورفض بلاده كل تدخل خارجي",
            40,
            ["أكد الوزير تمسكه بالحوار، ", "ورفض بلاده كل تدخل خارجي"],
            id="a long sentence between clauses",
        ),
        pytest.param(
            "أكد الوزير تمسكه بالحوار ورفض بلاده كل تدخل خارجي",
            40,
            ["أكد الوزير تمسكه بالحوار ", "ورفض بلاده كل تدخل خارجي"],
            id="a long clause between words",
        ),
    ],
)
def test_where_a_text_is_cut(text: str, length: int, expected: list[str]) -> None:
    assert pieces(text, length) == expected


def test_passages_are_of_about_equal_length() -> None:
    text = "التقى الوزير نظيره. " * 21
    assert [len(piece) for piece in pieces(text, 200)] == [140, 140, 140]


def test_a_word_that_does_not_fit_is_refused_with_its_place() -> None:
    with pytest.raises(
        BadInputError, match="a stretch of 30 characters without white space, at offset 7, does not fit"
    ):
        split("الوزير " + "x" * 30 + " قال", up_to(10))


@settings(max_examples=200)
@given(ANY, st.integers(16, 60))
def test_passages_are_contiguous_fit_and_cut_no_word(text: str, length: int) -> None:
    if any(len(word) >= length for word in text.split()):
        return
    found = pieces(text, length)
    assert "".join(found) == text
    assert all(0 < len(piece) <= length for piece in found)
    assert not any(before[-1].isalnum() and behind[0].isalnum() for before, behind in pairwise(found))


@pytest.mark.parametrize(
    ("text", "tokens", "most"),
    [
        # Counted with Qwen2.5's own tokenizer.
        ("", 0, 0),
        ("٠١٢٣٤٥٦٧٨٩", 20, 20),
        ("0123456789", 10, 10),
        ("АБВГД новости", 6, 24),
    ],
)
def test_tokens_are_rather_too_many_than_too_few(text: str, tokens: int, most: int) -> None:
    assert tokens <= estimate_tokens(text) <= most


@pytest.mark.parametrize(
    ("seed", "tokens"),
    [
        ("000_64624abc260ecb33", 771),
        ("001_7696498eca8da83d", 1012),
        ("002_ec7758134357b2f5", 733),
        ("003_29bfab6d2ee2a304", 716),
        ("004_2c4d119b83c83160", 682),
    ],
)
def test_the_estimate_for_an_article_is_at_most_a_quarter_too_high(seed: str, tokens: int) -> None:
    """The counts are Qwen2.5's own."""
    article = (SEEDS / f"{seed}.txt").read_bytes().decode()
    assert tokens <= estimate_tokens(article) <= 1.25 * tokens


@given(ANY, ANY)
def test_more_text_never_has_fewer_tokens(text: str, more: str) -> None:
    assert estimate_tokens(text) <= estimate_tokens(f"{text} {more}")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ar", "التقى وزير الخارجية المصري نظيره الليبي في القاهرة، وبحثا العلاقات بين البلدين."),
        ("ar", "اجـتـمع الـوزيـر مـع الـسفيـر فـي العـاصـمة"),
        ("ar", "التَقَى الوَزِيرُ السَّفِيرَ فِي القَاهِرَة"),
        ("ar", "التقی وزیر الخارجیة المصری نظیره اللیبی فی القاهرة"),
        ("ar", "قال الوزير إن شركة Eni الإيطالية وقعت الاتفاق في طرابلس"),
        ("ar", "وصل الوفد إلى أگادير للقاء المسؤولين المغاربة"),
        ("fa", "وزیر امور خارجه ایران با همتای عراقی خود در تهران دیدار و درباره روابط دو کشور گفت‌وگو کرد."),
        ("ur", "وزیر خارجہ نے کہا ہے کہ پاکستان اور ترکی کے درمیان تعلقات بہت اچھے ہیں۔"),
        ("en", "The minister met his Libyan counterpart in Paris."),
        ("fr", "Le ministre a reçu son homologue dans la capitale et les deux parties ont signé un accord."),
        (None, "وەزیری دەرەوەی عێراق لەگەڵ هاوتا تورکییەکەی کۆبووەوە"),
        (None, "El ministro de Asuntos Exteriores se reunió con su homólogo libio en la ciudad de Madrid."),
        (None, "Il ministro degli Esteri ha incontrato il presidente libico a Roma e le due parti hanno parlato."),
        (None, "Der Minister war in Berlin und hat mit dem Botschafter über die Lage in Libyen gesprochen."),
        (None, "Министр иностранных дел встретился с послом."),
        (None, "باشاغا يلتقي لودريان"),
        (None, "Bashagha, Le Drian"),
        (None, "1234 5+5"),
        (None, ""),
    ],
)
def test_language_of(language: str | None, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("script", "text"),
    [("Arab", "باشاغا يلتقي Le"), ("Latn", "Étienne Dupont"), (None, "новости"), (None, "12"), (None, "ليبيا Libya")],
)
def test_script_of(script: str | None, text: str) -> None:
    assert script_of(text) == script
