"""A preference made of criteria, mixed by the prompt: ArmoRM, arXiv 2406.12845.

Stage 1 is the ridge of each criterion. Here: take verbosity out of the others, then fit the gate on preferences, with
criteria and backbone frozen. What debiasing gives is what the gate is fitted on, and what it scores with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import fitting, objectives
from .backbone import Backbone
from .embed import embed
from .layers import Gate
from .objectives import Learned
from .preference import Problem
from .types import Example, Report

GRID = np.arange(96) / 100  # of λ
MOST = 0.03  # |Spearman| with verbosity that may stay


def prompts(
    backbone: Backbone, examples: Sequence[Example], rule: str, cache_dir: Path | None, report: Report
) -> Tensor:
    """(n, D) each example's prompt as the backbone reads it before any response: one forward per distinct prompt."""
    bare = [Example(one.group, one.group, one.turns, "", one.context) for one in examples]
    return torch.from_numpy(embed(backbone, bare, rule, cache_dir, report).pooled[:, : backbone.dim])


def debiasing(criteria: np.ndarray, verbosity: int) -> np.ndarray:
    """(A,) the least λ on the grid with |Spearman(r_i − λ r_v, r_v)| ≤ .03, or the one nearest to it; 1 of r_v itself.

    criteria (n, A) are standardised predictions, so that λ means the same of each.
    """
    other = criteria[:, verbosity]
    found = np.ones(criteria.shape[1])
    for i in set(range(criteria.shape[1])) - {verbosity}:
        left = np.array([_spearman(criteria[:, i] - one * other, other) for one in GRID])
        found[i] = GRID[int(np.argmax(left <= MOST)) if (left <= MOST).any() else int(np.argmin(left))]
    return found


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    """|ρ|; 0 where one of them is all alike. Its import takes a second, and few trainings come here."""
    from scipy.stats import spearmanr

    return abs(float(spearmanr(a, b).statistic)) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0


def transform(criteria: Tensor, verbosity: int | None) -> tuple[Tensor, Tensor, np.ndarray]:
    """(A', A) the matrix of r' = matrix (r − mean), (A,) the mean, (A,) λ: all 0 without a criterion of verbosity.

    Verbosity itself has no row: nothing may bring back what was taken out.
    """
    mean, spread = criteria.mean(0), criteria.std(0, correction=0).clamp(min=1e-6)
    matrix = torch.diag(1 / spread)
    if verbosity is None:
        return matrix, mean, np.zeros(criteria.shape[1])
    taken = debiasing(((criteria - mean) / spread).numpy(), verbosity)
    matrix[:, verbosity] -= torch.from_numpy(taken).float() / spread[verbosity]
    return matrix[torch.arange(len(matrix)) != verbosity], mean, taken


@dataclass(frozen=True)
class Gated:
    gate: Gate
    learned: Learned
    order_error: Tensor  # (gammas,)
    taken: np.ndarray  # (A,) λ: 1 of verbosity itself
    scores: Tensor  # (examples, 1) cross-fitted
    curve: list[float]
    untrained: float


def fit(problem: Problem, embedded: Tensor, criteria: Tensor, verbosity: int | None, report: Report) -> Gated:
    """The gate, and what gates fitted on other prompts say of each example.

    embedded (examples, D) are prompts, criteria (examples, A) predictions by heads that did not see the example.
    """
    inside = problem.fold >= 0
    matrix, mean, taken = transform(criteria[inside], verbosity)
    center, spread = embedded[inside].mean(0), embedded[inside].std(0, correction=0).clamp(min=1e-6)
    draw = torch.Generator().manual_seed(problem.recipe.tuning.seed)
    hidden, width = problem.recipe.heads.hidden, embedded.shape[1]
    begin = Gate(
        into=torch.randn(hidden, width, generator=draw),
        bias=torch.randn(hidden, generator=draw),
        out=torch.zeros(len(matrix), hidden),
        center=center,
        scale=1 / (spread * width**0.5),  # a prompt has a length near 1
        matrix=matrix,
        mean=mean,
        strength=torch.zeros(1),
    )
    curve: list[float] = []
    each = float(problem.labels.weight.sum())
    untrained = objectives.untrained(begin(embedded, criteria), problem.pairs)

    def step(n: int, loss: float, scores: Tensor) -> None:
        curve.append(loss / each)
        report("fit", n + 1, max(n + 1, 10), {"loss": curve[-1], "step": n + 1})

    gate, learned = _solve(problem, embedded, criteria, begin, step)
    scores = torch.zeros(len(criteria), 1)
    for n in problem.fold[inside].unique().tolist():
        own, held = problem.without(n), problem.fold == n
        if len(own.labels):
            scores[held, 0] = _solve(own, embedded, criteria, begin)[0](embedded[held], criteria[held])
    error = problem.order_error(gate(embedded, criteria), learned)
    return Gated(gate, learned, error, taken, scores, curve, untrained)


def _solve(
    problem: Problem, embedded: Tensor, criteria: Tensor, begin: Gate, step: fitting.Step | None = None
) -> tuple[Gate, Learned]:
    """From a gate that scores everything 0; its weights have a standard normal prior around their start."""
    learned = objectives.start(problem.labels, problem.recipe.preference)
    labels, named = problem.labels.within()
    embedded, criteria = embedded[named], criteria[named]
    parts = [begin.into, begin.bias, begin.out, begin.strength, learned.gamma, learned.tie]
    sizes = [part.numel() for part in parts]

    def split(point: Tensor) -> tuple[Gate, Learned]:
        into, bias, out, strength, gamma, tie = point.split(sizes)
        first = {"into": begin.into + into.view_as(begin.into), "bias": begin.bias + bias}
        return replace(begin, **first, out=out.view_as(begin.out), strength=strength), Learned(gamma, tie)

    def loss(point: Tensor) -> tuple[Tensor, Tensor]:
        gate, learned = split(point)
        scores = gate(embedded, criteria)
        priors = point[: sum(sizes[:3])].square().sum() / 2 + objectives.prior(learned)
        return problem.of(scores, labels, learned) + priors, scores

    return split(fitting.minimise(loss, torch.zeros(sum(sizes)), step))
