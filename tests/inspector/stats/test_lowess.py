"""The curve against a brute force, the trainer's own calibration, and a bootstrap of prompts."""

import numpy as np
import pytest

from inspector.stats.lowess import fitted, robust
from worker.rm.calibration import lowess


def bent(n=300, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(5, 200, n).astype(float)
    return x, np.log(x) + rng.normal(0, 0.3, n)


def test_one_round_is_the_weighted_line_at_each_place():
    x, y = bent(60)
    at = np.array([20.0, 90.0, 150.0])
    found = robust(x, y, at, rounds=1) @ y
    for place, value in zip(at, found, strict=True):
        away = np.abs(x - place)
        weight = (1 - np.minimum(away / np.sort(away)[39], 1) ** 3) ** 3
        line = np.polynomial.polynomial.polyfit(x, y, 1, w=np.sqrt(weight))
        assert value == pytest.approx(line[0] + line[1] * place)


def test_it_is_the_curve_that_training_takes_out():
    x, y = bent()
    y[::17] += 9  # outliers
    at = np.unique(np.quantile(x, np.linspace(0, 1, 30), method="nearest"))
    assert robust(x, y, at) @ y == pytest.approx(lowess(x, y, at), abs=1e-9)


def test_a_line_is_found_whatever_outliers_say():
    x = np.linspace(1, 100, 200)
    y = 2 + 0.5 * x
    y[::20] += 400
    found = fitted(x, y, np.arange(200))
    assert found.at(x[1::20]) == pytest.approx(2 + 0.5 * x[1::20], abs=0.2)


def test_the_band_is_that_of_redrawn_prompts():
    rng = np.random.default_rng(1)
    x, y = bent(600)
    which = np.arange(600) // 3
    y = y + np.repeat(rng.normal(0, 0.3, 200), 3)
    found = fitted(x, y, which, places=12)
    rows = np.arange(600).reshape(200, 3)
    drawn = []
    for _ in range(200):
        picked = rows[rng.integers(0, 200, 200)].ravel()
        drawn.append(robust(x[picked], y[picked], found.x) @ y[picked])
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * np.std(drawn, 0), rel=0.35)


@pytest.mark.parametrize("x", [[], [3, 3, 3, 3], [1, 2]])
def test_without_different_lengths_there_is_no_curve(x):
    assert fitted(x, list(range(len(x))), np.arange(len(x))) is None


def test_beyond_its_ends_the_curve_is_flat():
    found = fitted(*bent(), np.arange(300))
    assert found.at(np.array([-5.0, 1e6])) == pytest.approx([found.y[0], found.y[-1]])
