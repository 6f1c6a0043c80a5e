"""Integrated gradients: complete, exact where a score is linear, the same in any company, bounded in memory."""

import numpy as np
import pytest
import torch
from captum.attr import LayerGradientXActivation, LayerIntegratedGradients
from transformers import BertConfig, BertModel, LlamaConfig, LlamaModel, Qwen2Config, Qwen2Model

from tests.worker.rm import tiny
from worker.rm.attribution import path
from worker.rm.attribution.path import walk

KINDS = {
    "encoder": (BertConfig, BertModel, {}),
    "llama": (LlamaConfig, LlamaModel, {"num_key_value_heads": 2}),
    "qwen": (Qwen2Config, Qwen2Model, {"num_key_value_heads": 2}),
}


@pytest.fixture(scope="module", params=KINDS)
def scored(request):
    """dtype → (value, start, end) of a tiny random transformer."""
    config, kind, more = KINDS[request.param]
    torch.manual_seed(0)
    model = kind(config(vocab_size=40, **tiny.SIZES, **more)).eval().requires_grad_(False)
    head, ids = torch.randn(32), torch.randint(1, 40, (9,))
    padded = torch.where(torch.arange(9) < 3, ids, 0)
    for parent in list(model.modules()):
        for name, one in parent.named_children():
            if "RMSNorm" in type(one).__name__:  # theirs computes in float32 whatever it is given
                setattr(parent, name, torch.nn.RMSNorm(32, eps=1e-6))

    def at(dtype):
        table = model.to(dtype).get_input_embeddings()
        value = lambda points: model(inputs_embeds=points).last_hidden_state[:, -1] @ head.to(dtype)  # noqa: E731
        return value, table(padded), table(ids)

    return at


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.double, 1e-8), (torch.float32, 1e-3)])
def test_what_tokens_get_adds_up(scored, dtype, tolerance):
    value, start, end = scored(dtype)
    found = walk(value, start, end, tolerance=tolerance)
    assert abs(found.gap) < tolerance
    assert abs(found.high - found.low) > 100 * 1e-3
    assert found.low + float(found.values.sum()) == pytest.approx(found.high + found.gap, abs=tolerance / 10)


def test_a_linear_score_has_its_weights_times_what_moved():
    weights, start, end = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    value = lambda points: (points * weights).sum((1, 2))  # noqa: E731
    wanted = (weights * (end - start)).sum(1)
    torch.testing.assert_close(walk(value, start, end).values, wanted)
    torch.testing.assert_close(path._shares(value, start, end, np.ones(1))[0], wanted)


def test_a_bent_path_takes_nodes_where_it_bends():
    start, end = torch.zeros(4, 3, dtype=torch.double), torch.ones(4, 3, dtype=torch.double)
    asked = []

    def value(points):
        asked.extend(points.detach().mean((1, 2)).tolist())
        return torch.sigmoid(60 * (points.mean((1, 2)) - 0.9))

    found = walk(value, start, end)
    assert abs(found.gap) <= 0.01
    assert sum(one > 0.75 for one in asked) > sum(one < 0.5 for one in asked)


def test_what_cannot_be_followed_says_so():
    """A step has no gradient: the residual is the whole change, and the work ends."""
    found = walk(lambda x: (x.mean((1, 2)) > 0.3).double() + 0 * x.sum(), *torch.tensor([[[0.0]], [[1.0]]]))
    assert (found.gap, found.values.tolist()) == (-1, [0])
    assert found.nodes <= path.MOST


def test_what_does_not_move_gets_nothing():
    start, end = torch.zeros(4, 3), torch.ones(4, 3)
    end[2] = start[2]
    assert walk(lambda points: points.pow(2).sum((1, 2)), start, end).values[2] == 0


@pytest.mark.parametrize("tokens", [5, 40, 400])
def test_memory_is_capped(monkeypatch, tokens):
    monkeypatch.setitem(path.POINTS, "cpu", 100)
    read = []

    def value(points):
        read.append(points.shape[0] * points.shape[1])
        return torch.sin(30 * points.mean((1, 2)))

    walk(value, torch.zeros(tokens, 2), torch.ones(tokens, 2))
    assert max(read) <= max(100, tokens)


def test_rough_gradients_are_checked_against_exact_ends():
    """Gradients that are 20 % too large do not add up, so the true ones are taken."""
    start, end = torch.zeros(4, 3, dtype=torch.double), torch.ones(4, 3, dtype=torch.double)
    value = lambda points: points.pow(2).sum((1, 2))  # noqa: E731
    found = walk(value, start, end, rough=lambda points: 1.2 * value(points))
    assert abs(found.gap) <= 0.12
    assert found.nodes > len(path.CUTS[1:]) * path.NODES


# ---- Beside captum


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    model = BertModel(BertConfig(vocab_size=40, **tiny.SIZES)).eval().double()
    return model, torch.randn(32, dtype=torch.double), torch.randint(1, 40, (1, 9))


def test_at_equal_nodes_captum_says_the_same(encoder, monkeypatch):
    model, head, ids = encoder
    padded, table = torch.where(torch.arange(9) < 3, ids, 0), model.get_input_embeddings()
    reads = lambda ids: model(input_ids=ids).last_hidden_state.mean(1) @ head  # noqa: E731
    theirs = LayerIntegratedGradients(reads, table).attribute(ids, baselines=padded, n_steps=12, method="gausslegendre")
    monkeypatch.setattr(path, "CUTS", (0.0, 1.0))
    monkeypatch.setattr(path, "NODES", 12)
    value = lambda points: model(inputs_embeds=points).last_hidden_state.mean(1) @ head  # noqa: E731
    found = walk(value, table(padded)[0].detach(), table(ids)[0].detach(), tolerance=1.0)
    assert found.nodes == 12
    torch.testing.assert_close(found.values, theirs.sum(-1)[0].detach(), atol=1e-8, rtol=0)


def test_from_nothing_the_slope_is_captums_gradient_times_activation(encoder):
    model, head, ids = encoder
    reads = lambda ids: model(input_ids=ids).last_hidden_state.mean(1) @ head  # noqa: E731
    theirs = LayerGradientXActivation(reads, model.get_input_embeddings()).attribute(ids).sum(-1)[0].detach()
    value = lambda points: model(inputs_embeds=points).last_hidden_state.mean(1) @ head  # noqa: E731
    end = model.get_input_embeddings()(ids)[0].detach()
    torch.testing.assert_close(
        path._shares(value, torch.zeros_like(end), end, np.ones(1))[0], theirs, atol=1e-10, rtol=0
    )
