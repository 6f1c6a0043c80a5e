"""Losses of preference learning: pure functions of scores, one value per pair unless said otherwise.

Δ is score(first) − score(second), σ the logistic function, p the probability with which the first was preferred.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


def bradley_terry(margin: Tensor, p: Tensor | float = 1.0) -> Tensor:
    """−[p ln σ(Δ) + (1−p) ln σ(−Δ)]; minimal at Δ = logit p. Bradley & Terry 1952, soft labels as cross-entropy."""
    return -(p * logsigmoid(margin) + (1 - p) * logsigmoid(-margin))


def with_margin(margin: Tensor, wanted: Tensor | float) -> Tensor:
    """−ln σ(Δ − m) for Δ = chosen − rejected: a clear preference asks for a wide margin. Llama 2, arXiv 2307.09288."""
    return -logsigmoid(margin - wanted)


def scaled(margin: Tensor, strength: Tensor | float) -> Tensor:
    """−m ln σ(Δ): a clear preference counts m times. HelpSteer2-Preference, arXiv 2410.01257."""
    return -strength * logsigmoid(margin)


def smoothed(p: Tensor, epsilon: float) -> Tensor:
    """Label smoothing: p moved to (1−ε)p + ε(1−p); then the optimum for p = 1 is Δ = ln((1−ε)/ε)."""
    return (1 - epsilon) * p + epsilon * (1 - p)


def centring(first: Tensor, second: Tensor) -> Tensor:
    """(r₁ + r₂)²: fixes the free constant of the scores. arXiv 2312.09244 eq. 2, where its weight is .01."""
    return (first + second) ** 2


def rao_kupper(margin: Tensor, p: Tensor, alpha: Tensor | float) -> Tensor:
    """Bradley–Terry with ties (p = .5) for a threshold α = ln θ > 0. Rao & Kupper 1967; arXiv 2410.05328.

    P(first) = σ(Δ−α), P(second) = σ(−Δ−α), P(tie) = 1 − both = σ(Δ+α) σ(α−Δ) (1 − e^(−2α)); at Δ = 0 tanh(α/2).
    Any other p weighs the two decided outcomes.
    """
    alpha = torch.as_tensor(alpha, dtype=margin.dtype, device=margin.device)
    decided = -(p * logsigmoid(margin - alpha) + (1 - p) * logsigmoid(-margin - alpha))
    tied = -(logsigmoid(alpha + margin) + logsigmoid(alpha - margin) + torch.log(-torch.expm1(-2 * alpha)))
    return torch.where(p == 0.5, tied, decided)


def davidson(margin: Tensor, p: Tensor, nu: Tensor | float) -> Tensor:
    """Bradley–Terry with ties (p = .5) for ν > 0. Davidson 1970.

    With Z = e^(Δ/2) + e^(−Δ/2) + ν: P(first) = e^(Δ/2)/Z, P(tie) = ν/Z; at Δ = 0 P(tie) = ν/(2+ν).
    """
    nu = torch.as_tensor(nu, dtype=margin.dtype, device=margin.device)
    tie = torch.log(nu).expand_as(margin)
    outcomes = torch.stack([margin / 2, -margin / 2, tie]).log_softmax(0)
    return -torch.where(p == 0.5, outcomes[2], p * outcomes[0] + (1 - p) * outcomes[1])


def plackett_luce(scores: Tensor, ranking: Sequence[int]) -> Tensor:
    """−Σ_k [r_π(k) − ln Σ_{j≥k} e^{r_π(j)}], one value for one ranking, best first; K = 2 is Bradley–Terry.

    `ranking` may stop early: the unranked scores stay in every denominator. Plackett 1975; Luce 1959.
    """
    chosen = list(ranking)
    rest = [n for n in range(len(scores)) if n not in set(chosen)]
    ordered = scores[chosen + rest]
    below = torch.logcumsumexp(ordered.flip(0), 0).flip(0)
    return (below - ordered)[: len(chosen)].sum()
