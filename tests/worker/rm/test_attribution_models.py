"""Every way of taking a score apart, on every kind of model, and every head."""

from dataclasses import replace

import pytest
import torch

from tests.worker.rm.attributed import Bag, tuned_model
from worker.rm import ensemble_runs, network, scoring
from worker.rm.attribution import attribute, look, methods, path
from worker.rm.attribution.layers import layers
from worker.rm.recipe import Extras
from worker.rm.types import PREFERENCE

MODELS = {
    "minilm": ("minilm", {}),
    "minilm by its first token": ("minilm", {"encoding": {"pooling": "cls"}}),
    "llama": ("llama", {"members": 2, "combine": "wco"}),
    "qwen": ("qwen", {"trainer": "lora", "encoding": {"template": "chat", "layers": 2}}),
    "qwen by its mean": ("qwen", {"encoding": {"pooling": "mean"}}),
}


@pytest.fixture(scope="module", params=MODELS)
def tuned(request, llama, qwen, minilm):
    name, more = MODELS[request.param]
    return tuned_model({"llama": llama, "qwen": qwen}.get(name, name), **more)


@pytest.fixture(scope="module")
def small(llama):
    return tuned_model(llama)


def total(found):
    values = [one.value for one in found.tokens] + [value for _, value in found.layers]
    return found.baseline + sum(found.features.values()) + sum(values)


def heads(model):
    return [head for head in model.heads if head != "disagreement"]


BOUND = {"exact": 1e-4, "layers": 1e-4, "prefix": 1e-4, "probe": 1e-4}


def test_every_way_adds_up_for_every_head_of_a_fine_tune(tuned, world):
    example = replace(world.examples[1], response=world.examples[1].response[:40])
    scores = scoring.score(tuned, [example]).heads
    for head in heads(tuned):
        for method in set(methods(tuned, head)) - {"loo", "shapley", "abc"}:
            found = attribute(tuned, example, head, method)
            assert found.score == pytest.approx(scores[head][0], abs=1e-4)
            assert total(found) + found.residual == pytest.approx(found.score, abs=1e-6)
            change = abs(found.score - found.baseline - sum(found.features.values()))
            bound = BOUND.get(method, max(1e-3, 0.01 * change) + 1e-4)
            assert abs(found.residual) < bound or method == "grad"


def test_which_ways_there_are(tuned):
    found, causal = set(methods(tuned, PREFERENCE)), tuned.network.backbone.encoder.causal
    assert {"ig", "grad", "layers", "probe"} <= found
    assert ("exact" in found) == (tuned.network.backbone.encoder.pooling == "mean")
    assert ("prefix" in found) == causal


def test_it_says_what_it_cost(small, world):
    found = attribute(small, world.examples[1], PREFERENCE, "ig")
    assert found.cost["tokens"] >= len(found.tokens) * (found.cost["nodes"] + 3)
    assert found.cost["seconds"] > 0


def test_a_bfloat16_version_has_its_own_score_and_a_residual(llama, small, world):
    model = tuned_model(llama, bf16=True)
    found, wanted = (attribute(one, world.examples[1], PREFERENCE, "ig") for one in (model, small))
    assert found.score == pytest.approx(scoring.score(model, world.examples[1:2]).heads[PREFERENCE][0], abs=1e-6)
    assert total(found) + found.residual == pytest.approx(found.score, abs=1e-6)
    assert found.baseline == pytest.approx(wanted.baseline, abs=1e-5)


# ---- Beginnings


@pytest.mark.parametrize("name", ["llama", "qwen"])
@pytest.mark.parametrize("head", [PREFERENCE, "attribute:quality", "segment:wrong", "step"])
def test_the_probe_in_one_pass_is_the_naive_loop(request, world, name, head, monkeypatch):
    model = tuned_model(request.getfixturevalue(name), encoding={"template": "chat"})
    found = attribute(model, world.examples[1], head, "probe")
    monkeypatch.setattr(network, "can_pack", lambda _: False)
    naive = attribute(model, world.examples[1], head, "probe")
    assert naive.cost["tokens"] > 3 * found.cost["tokens"]
    assert [one.value for one in found.tokens] == pytest.approx([one.value for one in naive.tokens], abs=1e-4)


def test_a_probe_is_the_score_of_the_text_that_ends_there(trained, world):
    """Of heads on frozen embeddings, with the features that this text has."""
    found = attribute(trained.model, world.examples[1], PREFERENCE, "probe")
    own = [one for one in found.tokens if one.part == "response"]
    for n in (0, 3, len(own) - 1):
        begun = replace(world.examples[1], response=world.examples[1].response[: own[n].end])
        value = found.baseline + sum(one.value for one in own[: n + 1])
        assert value == pytest.approx(scoring.score(trained.model, [begun]).heads[PREFERENCE][0], abs=1e-4)


