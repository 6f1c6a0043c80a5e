"""Every objective against its closed form, a brute force, its gradient, and scores far out."""

import math
from itertools import permutations

import pytest
import torch

from worker.rm import labels, recipe
from worker.rm import objectives as o
from worker.rm.recipe import Preference
from worker.rm.types import Comparison, Ranking

NOTHING = o.Learned(torch.zeros(0, dtype=torch.double), torch.zeros(0, dtype=torch.double))
OUTCOMES = [Comparison(0, 1, p, 1.0, strength, "alice") for p, strength in ((1.0, 3), (0.5, None), (0.0, 1))]


def doubles(found):
    names = ("target", "place", "tie", "weight", "strength")
    return labels.replace(found, **{name: getattr(found, name).double() for name in names})


def pairs(*comparisons):
    return doubles(labels.pairs(comparisons))


def one(p, strength=None):
    return pairs(Comparison(0, 1, p, 1.0, strength))


def at(margin):
    """Scores of two responses with that margin."""
    return torch.tensor([margin, 0.0], dtype=torch.double)


def tie(value):
    """What is learnt, with a threshold of that value."""
    return o.Learned(NOTHING.gamma, torch.tensor([math.log(math.expm1(value))], dtype=torch.double))


def optimum(loss):
    """The margin at which the loss is least, by a fine grid."""
    grid = torch.linspace(-6, 6, 24001, dtype=torch.double)
    return float(grid[loss(grid).argmin()])


def test_every_objective_has_its_formula_and_every_formula_its_objective():
    assert {name: getattr(o, name) for name in recipe.OBJECTIVES} == o.PREFERENCE
    assert all(function.__doc__ for function in o.PREFERENCE.values())


@pytest.mark.parametrize("name", ["bradley_terry", "scaled", "plackett_luce", "rao_kupper", "davidson"])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_without_knowledge_a_pair_costs_ln_2(name, p):
    assert float(o.PREFERENCE[name](at(0.0), one(p), NOTHING)) == pytest.approx(math.log(2), abs=1e-12)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
def test_soft_labels_are_met_at_their_log_odds(p):
    assert optimum(lambda margin: o.cross_entropy(margin, p)) == pytest.approx(math.log(p / (1 - p)), abs=1e-3)


@pytest.mark.parametrize(("epsilon", "expected"), [(0.1, 2.1972), (0.25, 1.0986)])
def test_smoothing_has_a_finite_optimum(epsilon, expected):
    p = labels.smoothed(one(1.0), epsilon).p
    assert optimum(lambda margin: o.cross_entropy(margin, p)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("strength", "wanted"), [(3, 1.0), (2, 2 / 3), (1, 1 / 3), (None, 0.0)])
def test_a_margin_asks_for_the_small_table_of_llama_2(strength, wanted):
    found = o.margin(at(0.7), one(1.0, strength), NOTHING)
    assert float(found) == pytest.approx(math.log1p(math.exp(wanted - 0.7)), abs=1e-7)
    mirrored = o.margin(at(-0.7), one(0.0, strength), NOTHING)
    assert float(mirrored) == pytest.approx(float(found))


def test_a_margin_asks_nothing_of_ties():
    assert float(o.margin(at(0.4), one(0.5, 3), NOTHING)) == pytest.approx(float(o.cross_entropy(at(0.4)[0], 0.5)))


@pytest.mark.parametrize(("strength", "times"), [(3, 3), (1, 1), (None, 1)])
def test_a_strength_scales_the_loss(strength, times):
    found = o.scaled(at(0.7), one(1.0, strength), NOTHING)
    assert float(found) == pytest.approx(times * math.log1p(math.exp(-0.7)))


def test_centring_is_0_for_opposite_scores():
    scores = torch.tensor([2.0, -2.0, 1.0])
    found = labels.pairs([Comparison(0, 1, 1.0), Comparison(0, 2, 1.0)])
    assert o.centring(scores, found).tolist() == [0.0, 9.0]
    whole = o.preference_loss(scores, found, o.start(found, Preference()), Preference(centring=0.01))
    plain = o.preference_loss(scores, found, o.start(found, Preference()), Preference())
    assert float(whole - plain) == pytest.approx(0.09)


