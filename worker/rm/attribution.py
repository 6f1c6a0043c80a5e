"""Where a score comes from: an exact split over tokens and features, and integrated gradients through the backbone.

A row of heads.RewardModel.response is linear in pooled hidden states and in features, and every pooled row is a
weighted mean over tokens, so
    score = constant + Σ_r u_r·(P H)_r + Σ_f v_f·feature_f
with P the (rows, tokens) pooling matrix, H the hidden states and u_r what the head gives to row r.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from . import features, gating
from .backbone import Backbone
from .cache import Embedded
from .embed import POOLED, forward, pooling, segment_bounds
from .encode import Encoded
from .heads import RewardModel
from .scoring import backbone_of
from .types import PREFERENCE, Example, TokenAttribution, TokenValue, silent

_POINTS = 4096  # tokens of path points per backward pass: bounds the memory
_MOST_NODES = 256


LENGTH = "length calibration"


@dataclass(frozen=True)
class _View:
    """One head's view of one example, in numbers relative to the training mean."""

    encoded: Encoded
    pool: Tensor  # (rows, tokens)
    value: Callable[[Tensor], Tensor]  # (n, rows, D) pooled hidden states → (n,) scores, features held fixed
    rows: Tensor  # (rows, D) u: what the head gives to each pooled row
    center: Tensor  # (rows, D)
    named: dict[str, float]  # contributions of the response's features
    of_segments: Tensor  # (segments, SEGMENT) contributions of the segments' features
    constant: float
    score: float


def methods(model: RewardModel, head: str) -> tuple[str, ...]:
    """How a head's score can be taken apart: "exact" where it is linear at least near each example, "ig", or not.

    Mean, worst and quantile of members, a gate and a length curve are linear near an example; an mlp, a variance and
    a pooler of the backbone's own are not.
    """
    if not isinstance(model, RewardModel) or head in ("step", "disagreement"):
        return ()
    bent = head == PREFERENCE and model.members > 1 and model.extras.combine == "uwo"
    bent |= model.mlp is not None and head not in model.rows
    return ("ig",) if bent or backbone_of(model).pooler else ("exact", "ig")


def attribute(
    model: RewardModel, example: Example, head: str, method: Literal["exact", "ig"] = "exact"
) -> TokenAttribution:
    """Split one head's score of one example; baseline + Σ features + Σ tokens + residual = score.

    "exact" is relative to the average training example and has no residual but rounding. "ig" walks from padding in
    place of the response (prompt and special tokens stay) to the response, with the features held fixed, until the
    residual is at most max(.001, 1 % of the change); features are named where "exact" is possible and else part of the
    baseline. Raises ValueError for an unknown head, and for a method that it cannot be split by.
    """
    if not isinstance(model, RewardModel):
        raise ValueError("heads on frozen embeddings alone are split: fine-tunes and ensembles of versions have none")
    if head not in model.heads:
        raise ValueError(f"no head {head!r}; there are {', '.join(model.heads)}")
    if method not in (possible := methods(model, head)):
        other = "take integrated gradients" if possible else "look at what it is made of"
        raise ValueError(f"{head} is not linear near an example, so it has no exact split: {other}")
    backbone = backbone_of(model)
    view = _view(model, backbone, example, head, linear="exact" in possible)
    values, named, baseline = {"exact": _exact, "ig": _integrated}[method](backbone, view)
    residual = view.score - baseline - sum(named.values()) - float(values.double().sum())
    tokens = _tokens(backbone, example, view.encoded, values.tolist())
    return TokenAttribution(head, method, tokens, named, baseline, residual, view.score)


