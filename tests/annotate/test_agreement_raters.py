"""What one rater's judgements show: counts, shares, medians and changes."""

from math import comb

import numpy as np
import pytest

from annotate.agreement import difference, median, raters, wilson


def test_position_bias_counts_the_left_among_the_decided():
    assert raters.count_left([1, 1, -1, 0, 1]) == (3, 4)
    assert raters.position_bias(3, 4) == wilson(3, 4)


def test_length_bias_counts_the_longer_among_decided_pairs_of_unequal_length():
    counted = raters.count_longer([1, -1, -1, 0, 1, 1], [9, 9, 9, 9, 9, 4], [5, 5, 12, 5, 9, 8])
    assert counted == (2, 4)  # longer, shorter, longer, (tie), (equal), shorter
    assert raters.length_bias(*counted) == wilson(2, 4)


def test_a_repeat_is_the_same_only_with_the_same_verdict():
    assert raters.count_same([1, 0, 0, -1], [1, 0, 1, 1]) == (2, 4)
    assert raters.self_consistency(2, 4) == wilson(2, 4)
    with pytest.raises(ValueError, match="first verdict"):
        raters.count_same([1], [])


def test_gold_accuracy_is_a_share():
    assert raters.gold_accuracy(9, 10) == wilson(9, 10)


def test_faster_than_reading_is_below_the_floor_and_not_at_it():
    assert raters.count_fast([9.9, 10.0, 10.1], [600, 600, 600]) == (1, 3)
    assert raters.count_fast([9.9, 10.0, 10.1], [600, 600, 600], speed=30) == (3, 3)
    assert raters.too_fast(1, 3) == wilson(1, 3)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (raters.position_bias(0, 0), "no comparison was decided"),
        (raters.length_bias(0, 0), "unequal lengths"),
        (raters.self_consistency(0, 0), "judged twice"),
        (raters.gold_accuracy(0, 0), "gold"),
        (raters.too_fast(0, 0), "timed"),
        (raters.active_time([]), "median"),
        (raters.drift((1, 2), (0, 0)), "nothing to count"),
    ],
)
def test_what_was_not_counted_says_why(found, why):
    assert found.value is None
    assert why in found.why


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((0, 29), (5, 56), -0.0381, 0.1926),
        ((2, 7), (6, 7), 0.0582, 0.8062),
    ],
)
def test_newcombes_published_differences(first, second, low, high):
    found = difference(first, second)
    assert found.value == pytest.approx(second[0] / second[1] - first[0] / first[1])
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))
    assert raters.drift(first, second) == found


def outer_rank(n):
    """By summing the binomial distribution exactly."""
    below, j = 0, 0
    while (below := below + comb(n, j)) * 40 <= 2**n:
        j += 1
    return j


@pytest.mark.parametrize("n", [6, 7, 8, 20, 25, 100, 1001, 3000])
def test_a_median_lies_between_exact_order_statistics(n):
    times = np.random.default_rng(n).lognormal(3, 1, n)
    found, ordered = raters.active_time(times), np.sort(times)
    j = outer_rank(n)
    assert found.value == pytest.approx(np.median(times))
    assert (found.low, found.high, found.n) == (ordered[j - 1], ordered[n - j], n)


def test_the_published_rank_of_a_hundred():
    assert median(range(1, 101)).low == 40  # Conover, Practical Nonparametric Statistics: 40th and 61st of 100
    assert median(range(1, 101)).high == 61


def test_five_times_have_a_median_and_no_interval():
    found = median([3, 1, 2, 9, 8])
    assert (found.value, found.low) == (3, None)
    assert "six" in found.why


def test_summed_buckets_are_the_same_as_their_times():
    values, counts = [8.0, 2.0, 4.0, 16.0], [5, 0, 7, 3]
    assert median(values, counts) == median(np.repeat(values, counts))


def test_a_median_of_very_many_stays_close():
    found = median([1.0, 2.0, 3.0], [400_000, 200_001, 400_000])
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)
