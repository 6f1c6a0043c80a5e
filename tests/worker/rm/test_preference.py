"""The fit of the preference head, on inputs whose truth is known."""

import math
from dataclasses import replace

import pytest
import torch

from worker.rm import auxiliary, fitting, labels, preference
from worker.rm.recipe import Extras, Heads, Preference, Recipe
from worker.rm.types import Comparison, Ranking, silent


def recipe(l2=1.0, extras=None, head="logistic", **preference):
    own = Heads(l2=(l2,), head=head, hidden=8)
    return Recipe(preference=Preference(**{"order": "none", **preference}), extras=extras or Extras(), heads=own)


def problem(x, said, how=None, tokens=None, rankings=()):
    """Two examples per comparison, or what the comparisons name; each pair of examples is a prompt."""
    how = how or recipe()
    pairs = labels.pairs(said)
    wanted = labels.choices(rankings) if rankings else pairs
    fold = torch.arange(len(x)) // 2 % 5
    tokens = torch.ones(len(x)) if tokens is None else tokens
    return preference.Problem(x, wanted, pairs, fold, tokens, [str(n // 2) for n in range(len(x))], how)


def draw_pairs(x, utility, seed=3, gamma=0.0, raters=("",), alpha=None):
    """Verdicts of 2n, 2n + 1 by logistic raters, who tie within alpha."""
    draw = torch.Generator().manual_seed(seed)
    noise = torch.rand(len(x) // 2, generator=draw).logit()
    said = []
    for n, one in enumerate(noise.tolist()):
        gap = float(utility[2 * n] - utility[2 * n + 1]) + gamma + one
        p = 0.5 if alpha and abs(gap) < alpha else float(gap > 0)
        said.append(Comparison(2 * n, 2 * n + 1, p, 1.0, None, raters[n % len(raters)]))
    return said


def inputs(count, width, seed=0):
    return torch.randn(2 * count, width, generator=torch.Generator().manual_seed(seed))


def test_weights_are_recovered_and_the_temperature_is_1():
    x, truth = inputs(4000, 2), torch.tensor([1.0, -0.5])
    found = preference.fit(problem(x, draw_pairs(x, x @ truth)), silent)
    assert found.members[0].weights.tolist() == pytest.approx(truth.tolist(), abs=0.1)
    assert found.untrained == pytest.approx(math.log(2))
    assert found.curve[0] == pytest.approx(math.log(2))


def test_labels_by_chance_get_the_highest_temperature_because_folds_are_held_out():
    x = inputs(100, 50)
    task = problem(x, draw_pairs(x, torch.zeros(200)), recipe(l2=0.1))
    found = preference.fit(task, silent)
    tau = fitting.temperature(preference.margins(found.scores[:, 0], task.pairs), task.pairs.p, task.pairs.weight)
    assert tau > 5


def test_the_order_effect_has_its_prior_and_is_learnt_only_when_asked():
    said = [Comparison(2 * n, 2 * n + 1, 1.0) for n in range(20)]
    gamma = lambda order: preference.fit(problem(torch.zeros(40, 1), said, recipe(order=order)), silent).learned.gamma  # noqa: E731
    assert float(gamma("shared")) == pytest.approx(2.128, abs=0.05)  # where 20·σ(−γ) = γ
    assert len(gamma("none")) == 0


def test_each_rater_has_an_order_effect_of_their_own():
    x, truth = inputs(6000, 2), torch.tensor([1.0, 0.0])
    said = [
        one for seed, (name, gamma) in enumerate([("alice", 1.0), ("bob", -0.4)])
        for one in draw_pairs(x, x @ truth, seed=seed, gamma=gamma, raters=(name,))
    ]  # fmt: skip
    learned = preference.fit(problem(x, said, recipe(order="rater")), silent).learned
    assert learned.order(torch.tensor([0, 1])).tolist() == pytest.approx([1.0, -0.4], abs=0.1)


def test_a_rater_of_few_verdicts_stays_near_the_others():
    said = [Comparison(2 * n, 2 * n + 1, 1.0, 1.0, None, "alice") for n in range(200)]
    said += [Comparison(400, 401, 0.0, 1.0, None, "bob")]
    order = preference.fit(problem(torch.zeros(402, 1), said, recipe(order="rater")), silent).learned.order
    assert float(order(torch.tensor([1]))) > 1


@pytest.mark.parametrize(("objective", "threshold"), [("rao_kupper", 0.5), ("davidson", None)])
def test_tie_thresholds_are_recovered(objective, threshold):
    """A rater who draws logistic noise and ties within α is Rao and Kupper's; at equal utility P(tie) = tanh(α/2)."""
    x, alpha = inputs(4000, 1), 0.5
    said = draw_pairs(x, x[:, 0] * 0, alpha=alpha)
    learned = preference.fit(problem(x, said, recipe(objective=objective)), silent).learned
    tied = math.tanh(alpha / 2)
    assert float(learned.threshold) == pytest.approx(threshold or 2 * tied / (1 - tied), abs=0.06)


def test_a_ranking_teaches_what_its_pairs_do():
    x = inputs(3000, 2)
    draw = torch.Generator().manual_seed(1)
    gumbel = -torch.rand(6000, generator=draw).log().neg().log().neg()
    utility = x @ torch.tensor([1.0, -0.5]) - gumbel
    rankings = []
    for start in range(0, 6000, 4):
        order = sorted(range(start, start + 4), key=lambda n: -float(utility[n]))
        rankings.append(Ranking(tuple((n,) for n in order), tuple(range(start, start + 4))))
    said = [Comparison(one.groups[0][0], one.groups[1][0], 1.0) for one in rankings]
    found = preference.fit(problem(x, said, recipe(objective="plackett_luce"), rankings=rankings), silent)
    assert found.members[0].weights.tolist() == pytest.approx([1.0, -0.5], abs=0.1)


def test_centring_moves_the_mean_score_to_0():
    x, truth = inputs(500, 1) + 3, torch.tensor([1.0])
    said = draw_pairs(x, x @ truth)
    free, centred = (preference.fit(problem(x, said, recipe(centring=c)), silent).members[0] for c in (0.0, 0.1))
    assert float(free.bias) == 0
    assert float(free(x).mean()) > 1
    assert float(centred(x).mean()) == pytest.approx(0, abs=0.05)


def test_ridge_is_the_least_squares_of_its_formula():
    """Weights that solve (Σ z zᵀ/4 + l2) w = Σ (p − ½) z."""
    x = inputs(300, 3)
    said = draw_pairs(x, x[:, 0])
    found = preference.fit(problem(x, said, recipe(l2=5.0, head="ridge")), silent).members[0]
    z, p = x[0::2] - x[1::2], torch.tensor([one.p for one in said])
    solved = torch.linalg.solve(z.T @ z / 4 + 5 * torch.eye(3), z.T @ (p - 0.5))
    assert found.weights.tolist() == pytest.approx(solved.tolist(), abs=0.01)  # an eighth of their own deviation


def test_an_mlp_learns_what_no_line_can():
    x = inputs(1500, 2)
    utility = 3 * (x[:, 0] * x[:, 1]).sign()
    said = draw_pairs(x, utility)
    right = lambda found: float((preference.margins(found.scores[:, 0], labels.pairs(said)) > 0).eq(  # noqa: E731
        torch.tensor([one.p for one in said]) > 0.5).float().mean())  # fmt: skip
    line, bent = (preference.fit(problem(x, said, recipe(l2=0.1, head=head)), silent) for head in ("logistic", "mlp"))
    assert right(line) < 0.6
    assert right(bent) > 0.65
    assert bent.untrained == pytest.approx(math.log(2))


def test_odin_gives_length_to_the_head_that_the_score_leaves_out():
    """Raters want quality and length; the score follows the one and not the other, and both heads together both."""
    count = 1000
    x = inputs(count, 2, seed=4)
    tokens = 100 + 30 * x[:, 1]
    said = draw_pairs(x, x @ torch.tensor([1.0, 1.0]))
    plain, parted = (
        preference.fit(problem(x, said, recipe(extras=Extras(odin=on)), tokens), silent).members[0]
        for on in (False, True)
    )
    plain, odin, length = plain(x), parted(x), x @ parted.length
    with_length = lambda scores: float(torch.corrcoef(torch.stack([scores, tokens]))[0, 1])  # noqa: E731
    assert with_length(plain) > 0.5
    assert abs(with_length(odin)) < 1e-3
    assert float(torch.corrcoef(torch.stack([odin, x[:, 0]]))[0, 1]) > 0.95
    assert float(torch.corrcoef(torch.stack([odin + length, plain]))[0, 1]) > 0.98


def test_odin_is_at_its_least_and_learns_the_order_effect_beside():
    """Among many inputs: no correlation with length, none between the rows, and γ as planted."""
    x = inputs(2000, 30, seed=5)
    tokens = 100 + 20 * x[:, :5].sum(1)
    said = draw_pairs(x, x[:, :10].sum(1) / 2, gamma=0.7)
    task = problem(x, said, recipe(l2=3.0, extras=Extras(odin=True), order="shared"), tokens)
    found = preference.fit(task, silent)
    length, _ = preference._of_length(x, tokens, 3.0)
    quality, rows = x @ found.members[0].weights, torch.stack([found.members[0].weights, length])
    cost, _ = auxiliary.odin(quality, x @ length, tokens, rows, torch.zeros(0, 3))
    assert float(cost) == pytest.approx(-1, abs=0.01)  # the rows stand at right angles but for sampling
    assert float(found.learned.gamma) == pytest.approx(0.7, abs=0.15)
    apart = x[0::2, :10].sum(1) / 2 - x[1::2, :10].sum(1) / 2 + 0.7
    assert float(found.order_error) == pytest.approx(float((1 / (2 + 2 * apart.cosh())).sum() ** -0.5), rel=0.1)
    assert found.members[0].weights[5:10].mean() > 0.3


def test_members_differ_by_the_prompts_they_drew_and_agree_on_what_matters():
    x, truth = inputs(400, 2), torch.tensor([1.0, -0.5])
    found = preference.fit(problem(x, draw_pairs(x, x @ truth), recipe(extras=Extras(members=4))), silent)
    weights = torch.stack([one.weights for one in found.members])
    assert found.scores.shape == (800, 4)
    assert (weights.std(0) > 0.01).all()
    assert weights.mean(0).tolist() == pytest.approx(truth.tolist(), abs=0.25)


@pytest.mark.parametrize("said", [[1.0], [0.5] * 6, [1.0] * 6, [0.0, 1.0]])
@pytest.mark.parametrize("objective", ["rao_kupper", "davidson", "margin", "plackett_luce"])
def test_few_verdicts_and_equal_inputs_end_in_finite_numbers(said, objective):
    x = torch.zeros(2 * len(said), 3)
    pairs = [Comparison(2 * n, 2 * n + 1, p) for n, p in enumerate(said)]
    found = preference.fit(problem(x, pairs, recipe(objective=objective, order="shared")), silent)
    assert torch.isfinite(found.members[0](x)).all()
    assert torch.isfinite(found.learned.threshold)


def test_members_become_rows_of_the_inputs_as_they_came():
    x, center, scale = inputs(50, 2), torch.tensor([1.0, -2.0]), torch.tensor([3.0, 0.5])
    how = recipe(extras=Extras(members=2), head="mlp")
    found = preference.fit(problem((x - center) * scale, draw_pairs(x, x[:, 0]), how), silent)
    linear, mlp = preference.as_rows(found.members, center, scale)
    expected = torch.stack([head((x - center) * scale) for head in found.members], 1)
    assert torch.allclose(linear(x) + mlp(x), expected, atol=1e-4)
    assert replace(mlp, out=mlp.out * 0)(x).abs().max() == 0


@pytest.mark.parametrize("pairs", [6, 60])
def test_the_curvature_is_the_sum_over_pairs_by_whichever_way_it_is_taken(pairs):
    x, draw = inputs(5, 3), torch.Generator().manual_seed(1)
    couples = [torch.randperm(8, generator=draw)[:2].tolist() for _ in range(pairs)]  # two examples are in none
    task = problem(x, [Comparison(a, b, 1.0) for a, b in couples])
    wanted = sum(torch.outer(x[a] - x[b], x[a] - x[b]) for a, b in couples)
    assert torch.allclose(preference._gram(task), wanted, atol=1e-4)
