"""Separately fitted models that score as one, against numpy by hand."""

from dataclasses import replace

import numpy as np
import pytest

from worker.rm import checkpoint, ensemble_runs, exportable, scoring
from worker.rm.recipe import Extras, Recipe
from worker.rm.training import fit_embedded
from worker.rm.types import PREFERENCE

RULES = {
    "mean": lambda z: z.mean(0),
    "wco": lambda z: z.min(0),
    "uwo": lambda z: z.mean(0) - 0.7 * z.var(0),
    "quantile": lambda z: np.quantile(z, 0.3, axis=0),
}


@pytest.fixture(scope="module")
def models(world, embedded, minilm, trained):
    """Of one data set, and one of them on a scale of its own."""
    recipe = Recipe(heads={"parts": ("embeddings",), "l2": (30.0,)})
    other = fit_embedded(world, embedded, minilm, recipe).model
    response = replace(other.response, weights=other.response.weights * 50, bias=other.response.bias * 50 + 7)
    wide = {"mean": other.mean * 50 + 7, "std": other.std * 50, "temperature": other.temperature * 50}
    return [trained.model, replace(other, response=response, **wide)]


def together(models, rule="mean"):
    return ensemble_runs.of(models, Extras(members=len(models), combine=rule, uwo_weight=0.7, quantile=0.3))


def by_hand(models, examples):
    raw = [scoring.score(one, examples).heads[PREFERENCE] for one in models]
    return np.stack([(x - one.mean) / one.std for x, one in zip(raw, models, strict=True)])


@pytest.mark.parametrize("rule", RULES)
def test_standardised_scores_are_combined_by_the_rule(models, world, rule):
    z = by_hand(models, world.examples[:12])
    found = scoring.score(together(models, rule), world.examples[:12]).heads
    assert list(found) == [PREFERENCE, "member:0", "member:1", "disagreement"]
    np.testing.assert_allclose(found[PREFERENCE], RULES[rule](z), atol=1e-4)
    np.testing.assert_allclose([found["member:0"], found["member:1"]], z, atol=1e-4)
    np.testing.assert_allclose(found["disagreement"], z.std(0), atol=1e-4)


def test_a_saved_ensemble_scores_the_same(models, world, tmp_path):
    model = together(models, "uwo")
    digest = checkpoint.save(model, tmp_path / "model")
    loaded = checkpoint.load(tmp_path / "model")
    assert checkpoint.save(loaded, tmp_path / "again") == digest
    one, other = (scoring.score(each, world.examples[:6]).heads for each in (model, loaded))
    assert {head: x.tolist() for head, x in one.items()} == {head: x.tolist() for head, x in other.items()}
    assert (loaded.extras, loaded.temperature) == (model.extras, model.temperature)


def test_held_out_margins_and_scale_are_its_own(models, world):
    model, z = together(models, "wco"), by_hand(models, world.examples).min(0)
    found = ensemble_runs.measured(model, world, scoring.score(model, world.examples))
    np.testing.assert_allclose(found.held_out.margins, [z[c.first] - z[c.second] for c in world.test], atol=1e-4)
    inside = [n for n, one in enumerate(world.examples) if one.group not in world.test_groups]
    assert (found.model.mean, found.model.std) == pytest.approx((z[inside].mean(), z[inside].std()), abs=1e-4)


def test_members_of_one_opinion_keep_their_odds(trained, world):
    found = ensemble_runs.of([trained.model] * 2, Extras(members=2))
    own, both = (scoring.score(one, world.examples[:2]).heads[PREFERENCE] for one in (trained.model, found))
    assert np.diff(both) / found.temperature == pytest.approx(np.diff(own) / trained.model.temperature, abs=1e-4)


def test_progress_never_goes_back(models, world):
    told = []
    scoring.score(together(models), world.examples[:8], report=lambda stage, done, *_: told.append(done))
    assert told[-1] > 0
    assert told == sorted(told)


def test_an_ensemble_is_no_member_and_no_folder(models, world):
    model = together(models)
    with pytest.raises(ValueError, match="cannot be a member of another"):
        together([model, models[0]])
    with pytest.raises(ValueError, match="Export its members"):
        exportable.of(model)
    with pytest.raises(ValueError, match="cannot be made of 1"):
        ensemble_runs.of(models[:1], Extras(members=1))
