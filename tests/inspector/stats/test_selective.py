"""Accuracy over coverage and the worth of disagreement, against brute force and known areas."""

import numpy as np
import pytest

from annotate.agreement import bootstrap
from inspector.stats import selective
from inspector.stats.selective import COVERAGE


def test_accuracy_of_the_most_confident_by_hand():
    confidence, right = np.array([0.9, 0.6, 0.8, 0.7]), np.array([1.0, 0.0, 1.0, 0.0])
    found = selective.selective(confidence, right, np.arange(4))
    at = dict(zip(COVERAGE, (one.value for one in found.accuracy), strict=True))
    assert (at[0.24], at[0.5], at[0.74], at[1.0]) == pytest.approx((1, 1, 2 / 3, 1 / 2))
    assert found.area.value == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert (found.chance, found.best) == (0.5, found.area.value)


def test_equal_confidence_is_no_order():
    rng = np.random.default_rng(0)
    right = (rng.random(500) < 0.7).astype(float)
    found = selective.selective(np.full(500, 0.8), right, np.arange(500))
    assert all(one.value == pytest.approx(right.mean()) for one in found.accuracy)
    assert found.area.value == pytest.approx(found.chance)
    assert found.area.low < found.area.value < found.area.high


def test_the_best_area_is_the_published_one():
    """e + (1 − e) ln(1 − e) for error e (Geifman & El-Yaniv 2019, eq. 4)."""
    right = np.r_[np.ones(8000), np.zeros(2000)]
    assert selective.selective(right, right, np.arange(10000)).best == pytest.approx(0.2 + 0.8 * np.log(0.8), abs=1e-3)


def test_intervals_redraw_prompts():
    rng = np.random.default_rng(2)
    which = np.arange(400) // 4
    confidence = rng.random(400)
    right = (rng.random(400) < 0.5 + 0.4 * confidence).astype(float)
    found = selective.selective(confidence, right, which)
    brute = bootstrap(lambda r: float(r.mean()), right, groups=which, draws=400)
    assert (found.accuracy[-1].low, found.accuracy[-1].high) == pytest.approx((brute.low, brute.high), abs=0.015)
    assert found.area.low < found.area.value < found.area.high


@pytest.fixture(scope="module")
def doubtful():
    rng = np.random.default_rng(4)
    doubt = rng.random(300)
    return doubt, (rng.random(300) < 0.1 + 0.6 * doubt).astype(float), np.arange(300) // 3


def test_error_rises_with_what_members_differ_by(doubtful):
    doubt, wrong, _ = doubtful
    found = selective.parts(doubt, wrong)
    assert [one.wrong.n for one in found] == [60] * 5
    assert found[-1].wrong.value > found[0].wrong.value
    assert sum(one.wrong.value * 60 for one in found) == pytest.approx(wrong.sum())


def test_the_area_is_the_share_of_couples_in_order(doubtful):
    doubt, wrong, which = doubtful
    found = selective.aurocs({"own": doubt, "none": np.zeros(300)}, wrong, which)
    apart = np.sign(doubt[wrong == 1][:, None] - doubt[wrong == 0])
    assert found["own"].value == pytest.approx(0.5 + apart.mean() / 2)
    assert found["none"].value == 0.5
    brute = bootstrap(lambda s, w: float(0.5 + np.sign(s[w == 1][:, None] - s[w == 0]).mean() / 2), doubt, wrong,
                      groups=which, draws=300)  # fmt: skip
    assert (found["own"].low, found["own"].high) == pytest.approx((brute.low, brute.high), abs=0.015)


def test_areas_without_an_interval_say_why():
    some = np.arange(6.0)
    assert selective.area(some, some > 9, np.arange(6)).why == "all of them are right, or all wrong"
    assert selective.area(some, some > 2, np.arange(6)).low is None
    assert "too few prompts" in selective.area(some, some > 2, np.zeros(6, int)).why
