"""Where a score comes from: an exact split over tokens and features, and integrated gradients through the backbone.

A head is linear in pooled hidden states and in features, and every pooled row is a weighted mean over tokens, so
    score = constant + Σ_r u_r·(P H)_r + Σ_f v_f·feature_f
with P the (rows, tokens) pooling matrix, H the hidden states and u_r what the head gives to row r.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from . import features, heads
from .backbone import Backbone
from .embed import POOLED, forward, pooling, segment_bounds
from .encode import Encoded
from .heads import RewardModel
from .scoring import backbone_of
from .types import Example, TokenAttribution, TokenValue

_POINTS = 4096  # tokens of path points per backward pass: bounds the memory
_MOST_NODES = 256


@dataclass(frozen=True)
class _View:
    """One head's view of one example, in numbers relative to the training mean."""

    encoded: Encoded
    pool: Tensor  # (rows, tokens)
    rows: Tensor  # (rows, D) u: what the head gives to each pooled row
    center: Tensor  # (rows, D)
    named: dict[str, float]  # contributions of the response's features
    of_segments: Tensor  # (segments, SEGMENT) contributions of the segments' features
    constant: float
    score: float


def attribute(
    model: RewardModel, example: Example, head: str, method: Literal["exact", "ig"] = "exact"
) -> TokenAttribution:
    """Split one head's score of one example; baseline + Σ features + Σ tokens + residual = score.

    "exact" is relative to the average training example and has no residual but rounding. "ig" walks from padding in
    place of the response (prompt and special tokens stay) to the response, with the features held fixed, until the
    residual is at most max(.001, 1 % of the change). Raises ValueError for an unknown head, and for "exact" where the
    backbone's own pooler stands between: it is not linear.
    """
    if head not in model.heads:
        raise ValueError(f"no head {head!r}; there are {', '.join(model.heads)}")
    backbone = backbone_of(model)
    if method == "exact" and backbone.pooler:
        raise ValueError("the backbone's own pooler is not linear: take integrated gradients, or pool otherwise")
    view = _view(model, backbone, example, model.heads.index(head))
    values, named, baseline = {"exact": _exact, "ig": _integrated}[method](backbone, view)
    residual = view.score - baseline - sum(named.values()) - float(values.double().sum())
    tokens = _tokens(backbone, example, view.encoded, values.tolist())
    return TokenAttribution(head, method, tokens, named, baseline, residual, view.score)


@torch.no_grad()
def _view(model: RewardModel, backbone: Backbone, example: Example, head: int) -> _View:
    encoded = backbone.encoder.encode(example)
    bounds = segment_bounds(example, encoded, model.rule)
    embedded = forward(backbone, [example], [encoded], model.rule)[0]
    logits = model.logits(embedded)
    x = heads.response_inputs(embedded, logits)
    width, plain = backbone.dim, len(features.SURFACE) + len(features.COSINES)
    pooled, surface, mixed = model.response.weights[head].split([2 * width, plain, len(model.categories)])
    middle, usual, _ = model.response.center.split([2 * width, plain, len(model.categories)])
    own, own_features = (mixed @ model.segment.weights / max(len(bounds), 1)).split([width, len(features.SEGMENT)])
    own_middle, own_usual = model.segment.center.split([width, len(features.SEGMENT)])
    names = (*features.SURFACE, *features.COSINES)
    parts = (surface * (x[0, 2 * width : 2 * width + plain] - usual)).tolist()
    pool = torch.from_numpy(np.delete(pooling(encoded, bounds, backbone.encoder.pooling), POOLED.index("prompt"), 0))
    rows = torch.cat([pooled.view(2, width), own.expand(len(bounds), width)])
    center = torch.cat([middle.view(2, width), own_middle.expand(len(bounds), width)])
    of_segments = own_features * (torch.from_numpy(embedded.segment_features) - own_usual)
    rest = mixed @ ((model.segment.bias if len(bounds) else 0) - model.response.center[2 * width + plain :])
    # A part without tokens has no token to answer for its distance from the mean.
    empty = ((1 - pool.sum(1)) * (rows * center).sum(1)).sum()
    return _View(
        encoded=encoded,
        pool=pool,
        rows=rows,
        center=center,
        named={name: value for name, value in zip(names, parts, strict=True) if value},
        of_segments=of_segments,
        constant=float(model.response.bias[head] + rest - empty),
        score=float(model.response(x)[0, head]),
    )


