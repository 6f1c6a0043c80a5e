"""The arithmetic of Shapley values against a brute force over all orders, and estimates against the exact ones."""

from itertools import pairwise, permutations

import numpy as np
import pytest

from worker.rm.attribution.coalitions import orders, prefixes, sampled, shapley


def game(count, seed=0):
    return np.random.default_rng(seed).normal(size=2**count)


def brute(values, count):
    """The mean of what each unit adds, over every order."""
    added = np.zeros((len(every := list(permutations(range(count)))), count))
    for row, order in zip(added, every, strict=True):
        row[list(order)] = np.diff(values[prefixes(order)])
    return added.mean(0)


def additive(weights):
    subsets = np.arange(2 ** len(weights))
    return ((subsets[:, None] >> np.arange(len(weights))) & 1) @ np.array(weights)


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_exact_values_are_those_of_all_orders(count):
    values = game(count)
    np.testing.assert_allclose(shapley(values), brute(values, count), rtol=0, atol=1e-12)


def test_exact_values_sum_to_all_minus_none():
    values = game(10)
    assert shapley(values).sum() == pytest.approx(values[-1] - values[0], abs=1e-12)


def test_an_additive_game_gives_each_its_own():
    weights = [0.5, -2.0, 3.25, 0.0]
    np.testing.assert_allclose(shapley(additive(weights)), weights, atol=1e-12)
    drawn = orders([0] * 4, 3)
    found, errors = sampled(drawn, dict(enumerate(additive(weights))))
    np.testing.assert_allclose((found, errors), (weights, [0] * 4), atol=1e-12)


def test_units_that_do_the_same_get_the_same_and_one_that_does_nothing_gets_0():
    subsets = np.arange(16)
    sizes = np.array([(s & 0b0111).bit_count() for s in subsets.tolist()])  # the last unit never counts
    found = shapley(np.sqrt(sizes))
    np.testing.assert_allclose(found, [3**0.5 / 3] * 3 + [0], atol=1e-12)


def test_what_are_not_all_subsets_is_refused():
    with pytest.raises(ValueError, match="6 values are not those of all subsets"):
        shapley(np.zeros(6))


def test_estimates_cover_the_exact_values_as_often_as_they_say():
    """Of 200 estimates' 95 % intervals of 6 units, about 95 in 100 hold the exact value (t of 19 degrees: 2.093)."""
    values, held = game(6), []
    exact, known = shapley(values), dict(enumerate(values))
    for seed in range(200):
        found, errors = sampled(orders([0] * 6, 20, seed), known)
        held.append(np.abs(found - exact) <= 2.093 * errors)
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_estimates_are_unbiased_and_sum_exactly():
    values = game(5)
    found, _ = sampled(orders([0] * 5, 4000), dict(enumerate(values)))
    np.testing.assert_allclose(found, shapley(values), atol=0.05)
    assert found.sum() == pytest.approx(values[-1] - values[0], abs=1e-10)


def test_orders_come_with_their_reverse_and_are_drawn_by_their_seed():
    drawn = orders([0] * 7, 5, seed=3)
    assert drawn.shape == (10, 7)
    np.testing.assert_array_equal(drawn[1::2], drawn[::2, ::-1])
    np.testing.assert_array_equal(drawn, orders([0] * 7, 5, seed=3))
    assert (drawn != orders([0] * 7, 5, seed=4)).any()


def owen(values, groups):
    """The mean over the orders that keep groups together."""
    count = len(groups)
    kept = [
        order
        for order in permutations(range(count))
        if sum(groups[a] != groups[b] for a, b in pairwise(order)) == len(set(groups)) - 1
    ]
    return np.mean([np.diff(values[prefixes(order)])[np.argsort(order)] for order in kept], 0)


def test_grouped_orders_estimate_owen_s_values():
    groups, values = [0, 0, 1, 2, 2], game(5)
    drawn = orders(groups, 4000)
    changes = (np.diff(np.array(groups)[drawn], axis=1) != 0).sum(1)
    assert set(changes.tolist()) == {2}
    found, _ = sampled(drawn, dict(enumerate(values)))
    np.testing.assert_allclose(found, owen(values, groups), atol=0.06)
    assert np.abs(owen(values, groups) - shapley(values)).max() > 0.1
