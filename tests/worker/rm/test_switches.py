"""Each switch of a fine-tune does what it says, and does not only leave the loss as it was."""

from dataclasses import replace

import pytest
import torch
from transformers.models.llama.modeling_llama import LlamaMLP

from tests.worker.rm.conftest import dataset
from tests.worker.rm.test_finetune import fit, recipe
from worker.rm import backbone, finetune
from worker.rm.recipe import Extras
from worker.rm.tuned import build


@pytest.fixture(scope="module")
def data():
    return dataset(8, 2)


def test_bfloat16_computes_in_bfloat16(data, llama, tmp_path):
    found = fit(data, llama, recipe(bf16=True), tmp_path / "half")
    assert found.info["loss"][1:] != fit(data, llama, recipe(), tmp_path / "whole").info["loss"][1:]


def test_checkpointing_reads_each_layer_again_for_its_gradient(data, llama, tmp_path, monkeypatch):
    read, forward = {False: 0, True: 0}, LlamaMLP.forward
    for on in read:

        def counted(self, x, on=on):
            read[on] += self.training
            return forward(self, x)

        monkeypatch.setattr(LlamaMLP, "forward", counted)
        fit(data, llama, recipe(checkpointing=on), tmp_path / str(on))
    assert read[True] == 2 * read[False] > 0


def test_compile_compiles(data, llama, tmp_path, monkeypatch):
    graphs, compiled = [], torch.nn.Module.compile

    def counted(graph, _):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **more: compiled(self, backend=counted, **more))
    found = fit(data, llama, recipe(compile=True), tmp_path / "compiled")
    assert graphs
    assert found.info["loss"] == pytest.approx(fit(data, llama, recipe(), tmp_path / "plain").info["loss"], abs=1e-4)


def test_a_warm_start_leaves_heads_that_mean_something_else(data, llama, tmp_path):
    extras = Extras(segments=0, steps=0)
    warm = fit(data, llama, recipe(extras=extras, learning_rate=1e-2), tmp_path).model
    names = {"heads.preference.weight", "heads.attributes.weight"}
    own = recipe(extras=extras)
    alone = {"heads.preference.weight"}
    for criteria, carried in ((warm.shape.criteria, names), (("another",), alone), ((), alone)):
        network = build(backbone.fresh(llama), own, replace(warm.shape, criteria=criteria))
        network.begin(0)
        finetune._start_from(warm, network, own)
        state = network.state_dict()
        assert {name for name in names & set(state) if torch.equal(state[name], warm.tensors[name])} == carried
