"""Are explanations true of the model? Where the truth is known, where it was planted, and where nothing was learnt."""

import copy
import random
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation, ShapleyValues
from scipy.stats import spearmanr

from tests.worker.rm.planted import TRIGGER, bag, drawn, example, made, trigger, worth
from worker.rm import backbone, scoring
from worker.rm.attribution import METHODS, attribute, methods
from worker.rm.attribution.loo import loo
from worker.rm.attribution.worth import deleted
from worker.rm.recipe import Extras, Recipe
from worker.rm.training import fit_embedded
from worker.rm.types import PREFERENCE, SpanLabel

TEXT = "amber basin zap unknown cedar amber delta"
OF_WORDS = [key for key in METHODS if key not in ("exact", "layers", "abc")]  # those that a bag of words can have


@pytest.fixture(scope="module")
def words():
    return bag()


@pytest.fixture(scope="module")
def counting(tmp_path_factory):
    torch.set_num_threads(1)
    return trigger(tmp_path_factory.mktemp("counting"), pooling="last")


def values(model, text, method, head=PREFERENCE):
    """Of the response's tokens."""
    told = attribute(model, example(text), head, method)
    return np.array([token.value for token in told.tokens if token.part == "response"])


# ---- A sum of words: every method must give each its own


@pytest.mark.parametrize("method", OF_WORDS)
def test_every_method_gives_a_word_of_a_bag_what_it_is_worth(words, method):
    expected = [worth(words, word) for word in TEXT.split()]
    np.testing.assert_allclose(values(words, TEXT, method), expected, atol=1e-4)


def test_the_exact_split_of_a_mean_of_sums_is_what_each_state_says():
    """Read by its mean, a bag's token answers for its own state: the words up to it, by their number."""
    words = bag(pooling="mean")
    told = attribute(words, example(TEXT), PREFERENCE, "exact")
    tokens = [worth(words, token.text) for token in told.tokens]
    np.testing.assert_allclose([t.value for t in told.tokens], np.cumsum(tokens) / len(tokens), atol=1e-5)
    assert abs(told.residual) < 1e-5


def test_the_masked_form_gives_the_same_of_a_bag(words):
    told = loo(words, example(TEXT), PREFERENCE, form="masked")
    np.testing.assert_allclose([u.value for u in told.units], [worth(words, w) for w in TEXT.split()], atol=1e-4)
    assert abs(told.residual) < 1e-4


def test_what_counts_for_nothing_gets_nothing(words):
    assert worth(words, "unknown") == 0
    for method in ("loo", "shapley"):
        assert values(words, TEXT, method)[3] == pytest.approx(0, abs=1e-5)


@pytest.fixture(scope="module")
def worst(words):
    """The lower of a sum and its opposite: it knows no order, and is no sum itself."""
    network = copy.deepcopy(words.network)
    one = network.heads["preference"].weight.detach()
    network.heads["preference"] = torch.nn.Linear(8, 2, bias=False)
    network.heads["preference"].weight.data.copy_(torch.cat([one, -one]))
    network.shape = replace(network.shape, members=2)
    return made(network, words.recipe.model_copy(update={"extras": Extras(members=2, combine="wco")}))


def test_equal_words_get_equal_values_where_order_does_not_count(worst):
    found = values(worst, TEXT, "shapley")
    assert found[0] == pytest.approx(found[5], abs=1e-5)
    assert abs(found.sum() - sum(values(worst, TEXT, "loo"))) > 0.01  # it is no sum


def test_shapley_values_of_marked_stretches_add_up(worst):
    spans = (SpanLabel(0, 11, "wrong"), SpanLabel(24, 29, "wrong"))
    told = attribute(worst, replace(example(TEXT), spans=spans), PREFERENCE, "shapley")
    assert [TEXT[u.start : u.end] for u in told.units] == ["amber basin", " zap unknown ", "cedar", " amber delta"]
    assert told.baseline + sum(u.value for u in told.units) == pytest.approx(told.score, abs=1e-5)
    assert told.cost["texts"] == 16


def test_many_stretches_are_estimated_and_say_how_well(worst, monkeypatch):
    """The exact values lie within three of the standard errors that are told."""
    exact = attribute(worst, example(TEXT), PREFERENCE, "shapley").units
    assert {unit.error for unit in exact} == {None}
    monkeypatch.setattr(import_module("worker.rm.attribution.shapley"), "EXACT", 6)
    told = attribute(worst, example(TEXT), PREFERENCE, "shapley")
    assert told.baseline + sum(u.value for u in told.units) == pytest.approx(told.score, abs=1e-5)
    for one, unit in zip(told.units, exact, strict=True):
        assert abs(one.value - unit.value) <= 3 * one.error + 1e-5


@pytest.mark.parametrize(("method", "theirs"), [("shapley", ShapleyValues), ("loo", FeatureAblation)])
def test_captum_gives_each_stretch_the_same(worst, method, theirs):
    text = "amber basin zap amber delta"
    told = attribute(worst, example(text), PREFERENCE, method)
    bounds = [(unit.start, unit.end) for unit in told.units]
    known = deleted(worst, example(text), PREFERENCE, bounds, range(2 ** len(bounds)))

    def reads(present):  # (1, units) of 0 and 1
        return torch.tensor([known[sum(1 << k for k, one in enumerate(present[0]) if one)]], dtype=torch.double)

    found = theirs(reads).attribute(torch.ones(1, len(bounds), dtype=torch.double))[0]
    np.testing.assert_allclose([unit.value for unit in told.units], found, rtol=1e-5)  # theirs add up in float32


# ---- What a tiny transformer learnt


TEXTS = [drawn(random.Random(n), n % 4 + 1) for n in range(16)]


