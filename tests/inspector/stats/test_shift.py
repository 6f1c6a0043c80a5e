"""Distances against scipy; what is called more than chance where nothing moved, and where something did."""

import numpy as np
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from inspector.stats.shift import shift, shifts, wasserstein

SIZES = np.full(50, 8)


def scores(seed, scale=1.0):
    return scale * np.random.default_rng(seed).normal(size=400)


def recentred(values, prompts=50):
    table = values.reshape(prompts, -1)
    return (table - table.mean(1, keepdims=True)).ravel()


def test_both_distances_are_those_of_scipy():
    a, b = scores(0), scores(1, 1.7)
    found = shift("preference", a, b, SIZES)
    a, b = (recentred(one) / recentred(a).std() for one in (a, b))
    assert wasserstein(a, b) == pytest.approx(wasserstein_distance(a, b))
    assert found.wasserstein == pytest.approx(wasserstein_distance(a, b))
    assert found.ks == pytest.approx(ks_2samp(a, b).statistic, abs=0.005)  # read at 512 of 800 places
    assert found.spread == pytest.approx(b.std())


def test_few_scores_are_held_against_each_other_at_every_place():
    a, b = scores(2)[:80], scores(3)[:80]
    found = shift("preference", a, b, np.full(10, 8))
    assert found.ks == pytest.approx(ks_2samp(recentred(a, 10), recentred(b, 10)).statistic)


def test_a_constant_is_no_drift_and_is_told_apart():
    found = shift("preference", scores(0), scores(0) + 3 * recentred(scores(0)).std(), SIZES)
    assert (found.moved.value, found.wasserstein) == pytest.approx((3, 0))
    assert found.p == 1.0


def test_another_shape_is_more_than_chance():
    assert shift("preference", scores(0), scores(1, 2.0), SIZES).p == 0.001


def test_equal_distributions_are_seldom_called_different():
    p = [shift("x", scores(2 * n), scores(2 * n + 1), SIZES, seed=n).p for n in range(100)]
    assert sum(one < 0.05 for one in p) <= 11  # 5 expected; more has a chance of 1 in 100
    assert 0.4 < np.mean(p) < 0.6


def test_p_is_corrected_for_the_heads_and_a_flat_head_is_left_out():
    heads = {
        "a": (scores(0), scores(1), SIZES),
        "b": (scores(0), scores(2, 2.0), SIZES),
        "c": (np.ones(400), scores(1), SIZES),
    }
    found = {one.head: one for one in shifts(heads)}
    assert set(found) == {"a", "b"}
    assert found["b"].corrected == pytest.approx(2 * found["b"].p)
