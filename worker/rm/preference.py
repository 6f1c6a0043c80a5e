"""The preference head: how strong a prior, how sure its margins are, and the fit itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from . import heads, objectives
from .heads import Preference
from .types import Report

_TRIED = 3000  # pairs that the prior's strength is tried on


@dataclass(frozen=True)
class Pairs:
    """Training pairs: differences of inputs (pairs, d), labels, weights and folds; whether to learn an order effect."""

    z: Tensor
    p: Tensor
    count: Tensor
    fold: Tensor
    order: bool

    def some(self, picked: Tensor) -> "Pairs":
        return Pairs(self.z[picked], self.p[picked], self.count[picked], self.fold[picked], self.order)


@dataclass(frozen=True)
class Fitted:
    """The head, what was chosen for it, and its loss at each step."""

    head: Preference
    l2: float
    temperature: float
    curve: list[float]


def fit(raw: Pairs, share: Tensor, choices: Sequence[float], report: Report) -> Fitted:
    """Choose the prior's strength and the temperature on held-out folds, then fit on all pairs.

    `share` (d,) is each input's prior standard deviation, relative to its root mean square over the pairs.
    """
    scale = share / raw.z.square().mean(0).sqrt().clamp(min=1e-6)
    pairs = replace(raw, z=raw.z * scale)
    l2 = _strength(pairs, choices, report)
    white = heads.whitening(pairs.z.T @ pairs.z, l2)
    report("calibrate", 0, 1, {})
    temperature = heads.temperature(_held_out_margins(pairs, l2, white), pairs.p, pairs.count)
    curve: list[float] = []
    decided = pairs.p != 0.5

    def step(n: int, loss: float, margin: Tensor) -> None:
        curve.append(loss / float(pairs.count.sum()))
        right = ((margin > 0) == (pairs.p > 0.5))[decided].float()
        report("fit", n + 1, max(n + 1, 10), {"loss": curve[-1], "accuracy": float(right.mean()), "step": n + 1})

    head = heads.fit_preference(pairs.z, pairs.p, pairs.count, l2, white, pairs.order, step)
    return Fitted(replace(head, weights=head.weights * scale), l2, temperature, curve)


def _strength(pairs: Pairs, choices: Sequence[float], report: Report) -> float:
    """The prior precision that predicts held-out folds best, tried on at most _TRIED pairs, at its best temperature.

    A precision does not depend on the number of pairs, so a part of them is enough to choose it.
    """
    tried = pairs.some(torch.arange(0, len(pairs.p), -(-len(pairs.p) // _TRIED)))
    gram, losses = tried.z.T @ tried.z, []
    for n, l2 in enumerate(choices):
        report("tune", n, len(choices), {})
        margin = _held_out_margins(tried, l2, heads.whitening(gram, l2))
        tau = heads.temperature(margin, tried.p, tried.count)
        losses.append(float((tried.count * objectives.cross_entropy(margin / tau, tried.p)).sum()))
    return choices[int(np.argmin(losses))]


def _held_out_margins(pairs: Pairs, l2: float, white: Tensor) -> Tensor:
    """(pairs,) margins by heads that did not see the pair's prompt."""
    margin = torch.zeros(len(pairs.p))
    for n in pairs.fold.unique().tolist():
        own = pairs.some(pairs.fold != n)
        if len(own.p):
            fitted = heads.fit_preference(own.z, own.p, own.count, l2, white, pairs.order)
            margin[pairs.fold == n] = pairs.z[pairs.fold == n] @ fitted.weights
    return margin