def test_prefixes_telescope_to_the_score(small, world):
    """And a value does not know what follows it."""
    example = world.examples[1]
    found = attribute(small, example, PREFERENCE, "prefix")
    cut = attribute(small, replace(example, response=example.response[:40]), PREFERENCE, "prefix")
    pairs = [
        (a.value, b.value) for a, b in zip(found.tokens, cut.tokens, strict=False) if a == replace(b, value=a.value)
    ]
    assert len(pairs) > len(cut.tokens) - 6  # the last word is cut, and the end is elsewhere
    assert [a for a, _ in pairs] == pytest.approx([b for _, b in pairs], abs=1e-4)
    assert abs(found.residual) < 1e-5
    assert {one.value for one in found.tokens if one.part == "prompt"} == {0}


# ---- Layers


def test_a_layer_adds_what_it_adds_to_the_stream(small, world):
    """By hand for Llama: the head's weights times the last norm's gain times each layer's change, by the spread."""
    model = small
    view = look.at(model, world.examples[1], PREFERENCE)
    found, own = layers(model, world.examples[1], PREFERENCE), model.network.model
    given = []
    with torch.no_grad():
        hook = own.norm.register_forward_pre_hook(lambda _, args: given.append(args[0]))
        own.set_attn_implementation("eager")
        states = own(input_ids=torch.tensor([view.encoded.ids]), output_hidden_states=True).hidden_states
        hook.remove()
        last = torch.stack([*(one[0, -1] for one in states[:-1]), given[0][0, -1]])
        spread = (last[-1].square().mean() + own.norm.variance_epsilon).sqrt()
        read = model.network.heads["preference"].weight[0] * own.norm.weight / spread
    by_hand = [float(last[0] @ read), *((last.diff(dim=0)) @ read).tolist()]
    assert [value for _, value in found.layers] == pytest.approx(by_hand, abs=1e-4)
    assert [name for name, _ in found.layers] == ["embeddings", "layer 1", "layer 2"]


# ---- Linear backbones


@pytest.fixture(scope="module")
def bag(trained):
    """Frozen embeddings by a backbone that is a table; the features stay, for they are held fixed."""
    own = scoring.backbone_of(trained.model)
    return replace(own, model=Bag(own.model.get_input_embeddings()))


@pytest.mark.parametrize("method", ["ig", "grad"])
def test_where_all_is_linear_each_token_has_its_weight_times_its_embedding(trained, world, bag, monkeypatch, method):
    monkeypatch.setattr(scoring, "backbone_of", lambda _: bag)
    found = attribute(trained.model, world.examples[1], PREFERENCE, method)
    view = look.at(trained.model, world.examples[1], PREFERENCE)
    start, end = path.ends(view)
    wanted = ((view.pool().T @ view.linear.rows) * (end - start)).sum(1)
    assert [one.value for one in found.tokens] == pytest.approx(wanted.tolist(), abs=1e-5)
    assert abs(found.residual) < 1e-4


# ---- Company


def test_attributions_are_the_same_whatever_is_read_with_them(small, world, monkeypatch):
    """One path point at a time or all together, and padding on the side."""
    together = attribute(small, world.examples[1], PREFERENCE, "ig")
    monkeypatch.setitem(path.POINTS, "cpu", 1)
    alone = attribute(small, world.examples[1], PREFERENCE, "ig")
    assert [one.value for one in alone.tokens] == pytest.approx([one.value for one in together.tokens], abs=1e-4)


def test_special_tokens_are_there_and_counted(small, world):
    found = attribute(small, world.examples[1], PREFERENCE, "grad")
    encoded = small.network.backbone.encoder.encode(world.examples[1])
    assert len(found.tokens) == len(encoded.ids)
    assert any(one.part == "special" for one in found.tokens)


# ---- Ensembles of versions


@pytest.fixture(scope="module")
def versions(trained, small):
    """Of two tokenizers."""
    return [trained.model, replace(small, mean=0.3, std=2.0)]


@pytest.mark.parametrize("rule", ["mean", "wco", "quantile"])
def test_an_ensembles_members_add_up(versions, world, rule):
    model = ensemble_runs.of(versions, Extras(members=2, combine=rule, quantile=0.3))
    for head in (PREFERENCE, "member:1"):
        score = scoring.score(model, world.examples[1:2]).heads[head][0]
        for method in set(methods(model, head)) & {"ig", "grad", "layers", "probe"}:
            found = attribute(model, world.examples[1], head, method)
            assert found.score == pytest.approx(score, abs=1e-5)
            assert total(found) + found.residual == pytest.approx(found.score, abs=1e-5)


def test_an_ensemble_of_one_opinion_is_that_opinion(trained, world):
    model = ensemble_runs.of([trained.model] * 2, Extras(members=2))
    found, own = (attribute(one, world.examples[1], PREFERENCE) for one in (model, trained.model))
    values = [one.value / trained.model.std for one in own.tokens]
    assert [one.value for one in found.tokens] == pytest.approx(values, abs=1e-5)
    assert abs(found.residual) < 1e-4


def test_what_an_ensemble_cannot_be_split_by_is_said(trained, world):
    model = ensemble_runs.of([trained.model] * 2, Extras(members=2, combine="uwo"))
    assert "ig" not in methods(model, PREFERENCE)
    assert "ig" in methods(model, "member:0")
    with pytest.raises(ValueError, match="preference cannot be split by ig"):
        attribute(model, world.examples[1], PREFERENCE, "ig")
