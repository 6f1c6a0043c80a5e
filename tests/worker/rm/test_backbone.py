"""Backbones from a folder: the bundled encoder, a tiny random Llama, and folders that cannot be used."""

import numpy as np
import pytest
import torch

from worker.rm import backbone, embed, scoring, source
from worker.rm.attribution import attribute
from worker.rm.recipe import Encoding, Recipe
from worker.rm.training import fit_embedded
from worker.rm.types import PREFERENCE

SIDES = ("right", "left")


@pytest.fixture(scope="module")
def causal(llama):
    return backbone.load(llama)


def test_the_bundled_weights_must_be_the_published_ones(monkeypatch):
    monkeypatch.setattr(source, "MINILM_SHA256", "0")
    with pytest.raises(ValueError, match="not the published ones"):
        source._minilm()


def test_a_backbone_is_loaded_once(minilm):
    assert backbone.load("minilm") is minilm
    assert (minilm.dim, minilm.encoder.max_length) == (384, 512)


def test_a_causal_model_reads_bos_prompt_response_eos_once(causal, world):
    encoded = causal.encoder.encode(world.examples[0])
    tokens = causal.encoder.tokenizer.convert_ids_to_tokens(encoded.ids)
    assert (tokens[0], tokens[-1]) == ("<s>", "</s>")
    assert (tokens.count("<s>"), tokens.count("</s>")) == (1, 1)


def test_a_causal_model_without_padding_token_is_padded_right(causal, world):
    together = embed.embed(causal, world.examples[:6])
    alone = embed.embed(causal, world.examples[2:3])
    np.testing.assert_allclose(alone.pooled[0], together.pooled[2], atol=1e-5)


def test_the_whole_loop_runs_on_a_causal_model(causal, world):
    trained = fit_embedded(world, embed.embed(causal, world.examples), causal, Recipe())
    example = world.examples[1]
    expected = scoring.score(trained.model, [example]).heads[PREFERENCE][0]
    for method, tolerance in (("exact", 1e-4), ("ig", 1e-2)):
        found = attribute(trained.model, example, PREFERENCE, method)
        assert found.score == pytest.approx(expected, abs=1e-5)
        assert abs(found.residual) < tolerance


def test_encodings_of_one_name_share_its_weights(minilm):
    other = backbone.load("minilm", Encoding(pooling="cls"))
    assert other is not minilm
    assert other.model is minilm.model


def test_a_fresh_backbone_has_weights_of_its_own(causal, llama):
    one, other = backbone.fresh(llama), backbone.fresh(llama)
    assert one.hash == other.hash == causal.hash
    assert all(weight.requires_grad for weight in one.model.parameters())
    assert one.model is not other.model
    assert not any(weight.requires_grad for weight in causal.model.parameters())


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_the_whole_input_is_pooled_wherever_the_padding_is(pooling, world):
    found = backbone.load("minilm", Encoding(pooling=pooling))
    rows = [one.ids for one in found.encoder.encode_all(world.examples[:3])]
    right, left = (
        found.whole(found.hidden(mask, input_ids=ids), mask) for ids, mask in (found.pad(rows, s) for s in SIDES)
    )
    torch.testing.assert_close(right, left, atol=1e-5, rtol=0)
    embedded = embed.embed(found, world.examples[:3]).pooled[:, : found.dim]
    np.testing.assert_allclose(embedded, right, atol=1e-5)


def test_cls_is_read_by_the_backbones_own_pooler(minilm, world):
    ids, mask = minilm.pad([minilm.encoder.encode(world.examples[0]).ids])
    found = backbone.load("minilm", Encoding(pooling="cls"))
    expected = minilm.model(input_ids=ids, attention_mask=mask).pooler_output
    torch.testing.assert_close(found.whole(found.hidden(mask, input_ids=ids), mask), expected)


def test_a_pooler_that_the_files_lack_is_not_made_up(minilm, world, tmp_path):
    """transformers would fill it with random numbers, others each time."""
    weights = {key: value for key, value in minilm.model.state_dict().items() if not key.startswith("pooler.")}
    minilm.model.save_pretrained(tmp_path, state_dict=weights)
    minilm.encoder.tokenizer.save_pretrained(tmp_path)
    found = backbone.load(str(tmp_path), Encoding(pooling="cls"))
    assert found.pooler is None
    assert found.hash == backbone.fresh(str(tmp_path)).hash


def test_files_that_lack_other_weights_are_refused(minilm, tmp_path):
    weights = {key: value for key, value in minilm.model.state_dict().items() if ".3." not in key}
    minilm.model.save_pretrained(tmp_path, state_dict=weights)
    minilm.encoder.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="lack weights"):
        backbone.fresh(str(tmp_path))


def test_several_layers_are_averaged(llama, causal, world):
    ids, mask = causal.pad([causal.encoder.encode(world.examples[0]).ids])
    states = causal.model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    found = backbone.load(llama, Encoding(layers=2)).hidden(mask, input_ids=ids)
    torch.testing.assert_close(found, (states[-1] + states[-2]) / 2)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ({"max_length": 512}, "reads at most 256 tokens: lower max_length from 512"),
        ({"pooling": "cls"}, "first token has read nothing: use pooling last or mean"),
        ({"layers": 3}, "has 2 layers: lower layers from 3"),
    ],
)
def test_what_a_backbone_cannot_do_is_refused(llama, encoding, said):
    with pytest.raises(ValueError, match=said):
        backbone.load(llama, Encoding(**encoding))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_numbers_of_the_cpu(minilm, world):
    """The session's backbone lies on the GPU; a copy on the CPU must agree."""
    from copy import deepcopy
    from dataclasses import replace

    on_cpu = replace(minilm, model=deepcopy(minilm.model).to("cpu"))
    one, other = (embed.embed(each, world.examples[:16]) for each in (minilm, on_cpu))
    np.testing.assert_allclose(one.pooled, other.pooled, atol=1e-4)
    np.testing.assert_allclose(one.segments, other.segments, atol=1e-4)
