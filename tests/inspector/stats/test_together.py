"""Agreement between raters on the same pairs against a count by hand, and which biases overlap."""

import numpy as np
import pytest

from annotate.agreement import Interval, undefined
from inspector.stats.together import sure, taken_over, with_others


def by_hand(pair, won, rater, one):
    """The mean, over the rater's verdicts that somebody else answered too, of the share of others who say the same."""
    shares = []
    for n in np.flatnonzero(rater == one):
        others = [won[m] for m in range(len(pair)) if pair[m] == pair[n] and rater[m] != one]
        shares += [np.mean([other == won[n] for other in others])] if others else []
    return np.mean(shares), len(shares)


def test_agreement_with_others_is_what_a_count_by_hand_gives():
    rng = np.random.default_rng(0)
    pair, won, rater = rng.integers(0, 30, 120), rng.random(120) < 0.5, rng.integers(0, 4, 120)
    for one, found in enumerate(with_others(pair, won, rater, 4)):
        share, n = by_hand(pair, won, rater, one)
        assert (found.value, found.n) == (pytest.approx(share), n)
        assert found.low < share < found.high


def test_who_judged_alone_agrees_with_nobody():
    [alone] = with_others(np.array([1, 1]), np.array([True, False]), np.array([0, 0]), 1)
    assert alone.why == "nobody else decided the same pairs"


def test_no_verdicts_give_no_numbers():
    assert with_others(np.array([]), np.array([], bool), np.array([], int), 0) == []


@pytest.mark.parametrize("one", [undefined("few"), Interval(0.5, None, None, 3), Interval(0.1, -0.1, 0.3, 9)])
def test_what_may_be_zero_is_not_sure(one):
    assert not sure(one)


def test_a_bias_is_taken_over_where_intervals_overlap_and_both_are_sure():
    raters = {"Bob": Interval(0.5, 0.35, 0.6, 9), "Alice": Interval(0.9, 0.8, 1.0, 9), "Charlie": Interval(0, -1, 1, 9)}
    assert taken_over(Interval(0.4, 0.3, 0.5, 9), raters) == (["Bob"], ["Alice"])
    assert taken_over(Interval(0.4, -0.1, 0.9, 9), raters) == ([], ["Bob", "Alice"])
