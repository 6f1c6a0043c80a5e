"""Recipes that combine heads and objectives, from the fit to the file and back."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from worker.rm import checkpoint, recipe, scoring
from worker.rm.recipe import Extras, Heads, Preference, Recipe
from worker.rm.training import fit_heads
from worker.rm.types import PREFERENCE, Ranking, StepLabel

QUICK = Heads(l2=(30.0,), hidden=8)
EVERYTHING = Extras(quantiles=(0.25, 0.75), members=3, combine="uwo", odin=True, length_calibration=True)
RECIPES = {
    "everything": Recipe(extras=EVERYTHING, heads=QUICK),
    "gated": Recipe(extras=Extras(gate=True, verbosity="long", length_calibration=True), heads=QUICK),
    "mlp": Recipe(heads=QUICK.model_copy(update={"head": "mlp"}), extras=Extras(members=2, combine="wco")),
    "plain": Recipe(heads=QUICK.model_copy(update={"rule": "subsentence"})),
}


@pytest.fixture(scope="module")
def rich(world):
    """The same world with steps, a second criterion and raters."""
    examples = [
        replace(
            one,
            ratings={**one.ratings, "long": float(len(one.response)) / 20},
            steps=(StepLabel(0, len(one.response), 1.0 if not one.spans else -1.0),),
        )
        for one in world.examples
    ]
    train = [replace(pair, rater=("alice", "bob")[n % 2], strength=1 + n % 3) for n, pair in enumerate(world.train)]
    rankings = [Ranking(((n + 0,), (n + 1, n + 2), (n + 3,)), (n, n + 1, n + 2, n + 3)) for n in range(36, 144, 4)]
    return replace(world, examples=examples, train=train, criteria=("quality", "long"), rankings=rankings)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("joint")


@pytest.fixture(scope="module", params=RECIPES)
def found(request, rich, minilm, cache):
    return fit_heads(rich, minilm, RECIPES[request.param], cache)


def accuracy(held):
    decided = held.p != 0.5
    return float(((held.margins > 0) == (held.p > 0.5))[decided].mean())


def test_every_combination_tells_held_out_pairs_apart(found):
    assert accuracy(found.held_out) > 0.75
    assert found.info["step0_loss"] == pytest.approx(np.log(2), abs=1e-6)


def test_every_combination_survives_its_file(found, rich, tmp_path, cache):
    checkpoint.save(found.model, tmp_path / "model.safetensors")
    loaded = checkpoint.load(tmp_path / "model.safetensors")
    before, after = (scoring.score(model, rich.examples[:6], cache).heads for model in (found.model, loaded))
    assert loaded.heads == found.model.heads
    assert all(np.array_equal(before[head], after[head]) for head in before)


def test_a_score_does_not_depend_on_company(found, rich, cache):
    together = scoring.score(found.model, rich.examples[:8]).heads
    alone = scoring.score(found.model, rich.examples[5:6]).heads
    assert all(alone[head][0] == pytest.approx(together[head][5], abs=1e-4) for head in together)


def test_all_heads_are_named_the_preference_first(rich, minilm, cache):
    model = fit_heads(rich, minilm, RECIPES["everything"], cache).model
    rows = ["attribute:quality", "attribute:long", "quantile:0.25", "quantile:0.75", "length", "segment:irrelevant"]
    members = ["member:0", "member:1", "member:2", "disagreement"]
    assert list(model.heads) == [PREFERENCE, *rows, "segment:wrong", "step", *members]


def test_odins_length_head_is_kept_beside_the_score_and_follows_length(rich, minilm, cache):
    scored = scoring.score(fit_heads(rich, minilm, RECIPES["everything"], cache).model, rich.examples, cache)
    assert abs(np.corrcoef(scored.heads["length"], scored.tokens)[0, 1]) > 0.9


def test_members_become_the_preference_and_their_spread_the_disagreement(rich, minilm, cache):
    how = Recipe(extras=Extras(members=4, combine="uwo", uwo_weight=0.5), heads=QUICK)
    model = fit_heads(rich, minilm, how, cache).model
    scores = scoring.score(model, rich.examples, cache).heads
    members = np.stack([scores[f"member:{n}"] for n in range(4)])
    assert scores[PREFERENCE] == pytest.approx(members.mean(0) - 0.5 * members.var(0), abs=1e-4)
    assert scores["disagreement"] == pytest.approx(members.std(0), abs=1e-4)
    assert (members.std(0) > 0).all()


def test_a_weight_of_0_leaves_a_head_out(rich, minilm, cache):
    how = Recipe(extras=Extras(attributes=0, segments=0, steps=0), heads=QUICK)
    found = fit_heads(rich, minilm, how, cache)
    assert found.model.heads == (PREFERENCE,)
    assert found.info["without_head"] == []  # none is missed


def test_steps_of_held_out_prompts_are_told_apart(rich, minilm, cache):
    chance, label = fit_heads(rich, minilm, RECIPES["plain"], cache).held_out.steps
    assert chance[label > 0].mean() > chance[label < 0].mean() + 0.2


@pytest.mark.parametrize("name", recipe.OBJECTIVES)
def test_every_objective_can_be_launched(name, rich, minilm, cache):
    how = Preference(objective=name, soft_labels=True, smoothing=0.05, centring=0.01, order="rater", reliability=True)
    data = replace(rich, reliability={"alice": 0.9, "bob": 0.5})
    found = fit_heads(data, minilm, Recipe(preference=how, heads=QUICK), cache)
    assert accuracy(found.held_out) > 0.8
    if name != "plackett_luce":
        assert set(found.info["order_by_rater"]) == {"alice", "bob"}


def test_without_ties_rao_kupper_and_davidson_are_bradley_terry(rich, minilm, cache):
    decided = replace(rich, train=[pair for pair in rich.train if pair.p != 0.5])
    names = ("bradley_terry", "rao_kupper", "davidson")
    fits = [fit_heads(decided, minilm, Recipe(preference=Preference(objective=n), heads=QUICK), cache) for n in names]
    assert all(torch.equal(fits[0].model.response.weights, one.model.response.weights) for one in fits)
    assert fits[1].info["tie_theta"] == 1


def test_length_calibration_takes_length_out_of_the_scores(rich, minilm, cache):
    """Among training answers, whose length follows their quality here, nothing of it is left."""
    how = Recipe(extras=Extras(length_calibration=True), heads=QUICK)
    model = fit_heads(rich, minilm, how, cache).model
    train = [one for one in rich.examples if one.group not in rich.test_groups]
    calibrated = scoring.score(model, train, cache)
    plain = scoring.score(replace(model, curve=None), train, cache)
    correlation = [np.corrcoef(one.heads[PREFERENCE], one.tokens)[0, 1] for one in (plain, calibrated)]
    assert abs(correlation[0]) > 0.3
    assert abs(correlation[1]) < 0.1


def test_a_gate_without_ratings_says_so(rich, minilm, cache):
    nobody = replace(rich, examples=[replace(one, ratings={}) for one in rich.examples])
    how = Recipe(extras=Extras(gate=True), heads=QUICK)
    with pytest.raises(ValueError, match="no criterion was rated"):
        fit_heads(nobody, minilm, how, cache)
    with pytest.raises(ValueError, match="nobody rated 'words'"):
        fit_heads(rich, minilm, Recipe(extras=Extras(gate=True, verbosity="words"), heads=QUICK), cache)