def _view(model: RewardModel, backbone: Backbone, example: Example, head: str, linear: bool) -> _View:
    encoded = backbone.encoder.encode(example)
    bounds = segment_bounds(example, encoded, model.rule)
    embedded = forward(backbone, [example], [encoded], model.rule)[0]
    prompts = gating.prompts(backbone, [example], model.rule, None, silent) if model.gate else None
    column = _column(model, head, torch.tensor([float(encoded.tokens)]), prompts)
    width = backbone.dim
    surface, of_own = torch.from_numpy(embedded.surface), torch.from_numpy(embedded.segment_features)

    def value(pooled: Tensor) -> Tensor:
        own = torch.cat([pooled[:, 2:], of_own.expand(len(pooled), -1, -1)], 2)
        mean = model.segment(own).sum(1) / max(len(bounds), 1)
        x = torch.cat([pooled[:, :2].flatten(1), surface.expand(len(pooled), -1), mean], 1)
        return column(model.layered(x))

    mix, offset = _mixture(model, embedded, column) if linear else (torch.zeros(len(model.response.weights)), 0.0)
    weights, plain = mix @ model.response.weights, surface.shape[1]
    pooled, flat, mixed = weights.split([2 * width, plain, len(model.categories)])
    middle, usual, _ = model.response.center.split([2 * width, plain, len(model.categories)])
    own, own_features = (mixed @ model.segment.weights / max(len(bounds), 1)).split([width, len(features.SEGMENT)])
    own_middle, own_usual = model.segment.center.split([width, len(features.SEGMENT)])
    parts = dict(zip((*features.SURFACE, *features.COSINES), (flat * (surface[0] - usual)).tolist(), strict=True))
    if linear and model.curve and head == PREFERENCE:
        parts[LENGTH] = -float(model.curve(torch.tensor([float(encoded.tokens)])))
    pool = torch.from_numpy(np.delete(pooling(encoded, bounds, backbone.encoder.pooling), POOLED.index("prompt"), 0))
    rows = torch.cat([pooled.view(2, width), own.expand(len(bounds), width)])
    center = torch.cat([middle.view(2, width), own_middle.expand(len(bounds), width)])
    rest = mixed @ ((model.segment.bias if len(bounds) else 0) - model.response.center[2 * width + plain :])
    # A part without tokens has no token to answer for its distance from the mean.
    empty = ((1 - pool.sum(1)) * (rows * center).sum(1)).sum()
    return _View(
        encoded=encoded,
        pool=pool,
        value=value,
        rows=rows,
        center=center,
        named={name: value for name, value in parts.items() if value},
        of_segments=own_features * (of_own - own_usual),
        constant=float(mix @ model.response.bias + rest - empty) + offset - parts.get(LENGTH, 0.0),
        score=float(column(model.table(embedded))),
    )


def _column(model: RewardModel, head: str, tokens: Tensor, prompts: Tensor | None) -> Callable[[Tensor], Tensor]:
    """(n, members + rows) table → (n,) the head's scores, all of them of one example's prompt and length."""
    if head == PREFERENCE:
        same = lambda of, n: None if of is None else of.expand(n, *of.shape[1:])  # noqa: E731
        return lambda table: model.preference(table, same(tokens, len(table)), same(prompts, len(table)))
    place = model.members + model.rows.index(head) if head in model.rows else int(head.removeprefix("member:"))
    return lambda table: table[:, place]


def _mixture(model: RewardModel, embedded: Embedded, column: Callable[[Tensor], Tensor]) -> tuple[Tensor, float]:
    """(members + rows,) how much of each row is in the head's score of the example, and what is left over."""
    table = model.table(embedded).requires_grad_()
    score = column(table).sum()
    (mix,) = torch.autograd.grad(score, table)
    return mix[0], float((score - (mix * table).sum()).detach())


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
    pool = view.pool.to(end.device)

    def value(points: Tensor) -> Tensor:
        mask = torch.ones(points.shape[:2], dtype=torch.long, device=points.device)
        pooled = pool @ backbone.hidden(mask, inputs_embeds=points)
        whole = backbone.polished(pooled[:, 0])
        return view.value(torch.cat([whole[:, None], pooled[:, 1:]], 1).cpu())

    with torch.no_grad():
        low, high = value(torch.stack([start, end])).tolist()
    values = _path(value, start, end, high - low).cpu()
    named = dict(view.named)
    for name, one in zip(features.SEGMENT, view.of_segments.sum(0).tolist(), strict=True):
        if one:
            named[f"segments: {name}"] = one
    return values, named, low - sum(named.values())


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
