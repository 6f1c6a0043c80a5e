"""Calibration against closed forms, brute force, planted temperatures and the floors of a perfect model."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from annotate.agreement import Interval
from inspector.stats import calibration
from inspector.stats.calibration import LN2, sigmoid


def world(n, spread=1.5, temperature=1.0, seed=0):
    """Margins whose verdicts follow σ(margin / temperature), two to a prompt."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(0, spread, n)
    p = (rng.random(n) < sigmoid(margins / temperature)).astype(float)
    return margins, p, np.arange(n) // 2


@pytest.fixture(scope="module")
def known():
    margins, p, which = world(600, seed=3)
    p[::10] = 0.5
    return margins, p, which


def test_the_order_shown_means_nothing(known):
    margins, p, _ = known
    turned = np.random.default_rng(1).choice((-1.0, 1.0), len(p))
    own = calibration.folded(margins, p, 2.0)
    other = calibration.folded(margins * turned, 0.5 + turned * (p - 0.5), 2.0)
    assert np.allclose(own, other)
    assert own[0].min() >= 0.5


def test_folding_by_hand():
    confidence, right = calibration.folded(np.array([2.0, -2.0, 0.0, -2.0]), np.array([1.0, 1.0, 1.0, 0.5]), 2.0)
    assert confidence == pytest.approx([0.7310586, 0.7310586, 0.5, 0.7310586])
    assert right.tolist() == [1.0, 0.0, 0.5, 0.5]


def test_bins_are_of_equal_mass_and_never_part_equal_values():
    assert np.bincount(calibration.bins(np.random.default_rng(0).random(1000))).tolist() == [100] * 10
    values = np.repeat([0.5, 0.6, 0.9], [50, 3, 7])
    places = calibration.bins(values)
    assert all(len(set(places[values == one])) == 1 for one in (0.5, 0.6, 0.9))
    assert calibration.bins(np.zeros(0)).tolist() == []


def test_bins_hold_what_they_say(known):
    confidence, right = calibration.folded(*known[:2], 1.0)
    found = calibration.reliability(confidence, right)
    assert sum(one.right.n for one in found) == 600
    assert sum(one.right.value * one.right.n for one in found) == pytest.approx(right.sum())
    assert all(a.high < b.low for a, b in pairwise(found))


def test_ece_is_that_of_the_bins(known):
    confidence, right = calibration.folded(*known[:2], 1.0)
    found = calibration.reliability(confidence, right)
    by_hand = sum(one.right.n / 600 * abs(one.right.value - one.confidence) for one in found)
    ece = calibration.ece(confidence, right, known[2])
    assert ece.value == pytest.approx(by_hand)
    assert 0 <= ece.low < ece.value < ece.high


def test_the_interval_holds_what_ece_is_on_average():
    rng, values = np.random.default_rng(0), []
    for _ in range(60):
        margins, p, which = world(400, temperature=2.5, seed=int(rng.integers(1 << 30)))
        values.append(calibration.ece(*calibration.folded(margins, p, 1.0), which))
    mean = np.mean([one.value for one in values])
    held = [one.low <= mean <= one.high for one in values]
    assert np.mean(held) > 0.87


# n, mean and 95 % point of a perfectly calibrated model's ECE: ten bins, margins N(0, 1.5)
FLOORS = [(100, 0.097, 0.141), (250, 0.063, 0.090), (500, 0.045, 0.067), (1000, 0.033, 0.048), (5000, 0.014, 0.020)]


@pytest.mark.parametrize(("n", "mean", "p95"), FLOORS)
def test_floors_of_a_perfect_model(n, mean, p95):
    """As published within a tenth; they are of one draw of margins each."""
    found = calibration.floor(sigmoid(np.abs(np.random.default_rng(n).normal(0, 1.5, n))))
    assert found.mean == pytest.approx(mean, rel=0.1)
    assert found.p95 == pytest.approx(p95, rel=0.1)


def test_the_floor_is_that_of_sums_of_coins():
    """Σ_b √(2 Σ c(1−c) / π) / n: the mean of |normal| in each bin."""
    confidence = sigmoid(np.abs(np.random.default_rng(5).normal(0, 1.5, 4000)))
    place = calibration.bins(confidence)
    exact = np.sqrt(2 / np.pi * np.bincount(place, confidence * (1 - confidence))).sum() / 4000
    assert calibration.floor(confidence).mean == pytest.approx(exact, rel=0.03)


