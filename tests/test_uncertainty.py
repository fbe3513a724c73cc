"""Intervals and tests, with the article as the unit."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mahdar.evals.scorer.config import SCORING
from mahdar.evals.scorer.uncertainty import ArticleCounts, compare, macro_interval, micro_interval

RESAMPLING = SCORING.resampling


def row(name: str, credit: float, predicted: int, gold: int) -> ArticleCounts:
    total = predicted + gold
    return ArticleCounts(name, credit, predicted, gold, 2 * credit / total if total else 1.0)


def run(*sums: float) -> list[ArticleCounts]:
    """Articles of two gold and two predicted records each."""
    return [row(f"a{number}", credit, 2, 2) for number, credit in enumerate(sums)]


ROWS = st.builds(
    lambda gold, predicted, share: (share * min(gold, predicted), predicted, gold),
    st.integers(0, 4),
    st.integers(0, 4),
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
)


def test_under_fifteen_articles_a_t_interval() -> None:
    """Of .2, .4, .6: mean .4, standard error .2/√3, t of 2 degrees 4.3027."""
    interval = macro_interval(run(0.4, 0.8, 1.2))
    assert interval.method == "t"
    assert interval.articles == 3
    assert interval.low == 0.0, "not below what a score can be"
    assert interval.high == pytest.approx(0.4 + 4.302653 * 0.2 / 3**0.5)


def test_micro_and_macro_agree_where_all_articles_are_as_large() -> None:
    found = run(1.0, 1.2, 1.4, 1.1)
    micro, macro = micro_interval(found), macro_interval(found)
    assert micro.method == "jackknife t"
    assert (micro.low, micro.high) == pytest.approx((macro.low, macro.high))


def test_from_fifteen_articles_a_bootstrap() -> None:
    found = run(*[0.5 + 0.1 * (number % 7) for number in range(15)])
    interval = micro_interval(found)
    assert interval.method == "BCa"
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low < sum(one.credit for one in found) / 30 < interval.high


def test_the_bootstrap_repeats_itself() -> None:
    found = run(*[0.5 + 0.1 * (number % 7) for number in range(20)])
    assert micro_interval(found) == micro_interval(found)


@pytest.mark.parametrize("articles", [2, 14, 15, 40])
def test_without_spread_the_interval_is_a_point(articles: int) -> None:
    interval = micro_interval(run(*[2.0] * articles))
    assert (interval.low, interval.high) == (1.0, 1.0)


@pytest.mark.parametrize("articles", [0, 1])
def test_one_article_gives_no_interval(articles: int) -> None:
    interval = macro_interval(run(*[1.0] * articles))
    assert (interval.method, interval.low, interval.high) == ("none", None, None)


def test_one_article_that_differs_among_many_gives_an_interval() -> None:
    interval = micro_interval(run(*[2.0] * 19, 0.0))
    assert interval.low is not None
    assert interval.high is not None
    assert 0.0 <= interval.low < 0.95 < interval.high <= 1.0


def test_six_articles_all_better_are_significant() -> None:
    """Two of 2^6 exchanges are as extreme."""
    result = compare(run(*[0.5] * 6), run(*[1.5] * 6))
    assert result.p_value == result.smallest_p == 2 / 64
    assert (result.wins, result.losses, result.exact, result.note) == (6, 0, True, None)
    assert result.difference == pytest.approx(0.5)


def test_below_six_articles_no_test_can_be_significant_and_it_says_so() -> None:
    result = compare(run(*[0.5] * 5), run(*[1.5] * 5))
    assert result.p_value == result.smallest_p == 0.0625
    assert result.wins == 5
    assert result.note is not None
    assert "below 6" in result.note
    assert "0.0625" in result.note


def test_a_run_does_not_differ_from_itself() -> None:
    result = compare(run(0.5, 1.0, 1.5), run(0.5, 1.0, 1.5))
    assert (result.difference, result.p_value, result.wins, result.losses) == (0.0, 1.0, 0, 0)


def test_the_order_of_articles_does_not_matter() -> None:
    old, new = run(0.5, 1.0, 1.5, 0.2, 0.4, 1.1), run(0.6, 1.4, 1.5, 0.9, 0.1, 1.8)
    assert compare(old, new) == compare(old[::-1], [*new[3:], *new[:3]])


@settings(max_examples=40)
@given(st.lists(st.tuples(ROWS, ROWS), min_size=1, max_size=5))
def test_the_p_value_is_the_share_of_exchanges_as_extreme(pairs: list[tuple[tuple[float, int, int], ...]]) -> None:
    """By trying every exchange, one at a time."""

    def soft_f1(found: list[tuple[float, int, int]]) -> float:
        credit, predicted, gold = (sum(part) for part in zip(*found, strict=True))
        return 2 * credit / (predicted + gold) if predicted + gold else 1.0

    old, new = ([row(f"a{at}", *pair[side]) for at, pair in enumerate(pairs)] for side in (0, 1))
    differences = [
        soft_f1([pair[1 - side] for pair, side in zip(pairs, sides, strict=True)])
        - soft_f1([pair[side] for pair, side in zip(pairs, sides, strict=True)])
        for sides in product((0, 1), repeat=len(pairs))
    ]
    extreme = [one for one in differences if abs(one) >= abs(differences[0]) - 1e-9]
    assert compare(old, new).p_value == pytest.approx(len(extreme) / len(differences))


def test_beyond_twenty_articles_a_seeded_sample_does() -> None:
    old, new = run(*[0.5] * 21), run(*[1.5] * 21)
    result = compare(old, new)
    assert not result.exact
    assert result.p_value == pytest.approx(1 / (RESAMPLING.resamples + 1), rel=2)
    assert result == compare(old, new)


def test_a_sample_comes_close_to_the_exact_value() -> None:
    old, new = run(0.5, 1.0, 1.5, 0.2, 0.4, 1.1, 0.3, 0.9), run(0.9, 1.4, 1.5, 0.9, 0.1, 1.8, 0.2, 1.0)
    exact = compare(old, new)
    sampled = compare(old, new, replace(RESAMPLING, exact_up_to=1))
    assert sampled.p_value == pytest.approx(exact.p_value, abs=0.02)


@pytest.mark.parametrize("candidate", [run(0.5), run(0.5, 1.0, 1.5), [*run(0.5), *run(0.5)]])
def test_runs_of_other_articles_are_not_compared(candidate: list[ArticleCounts]) -> None:
    with pytest.raises(ValueError, match="runs of different articles"):
        compare(run(0.5, 1.0), candidate)
