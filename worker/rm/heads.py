"""Linear heads in float32, and how they are fitted. Linear, so that every score can be taken apart exactly.

A segment head reads one segment: [mean hidden state, features.SEGMENT]. A response head reads one response:
[whole input, response, features.SURFACE + COSINES, mean logit of each segment head].
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn.functional import softplus

from . import objectives
from .cache import Embedded

Step = Callable[[int, float, Tensor], None]  # step number, loss, linear predictor


@dataclass(frozen=True)
class Linear:
    """(x − center) @ weights.T + bias, for H outputs of d inputs."""

    weights: Tensor  # (H, d)
    center: Tensor  # (d,)
    bias: Tensor  # (H,)

    def __call__(self, x: Tensor) -> Tensor:
        return (x - self.center) @ self.weights.T + self.bias


@dataclass(frozen=True)
class RewardModel:
    """All heads of one version. The first head is the preference; "segment:KEY" is the mean logit over segments."""

    backbone_name: str
    backbone_hash: str
    encode_hash: str
    rule: str  # how responses are cut: a key of segments.RULES
    categories: tuple[str, ...]  # with a segment head
    heads: tuple[str, ...]
    segment: Linear  # (categories, D + SEGMENT)
    response: Linear  # (heads, 2·D + SURFACE + COSINES + categories)
    temperature: float = 1.0  # P(first preferred) = σ(Δ / temperature)
    mean: float = 0.0  # of the training examples' preference scores
    std: float = 1.0

    def logits(self, embedded: Embedded) -> Tensor:
        """(segments, categories): above 0 means rather wrong than right, each category on its own."""
        return self.segment(segment_inputs(embedded))

    def __call__(self, embedded: Embedded) -> Tensor:
        """(examples, heads) scores."""
        return self.response(response_inputs(embedded, self.logits(embedded)))


def segment_inputs(embedded: Embedded) -> Tensor:
    """(segments, D + SEGMENT)"""
    return torch.from_numpy(np.concatenate([embedded.segments, embedded.segment_features], 1))


def response_inputs(embedded: Embedded, logits: Tensor) -> Tensor:
    """(examples, 2·D + SURFACE + COSINES + categories); a response without segments has mean logits of 0."""
    owner = torch.from_numpy(embedded.owner)
    total = torch.zeros(len(embedded), logits.shape[1]).index_add_(0, owner, logits)
    mean = total / torch.from_numpy(embedded.sizes[:, :1]).clamp(min=1)
    return torch.cat([torch.from_numpy(embedded.pooled), torch.from_numpy(embedded.surface), mean], 1)


def minimise(loss: Callable[[Tensor], tuple[Tensor, Tensor]], size: int, step: Step | None = None) -> Tensor:
    """Full-batch L-BFGS from 0 over `size` parameters; `loss` returns (loss, linear predictor) at a point."""
    seen: list[Tensor] = []

    def at(point: np.ndarray) -> tuple[float, np.ndarray]:
        parameters = torch.from_numpy(point).float().requires_grad_()
        value, predictor = loss(parameters)
        seen[:] = [value.detach(), predictor.detach()]
        (slope,) = torch.autograd.grad(value, parameters)
        return float(seen[0]), slope.double().numpy()

    count = iter(range(_STEPS))
    watch = (lambda _: step(next(count), float(seen[0]), seen[1])) if step else None
    options = {"maxiter": _STEPS, "ftol": _STILL, "gtol": 1e-5}
    found = minimize(at, np.zeros(size), jac=True, method="L-BFGS-B", callback=watch, options=options)
    return torch.from_numpy(found.x).float()


_STEPS, _STILL = 100, 1e-6


def fit_segments(x: Tensor, labels: Tensor, share: Tensor, l2: float) -> Linear:
    """Logistic heads, one per column of labels (segments, categories) in {1, 0, −1 = ignore}, classes balanced.

    `share` (d,) is how far each standardised input may speak: its prior standard deviation, times 1/√l2. A category
    counts as often as its rarer class allows: weights 2·n₀/n and 2·n₁/n sum to 4·n₀·n₁/n.
    """
    known = (labels >= 0).any(1)
    x, labels = x[known], labels[known]
    center = x.mean(0)
    scale = share / x.std(0, correction=0).clamp(min=1e-6)
    z, target = (x - center) * scale, labels.clamp(min=0).float()
    ones, zeros = (labels == 1).sum(0), (labels == 0).sum(0)
    balance = torch.where(labels == 1, 2 * zeros, 2 * ones) / (ones + zeros).clamp(min=1) * (labels >= 0)
    shape = (labels.shape[1], x.shape[1] + 1)

    def loss(point: Tensor) -> tuple[Tensor, Tensor]:
        weights, bias = point.view(shape).split([x.shape[1], 1], dim=1)
        logits = z @ weights.T + bias.T
        value = (balance * objectives.bradley_terry(logits, target)).sum() + l2 / 2 * (weights**2).sum()
        return value / balance.sum().clamp(min=1), logits

    weights, bias = minimise(loss, shape[0] * shape[1]).view(shape).split([x.shape[1], 1], dim=1)
    return Linear(weights * scale, center, bias[:, 0])


@dataclass(frozen=True)
class Preference:
    """A fitted preference: raw weights, the order effect in logits and the tie threshold α = ln θ (0: no ties)."""

    weights: Tensor  # (d,)
    gamma: float
    alpha: float


def fit_preference(
    difference: Tensor, p: Tensor, count: Tensor, scale: Tensor, l2: float, order: bool, step: Step | None = None
) -> Preference:
    """Rao–Kupper, or Bradley–Terry when nothing is tied, on x(first) − x(second) (pairs, d) times scale (d,).

    Weights have a normal prior of precision l2, γ one of precision 1; `count` weighs the pairs.
    """
    z = difference * scale
    tied = bool((p == 0.5).any())

    def loss(point: Tensor) -> tuple[Tensor, Tensor]:
        weights, gamma, threshold = point[:-2], point[-2], point[-1]
        margin = z @ weights
        shown = margin + gamma if order else margin
        each = objectives.rao_kupper(shown, p, softplus(threshold)) if tied else objectives.bradley_terry(shown, p)
        prior = l2 / 2 * (weights @ weights) + gamma**2 / 2
        return ((count * each).sum() + prior) / count.sum(), margin

    found = minimise(loss, z.shape[1] + 2, step)
    alpha = float(softplus(found[-1])) if tied else 0.0
    return Preference(found[:-2] * scale, float(found[-2]), alpha)


def fit_ridge(x: Tensor, y: Tensor, share: Tensor, l2: float) -> Linear:
    """Masked ridge: y (examples, criteria) with NaN where nobody rated; each criterion over its own examples."""
    center = x.mean(0)
    scale = share / x.std(0, correction=0).clamp(min=1e-6)
    z = (x - center) * scale
    weights, bias = torch.zeros(y.shape[1], x.shape[1]), torch.zeros(y.shape[1])
    for n, target in enumerate(y.T):
        rated = ~target.isnan()
        own, bias[n] = z[rated], target[rated].mean()
        gram = (own.T @ own).double() + l2 * torch.eye(own.shape[1], dtype=torch.double)
        weights[n] = torch.linalg.solve(gram, (own.T @ (target[rated] - bias[n])).double()).float() * scale
    return Linear(weights, center, bias)


def temperature(margin: Tensor, p: Tensor, count: Tensor) -> float:
    """The τ that minimises the cross-entropy of σ(Δ/τ) with p, from .05 to 20."""
    grid = torch.logspace(-1.3, 1.3, 261)
    losses = torch.stack([(count * objectives.bradley_terry(margin / one, p)).sum() for one in grid])
    return float(grid[losses.argmin()])
