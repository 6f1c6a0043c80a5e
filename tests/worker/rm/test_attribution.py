from dataclasses import replace

import numpy as np
import pytest

from worker.rm import backbone, embed, scoring
from worker.rm.attribution import attribute, methods
from worker.rm.encode import Encoder
from worker.rm.recipe import Encoding, Extras, Heads, Recipe
from worker.rm.training import fit_embedded, fit_heads
from worker.rm.types import PREFERENCE, Dataset, SpanLabel


def total(found):
    values = [one.value for one in found.tokens] + [value for _, value in found.layers]
    return found.baseline + sum(found.features.values()) + sum(values)


@pytest.mark.parametrize("response", [None, "", "One. " * 600])
def test_the_exact_split_adds_up_for_every_head(trained, world, response):
    example = world.examples[1] if response is None else replace(world.examples[1], response=response)
    scores = scoring.score(trained.model, [example]).heads
    for head in trained.model.heads:
        found = attribute(trained.model, example, head)
        assert found.score == pytest.approx(scores[head][0], abs=1e-5)
        assert total(found) + found.residual == pytest.approx(found.score, abs=1e-9)
        assert abs(found.residual) < 1e-4


@pytest.mark.parametrize("head", [PREFERENCE, "segment:wrong"])
def test_integrated_gradients_are_complete(trained, world, head):
    found = attribute(trained.model, world.examples[1], head, "ig")
    change = found.score - found.baseline - sum(found.features.values())
    assert abs(found.residual) <= max(1e-3, 0.01 * abs(change))
    assert total(found) + found.residual == pytest.approx(found.score, abs=1e-9)
    assert all(one.value == 0 for one in found.tokens if one.part != "response")


def test_the_path_starts_at_padding(trained, world, minilm, monkeypatch):
    """A response of nothing but padding has not moved, so no token of it answers for anything."""
    encoded = minilm.encoder.encode(world.examples[1])
    begin, end = encoded.response_span
    ids = (*encoded.ids[:begin], *[minilm.encoder.pad_id] * encoded.tokens, *encoded.ids[end:])
    monkeypatch.setattr(Encoder, "encode", lambda *_: replace(encoded, ids=ids))
    found = attribute(trained.model, world.examples[1], PREFERENCE, "ig")
    assert {t.value for t in found.tokens} == {0}


def test_tokens_are_named_by_code_points_of_the_raw_response(trained, world):
    example = replace(world.examples[0], response="Très 👩 haute: 107\r\nmètres.")
    found = attribute(trained.model, example, PREFERENCE)
    assert all(example.response[t.start : t.end] == t.text for t in found.tokens if t.part == "response")
    assert [t.text for t in found.tokens if t.part == "special"] == ["[CLS]", "[SEP]", "[SEP]"]
    assert "".join(t.text for t in found.tokens if t.part == "prompt") == "HowtallisthetowerofArvel?"


def test_flawed_tokens_are_what_a_segment_head_sees(trained, world):
    """On held-out answers the tokens of the irrelevant sentence stand above all others."""
    example = world.examples[1]
    assert [span.category for span in example.spans] == ["irrelevant"]
    span: SpanLabel = example.spans[0]
    found = attribute(trained.model, example, "segment:irrelevant")
    own = [t for t in found.tokens if t.part == "response"]
    inside = np.mean([t.value for t in own if t.start >= span.start])
    assert inside > np.mean([t.value for t in own if t.start < span.start])


def test_an_unknown_head_is_named(trained, world):
    with pytest.raises(ValueError, match="no head 'segment:none'"):
        attribute(trained.model, world.examples[0], "segment:none")


KINDS = {
    "worst": Extras(members=3, combine="wco", length_calibration=True),
    "quantile": Extras(members=4, combine="quantile", odin=True),
    "gated": Extras(gate=True, length_calibration=True, quantiles=(0.5,)),
    "variance": Extras(members=2, combine="uwo"),
}


@pytest.fixture(scope="module", params=[*KINDS, "mlp"])
def other(request, world, minilm, tmp_path_factory):
    """A model of every kind of preference."""
    own = Heads(head="mlp" if request.param == "mlp" else "logistic", hidden=8, l2=(30.0,))
    recipe = Recipe(extras=KINDS.get(request.param, Extras()), heads=own)
    return request.param, fit_heads(world, minilm, recipe, tmp_path_factory.getbasetemp() / "kinds").model


def test_every_kind_of_preference_adds_up_by_each_way_that_it_has(other, world):
    name, model = other
    example, ways = world.examples[1], methods(model, PREFERENCE)
    assert ("exact" in ways) == (name not in ("variance", "mlp"))
    score = scoring.score(model, [example]).heads[PREFERENCE][0]
    for way in set(ways) & {"exact", "ig", "layers"}:
        found = attribute(model, example, PREFERENCE, way)
        change = found.score - found.baseline - sum(found.features.values())
        assert found.score == pytest.approx(score, abs=1e-5)
        assert total(found) + found.residual == pytest.approx(found.score, abs=1e-9)
        if way != "loo":  # what is left out one by one does not add up
            assert abs(found.residual) < (1e-4 if way != "ig" else max(1e-3, 0.01 * abs(change)))


def test_what_is_not_linear_is_refused_by_its_name(other, world):
    name, model = other
    if name in ("variance", "mlp"):
        with pytest.raises(ValueError, match="preference is not linear near an example"):
            attribute(model, world.examples[0], PREFERENCE)
    if model.members > 1:
        with pytest.raises(ValueError, match="look at what it is made of"):
            attribute(model, world.examples[0], "disagreement", "ig")


def test_length_calibration_is_a_contribution_of_its_own(other, world):
    _, model = other
    found = attribute(model, world.examples[1], PREFERENCE, "ig")
    assert ("length calibration" in found.features) == (model.curve is not None)


def test_a_pooler_that_is_not_linear_is_walked_through(world):
    """Through the backbone's own pooler there is no exact split; integrated gradients still add up."""
    own = backbone.load("minilm", Encoding(pooling="cls"))
    first = world.examples[:40]
    data = Dataset(first, [pair for pair in world.test if max(pair.first, pair.second) < 40], [])
    model = fit_embedded(data, embed.embed(own, first), own, Recipe(encoding=own.encoder.encoding)).model
    with pytest.raises(ValueError, match=r"not linear.*: take integrated gradients"):
        attribute(model, first[1], PREFERENCE, "exact")
    found = attribute(model, first[1], PREFERENCE, "ig")
    assert found.score == pytest.approx(scoring.score(model, first[1:2]).heads[PREFERENCE][0], abs=1e-5)
    change = found.score - found.baseline - sum(found.features.values())
    assert abs(found.residual) <= max(1e-3, 0.01 * abs(change))
    assert any(one.value for one in found.tokens if one.part == "response")
