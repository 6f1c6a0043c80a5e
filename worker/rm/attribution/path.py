"""Integrated gradients along the straight path from padding to a response, and the slope at its end.

It runs between outputs of the embedding block, norm and positions included: in front of that norm it bends most. It is
cut in two; completeness is checked in each part against the score at its ends, and only parts that fail are cut again,
so nodes go where the path bends. Sundararajan et al. 2017, arXiv 1703.01365.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .. import batching
from ..backbone import first_position
from ..heads import RewardModel
from ..tuned import TunedModel
from ..types import Example, TokenAttribution
from . import look
from .view import View, attention

Value = Callable[[Tensor], Tensor]  # (n, tokens, D) embeddings → (n,) scores
CUTS = (0.0, 0.5, 1.0)
NODES = 7  # in each part
MOST = 384  # nodes in all
POINTS = {"cpu": 4096, "cuda": batching.TRAIN_TOKENS["cuda"]}  # tokens of path points per backward pass: bounds memory


class Walk(NamedTuple):
    values: Tensor  # (tokens,) they add up to high − low + gap
    low: float  # the score where the path starts …
    high: float  # … and where it ends
    gap: float
    nodes: int  # gradients taken


def integrated(model: RewardModel | TunedModel, example: Example, head: str, *, bf16: bool = False) -> TokenAttribution:
    """(e − e′)·∫∇F(e′ + α(e − e′))dα of each token, by Gauss–Legendre; features are held fixed.

    e′ has padding in place of the response; prompt and special tokens stay. The gaps of all parts add up to at most
    max(.001, 1 % of the change), unless MOST nodes were not enough: the residual says what is left. With `bf16`, or
    where the version reads so, gradients are taken in bfloat16 first, and what they are checked against in float32.
    """
    view = look.at(model, example, head)
    start, end = ends(view)
    rough = bf16 or (isinstance(model, TunedModel) and model.network.bf16)
    with attention(view.backbone, len(end), rough):
        found = walk(along(view), start, end, rough=along(view, True) if rough else None)
    baseline = found.low - sum(view.features.values())
    return view.told("ig", found.values.cpu(), view.features, baseline, cost={"nodes": found.nodes})


def slope(model: RewardModel | TunedModel, example: Example, head: str) -> TokenAttribution:
    """(e − e′)·∇F(e) of each token, with the e′ of `integrated`, which it is equal to where the score is linear.

    Otherwise it says how the score begins to move from where it is, and its residual is as large as it likes.
    """
    view = look.at(model, example, head)
    start, end = ends(view)
    with attention(view.backbone, len(end)):
        value = along(view)
        with torch.no_grad():
            low = float(value(start[None]))
        values = _shares(value, start, end, np.ones(1))[0].cpu()
    return view.told("grad", values, view.features, low - sum(view.features.values()), cost={"nodes": 1})


def along(view: View, bf16: bool = False) -> Value:
    """The view's score of other outputs of the embedding block than its own."""
    pool = view.pool()

    def value(points: Tensor) -> Tensor:
        mask = torch.ones(points.shape[:2], dtype=torch.long, device=points.device)
        rough = torch.autocast(points.device.type, dtype=torch.bfloat16, enabled=bf16)
        with rough, _embedded(view.backbone.model, points):
            hidden = view.backbone.hidden(mask, input_ids=mask)  # ids that nothing is made of
        return view.value(pool @ hidden)

    return value


@contextmanager
def _embedded(model: torch.nn.Module, points: Tensor) -> Iterator[None]:
    """Inside, the embedding block says `points`, whatever it is asked."""
    handle = _block(model).register_forward_hook(lambda *_: points)
    try:
        yield
    finally:
        handle.remove()


def _block(model: torch.nn.Module) -> torch.nn.Module:
    """Word embeddings with what an encoder adds to them; a causal model adds nothing."""
    return getattr(model, "embeddings", None) or model.get_input_embeddings()


@torch.no_grad()
def ends(view: View) -> tuple[Tensor, Tensor]:
    """(tokens, D) of padding in place of the response, and of the text."""
    model, pad = view.backbone.model, view.backbone.encoder.tokenizer.pad_token_id
    ids, response = view.backbone.pad([view.encoded.ids])[0], slice(*view.encoded.response_span)
    empty = ids.clone()
    empty[:, response] = pad or 0
    block, more = _block(model), {}
    if "position_ids" in inspect.signature(block.forward).parameters:  # else padding might be counted out
        more["position_ids"] = torch.arange(ids.shape[1], device=ids.device)[None] + first_position(model)
    start, end = block(empty, **more)[0], block(ids, **more)[0]
    if pad is None:
        start[response] = 0
    return start, end


