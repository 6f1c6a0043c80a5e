"""The gate: debiasing as ArmoRM's own script leaves out, the mixture, and its exact explanation."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from worker.rm import gating, labels, preference
from worker.rm.layers import Gate
from worker.rm.recipe import Heads, Preference, Recipe
from worker.rm.types import Comparison, silent

RNG = np.random.default_rng(2)
VERBOSITY = RNG.normal(size=2000)
CRITERIA = np.stack([VERBOSITY, 0.6 * VERBOSITY + 0.8 * RNG.normal(size=2000), RNG.normal(size=2000)], 1)


def test_the_least_part_of_verbosity_is_taken_that_leaves_none():
    taken = gating.debiasing(CRITERIA, 0)
    left = lambda part, i=1: abs(spearmanr(CRITERIA[:, i] - part * VERBOSITY, VERBOSITY).statistic)  # noqa: E731
    assert taken[0] == 1
    assert taken[1] == pytest.approx(0.57, abs=0.08)  # .6 takes all of it, .03 may stay
    assert left(taken[1]) <= gating.MOST < left(taken[1] - 0.01)
    assert left(taken[2], 2) <= max(gating.MOST, left(0, 2))


def test_a_criterion_that_runs_against_verbosity_cannot_be_helped_by_taking_more():
    against = np.stack([VERBOSITY, -VERBOSITY + 0.1 * CRITERIA[:, 2]], 1)
    assert gating.debiasing(against, 0).tolist() == [1, 0]
    assert gating.debiasing(np.stack([VERBOSITY, VERBOSITY * 0], 1), 0).tolist() == [1, 0]


def test_what_is_mixed_knows_nothing_of_verbosity_whatever_the_scales():
    criteria = torch.from_numpy(CRITERIA * [3.0, 0.1, 7.0] + [1.0, 2.0, 3.0]).float()
    matrix, mean, _ = gating.transform(criteria, 0)
    mixed = (criteria - mean) @ matrix.T
    assert matrix.shape == (2, 3)
    assert all(abs(spearmanr(column, VERBOSITY).statistic) <= gating.MOST + 0.01 for column in mixed.T.numpy())


def gate(**parts):
    own = {
        "into": torch.tensor([[1.0, 0.0]]),
        "bias": torch.zeros(1),
        "out": torch.tensor([[2.0], [-2.0]]),
        "center": torch.zeros(2),
        "scale": torch.ones(2),
        "matrix": torch.eye(2),
        "mean": torch.tensor([0.0, 1.0]),
        "strength": torch.tensor([3.0]),
    }
    return Gate(**{**own, **parts})


def test_the_mixture_by_hand_and_its_parts_sum_to_it():
    prompts, criteria = torch.tensor([[0.5, 9.0], [0.0, 0.0]]), torch.tensor([[1.0, 2.0], [4.0, 3.0]])
    share = 1 / (1 + math.exp(-4 * math.tanh(0.5)))
    assert gate().weights(prompts).tolist() == [pytest.approx([share, 1 - share]), [0.5, 0.5]]
    assert gate()(prompts, criteria).tolist() == pytest.approx([3.0, 3 * (0.5 * 4 + 0.5 * 2)])
    debiased = gate(matrix=torch.tensor([[1.0, -0.5], [0.0, 1.0]]))
    parts = debiased.contributions(prompts, criteria)
    assert torch.allclose(parts.sum(1), debiased(prompts, criteria))
    r = (criteria - debiased.mean) @ debiased.matrix.T
    assert torch.allclose(parts.sum(1), 3 * (debiased.weights(prompts) * r).sum(1))


def test_a_gate_learns_which_criterion_matters_for_which_prompt():
    """Half of the prompts are judged by one criterion, half by the other."""
    draw = torch.Generator().manual_seed(0)
    count = 1500
    criteria, kind = torch.randn(2 * count, 2, generator=draw), torch.arange(count).repeat_interleave(2) % 2
    prompts = torch.stack([kind.float(), 1 - kind.float(), torch.randn(2 * count, generator=draw)], 1)
    utility = 2 * criteria.gather(1, kind[:, None])[:, 0]
    noise = torch.rand(count, generator=draw).logit()
    said = [
        Comparison(2 * n, 2 * n + 1, float(utility[2 * n] - utility[2 * n + 1] + noise[n] > 0)) for n in range(count)
    ]
    pairs, recipe = labels.pairs(said), Recipe(preference=Preference(order="shared"), heads=Heads(hidden=8))
    fold, groups = torch.arange(2 * count) // 2 % 5, [str(n // 2) for n in range(2 * count)]
    problem = preference.Problem(criteria, pairs, pairs, fold, torch.ones(2 * count), groups, recipe)
    found = gating.fit(problem, prompts, criteria, None, silent)
    shares = found.gate.weights(prompts)
    assert shares[kind == 0, 0].mean() > 0.85
    assert shares[kind == 1, 1].mean() > 0.85
    assert [found.curve[0], found.untrained] == pytest.approx([math.log(2)] * 2)
    right = (preference.margins(found.scores[:, 0], pairs) > 0) == (pairs.p > 0.5)
    assert right.float().mean() > 0.75
    information = (1 / (2 + 2 * (utility[0::2] - utility[1::2]).cosh())).sum()
    assert float(found.order_error) == pytest.approx(float(information**-0.5), rel=0.1)
    assert abs(float(found.learned.gamma)) < 1.96 * float(found.order_error)  # none was planted
