import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from worker.rm import features, fitting
from worker.rm.recipe import Heads, Preference, Recipe
from worker.rm.training import fit_embedded
from worker.rm.types import PREFERENCE, Comparison


def accuracy(held):
    decided = held.p != 0.5
    return float(((held.margins > 0) == (held.p > 0.5))[decided].mean())


def auroc(scores, labels):
    up, down = scores[labels == 1], scores[labels == 0]
    return float((up[:, None] > down[None]).mean())


def test_a_version_has_every_head(trained):
    assert trained.model.heads == (PREFERENCE, "attribute:quality", "segment:irrelevant", "segment:wrong")
    assert trained.info["without_head"] == []


def test_held_out_pairs_are_told_apart(trained, world):
    assert len(trained.held_out.margins) == len(world.test)
    assert accuracy(trained.held_out) > 0.85


def test_held_out_flaws_are_found(trained):
    assert auroc(*trained.held_out.segments["irrelevant"]) > 0.95
    assert auroc(*trained.held_out.segments["wrong"]) > 0.9


def test_held_out_ratings_are_followed(trained):
    predicted, rating = trained.held_out.attributes["quality"]
    assert np.corrcoef(predicted, rating)[0, 1] > 0.8


def test_swapped_labels_give_one_minus_the_accuracy(minilm, world, embedded, trained):
    """A data set and its mirror image fit mirrored heads: nothing but the labels says which side is better."""
    turned = [replace(pair, p=1 - pair.p) for pair in world.train]
    mirrored = fit_embedded(replace(world, train=turned), embedded, minilm, Recipe(preference=Preference(order="none")))
    straight = fit_embedded(world, embedded, minilm, Recipe(preference=Preference(order="none")))
    assert accuracy(mirrored.held_out) == pytest.approx(1 - accuracy(straight.held_out), abs=1e-9)


def test_the_loss_starts_at_ln_2_and_falls(minilm, world, embedded):
    decided = replace(world, train=[pair for pair in world.train if pair.p != 0.5])
    told = []
    fit_embedded(decided, embedded, minilm, Recipe(), lambda *one: told.append(one))
    losses = [metrics["loss"] for stage, _, _, metrics in told if stage == "fit"]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-6)
    assert losses[-1] == min(losses)
    assert {"loss", "accuracy", "step"} == set(told[-2][3])


def test_a_favour_for_the_first_shown_is_learned_and_left_out(minilm, world, embedded):
    rng = np.random.default_rng(0)
    chance = 1 / (1 + math.exp(-1.5))
    pairs = [replace(pair, p=float(rng.random() < chance)) for pair in world.train * 4]
    found = fit_embedded(replace(world, train=pairs), embedded, minilm, Recipe())
    assert found.info["order_gamma"] == pytest.approx(1.5, abs=0.3)
    assert 0.5 < found.info["order_error"] * math.sqrt(len(pairs) * chance * (1 - chance)) < 2  # near Fisher's
    assert abs(found.held_out.margins.mean()) < 0.3


def test_nothing_of_the_held_out_groups_is_learned_from(minilm, world, embedded, trained):
    """Turning every label of the held-out part round changes no weight."""
    examples = [
        replace(one, spans=(), ratings={"quality": 1.0}) if one.group in world.test_groups else one
        for one in world.examples
    ]
    turned = [replace(pair, p=1 - pair.p) for pair in world.test]
    other = fit_embedded(replace(world, examples=examples, test=turned), embedded, minilm, Recipe())
    assert torch.equal(other.model.response.weights, trained.model.response.weights)
    assert torch.equal(other.model.segment.weights, trained.model.segment.weights)


def test_who_was_not_looked_at_teaches_no_segment(minilm, world, embedded):
    nobody = [replace(one, spans=None, ratings={}) for one in world.examples]
    found = fit_embedded(replace(world, examples=nobody), embedded, minilm, Recipe())
    assert found.model.heads == (PREFERENCE,)
    assert found.info["without_head"] == ["attribute:quality", "segment:irrelevant", "segment:wrong"]


def test_parts_left_out_have_no_weight(minilm, world, embedded):
    found = fit_embedded(world, embedded, minilm, Recipe(heads=Heads(parts=("surface",))))
    used = found.model.response.weights[0].nonzero()[:, 0]
    width = embedded.pooled.shape[1]
    assert used.min() >= width
    assert used.max() < width + len(features.SURFACE)


def test_without_comparisons_there_is_nothing_to_fit(minilm, world, embedded, tmp_path):
    from worker.rm.training import fit_heads

    with pytest.raises(ValueError, match="no comparison"):
        fit_heads(replace(world, train=[]), minilm, Recipe(), tmp_path)


def test_few_labels_are_enough_to_run(minilm, world, embedded):
    few = replace(world, train=[Comparison(36, 37, 1.0)], test=[])
    assert fit_embedded(few, embedded, minilm, Recipe()).held_out.margins.shape == (0,)


def test_spans_on_one_response_are_enough_to_run(minilm, world, embedded):
    """Every labelled segment then lies in one fold, and the others have nothing to learn from."""
    examples = [one if n == 37 else replace(one, spans=None) for n, one in enumerate(world.examples)]
    found = fit_embedded(replace(world, examples=examples), embedded, minilm, Recipe())
    assert "segment:irrelevant" in found.model.heads
    assert np.isfinite(found.held_out.margins).all()


def test_ridge_is_the_closed_form():
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    y = x @ torch.tensor([1.0, -2.0, 0.5]) + 3
    y[:5] = torch.nan
    fitted = fitting.fit_ridge(x, y[:, None], torch.ones(3), l2=1e-6)
    assert fitted(x)[5:, 0].tolist() == pytest.approx(y[5:].tolist(), abs=1e-4)


def test_ridge_takes_each_criterion_over_its_own_examples():
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(50, 3, generator=draw), torch.randn(50, 4, generator=draw)
    y[:5, 0], y[:5, 2], y[9:, 1], y[:, 3] = torch.nan, torch.nan, torch.nan, torch.nan
    together = fitting.fit_ridge(x, y, torch.ones(3), l2=1.0)(x)
    for n in range(4):
        alone = fitting.fit_ridge(x, y[:, [n]], torch.ones(3), l2=1.0)(x)
        assert torch.allclose(together[:, [n]], alone, atol=1e-5)
    assert not together[:, 3].any()


def test_errors_are_called_where_f1_is_best():
    logits = torch.tensor([3.0, 2.0, 1.0, 0.0, -1.0, 9.0])
    found = fitting.best_call(logits, torch.tensor([1, 0, 1, 0, 0, -1], dtype=torch.int8))
    assert found == 0.5  # two hits of three called: F1 .8
    assert fitting.best_call(logits, torch.ones(6, dtype=torch.int8)) < -1


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_temperature_undoes_a_scale(scale):
    margin = torch.linspace(-3, 3, 201)
    found = fitting.temperature(margin * scale, torch.sigmoid(margin), torch.ones(201))
    assert found == pytest.approx(scale, rel=0.02)