@pytest.mark.parametrize("alpha", [0.05, 0.4, 2.0])
def test_rao_kupper_ties_at_equal_scores_with_tanh_half_alpha(alpha):
    found = o.rao_kupper(at(0.0), one(0.5), tie(alpha))
    assert math.exp(-float(found)) == pytest.approx(math.tanh(alpha / 2), abs=1e-12)


@pytest.mark.parametrize("nu", [0.1, 1.0, 3.0])
def test_davidson_ties_at_equal_scores_with_nu_over_2_plus_nu(nu):
    assert math.exp(-float(o.davidson(at(0.0), one(0.5), tie(nu)))) == pytest.approx(nu / (2 + nu), abs=1e-12)


@pytest.mark.parametrize("name", o.WITH_TIES)
@pytest.mark.parametrize("margin", [-2.0, 0.0, 0.9])
def test_the_three_outcomes_of_a_tie_model_sum_to_1(name, margin):
    chances = torch.exp(-o.PREFERENCE[name](at(margin), pairs(*OUTCOMES), tie(0.7)))
    assert float(chances.sum()) == pytest.approx(1, abs=1e-12)


def test_the_order_effect_favours_what_was_shown_first_in_every_objective():
    learned = o.Learned(torch.tensor([0.5], dtype=torch.double), NOTHING.tie)
    for name in ("bradley_terry", "plackett_luce", "rao_kupper"):
        found = o.PREFERENCE[name](at(0.2), one(1.0), learned)
        assert float(found) == pytest.approx(math.log1p(math.exp(-0.7)))


def test_each_rater_has_their_own_order_effect_and_a_stranger_the_shared_one():
    learned = o.Learned(torch.tensor([0.5, 0.2, -0.3]), torch.zeros(0))
    assert learned.order(torch.tensor([0, 1, -1])).tolist() == pytest.approx([0.7, 0.2, 0.5])
    assert float(o.prior(learned)) == pytest.approx((0.25 + 0.16 + 0.36) / 2)


def test_what_is_learnt_has_the_lengths_that_recipe_and_labels_ask_for():
    lengths = lambda found: (len(found.gamma), len(found.tie))  # noqa: E731
    tied = pairs(*OUTCOMES)
    assert lengths(o.start(tied, Preference(order="rater"))) == (2, 1)
    assert lengths(o.start(one(1.0), Preference())) == (1, 0)
    assert lengths(o.start(tied, Preference(objective="bradley_terry", order="none"))) == (0, 0)


# ---- Rankings


def plackett_luce(scores, ranking):
    """−Σ_k [r_π(k) − ln Σ_{j≥k} e^{r_π(j)}] of one order, best first."""
    rest = [sum(math.exp(scores[j]) for j in ranking[k:]) for k in range(len(ranking))]
    return -sum(scores[i] - math.log(below) for i, below in zip(ranking, rest, strict=True))


def loss_of(scores, groups, shown):
    found = doubles(labels.choices([Ranking(groups, shown)]))
    each = o.plackett_luce(torch.tensor(scores, dtype=torch.double), found, NOTHING)
    return float((found.weight * each).sum())


SCORES = [0.3, 1.1, -0.5, 0.8]


def test_a_ranking_of_two_is_bradley_terry():
    assert loss_of(SCORES, ((1,), (0,)), (0, 1)) == pytest.approx(math.log1p(math.exp(-0.8)))


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_a_ranking_is_one_choice_after_another(order):
    assert loss_of(SCORES, tuple((n,) for n in order), (0, 1, 2, 3)) == pytest.approx(plackett_luce(SCORES, order))


def test_the_chances_of_all_orders_sum_to_1():
    losses = [loss_of(SCORES, tuple((n,) for n in order), (0, 1, 2, 3)) for order in permutations(range(4))]
    assert sum(math.exp(-loss) for loss in losses) == pytest.approx(1)


