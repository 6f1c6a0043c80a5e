"""Crowd-BT finds planted scores and reliabilities, and refuses where their level cannot be known."""

import numpy as np
import pytest

from annotate.agreement import Undefined, crowd_bt
from annotate.agreement.contests import circles


def played(seed, responses=12, raters=40, n=24_000, spread=1.5):
    """(winners, losers, raters), the scores and each rater's η."""
    rng = np.random.default_rng(seed)
    scores, eta = rng.normal(0, spread, responses), rng.uniform(0.4, 1, raters)
    first = rng.integers(0, responses, n)
    second = (first + rng.integers(1, responses, n)) % responses
    who = rng.integers(0, raters, n)
    p = 1 / (1 + np.exp(scores[second] - scores[first]))
    won = rng.random(n) < eta[who] * p + (1 - eta[who]) * (1 - p)
    return (np.where(won, first, second), np.where(won, second, first), who), scores, eta


def values(intervals):
    return [one.value for one in intervals]


def test_planted_reliabilities_are_recovered_within_their_intervals():
    """Errors within one data set hang together by the scale, so the hits of several are counted."""
    hits, errors = [], []
    for seed in range(6):
        triples, _, eta = played(seed)
        found = crowd_bt(*triples)
        assert found.converged
        hits += [one.low <= truth <= one.high for one, truth in zip(found.reliability, eta, strict=True)]
        errors += [one.value - truth for one, truth in zip(found.reliability, eta, strict=True)]
    assert 0.88 <= np.mean(hits) <= 0.995
    assert abs(np.mean(errors)) < 0.02


def test_planted_scores_are_recovered():
    triples, scores, _ = played(10)
    found = crowd_bt(*triples)
    assert found.scores - found.scores.mean() == pytest.approx(scores - scores.mean(), abs=0.35)
    assert np.corrcoef(found.scores, scores)[0, 1] > 0.99


def test_the_fit_is_a_peak_of_the_posterior_density():
    triples, _, _ = played(11, raters=5, n=8000)
    found = crowd_bt(*triples, tolerance=1e-9, most=5000)
    eta = np.array([one.value for one in found.reliability])

    def height(scores, eta):
        p = 1 / (1 + np.exp(scores[triples[1]] - scores[triples[0]]))
        held = 0.5 * (np.log(1 / (1 + np.exp(-scores))) + np.log(1 / (1 + np.exp(scores)))).sum()
        trust = eta[triples[2]]
        return np.log(trust * p + (1 - trust) * (1 - p)).sum() + held + np.log(eta * (1 - eta)).sum()

    top = height(found.scores, eta)
    assert found.likelihood[-1] == pytest.approx(top)
    for step in (-1e-3, 1e-3):
        assert all(height(found.scores + step * axis, eta) < top for axis in np.eye(12))
        assert all(height(found.scores, eta + step * axis) < top for axis in np.eye(5))


def test_the_likelihood_never_falls():
    found = crowd_bt(*played(12)[0])
    assert (np.diff(found.likelihood) >= 0).all()


def test_one_rater_who_is_always_taken_at_their_word_is_bradley_terry():
    """Odds of 3, 3 and 9 between three responses: scores ln 3 apart; the prior of η keeps a little of it for errors."""
    pairs = [(0, 1, 3000, 1000), (1, 2, 3000, 1000), (0, 2, 3600, 400)]
    winners = np.concatenate([np.repeat([a, b], [x, y]) for a, b, x, y in pairs])
    losers = np.concatenate([np.repeat([b, a], [x, y]) for a, b, x, y in pairs])
    found = crowd_bt(winners, losers, np.zeros(len(winners), int), prior=0.01, tolerance=1e-7, most=20_000)
    eta, p = found.reliability[0].value, 1 / (1 + np.exp(found.scores[[1, 2, 2]] - found.scores[[0, 1, 0]]))
    assert eta > 0.98
    assert eta * p + (1 - eta) * (1 - p) == pytest.approx([0.75, 0.75, 0.9], abs=0.005)
    assert np.diff(found.scores) == pytest.approx([-np.log(3)] * 2, rel=0.08)


def test_the_ends_of_the_scale_are_named_by_most():
    triples, _, _ = played(13)
    found, turned = crowd_bt(*triples), crowd_bt(triples[1], triples[0], triples[2])
    assert turned.scores == pytest.approx(-found.scores, abs=1e-2)
    assert values(turned.reliability) == pytest.approx(values(found.reliability), abs=1e-3)


def test_names_of_responses_and_raters_do_not_matter():
    (winners, losers, who), _, _ = played(14)
    found = crowd_bt(winners, losers, who, tolerance=1e-6)
    other = crowd_bt(11 - winners, 11 - losers, 39 - who, tolerance=1e-6)
    assert other.scores[::-1] == pytest.approx(found.scores, abs=1e-3)
    assert values(other.reliability[::-1]) == pytest.approx(values(found.reliability), abs=1e-3)


def test_few_comparisons_of_each_response_leave_reliability_undefined():
    found = crowd_bt(*played(15, responses=2000, n=20_000)[0])
    assert {one.value for one in found.reliability} == {None}
    assert "too few comparisons" in found.reliability[0].why


def test_a_rater_who_compared_nothing_says_so():
    triples, _, _ = played(16)
    found = crowd_bt(*triples, shape=(13, 41))
    assert (found.reliability[40].value, found.reliability[40].why) == (None, "compared nothing")
    assert found.scores[12] == 0


@pytest.mark.parametrize(
    ("first", "second", "number"),
    [
        ([0, 1, 2], [1, 2, 0], 1),
        ([0, 1, 2, 0, 1], [1, 2, 3, 1, 0], 0),
        ([5, 7, 5, 9, 9, 11], [7, 5, 9, 7, 11, 5], 2),
        ([0, 1, 2, 3, 10, 11, 12], [1, 2, 3, 0, 11, 12, 10], 2),
        (list(range(0, 500)), list(range(1, 501)), 0),
    ],
)
def test_circles_are_counted(first, second, number):
    assert circles(np.array(first), np.array(second)) == number


@pytest.mark.parametrize(
    ("triples", "why"),
    [(([], [], []), "no comparison"), (([0, 0, 2, 3], [1, 1, 3, 2], [0, 1, 0, 1]), "in a circle")],
)
def test_what_cannot_be_known_says_why(triples, why):
    with pytest.raises(Undefined, match=why):
        crowd_bt(*triples)


@pytest.mark.parametrize("triples", [([0, 1, 2], [1, 2, 2], [0, 0, 0]), ([0, 1, 2], [1, 2, 0], [0, -1, 0])])
def test_impossible_comparisons_are_refused(triples):
    with pytest.raises(ValueError, match="from 0"):
        crowd_bt(*triples)
