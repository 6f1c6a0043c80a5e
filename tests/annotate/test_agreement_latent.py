"""Dawid–Skene finds planted truths, names classes by the votes, and knows what it cannot know."""

import numpy as np
import pytest

from annotate.agreement import Undefined, dawid_skene

CONFUSION = np.array([[0.8, 0.15, 0.05], [0.1, 0.85, 0.05], [0.2, 0.2, 0.6]])


def everyone(said):
    """Triples of a (units, raters) table in which everybody rates everything."""
    units, raters = np.indices(said.shape)
    return units.ravel(), raters.ravel(), said.ravel()


def simulated(seed, units=3000, raters=8, prior=(0.5, 0.3, 0.2)):
    """Raters between CONFUSION and no errors at all."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, units, p=prior)
    tables = np.array([CONFUSION * (1 - k / raters) + np.eye(3) * k / raters for k in range(raters)])
    below = tables[None].cumsum(3)[0][:, truth, :].transpose(1, 0, 2)  # (units, raters, values)
    return truth, tables, (rng.random((units, raters, 1)) > below).sum(2)


def test_planted_confusions_and_priors_are_recovered():
    truth, tables, said = simulated(0)
    found = dawid_skene(*everyone(said))
    n = np.bincount(truth)[None, :, None]
    error = np.sqrt(tables * (1 - tables) / n) + 0.005
    assert (np.abs(found.confusion - tables) < 4 * error).all()  # four standard errors of a known truth
    assert found.prior == pytest.approx(np.bincount(truth) / 3000, abs=0.02)
    assert (found.posterior.argmax(1) == truth).mean() > 0.97
    assert found.converged


def test_the_likelihood_never_falls():
    found = dawid_skene(*everyone(simulated(1, units=300, raters=3)[2]), tolerance=0, most=60)
    assert len(found.likelihood) == found.iterations == 60
    assert not found.converged
    assert (np.diff(found.likelihood) > -1e-9).all()
    assert found.likelihood[-1] > found.likelihood[0] + 1


def test_two_perfect_raters_and_a_random_one_have_a_closed_form():
    rng = np.random.default_rng(2)
    truth, noise = rng.integers(0, 2, 400), rng.integers(0, 2, 400)
    found = dawid_skene(*everyone(np.stack([truth, truth, noise], 1)), smoothing=1e-9, tolerance=1e-9)
    table = np.array([[((truth == k) & (noise == v)).sum() for v in (0, 1)] for k in (0, 1)])
    assert found.confusion[:2] == pytest.approx(np.array([np.eye(2), np.eye(2)]), abs=1e-6)
    assert found.confusion[2] == pytest.approx(table / table.sum(1, keepdims=True), abs=1e-6)
    assert found.posterior == pytest.approx(np.eye(2)[truth], abs=1e-6)
    assert found.prior == pytest.approx(np.bincount(truth) / 400, abs=1e-6)
    assert [one.value for one in found.reliability] == pytest.approx([1, 1, (truth == noise).mean()], abs=1e-6)


def test_smoothing_is_a_count_in_every_cell():
    truth = np.arange(40) % 2
    found = dawid_skene(*everyone(np.stack([truth] * 3, 1)), smoothing=0.5)
    unsure = (0.5 / 20.5) ** 3  # of each posterior: three raters might all have erred
    assert found.confusion[0] == pytest.approx(np.array([[20.5, 0.5], [0.5, 20.5]]) / 21, abs=2 * unsure)


def test_other_names_change_names_alone():
    said = simulated(3, units=400)[2]
    names, order = np.array([2, 0, 1]), np.random.default_rng(4).permutation(400)
    found, other = dawid_skene(*everyone(said)), dawid_skene(*everyone(names[said][order][:, ::-1]))
    assert other.posterior[:, names] == pytest.approx(found.posterior[order], abs=1e-4)
    assert other.confusion[::-1][:, names][:, :, names] == pytest.approx(found.confusion, abs=1e-4)
    assert other.prior[names] == pytest.approx(found.prior, abs=1e-4)


def test_the_intervals_cover_the_truth():
    """Three of 60 raters per unit: the truth is unsure, and the intervals are wider for it."""
    rng, units = np.random.default_rng(5), 6000
    truth, right = rng.integers(0, 2, units), rng.uniform(0.6, 0.95, 60)
    raters = rng.random((units, 60)).argsort(1)[:, :3]
    said = np.where(rng.random(raters.shape) < right[raters], truth[:, None], 1 - truth[:, None])
    found = dawid_skene(np.repeat(np.arange(units), 3), raters.ravel(), said.ravel())
    hits = np.mean([one.low <= a <= one.high for one, a in zip(found.reliability, right, strict=True)])
    assert hits >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 60)
    errors = [one.value - a for one, a in zip(found.reliability, right, strict=True)]
    assert abs(np.mean(errors)) < 0.02


def test_who_and_what_had_no_rating_is_told():
    triples = np.repeat([0, 1, 2], 3), np.tile([0, 1, 2], 3), np.repeat([0, 0, 1], 3)
    found = dawid_skene(*triples, shape=(4, 4, 2), smoothing=0.001, most=1)
    assert (found.reliability[3].value, found.reliability[3].why) == (None, "rated nothing")
    assert found.posterior[3] == pytest.approx(found.prior)
    assert found.prior == pytest.approx([2 / 3, 1 / 3], abs=1e-3)  # the unit without ratings has no voice in it


def test_a_truth_that_stays_unknown_gives_no_interval():
    table = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]])
    found = dawid_skene(*everyone(table), most=1)
    assert all(0 < one.value < 1 for one in found.reliability)
    assert all(one.low is None and "too unsure" in one.why for one in found.reliability)


@pytest.mark.parametrize(
    ("triples", "why"),
    [
        (([], [], []), "rated twice"),
        (([0, 1, 2], [0, 1, 2], [0, 1, 0]), "rated twice"),
        (([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]), "fewer than three raters"),
        (([0, 0, 0], [0, 1, 2], [1, 1, 1]), "the same answer"),
    ],
)
def test_what_cannot_be_known_says_why(triples, why):
    with pytest.raises(Undefined, match=why):
        dawid_skene(*triples)


def test_numbers_start_at_zero():
    with pytest.raises(ValueError, match="from 0"):
        dawid_skene([0, 0, 0], [0, 1, 2], [-1, 1, 1])
