"""The score itself, shared out over the response by attention: Attention-Based Credit, Chan et al., arXiv 2402.00782.

    r_t = β·a_t·r + (1 − β)·[t = T]·r,   a_t = attention of the last layer from where the score is read, mean of heads

renormalised over the response. It redistributes the score and says nothing of what would change it: every token has
the sign of the score.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ..heads import RewardModel
from ..tuned import TunedModel
from ..types import Example, TokenAttribution
from . import look
from .view import View


def abc(model: RewardModel | TunedModel, example: Example, head: str, *, beta: float = 1.0) -> TokenAttribution:
    """Tokens sum to the score; a response without tokens leaves all of it as residual."""
    view = look.at(model, example, head)
    values, (start, end) = np.zeros(len(view.encoded.ids)), view.encoded.response_span
    if end > start:
        seen = (_read(view, isinstance(model, TunedModel)) @ _attention(view))[start:end]
        values[start:end] = beta * view.score * seen / seen.sum()
        values[end - 1] += (1 - beta) * view.score
    return view.told("abc", torch.from_numpy(values), {}, 0.0)


def _read(view: View, tuned: bool) -> np.ndarray:
    """(tokens,) shares of the positions at which the head reads: the whole input's, or its segments'."""
    rows = view.pool().double().cpu().numpy()
    segments = rows[1 if tuned else 2 :]  # heads on frozen embeddings read the response, too
    return segments.mean(0) if _of_segments(view.head) and len(segments) else rows[0]


def _of_segments(head: str) -> bool:
    return head.startswith("segment:") or head == "step"


@torch.no_grad()
def _attention(view: View) -> np.ndarray:
    """(tokens, tokens) of the last layer, mean of heads; each row sums to 1."""
    ids, mask = view.backbone.pad([view.encoded.ids])
    with _watched(view.backbone.model) as seen:
        view.backbone.hidden(mask, input_ids=ids)
    if not seen:
        raise ValueError(f"{view.backbone.name} keeps no attention to share a score by: choose another method")
    return seen[0][0].double().mean(0).cpu().numpy()


@contextmanager
def _watched(model: torch.nn.Module) -> Iterator[list[Tensor]]:
    """Eager attention, for no other gives its weights; the list then holds those of the last layer to run."""
    seen: list[Tensor] = []

    def keep(_module: object, _given: object, out: object) -> None:
        if isinstance(out, tuple) and len(out) > 1 and torch.is_tensor(out[1]) and out[1].dim() == 4:
            seen[:] = [out[1]]

    usual = model.config._attn_implementation
    hooks = [m.register_forward_hook(keep) for m in model.modules() if "attention" in type(m).__name__.lower()]
    model.set_attn_implementation("eager")
    try:
        yield seen
    finally:
        model.set_attn_implementation(usual)
        for hook in hooks:
            hook.remove()