@torch.no_grad()
def _exact(backbone: Backbone, view: _View) -> tuple[Tensor, Mapping[str, float], float]:
    """(tokens,) values: each token's part of each mean, and an equal part of its segment's features."""
    ids, mask = backbone.pad([view.encoded.ids])
    hidden = backbone.hidden(mask, input_ids=ids)[0].cpu()
    each = hidden @ view.rows.T - (view.rows * view.center).sum(1)  # (tokens, rows)
    values = (view.pool.T * each).sum(1)
    spread = view.pool[len(POOLED) - 1 :]  # each segment's row sums to 1 over its tokens
    return values + spread.T @ view.of_segments.sum(1), view.named, view.constant


def _integrated(backbone: Backbone, view: _View) -> tuple[Tensor, Mapping[str, float], float]:
    """(tokens,) (e − e′)·∫∇F(e′ + α(e − e′))dα by Gauss–Legendre. Sundararajan et al. 2017, arXiv 1703.01365."""
    ids, _ = backbone.pad([view.encoded.ids])
    table = backbone.model.get_input_embeddings()
    end = table(ids)[0].detach()
    start = end.clone()
    pad = backbone.encoder.tokenizer.pad_token_id
    empty = torch.zeros(backbone.dim) if pad is None else table.weight[pad]
    start[slice(*view.encoded.response_span)] = empty.detach().to(end)
    pool, rows = view.pool.to(end.device), view.rows.to(end.device)
    offset = float((view.pool.sum(1) * (view.rows * view.center).sum(1)).sum())

    def value(points: Tensor) -> Tensor:
        mask = torch.ones(points.shape[:2], dtype=torch.long, device=points.device)
        pooled = pool @ backbone.hidden(mask, inputs_embeds=points)
        pooled = torch.cat([backbone.polished(pooled[:, 0])[:, None], pooled[:, 1:]], 1)
        return (pooled * rows).sum((1, 2))

    with torch.no_grad():
        low, high = value(torch.stack([start, end])).tolist()
    values = _path(value, start, end, high - low).cpu()
    named = dict(view.named)
    for name, one in zip(features.SEGMENT, view.of_segments.sum(0).tolist(), strict=True):
        if one:
            named[f"segments: {name}"] = one
    return values, named, view.constant + low - offset


def _path(value: Callable[[Tensor], Tensor], start: Tensor, end: Tensor, change: float) -> Tensor:
    """(tokens,) with twice the nodes each time, until they add up to the change or there are too many."""
    step, nodes = end - start, 8
    while True:
        alphas, weights = np.polynomial.legendre.leggauss(nodes)
        slope = torch.zeros_like(end)
        for part in np.array_split(np.arange(nodes), -(-nodes * len(end) // _POINTS)):
            along = torch.as_tensor((alphas[part] + 1) / 2, dtype=end.dtype, device=end.device).view(-1, 1, 1)
            points = (start + along * step).requires_grad_()
            (gradient,) = torch.autograd.grad(value(points).sum(), points)
            each = torch.as_tensor(weights[part] / 2, dtype=end.dtype, device=end.device).view(-1, 1, 1)
            slope += (each * gradient).sum(0)
        values = (slope * step).sum(1)
        if nodes >= _MOST_NODES or abs(float(values.sum()) - change) <= max(1e-3, 0.01 * abs(change)):
            return values
        nodes *= 2


def _tokens(backbone: Backbone, example: Example, encoded: Encoded, values: list[float]) -> tuple[TokenValue, ...]:
    """Each token with its text and place; specials by their own name."""
    found = []
    parts = (
        ("prompt", encoded.prompt_span, encoded.prompt, encoded.prompt_offsets),
        ("response", encoded.response_span, example.response, encoded.offsets),
    )
    place = {
        begin + n: (part, text, *map(int, offsets[n]))
        for part, (begin, end), text, offsets in parts
        for n in range(end - begin)
    }
    for n, value in enumerate(values):
        if n in place:
            part, text, start, end = place[n]
            found.append(TokenValue(text[start:end], start, end, part, value))
        else:
            special = backbone.encoder.tokenizer.convert_ids_to_tokens(encoded.ids[n])
            found.append(TokenValue(special, 0, 0, "special", value))
    return tuple(found)
