"""How sure order effects are, against closed forms, finite differences and what was planted."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.worker.rm.test_preference import draw_pairs, inputs, problem, recipe
from worker.rm import fitting, objectives, order, preference
from worker.rm.objectives import Learned
from worker.rm.types import Comparison, Ranking, silent

NOBODY = torch.zeros(0)


def solved(task):
    return preference.solve(task, 1.0, fitting.whitening(preference._gram(task), 1.0))


def test_with_equal_scores_the_error_has_a_closed_form():
    """20 prompts whose first shown won, at the fit 20·σ(−γ) = γ: each has gradient σ(−γ), and curvature σ(γ)σ(−γ)."""
    task = problem(torch.zeros(40, 1), [Comparison(2 * n, 2 * n + 1, 1.0) for n in range(20)], recipe(order="shared"))
    found = preference.fit(task, silent)
    lost = 1 / (1 + math.exp(float(found.learned.gamma)))
    wanted = math.sqrt(20 * 20 / 19 * lost**2 + 1) / (20 * lost * (1 - lost) + 1)
    assert found.order_error.tolist() == pytest.approx([wanted])


def test_gradients_and_curvature_are_those_of_finite_differences():
    """With ties, of two raters: Rao and Kupper's likelihood written again in numpy, over (γ, two differences, t)."""
    x, at, step = inputs(60, 1), np.array([0.3, 0.2, -0.4, -0.6]), 1e-4
    said = draw_pairs(x, x[:, 0], gamma=0.3, raters=("alice", "bob"), alpha=0.5)
    task, group = problem(x, said, recipe(order="rater", objective="rao_kupper")), np.arange(60) // 3
    apart, p = (x[0::2, 0] - x[1::2, 0]).double().numpy(), np.array([one.p for one in said])

    def loss(at):
        alpha, delta = np.log1p(np.exp(at[3])), apart + at[0] + np.where(np.arange(60) % 2, at[2], at[1])
        first, second = 1 / (1 + np.exp(alpha - delta)), 1 / (1 + np.exp(alpha + delta))
        return -np.log(np.select([p == 1, p == 0], [first, second], 1 - first - second))

    moves = step * np.eye(4)
    slopes = np.stack([(loss(at + a) - loss(at - a)) / (2 * step) for a in moves], 1)
    bend = lambda a, b: (loss(at + a + b) - loss(at + a - b) - loss(at - a + b) + loss(at - a - b)).sum()  # noqa: E731
    own = np.diag([1, 4, 4, 1 / 9])
    bread = np.linalg.inv(np.array([[bend(a, b) for b in moves] for a in moves]) / (4 * step**2) + own)
    sums = np.stack([slopes[group == n].sum(0) for n in range(20)])
    spread = bread @ (sums.T @ sums * 20 / 19 + own) @ bread
    ways = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]])
    learned = Learned(torch.tensor(at[:3]), torch.tensor(at[3:]))
    found = order.errors(objectives.rao_kupper, x[:, 0], task.labels, learned, [str(n // 6) for n in range(120)])
    assert found.tolist() == pytest.approx(np.sqrt(np.diag(ways @ spread @ ways.T)), rel=1e-4)


def test_a_verdict_said_three_times_makes_nothing_surer_however_it_is_said():
    x = inputs(3000, 1)
    said, gamma = draw_pairs(x, x[:, 0], gamma=0.5), Learned(torch.tensor([0.5]), NOBODY)
    often = [replace(one, strength=3) for one in said]
    ways = [("rao_kupper", said), ("rao_kupper", said * 3), ("scaled", often)]
    once, thrice, scaled = (
        float(problem(x, own, recipe(objective=name)).order_error(x[:, 0], gamma)) for name, own in ways
    )
    assert (thrice, scaled) == pytest.approx((once, once), rel=0.01)  # but for the prior


def test_a_rater_of_whom_nothing_is_known_is_as_sure_as_the_prior_says():
    x = inputs(50, 1)
    labels = problem(x, draw_pairs(x, x[:, 0], raters=("alice",))).labels
    learned = Learned(torch.zeros(3), NOBODY)
    found = order.errors(
        objectives.bradley_terry,
        x[:, 0],
        replace(labels, raters=("alice", "bob")),
        learned,
        [str(n) for n in range(100)],
    )
    assert float(found[2]) == pytest.approx(math.hypot(float(found[0]), objectives.RATER_SPREAD))


def test_a_recipe_without_an_order_effect_has_no_error():
    x = inputs(20, 1)
    assert len(preference.fit(problem(x, draw_pairs(x, x[:, 0])), silent).order_error) == 0


@pytest.mark.parametrize("objective", ["rao_kupper", "davidson", "plackett_luce"])
def test_every_objective_of_order_gives_much_the_same_error(objective):
    x = inputs(400, 1)
    said, learned = draw_pairs(x, x[:, 0], gamma=0.4), Learned(torch.tensor([0.4]), NOBODY)
    delta = (x[0::2, 0] - x[1::2, 0] + 0.4).double()
    fisher = float((1 / (2 + 2 * delta.cosh())).sum() + 1) ** -0.5
    found = problem(x, said, recipe(objective=objective)).order_error(x[:, 0], learned)
    assert found.tolist() == pytest.approx([fisher], rel=0.05)


PLANTED = {"alice": 0.8, "bob": 0.1}


def misses(seed, how):
    """Whether ± 1.96 SE misses what was planted: three verdicts of each rater on each of 60 prompts, fitted anew."""
    x, truth = inputs(360, 3, seed), torch.tensor([0.7, -0.4, 0.3])
    said = [
        one for n, (name, gamma) in enumerate(PLANTED.items())
        for one in draw_pairs(x, x @ truth, seed=1000 + 2 * seed + n, gamma=gamma, raters=(name,))[n::2]
    ]  # fmt: skip
    task = replace(problem(x, said, recipe(order=how)), groups=[str(n // 12) for n in range(720)])
    head = solved(task)
    error = task.order_error(head(task.x), head.learned)
    if how == "shared":
        return [abs(head.learned.gamma - 0.45) > 1.96 * error]
    return (head.learned.order(torch.arange(2)) - torch.tensor([*PLANTED.values()])).abs() > 1.96 * error[1:]


@pytest.mark.parametrize(("how", "worlds"), [("shared", 150), ("rater", 75)])
def test_about_95_of_100_intervals_hold_what_was_planted(how, worlds):
    missed = [bool(one) for seed in range(worlds) for one in misses(seed, how)]
    assert 0.02 <= np.mean(missed) <= 0.10


def test_a_ranking_has_the_error_of_its_choices_from_three_and_from_two():
    """At equal scores γ's information is the variance of the place chosen, ⅔ and ¼; a whole ranking's gradient ±1½."""
    shown = [(n, n + 1, n + 2) for n in range(0, 90, 3)]
    rankings = [Ranking(tuple((n,) for n in one[:: 1 if one[0] % 2 else -1]), one) for one in shown]
    how = recipe(objective="plackett_luce")
    task = problem(torch.zeros(90, 1), [Comparison(0, 1, 1.0)], how, rankings=rankings)
    task = replace(task, groups=[str(n // 3) for n in range(90)])
    found = task.order_error(torch.zeros(90), Learned(torch.zeros(1), NOBODY))
    assert found.tolist() == pytest.approx([math.sqrt(30 * 1.5**2 * 30 / 29 + 1) / (30 * (2 / 3 + 1 / 4) + 1)])