def test_brier_is_the_sum_of_its_parts(known):
    confidence, right = calibration.folded(*known[:2], 1.0)
    found = calibration.brier(confidence, right, known[2])
    parts = found.reliability - found.resolution + found.uncertainty + found.within
    assert found.value.value == pytest.approx(parts, abs=1e-12)
    first = sigmoid(known[0])
    assert found.value.value == pytest.approx(((first - known[1]) ** 2).mean())  # unfolded, it is the same
    assert calibration.brier(np.array([0.5]), np.array([1.0]), np.zeros(1, int)).value.value == 0.25


def test_losses_of_coins_and_of_the_folded_form(known):
    margins, p, _ = known
    assert calibration.losses(np.zeros(3), np.array([1, 0, 0.5]), 1.0) == pytest.approx(LN2)
    confidence, right = calibration.folded(margins, p, 1.3)
    decided = margins != 0
    other = -(right * np.log(confidence) + (1 - right) * np.log(1 - confidence))
    assert calibration.losses(margins, p, 1.3)[decided] == pytest.approx(other[decided])


@pytest.mark.parametrize("planted", [0.5, 1.0, 3.0])
def test_a_planted_temperature_is_recovered(planted):
    margins, p, which = world(4000, spread=2 * planted, temperature=planted, seed=11)
    found = calibration.fitted_temperature(margins, p, which)
    assert found.low < planted < found.high
    assert found.value == pytest.approx(planted, rel=0.15)


def test_the_fitted_temperature_minimises_the_cross_entropy(known):
    margins, p, which = known
    loss = lambda b: calibration.losses(margins, p, 1 / b).mean()  # noqa: E731
    best = minimize_scalar(loss, bounds=(0.01, 10), method="bounded", options={"xatol": 1e-9})
    assert calibration.fitted_temperature(margins, p, which).value == pytest.approx(1 / best.x, rel=1e-4)


def test_its_interval_is_that_of_redrawn_prompts():
    margins, p, which = world(800, seed=4)
    rng, drawn = np.random.default_rng(0), []
    for _ in range(200):
        rows = (2 * rng.integers(0, 400, 400)[:, None] + [0, 1]).ravel()
        drawn.append(calibration.fitted_temperature(margins[rows], p[rows], which[rows]).value)
    found = calibration.fitted_temperature(margins, p, which)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))), rel=0.06)


@pytest.mark.parametrize(
    ("margins", "why"), [([0.0, 0.0], "other than 0"), ([1.0, 2.0], "low enough"), ([-1.0, -2.0], "wrong way")]
)
def test_why_no_temperature_can_be_fitted(margins, why):
    found = calibration.fitted_temperature(np.array(margins), np.ones(2), np.arange(2))
    assert found.value is None
    assert why in found.why


def test_from_few_prompts_and_weak_margins_no_bound_is_claimed():
    margins, p, _ = world(6, seed=2)
    assert calibration.fitted_temperature(margins, np.array([1, 0, 1, 0, 1, 0.5]), np.arange(6) // 2).low is None
    margins, p, which = world(60, spread=0.05, seed=8)
    p[:31] = margins[:31] > 0
    found = calibration.fitted_temperature(margins, p, which)
    assert found.high is None
    assert found.low < found.value


def test_agreement_counts_couples_of_decided_verdicts():
    """One pair judged 1, 1, 0 (1 of 3 couples agrees, also the other way round), one judged once, one tied."""
    first, second = np.array([0, 1, 0, 2, 4, 4]), np.array([1, 0, 1, 3, 5, 5])
    found = calibration.agreement(first, second, np.array([1.0, 0.0, 0.0, 1.0, 0.5, 1.0]))
    assert (found.value, found.n) == (pytest.approx(1 / 3), 3)
    assert calibration.agreement(first[3:4], second[3:4], np.ones(1)).why == "no pair was judged twice"


@pytest.mark.parametrize(
    ("agreed", "loss"), [(0.587, 0.599), (0.647, 0.527), (0.698, 0.462), (0.770, 0.360), (0.5, LN2)]
)
def test_the_loss_that_agreement_allows(agreed, loss):
    found = calibration.agreed_loss(Interval(agreed, agreed - 0.02, agreed + 0.02, 50), 0.0)
    assert found.value == pytest.approx(loss, abs=1.5e-3)
    assert found.low <= found.value <= found.high <= LN2 + 1e-9
    tied = calibration.agreed_loss(Interval(agreed, agreed, agreed, 50), 0.25)
    assert tied.value == pytest.approx(0.25 * math.log(2) + 0.75 * found.value)
