"""Two versions against each other: scipy, brute force, planted scales."""

import math

import numpy as np
import pytest
from scipy import stats

from annotate.agreement import bootstrap
from inspector.stats import changed
from inspector.stats.noise import within


@pytest.fixture(scope="module")
def scores():
    """Four responses to each of 100 prompts, with ties; the new version is twice as wide, and noisy."""
    rng = np.random.default_rng(5)
    old = np.round(rng.normal(0, 1, 400), 1)
    return old, 3 + 2 * old + rng.normal(0, 1, 400), np.arange(400) // 4


def test_the_matrix_counts_who_agrees_with_people():
    new, old = np.array([1, 1, 0, 0, 1, 0.5]), np.array([1, 0, 1, 0, 0, 1])
    found = changed.matrix(new, old)
    values = [one.value for one in (found.both, found.new, found.old, found.neither, found.tied)]
    assert values == pytest.approx([1 / 6, 2 / 6, 1 / 6, 1 / 6, 1 / 6])
    assert changed.matrix(new[:0], old[:0]).both.why == "people decided no pair"


def test_same_winner_is_a_share_over_prompts():
    new, old = np.array([1.0, -1, 2, 0] * 10), np.array([2.0, 1, 1, 0] * 10)
    which = np.arange(40) // 2
    found = changed.same_winner(new, old, which)
    brute = bootstrap(lambda a, b: float((np.sign(a) == np.sign(b)).mean()), new, old, groups=which)
    assert (found.value, found.n) == (0.75, 40)
    assert (found.low, found.high) == pytest.approx((brute.low, brute.high), abs=0.03)
    assert changed.same_winner(new, new, which).low == pytest.approx(1 / (1 + 1.96**2 / 20), rel=1e-3)  # Wilson's
    assert changed.same_winner(new[:0], old[:0], which[:0]).value is None


def test_kendall_is_scipys(scores):
    old, new, which = scores
    assert changed.kendall(old, new, which).value == pytest.approx(stats.kendalltau(old, new).statistic, abs=1e-12)


def test_its_interval_is_that_of_redrawn_prompts(scores):
    old, new, which = (one[:200] for one in scores)
    found = changed.kendall(old, new, which)
    brute = bootstrap(lambda a, b: float(stats.kendalltau(a, b).statistic), old, new, groups=which, draws=300)
    assert (found.low, found.high) == pytest.approx((brute.low, brute.high), abs=0.02)


def test_of_independent_rows_it_has_the_known_width():
    """Var τ = 2(2n + 5) / 9n(n − 1)."""
    rng, n = np.random.default_rng(1), 600
    found = changed.kendall(rng.normal(size=n), rng.normal(size=n), np.arange(n))
    exact = 1.96 * math.sqrt(2 * (2 * n + 5) / (9 * n * (n - 1)))
    assert (found.high - found.low) / 2 == pytest.approx(exact, rel=0.1)


def test_kendall_without_a_value_or_an_interval():
    rows = np.arange(6.0)
    assert "the same" in changed.kendall(rows, np.ones(6), np.arange(6)).why
    assert "fewer than two" in changed.kendall(rows[:1], rows[:1], np.zeros(1, int)).why
    assert (changed.kendall(rows, rows, np.arange(6)).value, changed.kendall(rows, rows, np.arange(6)).low) == (1, None)
    assert "too few" in changed.kendall(rows, rows[[1, 0, 2, 3, 5, 4]], np.arange(6) // 3).why


def test_within_prompts_each_is_ranked_by_itself(scores):
    old, _, which = scores
    by_hand = np.concatenate([stats.rankdata(old[which == one]) for one in range(100)])
    assert changed.ranks_within(old, which).tolist() == by_hand.tolist()
    mixed = np.random.default_rng(0).permutation(400)
    assert changed.ranks_within(old[mixed], which[mixed]).tolist() == by_hand[mixed].tolist()


def test_all_four_correlations(scores):
    old, new, which = scores
    first, second, _ = within(which)
    found = changed.order(old, new, which, (first, second), np.arange(400))
    assert found.spearman.value == pytest.approx(stats.spearmanr(old, new).statistic)
    x, y = old[first] - old[second], new[first] - new[second]
    tau = (np.sign(x) * np.sign(y)).sum() / math.sqrt((x != 0).sum() * (y != 0).sum())
    assert found.kendall_within.value == pytest.approx(tau)
    assert all(one.low < one.value < one.high for one in vars(found).values())


def test_a_constant_per_prompt_is_nothing_within(scores):
    old, new, which = scores
    moved = new + 50 * np.random.default_rng(3).normal(size=100)[which]
    first, second, _ = within(which)
    pooled, inside = (changed.order(old, one, which, (first, second), np.arange(400)) for one in (new, moved))
    assert inside.spearman.value < 0.5 < pooled.spearman.value
    assert inside.within.value == pytest.approx(pooled.within.value)
    assert inside.kendall_within == pooled.kendall_within


def test_the_scale_is_recovered(scores):
    found = changed.scale(*scores)
    assert found.slope.low < 2 < found.slope.high
    assert found.moved.low < 3 < found.moved.high
    assert found.spread.value == pytest.approx(math.sqrt(5), rel=0.05)
    assert found.sds == [scores[0].std(), scores[1].std()]


def test_the_slope_is_that_of_centred_scores(scores):
    old, new, which = scores
    x, y = (one - (np.bincount(which, one) / 4)[which] for one in (old, new))
    assert changed.scale(old, new, which).slope.value == pytest.approx(stats.linregress(x, y).slope)
    assert changed.scale(np.ones(4), new[:4], np.arange(4)).slope.value is None
