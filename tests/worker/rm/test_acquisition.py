"""What a verdict is worth: closed forms and brute force; and the probability of a pick, counted out and simulated."""

from itertools import combinations

import numpy as np
import pytest
from scipy.special import expit, logit

from worker.rm.acquisition import (
    directions,
    disagreement,
    entropy,
    greedy,
    inclusion,
    information,
    margin,
    mutual_information,
    pick,
    posterior_covariance,
)


def test_disagreement_is_the_variance_of_the_predictions():
    members = logit(np.array([[0.2, 0.5], [0.8, 0.5]]))
    assert disagreement(members) == pytest.approx([0.09, 0.0])
    assert disagreement(np.array([[-900.0], [900.0]])) == pytest.approx([0.25])


def test_mutual_information_of_two_sure_members_who_differ_is_one_bit():
    assert mutual_information(np.array([[-900.0, 0.0], [900.0, 0.0]])) == pytest.approx([np.log(2), 0.0])
    members = logit(np.array([[0.1], [0.6]]))
    expected = entropy(np.array(0.35)) - (entropy(np.array(0.1)) + entropy(np.array(0.6))) / 2
    assert mutual_information(members) == pytest.approx([expected])


@pytest.mark.parametrize("value", [disagreement, mutual_information])
@pytest.mark.parametrize("members", [np.zeros((1, 3)), np.zeros(3)])
def test_one_member_cannot_disagree(value, members):
    with pytest.raises(ValueError, match="two members"):
        value(members)


def test_entropy_at_its_ends():
    assert entropy(np.array([0.0, 1.0, 0.5])) == pytest.approx([0, 0, np.log(2)])


def test_the_smallest_margin_is_worth_most():
    assert margin(np.array([-3.0, 0.5, 1.0])).argmax() == 1


def test_information_is_the_gain_in_log_determinant():
    rng = np.random.default_rng(0)
    z, margins, sigma = rng.normal(size=(5, 3)), rng.normal(size=5), np.diag([1.0, 2.0, 0.5])
    for value, one, delta in zip(information(margins, z, sigma), z, margins, strict=True):
        after = np.linalg.inv(sigma) + expit(delta) * expit(-delta) * np.outer(one, one)
        gain = (np.linalg.slogdet(after)[1] + np.linalg.slogdet(sigma)[1]) / 2
        assert value == pytest.approx(gain)


def test_the_posterior_shrinks_where_it_has_seen():
    sigma = posterior_covariance(np.zeros(4), np.array([[2.0, 0.0]] * 4), precision=2.0)
    assert sigma == pytest.approx(np.diag([1 / 6, 1 / 2]))


def test_greedy_adds_up_to_the_log_determinant_and_avoids_doubles():
    rng = np.random.default_rng(1)
    z, margins = rng.normal(size=(8, 3)), rng.normal(size=8)
    z[5], margins[5] = z[2], margins[2]
    order, gain = greedy(margins, z, np.eye(3), 4)
    precision = np.eye(3) + (z[order[:4]] * (expit(margins) * expit(-margins))[order[:4], None]).T @ z[order[:4]]
    assert gain[order[:4]].sum() == pytest.approx(np.linalg.slogdet(precision)[1] / 2)
    assert sorted(order) == list(range(8))
    assert not {2, 5} <= set(order[:3])


def test_greedy_over_everything_asks_for_each_once():
    order, _ = greedy(np.zeros(3), np.eye(3), np.eye(3), 99)
    assert sorted(order) == [0, 1, 2]


def test_directions_keep_the_angles_and_drop_what_is_empty():
    z = np.random.default_rng(4).normal(size=(6, 3)) @ np.ones((3, 5))
    z[:, 0] *= 2
    kept = directions(z)
    assert kept.shape == (6, 1)
    assert kept @ kept.T == pytest.approx(z @ z.T / (z**2).sum(1).mean())
    assert directions(np.eye(9), most=4).shape == (9, 4)


# ---- Picking


@pytest.mark.parametrize(("n", "places", "drawn"), [(7, 4, 2), (6, 3, 1), (5, 5, 2), (6, 4, 4), (1, 1, 1), (6, 5, 1)])
def test_inclusion_is_the_count_over_all_lots(n, places, drawn):
    counts = np.zeros(n)
    lots = list(combinations(range(n), drawn))
    for lot in lots:
        others = [rank for rank in range(n) if rank not in lot][: places - drawn]
        counts[[*lot, *others]] += 1
    assert inclusion(n, places, drawn) == pytest.approx(counts / len(lots))


def test_inclusion_adds_up_to_the_places():
    found = inclusion(1000, 200, 40)
    assert found.sum() == pytest.approx(200)
    assert found.min() == pytest.approx(0.04)
    assert found[:160] == pytest.approx(1)


def test_the_simulated_frequency_is_the_stored_probability():
    rng, order, counts, told = np.random.default_rng(2), np.random.default_rng(9).permutation(30), np.zeros(30), {}
    for _ in range(4000):
        found = pick(order, 10, 0.3, rng)
        counts[found.chosen] += 1
        told |= dict(zip(found.chosen.tolist(), found.probability.tolist(), strict=True))
        assert (found.by_chance.sum(), len(set(found.chosen))) == (3, 10)
    expected = np.array([told[n] for n in range(30)])
    assert counts / 4000 == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(4000))


def test_weighing_by_it_corrects_the_accuracy():
    """Of 200 pairs the 40 hardest are all wrong; what was picked by hardness alone would say 0."""
    right = np.r_[np.zeros(40), np.ones(160)]
    estimates, rng = [], np.random.default_rng(3)
    for _ in range(2000):
        found = pick(np.arange(200), 50, 0.4, rng)
        estimates.append((right[found.chosen] / found.probability).sum() / 200)
    assert np.mean(estimates) == pytest.approx(right.mean(), abs=4 * np.std(estimates) / np.sqrt(2000))


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_a_share_by_chance_is_always_kept(share):
    with pytest.raises(ValueError, match="random share"):
        pick(np.arange(5), 2, share, np.random.default_rng(0))


def test_small_and_whole_picks():
    rng = np.random.default_rng(0)
    assert pick(np.arange(5), 1, 0.01, rng).by_chance.tolist() == [True]
    whole = pick(np.arange(3), 9, 0.5, rng)
    assert sorted(whole.chosen) == [0, 1, 2]
    assert whole.probability == pytest.approx(1)
    assert len(pick(np.arange(0), 5, 0.2, rng).chosen) == 0
