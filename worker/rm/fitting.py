"""How heads on frozen embeddings are fitted: L-BFGS over whitened weights, and ridge in closed form.

Inputs x (n, d) are centred and scaled by `share` (d,), how far each standardised input may speak: its prior standard
deviation, times 1/√l2. Every fit gives a Linear of the inputs as they came.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from . import auxiliary
from .layers import Linear
from .objectives import cross_entropy

Step = Callable[[int, float, Tensor], None]  # step number, loss, scores
_MOST = 100
_SMOOTH = 0.1  # of a standard deviation: how far around 0 the pinball loss is rounded


def minimise(
    loss: Callable[[Tensor], tuple[Tensor, Tensor]],
    start: Tensor,
    step: Step | None = None,
    most: int = _MOST,
    change: float = 0.01,
) -> Tensor:
    """Full-batch L-BFGS over round parameters (posterior standard deviations near 1), in at most `most` evaluations.

    `loss` returns (loss, scores) at a point. It ends when a step is under `change` standard deviations: a hundredth is
    far inside what the data can tell.
    """
    point = start.clone().requires_grad_()
    count = iter(range(10 * most))

    def at() -> Tensor:
        value, scores = loss(point)
        (point.grad,) = torch.autograd.grad(value, point)
        if step:
            step(next(count), float(value.detach()), scores.detach())
        return value.detach()

    options = {"max_iter": most, "max_eval": most, "tolerance_grad": 1e-3, "tolerance_change": change}
    torch.optim.LBFGS([point], line_search_fn="strong_wolfe", **options).step(at)
    return point.detach()


def whitening(gram: Tensor, l2: float) -> Tensor:
    """(d, d) M: in v with w = M v, a logistic loss of curvature gram/4 and a prior of precision l2 are round.

    Only the number of steps depends on it (about 8 instead of 60), not where they lead.
    """
    curvature = gram.double() / 4 + l2 * torch.eye(len(gram), dtype=torch.double)
    lower = torch.linalg.cholesky(curvature)
    unit = torch.eye(len(gram), dtype=torch.double)
    return torch.linalg.solve_triangular(lower.T, unit, upper=True).float()


def standardised(x: Tensor, share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(n, d) centred and scaled x, (d,) its centre, (d,) the scale."""
    center = x.mean(0)
    z = x - center
    scale = share / z.square().mean(0).sqrt().clamp(min=1e-6)  # x.std(0) takes many times as long
    return z.mul_(scale), center, scale


def fit_segments(x: Tensor, labels: Tensor, share: Tensor, l2: float) -> Linear:
    """Logistic heads, one per column of labels (segments, categories) in {1, 0, −1 = ignore}, classes balanced."""
    known = (labels >= 0).any(1)
    if not known.any():
        return nothing(labels.shape[1], x.shape[1])
    x, labels = x[known], labels[known]
    balance = auxiliary.balance(labels)
    unit = 2 / balance.sum(0).clamp(min=1).sqrt()  # makes the biases as round as the whitened weights
    truth = labels.clamp(min=0).float()
    return _logistic(x, share, l2, unit, lambda logits: (balance * cross_entropy(logits, truth)).double().sum())


def fit_steps(x: Tensor, label: Tensor, share: Tensor, l2: float) -> Linear:
    """A softmax head of three rows (wrong, neutral, right) on labels (segments,) from −1 to 1, NaN where none."""
    known = ~label.isnan()
    x, label = x[known], label[known]
    unit = torch.full((3,), 2 / len(label) ** 0.5)
    return _logistic(x, share, l2, unit, lambda logits: auxiliary.steps(logits.double(), label))


def _logistic(x: Tensor, share: Tensor, l2: float, unit: Tensor, loss_of: Callable[[Tensor], Tensor]) -> Linear:
    """A row for each of `unit` (rows,), the scale of its bias, for a loss of the logits (n, rows)."""
    z, center, scale = standardised(x, share)
    white = whitening(z.T @ z, l2)
    shape = (len(unit), x.shape[1] + 1)

    def split(point: Tensor) -> tuple[Tensor, Tensor]:
        turned, bias = point.view(shape).split([x.shape[1], 1], dim=1)
        return turned @ white.T, bias[:, 0] * unit

    def loss(point: Tensor) -> tuple[Tensor, Tensor]:
        weights, bias = split(point)
        logits = z @ weights.T + bias
        return loss_of(logits) + l2 / 2 * (weights**2).sum(), logits

    weights, bias = split(minimise(loss, torch.zeros(shape[0] * shape[1])))
    return Linear(weights * scale, center, bias)


def best_call(logits: Tensor, labels: Tensor) -> float:
    """The threshold with the best F1 of calling errors (1) above it, among labels that are not −1."""
    ordered, order = logits[labels >= 0].sort(descending=True)
    hits = labels[labels >= 0][order].cumsum(0)
    called = torch.arange(1, len(hits) + 1)
    best = int((2 * hits / (called + hits[-1])).argmax())
    below = ordered[best + 1] if best + 1 < len(ordered) else ordered[best] - 0.1
    return float((ordered[best] + below) / 2)


def fit_ridge(x: Tensor, y: Tensor, share: Tensor, l2: float) -> Linear:
    """Masked ridge: y (examples, criteria) with NaN where nobody rated; each criterion over its own examples."""
    z, center, scale = standardised(x, share)
    weights, bias = torch.zeros(y.shape[1], x.shape[1]), torch.zeros(y.shape[1])
    masks, of = (~y.isnan()).unique(dim=1, return_inverse=True)
    for n, rated in enumerate(masks.T):  # one matrix for all criteria that the same examples were rated by
        if not rated.any():
            continue
        target = y[rated][:, of == n]
        usual, mean = z[rated].mean(0), target.mean(0)
        own = z[rated] - usual
        gram = (own.T @ own).double() + l2 * torch.eye(own.shape[1], dtype=torch.double)
        solved = torch.linalg.solve(gram, (own.T @ (target - mean)).double()).float()
        weights[of == n], bias[of == n] = solved.T * scale, mean - usual @ solved
    return Linear(weights, center, bias)


def fit_quantiles(x: Tensor, y: Tensor, levels: tuple[float, ...], share: Tensor, l2: float) -> Linear:
    """One row per level: the ratings' quantile given x, by the pinball loss; y (n,), NaN where nobody rated.

    The likelihood is that of asymmetric Laplace noise of the ratings' own spread; the loss is rounded near 0.
    """
    x, y = x[~y.isnan()], y[~y.isnan()].double()
    spread = y.std(correction=0).clamp(min=1e-6)
    target, wanted = ((y - y.mean()) / spread)[:, None], torch.tensor(levels, dtype=torch.double)

    def loss(guess: Tensor) -> Tensor:
        over = target - guess.double()
        return (wanted * over + _SMOOTH * softplus(-over / _SMOOTH)).sum()

    unit = torch.full((len(levels),), 2 / len(y) ** 0.5)
    found = _logistic(x, share, l2, unit, loss)
    return Linear(found.weights * spread.float(), found.center, (found.bias * spread + y.mean()).float())


def temperature(margin: Tensor, p: Tensor, count: Tensor) -> float:
    """The τ that minimises the cross-entropy of σ(Δ/τ) with p, from .05 to 20."""
    grid = torch.logspace(-1.3, 1.3, 261)
    losses = torch.stack([(count * cross_entropy(margin / one, p)).sum() for one in grid])
    return float(grid[losses.argmin()])


def nothing(rows: int, inputs: int) -> Linear:
    """Heads that say 0."""
    return Linear(torch.zeros(rows, inputs), torch.zeros(inputs), torch.zeros(rows))