def test_a_tied_group_is_averaged_over_its_orders():
    orders = [(3, *middle) for middle in permutations((0, 1, 2))]
    expected = sum(plackett_luce(SCORES, order) for order in orders) / 6
    assert loss_of(SCORES, ((3,), (0, 1, 2)), (0, 1, 2, 3)) == pytest.approx(expected)


def test_a_tied_group_above_another_is_averaged_too():
    orders = [(0, 1, 2, 3), (1, 0, 2, 3)]
    expected = sum(plackett_luce(SCORES, order) for order in orders) / 2
    assert loss_of(SCORES, ((0, 1), (2,), (3,)), (3, 2, 1, 0)) == pytest.approx(expected)


def test_a_ranking_that_stops_early_sums_over_its_endings():
    endings = [math.exp(-plackett_luce(SCORES[:3], (2, *rest))) for rest in ((0, 1), (1, 0))]
    assert math.exp(-loss_of(SCORES, ((2,),), (0, 1, 2))) == pytest.approx(sum(endings))


def test_the_order_effect_of_a_ranking_grows_with_the_place():
    learned = o.Learned(torch.tensor([0.4], dtype=torch.double), NOTHING.tie)
    found = doubles(labels.choices([Ranking(((2,), (0,), (1,)), (0, 1, 2))]))
    each = o.plackett_luce(torch.tensor(SCORES[:3], dtype=torch.double), found, learned)
    assert float(each.sum()) == pytest.approx(plackett_luce([0.3, 1.1 - 0.4, -0.5 - 0.8], (2, 0, 1)))


# ---- All of them


@pytest.mark.parametrize("name", recipe.OBJECTIVES)
def test_gradients_are_those_of_the_function(name):
    found = doubles(labels.soft(pairs(*OUTCOMES, *OUTCOMES[:1]), by_rater=True))
    start = [
        torch.tensor(values, dtype=torch.double, requires_grad=True) for values in ([0.4, -0.3], [0.2, 0.1], [0.3])
    ]

    def loss(scores, gamma, threshold):
        return o.preference_loss(scores, found, o.Learned(gamma, threshold), Preference(objective=name, centring=0.1))

    assert torch.autograd.gradcheck(loss, start)


@pytest.mark.parametrize("name", recipe.OBJECTIVES)
@pytest.mark.parametrize("far", [0.0, 1e4, -1e4])
@pytest.mark.parametrize("threshold", [-50.0, 0.0])
def test_far_out_losses_and_gradients_stay_finite(name, far, threshold):
    scores = torch.tensor([far, 0.0], requires_grad=True)
    learned = o.Learned(torch.zeros(1, requires_grad=True), torch.full((1,), threshold, requires_grad=True))
    total = o.preference_loss(scores, labels.pairs(OUTCOMES), learned, Preference(objective=name))
    gradients = torch.autograd.grad(total, [scores, learned.gamma, learned.tie], allow_unused=True)
    assert torch.isfinite(total)
    assert all(torch.isfinite(one).all() for one in gradients if one is not None)


@pytest.mark.parametrize("name", recipe.OBJECTIVES)
def test_no_verdicts_cost_nothing(name):
    found = labels.pairs([])
    assert float(o.preference_loss(torch.zeros(2), found, o.start(found, Preference()), Preference())) == 0


def test_before_training_every_set_of_labels_costs_ln_2():
    assert o.untrained(torch.zeros(2), labels.pairs(OUTCOMES)) == pytest.approx(math.log(2))


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_least_squares_touch_bradley_terry_at_0_and_are_least_at_4_times_the_lean(p):
    curve = lambda margin: o.least_squares(torch.stack([margin, margin * 0]), one(p), NOTHING)  # noqa: E731
    found = [o.least_squares(at(margin), one(p), NOTHING) for margin in (0.01, -0.01)]
    assert [float(value) for value in found] == pytest.approx(
        [float(o.cross_entropy(torch.tensor(margin), p)) for margin in (0.01, -0.01)], abs=1e-7
    )
    slope = torch.autograd.functional.jacobian(lambda m: curve(m).sum(), torch.tensor(4 * (p - 0.5)))
    assert float(slope) == pytest.approx(0, abs=1e-6)
