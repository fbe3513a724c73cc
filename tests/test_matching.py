"""What the scorer takes for the same text and the same actor."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import CHRF

from mahdar.documents.folding import fold
from mahdar.evals.scorer.config import NameMatching
from mahdar.evals.scorer.gazetteer import is_same_city
from mahdar.evals.scorer.matching import Cast
from mahdar.evals.scorer.pairing import best_pairs, set_f1, soft_f1
from mahdar.evals.scorer.text import chrf, normalise, similarity

ARABIC = st.text(alphabet="ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءأإآؤئ ً«»،.aZ1٢", max_size=60)


@dataclass(frozen=True)
class Actor:
    name: str
    aliases: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("أحمد إبراهيم آمنة ٱلله", "احمد ابراهيم امنه الله"),
        ("ليبيا الحرّة، مُؤتمر هيئة مصطفى", "ليبيا الحره, موتمر هييه مصطفي"),
        ("أنــقـرة", "انقره"),
        ("كِتَابٌ", "كتاب"),
        ("٢٠٢٠ ۲۰۲۱ 2022", "2020 2021 2022"),
        ("«نعم» “نعم” 'نعم'", '"نعم" "نعم" "نعم"'),
        ("لماذا؟ أولا؛ ثانيا", "لماذا? اولا; ثانيا"),
        ("  سطر\n\tآخر\u00a0هنا ", "سطر اخر هنا"),
        ("طرا\u200cبلس\u200f \u202aLibya\u202c", "طرابلس libya"),
        ("ﻻ ﷲ", "لا الله"),
        ("Élysée STRASSE ß", "elysee strasse ss"),
        ("", ""),
    ],
)
def test_folding_drops_spelling_conventions_only(text: str, folded: str) -> None:
    assert normalise(text) == folded
    assert fold(text) == folded, "the extractor's folding agrees on all that the contract names"


@pytest.mark.parametrize(
    ("one", "other"), [("رفضه", "قبوله"), ("کرد", "كرد"), ("2020", "2021"), ("شرق – غرب", "شرق - غرب")]
)
def test_folding_leaves_all_else(one: str, other: str) -> None:
    """Persian letters and dashes too: the contract does not name them."""
    assert normalise(one) != normalise(other)


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(ARABIC, ARABIC)
def test_chrf_is_sacrebleu_s(hypothesis: str, reference: str) -> None:
    expected = CHRF(word_order=0).sentence_score(hypothesis, [reference]).score
    assert chrf(hypothesis, reference) == expected


@given(ARABIC)
def test_a_text_is_wholly_similar_to_itself(text: str) -> None:
    assert similarity(text, text) == 1.0


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ("عبد الله اللافي", "عبدالله اللافي"),
        ("عبد الله لافي", "عبدالله اللافي"),
        ("فتحي باشاغا", "فتحى باشاغا"),
        ("فتحي باشاغا", "باشاغا"),
        ("فتحي باشاغا", "وزير الداخلية فتحي باشاغا"),
        ("أبو بكر الزوي", "أبوبكر الزوي"),
        ("محمد بن زايد آل نهيان", "محمد بن زايد"),
        ("وزير الداخلية المالطي", "وزير الداخليّة المالطى"),
        ("Jean-Yves Le Drian", "jean yves le drian"),
        ("«خلوصي أكار»", "خلوصي أكار"),
    ],
)
def test_spelling_variants_and_short_forms_are_one_actor(gold: str, predicted: str) -> None:
    actor = Actor(gold)
    assert Cast.of([actor, Actor("رجب طيب أردوغان")], NameMatching()).is_match(actor, predicted)


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ("وزير الداخلية المالطي", "وزير الداخلية الليبي"),
        ("محمد المنفي", "محمد الدبيبة"),
        ("مصر", "قصر"),
        ("سامح شكري", "أيمن الصفدي"),
        ("علي", "علي بابا"),
    ],
)
def test_other_people_are_not(gold: str, predicted: str) -> None:
    """Not by a ratio of 86, not by a shared first name, not by a word of three letters alone."""
    actor = Actor(gold)
    assert not Cast.of([actor, Actor("محمد سيالة")], NameMatching()).is_match(actor, predicted)


def test_a_shared_word_tells_nobody_apart() -> None:
    cast = Cast.of([shoukry := Actor("وزير الخارجية المصري"), Actor("وزير الخارجية الأردني")], NameMatching())
    assert not cast.is_match(shoukry, "وزير الخارجية")
    assert cast.is_match(shoukry, "الخارجية المصري")


def test_a_name_that_is_exactly_anothers_matches_only_that_one() -> None:
    minister, deputy = Actor("وزير الخارجية"), Actor("نائب وزير الخارجية")
    cast = Cast.of([minister, deputy], NameMatching())
    assert cast.is_match(deputy, "نائب وزير الخارجيه")
    assert not cast.is_match(minister, "نائب وزير الخارجية")


def test_an_alias_is_as_good_as_the_name() -> None:
    cast = Cast.of([actor := Actor("فتحي باشاغا", ("وزير الداخلية المفوض",)), Actor("خلوصي أكار")], NameMatching())
    assert cast.is_match(actor, "وزير الداخلية المفوض")


def test_one_actor_in_two_records_is_no_rival_of_itself() -> None:
    """The second record has an alias that the first lacks."""
    short, long = Actor("خليفة حفتر"), Actor("خليفة حفتر", ("المشير خليفة حفتر",))
    assert Cast.of([short, long], NameMatching()).is_match(short, "المشير خليفة حفتر")


def test_two_ministers_may_share_an_alias() -> None:
    one, other = Actor("سامح شكري", ("وزير الخارجية",)), Actor("أيمن الصفدي", ("وزير الخارجية",))
    cast = Cast.of([one, other], NameMatching())
    assert cast.is_match(one, "وزير الخارجية")
    assert cast.is_match(other, "وزير الخارجية")
    assert not cast.is_match(other, "سامح شكري")


def test_a_target_is_an_actor_only_where_it_names_nothing_more() -> None:
    cast = Cast.of([actor := Actor("خليفة حفتر", ("حفتر",))], NameMatching())
    assert cast.is_whole(actor, "خليفه حفتر")
    assert not cast.is_whole(actor, "مشروع حفتر العسكري")


@pytest.mark.parametrize(
    ("one", "other", "country", "same"),
    [
        ("أنقرة", "انقره", None, True),
        ("القاهرة", "Cairo", "EG", True),
        ("أبو ظبي", "أبوظبي", "AE", True),
        ("طرابلس", "Tripoli", "LY", True),
        ("طرابلس", "Tripoli", None, False),
        ("طرابلس", "بنغازي", "LY", False),
        ("القاهرة", "Cairo", "LY", False),
    ],
)
def test_a_city_is_one_in_any_language_within_its_country(
    one: str, other: str, country: str | None, *, same: bool
) -> None:
    assert is_same_city(one, other, country) is same


def test_pairing_is_the_best_and_not_the_greedy_one() -> None:
    assert best_pairs([[0.9, 0.8], [0.8, 0.0]]) == ((0, 1), (1, 0))


def test_what_is_worth_nothing_is_not_paired() -> None:
    assert best_pairs([[0.0, 0.0], [0.0, 0.5]]) == ((1, 1),)
    assert best_pairs([]) == ()


def test_soft_f1_counts_a_pair_what_it_is_worth() -> None:
    assert soft_f1([[0.5, 0.0]], 1, 2) == pytest.approx(1 / 3)
    assert soft_f1([], 0, 0) == 1.0
    assert soft_f1([], 0, 3) == 0.0


def test_f1_of_sets_ignores_repetition() -> None:
    assert set_f1(["energy", "energy"], ["energy", "elections"]) == pytest.approx(2 / 3)
