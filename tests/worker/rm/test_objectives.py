import math

import pytest
import torch

from worker.rm import objectives as o


def optimum(loss):
    """The margin at which the loss is least, by a fine grid."""
    grid = torch.linspace(-6, 6, 24001, dtype=torch.double)
    return float(grid[loss(grid).argmin()])


def test_without_knowledge_bradley_terry_costs_ln_2():
    assert float(o.bradley_terry(torch.zeros(1, dtype=torch.double))) == pytest.approx(math.log(2), abs=1e-12)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
def test_soft_labels_are_met_at_their_log_odds(p):
    assert optimum(lambda margin: o.bradley_terry(margin, p)) == pytest.approx(math.log(p / (1 - p)), abs=1e-3)


@pytest.mark.parametrize(("epsilon", "expected"), [(0.1, 2.1972), (0.25, 1.0986)])
def test_smoothing_has_a_finite_optimum(epsilon, expected):
    p = o.smoothed(torch.tensor(1.0, dtype=torch.double), epsilon)
    assert optimum(lambda margin: o.bradley_terry(margin, p)) == pytest.approx(expected, abs=1e-3)


def test_losses_stay_finite_far_out():
    far = torch.tensor([-500.0, 500.0])
    assert o.bradley_terry(far).tolist() == pytest.approx([500.0, 0.0])
    assert torch.isfinite(o.rao_kupper(far, torch.tensor([0.5, 0.5]), 0.3)).all()


def test_a_wanted_margin_shifts_the_loss_and_a_strength_scales_it():
    margin = torch.tensor([0.7], dtype=torch.double)
    assert torch.equal(o.with_margin(margin + 1, 1.0), o.bradley_terry(margin))
    assert torch.equal(o.scaled(margin, 3.0), 3 * o.bradley_terry(margin))


def test_centring_is_0_for_opposite_scores():
    assert o.centring(torch.tensor([2.0, 1.0]), torch.tensor([-2.0, 2.0])).tolist() == [0.0, 9.0]


@pytest.mark.parametrize("alpha", [0.05, 0.4, 2.0])
def test_rao_kupper_ties_at_equal_scores_with_tanh_half_alpha(alpha):
    tie = o.rao_kupper(torch.zeros(1, dtype=torch.double), torch.tensor([0.5]), alpha)
    assert math.exp(-float(tie)) == pytest.approx(math.tanh(alpha / 2), abs=1e-12)


@pytest.mark.parametrize("nu", [0.1, 1.0, 3.0])
def test_davidson_ties_at_equal_scores_with_nu_over_2_plus_nu(nu):
    tie = o.davidson(torch.zeros(1, dtype=torch.double), torch.tensor([0.5]), nu)
    assert math.exp(-float(tie)) == pytest.approx(nu / (2 + nu), abs=1e-12)


@pytest.mark.parametrize("loss", [o.rao_kupper, o.davidson])
@pytest.mark.parametrize("margin", [-2.0, 0.0, 0.9])
def test_the_three_outcomes_of_a_tie_model_sum_to_1(loss, margin):
    outcomes = torch.tensor([1.0, 0.5, 0.0], dtype=torch.double)
    chances = torch.exp(-loss(torch.full((3,), margin, dtype=torch.double), outcomes, 0.7))
    assert float(chances.sum()) == pytest.approx(1, abs=1e-12)


def test_a_ranking_of_two_is_bradley_terry():
    scores = torch.tensor([0.3, 1.1], dtype=torch.double)
    assert float(o.plackett_luce(scores, [1, 0])) == pytest.approx(float(o.bradley_terry(scores[1] - scores[0])))


def test_a_ranking_that_stops_early_sums_over_its_endings():
    scores = torch.tensor([0.3, 1.1, -0.5], dtype=torch.double)
    endings = [math.exp(-float(o.plackett_luce(scores, [2, *rest]))) for rest in ([0, 1], [1, 0])]
    assert math.exp(-float(o.plackett_luce(scores, [2]))) == pytest.approx(sum(endings))
