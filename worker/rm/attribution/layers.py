"""What each layer adds to a score."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..heads import RewardModel
from ..tuned import TunedModel
from ..types import Example, TokenAttribution
from . import look
from .view import View, attention

NORMS = ("norm", "final_norm", "ln_f", "final_layernorm", "final_layer_norm")  # after the last layer, by architecture


def layers(model: RewardModel | TunedModel, example: Example, head: str) -> TokenAttribution:
    """The score read at each layer's residual stream, and the differences: they telescope, so their sum is exact.

    Where the backbone ends in a norm (Llama, Qwen, …), that is held fixed at the text: for a linear head each value is
    then v·Δh, what the layer itself adds to the stream. Where each layer ends in its own norm (BERT and its kin), the
    stream is renewed by every layer, and a value is what the head would say after it less what it would say before.
    The baseline is the score of hidden states of 0.
    """
    view = look.at(model, example, head)
    with torch.no_grad():
        states = _states(view)
        pooled = view.pool() @ torch.stack(states)
        scores = view.value(torch.cat([torch.zeros_like(pooled[:1]), pooled])).double()
    names = ("embeddings", *(f"layer {n}" for n in range(1, len(states))))
    baseline = float(scores[0]) - sum(view.features.values())
    return TokenAttribution(
        head,
        "layers",
        (),
        view.features,
        baseline,
        view.score - float(scores[-1]),
        view.score,
        layers=tuple(zip(names, scores.diff().tolist(), strict=True)),
    )


def _states(view: View) -> list[Tensor]:
    """(tokens, D) after the embeddings and after each layer, as the last of them would be read.

    An encoding that reads the mean of the last layers reads, after layer n, each of them as far as it has come.
    """
    streams, norm = _streams(view)
    read = range(len(streams) - view.backbone.encoder.encoding.layers, len(streams))
    as_read = {k: norm if k == len(streams) - 1 else _as_it_is for k in read}
    return [
        torch.stack([as_read[k](streams[min(n, k)]) for k in read]).mean(0).to(view.hidden) for n in range(len(streams))
    ]


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _streams(view: View) -> tuple[list[Tensor], Callable[[Tensor], Tensor]]:
    """The residual stream after the embeddings and after each layer, and the last norm with its spread held fixed."""
    backbone, given = view.backbone, []
    norm = next((getattr(backbone.model, name) for name in NORMS if hasattr(backbone.model, name)), None)
    hook = norm.register_forward_pre_hook(lambda _, args: given.append(args[0])) if norm is not None else None
    ids, mask = backbone.pad([view.encoded.ids])
    with attention(backbone, len(view.encoded.ids)):
        found = backbone.run(mask, output_hidden_states=True, input_ids=ids).hidden_states
    if hook is None:
        return [one[0].float() for one in found], _as_it_is
    hook.remove()
    streams = [*(one[0].float() for one in found[:-1]), given[-1][0].float()]
    return streams, _frozen(norm, streams[-1])


def _frozen(norm: nn.Module, at: Tensor) -> Callable[[Tensor], Tensor]:
    """The norm as the affine map that it is once each token's spread is that of `at` (tokens, D)."""
    middle = (lambda x: x - x.mean(-1, keepdim=True)) if isinstance(norm, nn.LayerNorm) else _as_it_is
    bias = norm.bias if isinstance(norm, nn.LayerNorm) and norm.bias is not None else torch.zeros_like(at[0])
    gain = norm.weight if isinstance(norm, nn.LayerNorm) else norm(torch.ones_like(at[:1]))[0]
    along = middle(at) * gain
    scale = ((norm(at) - bias) * along).sum(-1, keepdim=True) / along.square().sum(-1, keepdim=True).clamp(min=1e-30)
    return lambda x: middle(x) * gain * scale + bias
