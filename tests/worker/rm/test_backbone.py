"""A causal backbone made here: a tiny random Llama and a word tokenizer, loaded from a folder like any other."""

import numpy as np
import pytest
import torch

from worker.rm import backbone, embed, scoring, source
from worker.rm.attribution import attribute
from worker.rm.recipe import Recipe
from worker.rm.training import fit_embedded
from worker.rm.types import PREFERENCE


@pytest.fixture(scope="module")
def llama(tmp_path_factory, world):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("llama")
    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordLevelTrainer(special_tokens=["<unk>", "<s>", "</s>"])
    words.train_from_iterator([one.response for one in world.examples], trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=words.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return backbone.load(str(folder))


def test_the_bundled_weights_must_be_the_published_ones(monkeypatch):
    monkeypatch.setattr(source, "MINILM_SHA256", "0")
    with pytest.raises(ValueError, match="not the published ones"):
        source._minilm()


def test_a_backbone_is_loaded_once(minilm):
    assert backbone.load("minilm") is minilm
    assert (minilm.dim, minilm.encoder.max_length) == (384, 512)


def test_a_causal_model_reads_bos_prompt_response_eos_once(llama, world):
    encoded = llama.encoder.encode(world.examples[0])
    tokens = llama.encoder.tokenizer.convert_ids_to_tokens(encoded.ids)
    assert (tokens[0], tokens[-1]) == ("<s>", "</s>")
    assert (tokens.count("<s>"), tokens.count("</s>")) == (1, 1)


def test_a_causal_model_without_padding_token_is_padded_right(llama, world):
    together = embed.embed(llama, world.examples[:6])
    alone = embed.embed(llama, world.examples[2:3])
    np.testing.assert_allclose(alone.pooled[0], together.pooled[2], atol=1e-5)


def test_the_whole_loop_runs_on_a_causal_model(llama, world):
    trained = fit_embedded(world, embed.embed(llama, world.examples), llama, Recipe())
    example = world.examples[1]
    expected = scoring.score(trained.model, [example]).heads[PREFERENCE][0]
    for method, tolerance in (("exact", 1e-4), ("ig", 1e-2)):
        found = attribute(trained.model, example, PREFERENCE, method)
        assert found.score == pytest.approx(expected, abs=1e-5)
        assert abs(found.residual) < tolerance


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_numbers_of_the_cpu(minilm, world):
    """The session's backbone lies on the GPU; a copy on the CPU must agree."""
    from copy import deepcopy
    from dataclasses import replace

    on_cpu = replace(minilm, model=deepcopy(minilm.model).to("cpu"))
    one, other = (embed.embed(each, world.examples[:16]) for each in (minilm, on_cpu))
    np.testing.assert_allclose(one.pooled, other.pooled, atol=1e-4)
    np.testing.assert_allclose(one.segments, other.segments, atol=1e-4)
