"""Length taken out of scores, against lines, curves and outliers that are known."""

import numpy as np
import pytest

from worker.rm.calibration import length_curve, lowess

RNG = np.random.default_rng(5)


def test_a_line_is_found_exactly():
    x = RNG.integers(1, 200, 300)
    at = np.array([1.0, 50.0, 199.0])
    assert lowess(x, 3 - 0.02 * x, at).tolist() == pytest.approx((3 - 0.02 * at).tolist(), abs=1e-9)


def test_outliers_do_not_move_it():
    x = np.arange(200)
    y = 0.1 * x
    y[::20] += 500
    at = np.array([40.0, 100.0, 160.0])
    assert lowess(x, y, at).tolist() == pytest.approx((0.1 * at).tolist(), abs=0.05)


def test_without_a_second_round_it_is_clevelands_weighted_line():
    x, y = RNG.random(30), RNG.random(30)
    away = np.abs(x - 0.4)
    weight = np.maximum(1 - (away / np.sort(away)[14]) ** 3, 0) ** 3
    slope, base = np.polyfit(x, y, 1, w=np.sqrt(weight))
    assert lowess(x, y, np.array([0.4]), share=0.5, rounds=1)[0] == pytest.approx(slope * 0.4 + base, abs=1e-6)


def test_what_bends_with_length_is_taken_out_and_the_mean_stays():
    length, quality = RNG.integers(5, 400, 2000), RNG.normal(size=2000)
    scores = quality + np.log(length)
    knots, values = length_curve(length, scores)
    left = scores - np.interp(length, knots, values)
    assert abs(np.corrcoef(left, length)[0, 1]) < 0.03
    assert abs(np.corrcoef(scores, length)[0, 1]) > 0.5
    assert left.mean() == pytest.approx(scores.mean())
    assert np.corrcoef(left, quality)[0, 1] > 0.95


@pytest.mark.parametrize("lengths", [[], [7], [7, 7, 7]])
def test_one_length_has_no_curve(lengths):
    knots, values = length_curve(np.array(lengths), np.arange(float(len(lengths))))
    assert np.interp([1, 7, 100], knots, values).tolist() == [0, 0, 0]


def test_two_lengths_are_their_two_means():
    knots, values = length_curve(np.array([10, 10, 90, 90]), np.array([0.0, 2.0, 4.0, 6.0]))
    assert values[1] - values[0] == pytest.approx(4, abs=0.01)
    assert knots.tolist() == [10, 90]
