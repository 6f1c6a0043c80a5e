"""Fitted models as folders: which can be one, with what scores, and what is said of those that cannot."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from worker.rm import backbone, embed, export, export_adapter, exportable, scoring, tuned
from worker.rm.network import Shape
from worker.rm.recipe import Encoding, Recipe
from worker.rm.training import fit_embedded
from worker.rm.tuned import TunedModel
from worker.rm.types import PREFERENCE

PLAIN = {"parts": ("embeddings",)}


@pytest.fixture(scope="module")
def fit(world, embedded, minilm):
    def fitted(extras=None, **heads):
        recipe = Recipe(heads={**PLAIN, "hidden": 4, **heads}, extras=extras or {})
        prompts = torch.zeros(len(world.examples), minilm.dim) if recipe.extras.gate else None
        return fit_embedded(world, embedded, minilm, recipe, prompts=prompts).model

    return fitted


@pytest.mark.parametrize(
    ("extras", "heads"),
    [({}, {}), ({"members": 3}, {}), ({}, {"head": "mlp"}), ({}, {"head": "ridge"}), ({"members": 2}, {"head": "mlp"})],
)
def test_heads_on_embeddings_score_the_same_from_a_folder(fit, world, tmp_path, extras, heads):
    model, examples = fit(extras, **heads), world.examples[:8]
    reward = exportable.of(model)
    assert export.write(reward, tmp_path) == "TouchstoneForSequenceClassification"
    expected = torch.from_numpy(scoring.score(model, examples).heads[PREFERENCE])
    assert export.check(tmp_path, reward.backbone.encoder, examples, expected).same_tokens == len(examples)


@pytest.mark.parametrize(
    ("extras", "heads", "said"),
    [
        ({}, {"parts": ("embeddings", "surface")}, "reads surface features of the text"),
        ({}, {"parts": ("embeddings", "segments")}, "reads surface features of the text"),
        ({"length_calibration": True}, {}, "is corrected by the response's length"),
        ({"gate": True}, {}, "is mixed from its criteria"),
        ({"members": 2, "combine": "wco"}, {}, "combines its members by wco"),
    ],
)
def test_what_is_more_than_that_is_refused_with_the_recipe_that_is_not(fit, extras, heads, said):
    with pytest.raises(ValueError, match=f"{said}.*Train heads with parts=embeddings"):
        exportable.of(fit(extras, **heads))


def test_a_causal_input_does_not_show_where_a_response_begins(world, llama):
    own = backbone.load(llama)
    recipe = Recipe(heads=PLAIN)
    model = fit_embedded(world, embed.embed(own, world.examples), own, recipe).model
    with pytest.raises(ValueError, match="where the response begins"):
        exportable.of(model)
    alone = model.response.weights.clone()
    alone[:, own.dim :] = 0
    reward = exportable.of(replace(model, response=replace(model.response, weights=alone)))
    assert reward.parts == ("whole",)


def test_the_pooling_of_the_recipe_is_that_of_the_folder(world, tmp_path):
    own = backbone.load("minilm", Encoding(pooling="cls", layers=2))
    examples = world.examples[:24]
    data = replace(world, examples=examples, train=[one for one in world.test if max(one.first, one.second) < 24])
    data = replace(data, test=[], test_groups=frozenset())
    model = fit_embedded(
        data, embed.embed(own, examples), own, Recipe(heads=PLAIN, encoding=own.encoder.encoding)
    ).model
    reward = exportable.of(model)
    export.write(reward, tmp_path)
    expected = torch.from_numpy(scoring.score(model, examples).heads[PREFERENCE])
    export.check(tmp_path, own.encoder, examples, expected)


# ---- Tuned networks, made here with random weights instead of training


def tuned_model(name, trainer, encoding=None, extras=None):
    """A version whose weights have moved: every trainable weight of it is drawn anew, near where it was."""
    recipe = Recipe(name=trainer, encoding=encoding or {}, extras=extras or {}, tuning={"lora_rank": 4})
    own = backbone.fresh(name, recipe.encoding)
    network = tuned.build(own, recipe, Shape(members=recipe.extras.members))
    network.begin(0)
    draw = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn(parameter.shape, generator=draw)
    tensors = tuned.kept(network, recipe)
    return TunedModel(name, own.hash, own.encoder.hash, recipe, network.shape, tensors)


TUNED = [
    ("llama", {}, {}, "LlamaForSequenceClassification"),
    ("qwen", {"template": "chat"}, {"members": 2}, "Qwen2ForSequenceClassification"),
    ("qwen", {"pooling": "mean"}, {}, "TouchstoneForSequenceClassification"),
    ("minilm", {}, {}, "TouchstoneForSequenceClassification"),
    ("minilm", {"pooling": "cls"}, {}, "BertForSequenceClassification"),
]


@pytest.mark.parametrize("trainer", ["lora", "full"])
@pytest.mark.parametrize(("name", "encoding", "extras", "loaded_by"), TUNED)
def test_a_tuned_version_scores_the_same_from_a_folder(
    request, world, tmp_path, trainer, name, encoding, extras, loaded_by
):
    source = "minilm" if name == "minilm" else request.getfixturevalue(name)
    model, examples = tuned_model(source, trainer, encoding, extras), world.examples[:6]
    reward = exportable.of(model)
    assert export.write(reward, tmp_path) == loaded_by
    export.check(tmp_path, reward.backbone.encoder, examples, exportable.scores(model, examples))


@pytest.mark.parametrize(
    ("name", "encoding"), [("llama", {}), ("qwen", {"template": "chat"}), ("minilm", {"pooling": "cls"})]
)
def test_adapters_score_the_same_in_peft(request, world, tmp_path, name, encoding):
    source = "minilm" if name == "minilm" else request.getfixturevalue(name)
    model, examples = tuned_model(source, "lora", encoding), world.examples[:6]
    export_adapter.write(model, tmp_path)
    encoder = backbone.load(source, model.encoding).encoder
    export_adapter.check(source, tmp_path, encoder, examples, exportable.scores(model, examples))
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert ("score" if name != "minilm" else "classifier") in config["modules_to_save"]
    assert config["base_model_name_or_path"] in ("sentence-transformers/all-MiniLM-L6-v2", Path(source).name)


@pytest.mark.parametrize(
    ("trainer", "encoding", "said"), [("full", {}, "no adapters"), ("lora", {"pooling": "mean"}, "no class")]
)
def test_what_has_no_adapters_for_peft_is_exported_whole(llama, tmp_path, trainer, encoding, said):
    with pytest.raises(ValueError, match=f"{said}.*Export it as a whole model"):
        export_adapter.write(tuned_model(llama, trainer, encoding), tmp_path)


def test_a_version_in_bfloat16_is_compared_in_float32(llama, world, tmp_path):
    model, examples = tuned_model(llama, "full"), world.examples[:6]
    tuning = model.recipe.tuning.model_copy(update={"bf16": True})
    model = replace(model, recipe=model.recipe.model_copy(update={"tuning": tuning}))
    export.write(exportable.of(model), tmp_path)
    expected = exportable.scores(model, examples)
    export.check(tmp_path, model.network.backbone.encoder, examples, expected)
    own = torch.from_numpy(scoring.score(model, examples).heads[PREFERENCE])
    assert 0 < float((own - expected).abs().max()) < 0.1


@pytest.mark.parametrize("extras", [{"members": 2, "combine": "uwo"}])
def test_a_tuned_version_with_more_than_one_linear_head_is_refused(llama, extras):
    with pytest.raises(ValueError, match="Train full without gate"):
        exportable.of(tuned_model(llama, "full", extras=extras))
