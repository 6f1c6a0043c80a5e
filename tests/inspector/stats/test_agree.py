import numpy as np
import pytest
from scipy import stats

from inspector.stats.agree import agreement, over_units, overlap


def test_correlations_are_scipys():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=50), rng.integers(0, 5, 50).astype(float)  # ties
    found = agreement(x, y)
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.pearson.value == pytest.approx(stats.pearsonr(x, y).statistic)
    assert (found.spearman.n, found.spearman.low, found.spearman.why) == (50, None, "too few sentences for an interval")


def test_intervals_redraw_whole_sentences():
    """Of parts that repeat ten times in each sentence, as wide as of the sentences alone: copies add no knowledge."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=24)
    y = x + rng.normal(size=24)
    alone = agreement(x, y, range(24)).pearson
    copied = agreement(np.repeat(x, 10), np.repeat(y, 10), np.repeat(np.arange(24), 10)).pearson
    assert (copied.value, copied.low, copied.high) == pytest.approx((alone.value, alone.low, alone.high))
    drawn = [stats.pearsonr(x[pick], y[pick]).statistic for pick in rng.integers(24, size=(4000, 24))]
    assert (alone.low, alone.high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))), abs=0.05)
    assert agreement(x, y, range(24)).spearman.low < agreement(x, y, range(24)).spearman.value


def test_fewer_than_five_sentences_have_no_interval():
    found = agreement([1, 2, 3, 4], [2, 1, 4, 3], [7, 8, 9, 20])
    assert (found.pearson.value, found.pearson.low) == (pytest.approx(0.6), None)


def test_a_monotone_change_keeps_the_order_and_bends_the_line():
    x = np.arange(1.0, 21)
    found = agreement(x, np.exp(x))
    assert found.spearman.value == pytest.approx(1)
    assert found.pearson.value < 0.8
    assert found.top.value == 1
    assert agreement(x, -x).spearman.value == pytest.approx(-1)


def test_the_strongest_tenth_goes_by_size_and_not_by_sign():
    x, y = np.zeros(20), np.zeros(20)
    x[[3, 7]], y[[3, 9]] = [5, -4], [-6, 2]
    assert overlap(x, y) == 0.5
    assert overlap(x[:11], y[:11]) == 0.5  # ⌈1.1⌉ = 2 of them


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        ([1, 2], [1, 2], "fewer than three parts"),
        ([1, 1, 1], [1, 2, 3], "one of them is the same everywhere"),
    ],
)
def test_what_cannot_be_said_says_why(x, y, why):
    assert (agreement(x, y).spearman.value, agreement(x, y).spearman.why) == (None, why)


def test_nothing_is_no_strongest_tenth():
    assert agreement([0, 0, 0], [1, 2, 3]).top.why == "one of them is zero everywhere"


def test_two_lengths_are_refused():
    with pytest.raises(ValueError, match="2 values beside 3"):
        agreement([1, 2], [1, 2, 3])


def test_tokens_are_summed_over_the_stretches_that_they_begin_in():
    starts, values = [9, 0, 4, 12], [3.0, 1.0, 2.0, 4.0]
    assert over_units(starts, values, [(0, 9), (9, 20), (2, 5), (5, 5)]) == [3.0, 7.0, 2.0, 0.0]
    assert over_units([], [], [(0, 3)]) == [0.0]
