"""The view of a head on frozen embeddings."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .. import features, gating, reading, scoring, steps
from ..cache import Embedded
from ..embed import read, segment_bounds
from ..encode import Encoded
from ..heads import RewardModel
from ..types import PREFERENCE, Example, silent
from .view import Linear, View, linear
from .view import hidden as hidden_of

LENGTH = "length calibration"


def view(model: RewardModel, example: Example, head: str) -> View:
    backbone = scoring.backbone_of(model)
    encoded = backbone.encoder.encode(example)
    hidden = hidden_of(backbone, encoded)
    bounds = segment_bounds(example, encoded, model.rule)
    embedded = read(backbone, [example], [encoded], model.rule, hidden[None])[0]
    prompts = gating.prompts(backbone, [example], model.rule, None, silent) if model.gate else None
    column = None if head == "step" else _column(model, head, torch.tensor([float(encoded.tokens)]), prompts)
    surface, of_own = torch.from_numpy(embedded.surface), torch.from_numpy(embedded.segment_features)

    def value(pooled: Tensor) -> Tensor:
        pooled = torch.cat([backbone.polished(pooled[:, 0])[:, None], pooled[:, 1:]], 1).cpu()
        own = torch.cat([pooled[:, 2:], of_own.expand(len(pooled), -1, -1)], 2)
        if head == "step":
            owner = torch.arange(len(pooled)).repeat_interleave(len(bounds))
            return steps.aggregate(model.step(own.flatten(0, 1)), owner, len(pooled), model.extras.step_aggregate)
        mean = model.segment(own).sum(1) / max(len(bounds), 1)
        x = torch.cat([pooled[:, :2].flatten(1), surface.expand(len(pooled), -1), mean], 1)
        return column(model.layered(x))

    spans = reading.spans(bounds, encoded.offsets) + encoded.response_span[0]
    whole = {"last": (0, len(encoded.ids)), "mean": (0, len(encoded.ids)), "cls": (0, 1)}[backbone.encoder.pooling]
    with torch.no_grad():
        score = float(model(embedded, prompts)[0, model.heads.index(head)])
    return View(
        backbone=backbone,
        example=example,
        head=head,
        encoded=encoded,
        hidden=hidden,
        spans=np.concatenate([[whole, encoded.response_span], spans]),
        last=np.array([backbone.encoder.pooling == "last", *[False] * (len(bounds) + 1)]),
        value=value,
        score=score,
        linear=_near(model, head, encoded, embedded, column) if linear(model, head) else None,
    )


def _near(
    model: RewardModel, head: str, encoded: Encoded, embedded: Embedded, column: Callable[[Tensor], Tensor]
) -> Linear:
    """A row of heads.RewardModel.response is linear in pooled hidden states and in features."""
    mix, offset = _mixture(model, embedded, column)
    width, plain, segments = embedded.segments.shape[1], embedded.surface.shape[1], len(embedded.segments)
    surface, of_own = torch.from_numpy(embedded.surface), torch.from_numpy(embedded.segment_features)
    pooled, flat, mixed = (mix @ model.response.weights).split([2 * width, plain, len(model.categories)])
    middle, usual, _ = model.response.center.split([2 * width, plain, len(model.categories)])
    own, own_features = (mixed @ model.segment.weights / max(segments, 1)).split([width, len(features.SEGMENT)])
    own_middle, own_usual = model.segment.center.split([width, len(features.SEGMENT)])
    parts = dict(zip((*features.SURFACE, *features.COSINES), (flat * (surface[0] - usual)).tolist(), strict=True))
    if model.curve and head == PREFERENCE:
        parts[LENGTH] = -float(model.curve(torch.tensor([float(encoded.tokens)])))
    rows = torch.cat([pooled.view(2, width), own.expand(segments, width)])
    center = torch.cat([middle.view(2, width), own_middle.expand(segments, width)])
    rest = mixed @ ((model.segment.bias if segments else 0) - model.response.center[2 * width + plain :])
    # A part without tokens has no token to answer for its distance from the mean.
    empty = 0.0 if encoded.tokens else float(rows[1] @ center[1])
    return Linear(
        rows=rows,
        center=center,
        named={name: value for name, value in parts.items() if value},
        of_segments=own_features * (of_own - own_usual),
        constant=float(mix @ model.response.bias + rest) - empty + offset - parts.get(LENGTH, 0.0),
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