def walk(
    value: Value, start: Tensor, end: Tensor, *, rough: Value | None = None, tolerance: float | None = None
) -> Walk:
    """From start to end (tokens, D); with `rough` by its gradients first, and by those of `value` where that fails."""
    at = np.array(CUTS)
    scores = _scores(value, start, end, at)
    low, high = float(scores[0]), float(scores[-1])
    tolerance = max(1e-3, 0.01 * abs(high - low)) if tolerance is None else tolerance
    todo = list(zip(at[:-1], at[1:], scores[:-1], scores[1:], strict=True))
    done: list[_Part] = []
    nodes = 0
    while True:
        done += _parts(rough or value, start, end, todo)
        nodes += NODES * len(todo)
        done, todo = _failed(done, tolerance)
        if not todo or nodes + 2 * NODES * len(todo) > MOST:
            break
        todo, rough = [one[:4] for one in todo] if rough else _halves(value, start, end, todo), None
    shares = torch.stack([one.shares for one in done + todo]).sum(0)
    return Walk(shares, low, high, float(shares.double().sum()) - (high - low), nodes)


class _Part(NamedTuple):
    """A stretch of the path from alpha a to b, the scores there, and what each token answers for."""

    a: float
    b: float
    from_: float
    to: float
    shares: Tensor  # (tokens,)

    @property
    def gap(self) -> float:
        return float(self.shares.double().sum()) - (self.to - self.from_)


@torch.no_grad()
def _scores(value: Value, start: Tensor, end: Tensor, at: np.ndarray) -> np.ndarray:
    """(n,) where the path has gone so far, 0 … 1."""
    return torch.cat([value(points) for points in _points(start, end, at)]).double().numpy()


def _points(start: Tensor, end: Tensor, at: np.ndarray) -> Iterator[Tensor]:
    """(n, tokens, D) points of the path, as many at a time as memory is meant for."""
    places = torch.as_tensor(at, dtype=end.dtype, device=end.device).view(-1, 1, 1)
    for part in places.split(max(1, POINTS[end.device.type] // len(end))):
        yield start + part * (end - start)


def _shares(value: Value, start: Tensor, end: Tensor, at: np.ndarray) -> Tensor:
    """(n, tokens) (e − e′)·∇F there."""
    found = []
    for points in _points(start, end, at):
        (gradient,) = torch.autograd.grad(value(points.requires_grad_()).sum(), points)
        found.append(torch.einsum("ntd,td->nt", gradient, end - start))
    return torch.cat(found)


def _parts(value: Value, start: Tensor, end: Tensor, todo: list[tuple[float, ...]]) -> list[_Part]:
    """All nodes of all of them together."""
    x, weights = np.polynomial.legendre.leggauss(NODES)
    at = np.concatenate([a + (b - a) * (x + 1) / 2 for a, b, *_ in todo])
    each = _shares(value, start, end, at).view(len(todo), NODES, -1)
    each = torch.einsum("knt,n->kt", each, torch.as_tensor(weights / 2).to(each))
    return [_Part(*one, (one[1] - one[0]) * shares) for one, shares in zip(todo, each, strict=True)]


def _failed(parts: list[_Part], tolerance: float) -> tuple[list[_Part], list[_Part]]:
    """Those that may stay and those that may not: none once they add up, else the worst until half is kept to."""
    parts = sorted(parts, key=lambda one: abs(one.gap))
    enough = abs(sum(one.gap for one in parts)) <= tolerance
    good = len(parts) if enough else int((np.cumsum([abs(one.gap) for one in parts]) <= tolerance / 2).sum())
    return parts[:good], parts[good:]


def _halves(value: Value, start: Tensor, end: Tensor, parts: list[_Part]) -> list[tuple[float, ...]]:
    middles = np.array([(one.a + one.b) / 2 for one in parts])
    scores = _scores(value, start, end, middles)
    both = [((one.a, m, one.from_, f), (m, one.b, f, one.to)) for one, m, f in zip(parts, middles, scores, strict=True)]
    return [half for pair in both for half in pair]
