"""The view of a head of a fine-tune."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .. import features, reading, tuned
from ..network import Outputs
from ..tuned import TunedModel
from ..types import PREFERENCE, Example
from .frozen import LENGTH
from .view import Linear, View, linear
from .view import hidden as hidden_of


def view(model: TunedModel, example: Example, head: str) -> View:
    """In float32 also where the version reads in bfloat16; the score is the version's own."""
    network, encoder = model.network, model.network.backbone.encoder
    encoded, place = encoder.encode(example), model.heads.index(head)
    one = reading.of(example, encoded, model.rule)

    def value(pooled: Tensor) -> Tensor:
        found = network.outputs(pooled[:, 0], pooled[:, 1:].flatten(0, 1))
        return tuned.table(model, Outputs(*(each.cpu() for each in found)), [one] * len(pooled))[:, place]

    whole = (0, 1) if encoder.pooling == "cls" else (0, len(one.ids))
    found = View(
        backbone=network.backbone,
        example=example,
        head=head,
        encoded=encoded,
        hidden=hidden_of(network.backbone, encoded),
        spans=np.concatenate([[whole], one.spans]),
        last=np.array([encoder.pooling == "last", *[encoder.causal] * len(one.spans)]),
        value=value,
        score=0.0,
        linear=None,
    )
    own = found.read() if not network.bf16 else tuned.score(model, [example]).heads[head][0]
    near = _near(model, found) if linear(model, head) else None
    return replace(found, score=float(own), linear=near)


def _near(model: TunedModel, found: View) -> Linear:
    """No average training example is known: relative to hidden states of 0."""
    pooled = (found.pool() @ found.hidden)[None].requires_grad_()
    (rows,) = torch.autograd.grad(found.value(pooled).sum(), pooled)
    named = {}
    if model.curve and found.head == PREFERENCE:
        named[LENGTH] = -float(model.curve(torch.tensor([float(found.encoded.tokens)])))
    with torch.no_grad():
        constant = float(found.value(torch.zeros_like(pooled))) - named.get(LENGTH, 0.0)
    none = torch.zeros(rows.shape[1] - 1, len(features.SEGMENT))
    return Linear(rows[0], torch.zeros_like(rows[0]), {n: v for n, v in named.items() if v}, none, constant)
