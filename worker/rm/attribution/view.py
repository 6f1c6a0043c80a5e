"""One head as a function of what the backbone says of one text: the same for heads on frozen embeddings and fine-tunes.

A head reads rows: the whole input, the response, each segment. A row is the mean of its tokens' hidden states, or the
last of them, so with P the (rows, tokens) pooling and H the hidden states
    score = value(P H), and where that is linear near the text  constant + Σ_r u_r·(P H)_r + Σ_f v_f·feature_f
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .. import features, scoring
from ..backbone import Backbone
from ..encode import Encoded
from ..heads import RewardModel
from ..tuned import TunedModel
from ..types import PREFERENCE, Example, TokenAttribution
from . import known
from .tokens import named

EAGER = 512  # tokens: up to here bfloat16 gradients on a CPU are faster by attention that keeps its weights


@dataclass(frozen=True)
class Linear:
    """A head near the text: constant + Σ rows·(P H − center) + features."""

    rows: Tensor  # (rows, D) u: what the head gives to each row
    center: Tensor  # (rows, D) of the average training example, where that is known; else 0
    named: dict[str, float]  # contributions of the response's features
    of_segments: Tensor  # (segments, SEGMENT) contributions of the segments' features
    constant: float


@dataclass(frozen=True)
class View:
    """One head's view of one example."""

    backbone: Backbone
    example: Example
    head: str
    encoded: Encoded
    hidden: Tensor  # (tokens, D) float32, on the backbone's device
    spans: np.ndarray  # (rows, 2) token positions that each row reads, end exclusive; segments come last
    last: np.ndarray  # (rows,) bool: reads the last of them, not their mean
    value: Callable[[Tensor], Tensor]  # (n, rows, D) → (n,) scores on the CPU, features held fixed
    score: float
    linear: Linear | None  # None where the head is bent

    def pool(self, upto: int | None = None) -> Tensor:
        """(rows, tokens) weights that sum to 1 in a row, or to 0 where it has no token among the first `upto`."""
        places, (start, end) = np.arange(len(self.encoded.ids)), self.spans.T
        end = np.minimum(end, len(places) if upto is None else upto)
        start = np.where(self.last, np.maximum(start, end - 1), start)
        inside = (places >= start[:, None]) & (places < end[:, None])
        return torch.from_numpy(inside / np.maximum(inside.sum(1, keepdims=True), 1)).to(self.hidden)

    @torch.no_grad()
    def read(self) -> float:
        """What the head says of the hidden states."""
        return float(self.value((self.pool() @ self.hidden)[None]))

    @property
    def features(self) -> dict[str, float]:
        """Everything that belongs to features, segments' together."""
        if not self.linear:
            return {}
        total = zip(features.SEGMENT, self.linear.of_segments.sum(0).tolist(), strict=True)
        return self.linear.named | {f"segments: {name}": one for name, one in total if one}

    def told(self, method: str, values: Tensor, named_: dict[str, float], baseline: float, **more) -> TokenAttribution:
        """With a residual that makes it the score; values (tokens,)."""
        residual = self.score - baseline - sum(named_.values()) - float(values.double().sum())
        tokens = named(self.backbone, self.example, self.encoded, values.tolist())
        return TokenAttribution(self.head, method, tokens, named_, baseline, residual, self.score, **more)


def backbone_of(model: RewardModel | TunedModel) -> Backbone:
    return model.network.backbone if isinstance(model, TunedModel) else scoring.backbone_of(model)


def linear(model: RewardModel | TunedModel, head: str) -> bool:
    """Whether a head is linear at least near each example.

    Mean, worst and quantile of members, a gate and a length curve are; an mlp, a variance, an aggregate of steps and a
    pooler of the backbone's own are not.
    """
    own = isinstance(model, TunedModel)
    members, extras = (model.shape.members, model.recipe.extras) if own else (model.members, model.extras)
    bent = head in ("step", "disagreement") or (head == PREFERENCE and members > 1 and extras.combine == "uwo")
    bent |= not own and model.mlp is not None and head not in model.rows
    return not bent and not (backbone_of(model).pooler and not (own and head.startswith("segment:")))


def spread(model: RewardModel | TunedModel, head: str) -> bool:
    """Whether a head reads the states of several tokens, and not of one alone that has read all others."""
    own = isinstance(model, TunedModel) and not head.startswith("segment:")
    return not own or backbone_of(model).encoder.pooling == "mean"


@contextmanager
def attention(backbone: Backbone, tokens: int, bf16: bool = False) -> Iterator[None]:
    """Attention by transformers' own code, whatever the backbone is prepared for."""
    before = backbone.model.config._attn_implementation
    backbone.model.set_attn_implementation("eager" if bf16 and tokens <= EAGER else "sdpa")
    try:
        yield
    finally:
        backbone.model.set_attn_implementation(before)


@torch.no_grad()
def hidden(backbone: Backbone, encoded: Encoded) -> Tensor:
    """(tokens, D) of one text."""
    if (found := known.taken(backbone, encoded)) is not None:
        return found
    ids, mask = backbone.pad([encoded.ids])
    with attention(backbone, len(encoded.ids)):
        return backbone.hidden(mask, input_ids=ids)[0]
