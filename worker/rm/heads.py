"""Linear heads in float32, and how they are fitted. Linear, so that every score can be taken apart exactly.

A segment head reads one segment: [mean hidden state, features.SEGMENT]. A response head reads one response:
[whole input, response, features.SURFACE + COSINES, mean logit of each segment head].
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from . import objectives
from .cache import Embedded
from .recipe import Encoding

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
    encoding: Encoding = field(default_factory=Encoding)

    def logits(self, embedded: Embedded) -> Tensor:
        """(segments, categories): above 0 is best called an error, each category on its own."""
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
    """Full-batch L-BFGS from 0 over `size` round parameters (posterior standard deviations near 1).

    `loss` returns (loss, linear predictor) at a point. It ends when a step is under a hundredth of a standard
    deviation, which is far inside what the data can tell.
    """
    point = torch.zeros(size, requires_grad=True)
    count = iter(range(_MOST))

    def at() -> Tensor:
        value, predictor = loss(point)
        (point.grad,) = torch.autograd.grad(value, point)
        if step:
            step(next(count), float(value.detach()), predictor.detach())
        return value.detach()

    options = {"max_iter": _MOST, "max_eval": _MOST, "tolerance_grad": 1e-3, "tolerance_change": 0.01}
    torch.optim.LBFGS([point], line_search_fn="strong_wolfe", **options).step(at)
    return point.detach()


_MOST = 100


def whitening(gram: Tensor, l2: float) -> Tensor:
    """(d, d) M: in v with w = M v, a logistic loss of curvature gram/4 and a prior of precision l2 are round.

    Only the number of steps depends on it (about 8 instead of 60), not where they lead.
    """
    curvature = gram.double() / 4 + l2 * torch.eye(len(gram), dtype=torch.double)
    lower = torch.linalg.cholesky(curvature)
    unit = torch.eye(len(gram), dtype=torch.double)
    return torch.linalg.solve_triangular(lower.T, unit, upper=True).float()


def fit_segments(x: Tensor, labels: Tensor, share: Tensor, l2: float) -> Linear:
    """Logistic heads, one per column of labels (segments, categories) in {1, 0, −1 = ignore}, classes balanced.

    `share` (d,) is how far each standardised input may speak: its prior standard deviation, times 1/√l2. A category
    counts as often as its rarer class allows: weights 2·n₀/n and 2·n₁/n sum to 4·n₀·n₁/n.
    """
    known = (labels >= 0).any(1)
    if not known.any():
        return Linear(torch.zeros(labels.shape[1], x.shape[1]), torch.zeros(x.shape[1]), torch.zeros(labels.shape[1]))
    x, labels = x[known], labels[known]
    center = x.mean(0)
    scale = share / x.std(0, correction=0).clamp(min=1e-6)
    z, target = (x - center) * scale, labels.clamp(min=0).float()
    ones, zeros = (labels == 1).sum(0), (labels == 0).sum(0)
    balance = torch.where(labels == 1, 2 * zeros, 2 * ones) / (ones + zeros).clamp(min=1) * (labels >= 0)
    shape = (labels.shape[1], x.shape[1] + 1)
    white = whitening(z.T @ z, l2)
    unit = 2 / balance.sum(0).clamp(min=1).sqrt()[:, None]  # makes the biases as round as the whitened weights

    def loss(point: Tensor) -> tuple[Tensor, Tensor]:
        turned, bias = point.view(shape).split([x.shape[1], 1], dim=1)
        bias = bias * unit
        weights = turned @ white.T
        logits = z @ weights.T + bias.T
        value = (balance * objectives.cross_entropy(logits, target)).double().sum() + l2 / 2 * (weights**2).sum()
        return value, logits

    turned, bias = minimise(loss, shape[0] * shape[1]).view(shape).split([x.shape[1], 1], dim=1)
    return Linear((turned @ white.T) * scale, center, (bias * unit)[:, 0])


def best_call(logits: Tensor, labels: Tensor) -> float:
    """The threshold with the best F1 of calling errors (1) above it, among labels that are not −1."""
    ordered, order = logits[labels >= 0].sort(descending=True)
    hits = labels[labels >= 0][order].cumsum(0)
    called = torch.arange(1, len(hits) + 1)
    best = int((2 * hits / (called + hits[-1])).argmax())
    below = ordered[best + 1] if best + 1 < len(ordered) else ordered[best] - 0.1
    return float((ordered[best] + below) / 2)


@dataclass(frozen=True)
class Preference:
    """A fitted preference: weights, the order effect in logits and the tie threshold α = ln θ (0: no ties)."""

    weights: Tensor  # (d,)
    gamma: float
    alpha: float


def fit_preference(
    z: Tensor, p: Tensor, count: Tensor, l2: float, white: Tensor, order: bool, step: Step | None = None
) -> Preference:
    """Rao–Kupper, or Bradley–Terry when nothing is tied, on scaled z(first) − z(second) (pairs, d).

    Weights have a normal prior of precision l2, γ one of precision 1; `count` weighs the pairs; `white` is the
    whitening of these or of similar pairs.
    """
    tied = bool((p == 0.5).any())
    unit = 2 / count.sum().sqrt()  # as round as the whitened weights

    def loss(point: Tensor) -> tuple[Tensor, Tensor]:
        weights, (gamma, threshold) = white @ point[:-2], point[-2:] * unit
        margin = z @ weights
        shown = margin + gamma if order else margin
        each = _rao_kupper(shown, p, softplus(threshold)) if tied else objectives.cross_entropy(shown, p)
        prior = l2 / 2 * (weights @ weights) + gamma**2 / 2
        return (count * each).double().sum() + prior, margin

    found = minimise(loss, z.shape[1] + 2, step)
    gamma, threshold = found[-2:] * unit
    return Preference(white @ found[:-2], float(gamma), float(softplus(threshold)) if tied else 0.0)


def _rao_kupper(margin: Tensor, p: Tensor, alpha: Tensor) -> Tensor:
    decided = -(p * logsigmoid(margin - alpha) + (1 - p) * logsigmoid(-margin - alpha))
    tied = -(logsigmoid(alpha + margin) + logsigmoid(alpha - margin) + torch.log(-torch.expm1(-2 * alpha)))
    return torch.where(p == 0.5, tied, decided)


def fit_ridge(x: Tensor, y: Tensor, share: Tensor, l2: float) -> Linear:
    """Masked ridge: y (examples, criteria) with NaN where nobody rated; each criterion over its own examples."""
    center = x.mean(0)
    scale = share / x.std(0, correction=0).clamp(min=1e-6)
    z = (x - center) * scale
    weights, bias = torch.zeros(y.shape[1], x.shape[1]), torch.zeros(y.shape[1])
    for n, target in enumerate(y.T):
        rated = ~target.isnan()
        usual, mean = z[rated].mean(0), target[rated].mean()
        own = z[rated] - usual
        gram = (own.T @ own).double() + l2 * torch.eye(own.shape[1], dtype=torch.double)
        solved = torch.linalg.solve(gram, (own.T @ (target[rated] - mean)).double()).float()
        weights[n], bias[n] = solved * scale, mean - usual @ solved
    return Linear(weights, center, bias)


def temperature(margin: Tensor, p: Tensor, count: Tensor) -> float:
    """The τ that minimises the cross-entropy of σ(Δ/τ) with p, from .05 to 20."""
    grid = torch.logspace(-1.3, 1.3, 261)
    losses = torch.stack([(count * objectives.cross_entropy(margin / one, p)).sum() for one in grid])
    return float(grid[losses.argmin()])