@pytest.mark.parametrize("method", ["ig", "loo", "shapley", "probe"])
def test_a_planted_trigger_is_found(counting, method):
    found = np.concatenate([values(counting, text, method) for text in TEXTS])
    planted = np.array([word == TRIGGER for text in TEXTS for word in text.split()])
    assert np.abs(found[planted]).sum() >= 0.9 * np.abs(found).sum()
    above = found[planted][:, None] - found[~planted]
    assert np.mean((above > 0) + (above == 0) / 2) >= 0.95


def kept(model, text, order):
    """Scores of the text with the first k of its words in this order, and without them, k = 0 …"""
    bounds = [(u.start, u.end) for u in loo(model, example(text), PREFERENCE).units]
    first = [sum(1 << int(k) for k in order[:n]) for n in range(len(bounds) + 1)]
    whole = 2 ** len(bounds) - 1
    found = deleted(model, example(text), PREFERENCE, bounds, [*first, *(whole ^ one for one in first)])
    return np.array([found[one] for one in first]), np.array([found[whole ^ one] for one in first])


@pytest.mark.parametrize("method", ["ig", "shapley"])
def test_taking_out_what_counts_lowers_a_score_faster_than_by_lot(counting, method):
    """Comprehensiveness and sufficiency (DeYoung et al. 2020, ERASER), each averaged over all shares of the words.

    By a paired bootstrap over the texts, both are better than in an order drawn at random.
    """
    rng, better = np.random.default_rng(0), []
    for text in TEXTS[:10]:
        found = values(counting, text, method)
        inserted, without = kept(counting, text, np.argsort(-found))
        by_lot = [kept(counting, text, rng.permutation(len(found))) for _ in range(2)]
        better.append(
            [
                inserted.mean() - np.mean([a.mean() for a, _ in by_lot]),
                np.mean([b.mean() for _, b in by_lot]) - without.mean(),
            ]
        )
    drawn_texts = rng.integers(10, size=(2000, 10))
    low = np.quantile(np.array(better)[drawn_texts].mean(1), 0.025, axis=0)
    assert (low > 0).all()


# ---- Nothing learnt: Adebayo et al. 2018, arXiv 1810.03292


@pytest.fixture(scope="module")
def learnt(world, embedded, minilm):
    """On hidden states alone: features of segments are the same whatever the backbone says."""
    return fit_embedded(world, embedded, minilm, Recipe(heads={"parts": ("embeddings",), "l2": (30.0,)})).model


PROSE = (
    "The bridge of Arvel was built by two brothers in a dry summer. Nobody remembers what it cost, but the town still "
    "pays for its lamps. Ships pass under it at noon, when the middle part turns."
)
BY_GRADIENT = ("exact", "ig", "grad")


@pytest.fixture(scope="module")
def maps(learnt, world):
    """Method → the values of the tokens of PROSE."""
    text = replace(world.examples[1], response=PROSE, spans=())

    def own(model, method):
        return [token.value for token in attribute(model, text, PREFERENCE, method).tokens if token.part == "response"]

    known = {method: own(learnt, method) for method in (*BY_GRADIENT, "abc")}
    return lambda model, method: spearmanr(known[method], own(model, method)).statistic


def other_head(model, seed):
    """Its weights change places by lot, so that their sizes stay."""
    weights = model.response.weights.clone()
    weights[0] = weights[0][torch.randperm(weights.shape[1], generator=torch.Generator().manual_seed(seed))]
    return replace(model, response=replace(model.response, weights=weights))


@pytest.mark.parametrize("method", BY_GRADIENT)
def test_another_head_gives_another_map(learnt, maps, method):
    """On average over heads drawn by lot the rank correlation is near 0, and never near 1."""
    found = [maps(other_head(learnt, seed), method) for seed in range(4)]
    assert abs(np.mean(found)) < 0.3
    assert max(np.abs(found)) < 0.8


def test_attention_does_not_ask_the_head(learnt, maps):
    """Why redistribution is said to be no explanation: another head at most turns all its signs."""
    assert [abs(maps(other_head(learnt, seed), "abc")) for seed in range(4)] == pytest.approx([1] * 4)


@pytest.mark.parametrize("method", BY_GRADIENT)
def test_another_backbone_gives_another_map(learnt, maps, minilm, monkeypatch, method):
    anew = copy.deepcopy(minilm.model)
    torch.manual_seed(0)
    for weights in anew.encoder.parameters():
        torch.nn.init.normal_(weights, std=0.05)
    monkeypatch.setattr(backbone, "load", lambda *_: replace(minilm, model=anew))
    assert abs(maps(learnt, method)) < 0.3


def test_the_score_is_that_of_scoring(counting):
    score = scoring.score(counting, [example(TEXT)]).heads[PREFERENCE][0]
    for method in methods(counting, PREFERENCE):
        assert attribute(counting, example(TEXT), PREFERENCE, method).score == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("kind", ["causal fine-tune", "heads on an encoder"])
def test_attention_shares_out_the_score_by_its_sign(kind, counting, trained, world):
    model, given = {
        "causal fine-tune": (counting, example(TEXT)),
        "heads on an encoder": (trained.model, world.examples[1]),
    }[kind]
    usual = model.network.backbone.model.config._attn_implementation if kind == "causal fine-tune" else None
    for head in (PREFERENCE, model.heads[-1]):
        told = attribute(model, given, head, "abc")
        shares = np.array([token.value / told.score for token in told.tokens])
        assert shares.sum() == pytest.approx(1, abs=1e-9)
        assert (shares >= 0).all()
        assert {token.part for token in told.tokens if token.value} == {"response"}
    assert usual is None or model.network.backbone.model.config._attn_implementation == usual
