"""How sure order effects are."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from .labels import Labels
from .objectives import Learned, prior

Objective = Callable[[Tensor, Labels, Learned], Tensor]


def errors(objective: Objective, scores: Tensor, labels: Labels, learned: Learned, groups: Sequence[str]) -> Tensor:
    """(gammas,) standard errors of the shared γ and of each rater's own, which is the shared one plus a difference.

    H⁻¹ (S + P) H⁻¹ over γ and the tie parameter, at their fit. H is the observed information, with P that of the
    priors; S sums the outer products of the gradients of whole prompts, so that verdicts on one prompt may err alike
    and a loss need be no likelihood (Liang & Zeger, Biometrika 1986). P once more makes the prior one more observation:
    who gave no verdict keeps its deviation. Conditional on the scores (examples,): what the weights could take over
    from γ is left out, which is nothing to speak of where sides were drawn by lot. groups: each example's prompt.
    """
    if not len(learned.gamma):
        return learned.gamma
    gradients, information = _derivatives(objective, scores, labels, learned)
    own = _of_priors(learned)
    bread = torch.linalg.inv(information + own)
    spread = bread @ (_by_prompt(gradients, [groups[n] for n in labels.first.tolist()]) + own) @ bread
    count = len(learned.gamma)
    sums = torch.eye(count, dtype=torch.double)
    sums[:, 0] = 1
    return (sums @ spread[:count, :count] @ sums.T).diagonal().sqrt()


def _derivatives(objective: Objective, scores: Tensor, labels: Labels, learned: Learned) -> tuple[Tensor, Tensor]:
    """(n, parameters) gradient of each verdict's weighted loss by γ and tie, (parameters, parameters) the curvature."""
    gamma = learned.gamma.double()

    def each(at: Tensor) -> Tensor:
        return labels.weight * objective(scores.double(), labels, Learned(torch.cat([at[:1], gamma[1:]]), at[1:]))

    at, jacobian = torch.cat([gamma[:1], learned.tie.double()]), torch.func.jacfwd
    slope, bend = jacobian(each)(at), jacobian(jacobian(each))(at)  # by a verdict's own γ, which is a sum, and tie
    whose = one_hot(labels.rater + 1, 1 + len(labels.raters)).double()[:, 1 : len(gamma)]
    parts = torch.cat([torch.ones(len(labels), 1, dtype=torch.double), whose], 1)  # (n, gammas)
    both = parts.T @ bend[:, 0, 1:]
    upper = torch.cat([parts.T @ (bend[:, 0, :1] * parts), both], 1)
    information = torch.cat([upper, torch.cat([both.T, bend[:, 1:, 1:].sum(0)], 1)])
    return torch.cat([slope[:, :1] * parts, slope[:, 1:]], 1), information


def _of_priors(learned: Learned) -> Tensor:
    sizes = [len(learned.gamma), len(learned.tie)]
    return torch.func.hessian(lambda at: prior(Learned(*at.split(sizes))))(torch.zeros(sum(sizes), dtype=torch.double))


def _by_prompt(gradients: Tensor, prompts: Sequence[str]) -> Tensor:
    """Σ over prompts of the outer product of the sum of their gradients, times G / (G − 1) of G prompts."""
    place = {name: n for n, name in enumerate(dict.fromkeys(prompts))}
    sums = gradients.new_zeros(len(place), gradients.shape[1])
    sums.index_add_(0, torch.tensor([place[name] for name in prompts]), gradients)
    return sums.T @ sums * len(place) / max(len(place) - 1, 1)
