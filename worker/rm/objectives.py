"""Losses of reward models: pure functions of scores, in any float type, finite at any score.

A preference objective is one function of this signature, and its line in recipe.OBJECTIVES:

    objective(scores (examples,), labels: labels.Labels of n verdicts, learned: Learned) -> (n,) loss of each verdict

Trainers do not call it, but, with the labels of all training verdicts and of one batch of them:

    learned = start(everything, recipe.preference)                 # what is learnt beside the scores, at 0
    total = preference_loss(scores, batch, learned, recipe.preference)   # a SUM, with weights and centring
    total / batch.weight.sum()                                     # the mean that curves show
    prior(learned)                                                 # once per pass over all verdicts, on the sum's scale

Nothing in `learned` is used in scoring. Δ is score(first) − score(second) (+ γ of the order effect), σ the logistic
function, p the share of first preferred, ties counted half.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from .labels import Labels
from .recipe import OBJECTIVES, Preference

RATER_SPREAD = 0.5  # prior standard deviation of a rater's order effect around the shared one
TIE_SPREAD = 3.0
LEAST_TIE = 1e-6


@dataclass(frozen=True)
class Learned:
    """What is learnt beside the scores. A part that the recipe or the labels leave out has length 0."""

    gamma: Tensor  # (0,), (1,) the shared order effect, or (1 + raters,): and each rater's difference from it
    tie: Tensor  # (0,) or (1,): softplus of it is Rao and Kupper's α = ln θ, or Davidson's ν

    @property
    def threshold(self) -> Tensor:
        """() α or ν; 0 where nothing is tied."""
        return softplus(self.tie).clamp(min=LEAST_TIE).sum()

    def order(self, rater: Tensor) -> Tensor:
        """γ of each rater (n,); −1 is one who is not known."""
        if not len(self.gamma):
            return self.gamma.new_zeros(len(rater))
        own = torch.cat([self.gamma[1:], self.gamma.new_zeros(1)])  # the last is nobody's
        return self.gamma[0] + (own[rater] if len(own) > 1 else own[rater * 0])


def start(labels: Labels, recipe: Preference) -> Learned:
    """Zeros of the right lengths, to be optimised. `labels` are all training verdicts, not a batch."""
    gammas = {"none": 0, "shared": 1, "rater": 1 + len(labels.raters)}[recipe.order]
    ties = recipe.objective in WITH_TIES and bool((labels.tie > 0).any())
    return Learned(torch.zeros(gammas), torch.zeros(int(ties)))


def prior(learned: Learned) -> Tensor:
    """() −ln of the normal priors: shared γ of deviation 1, each rater's difference of ½, the tie parameter of 3."""
    shared, own = learned.gamma[:1], learned.gamma[1:] / RATER_SPREAD
    return (shared.square().sum() + own.square().sum() + (learned.tie / TIE_SPREAD).square().sum()) / 2


def preference_loss(scores: Tensor, labels: Labels, learned: Learned, recipe: Preference) -> Tensor:
    """() Σ weight · objective + c · Σ weight · (r₁ + r₂)², for the objective and the centring of the recipe."""
    return weighted(PREFERENCE[recipe.objective], scores, labels, learned, recipe.centring)


def weighted(objective, scores: Tensor, labels: Labels, learned: Learned, centre: float = 0.0) -> Tensor:
    """The same of any function with an objective's signature. Summed in double, for line searches on many verdicts."""
    each = objective(scores, labels, learned)
    if centre:
        each = each + centre * centring(scores, labels)
    return (labels.weight * each).double().sum()


def untrained(scores: Tensor, pairs: Labels) -> float:
    """Mean Bradley–Terry loss of labels.pairs without what is learnt beside: before training ln 2."""
    each = bradley_terry(scores, pairs, Learned(scores.new_zeros(0), scores.new_zeros(0)))
    return float((pairs.weight * each).sum() / pairs.weight.sum())


def margins(scores: Tensor, labels: Labels, learned: Learned) -> Tensor:
    """(n,) Δ with the order effect: what was shown first has γ more."""
    first, second = scores[labels.first], scores[labels.second]
    return first - second + learned.order(labels.rater)


# ---- Preferences


def bradley_terry(scores: Tensor, labels: Labels, learned: Learned) -> Tensor:
    """−[p ln σ(Δ) + (1−p) ln σ(−Δ)]; minimal at Δ = logit p. Bradley & Terry 1952, soft labels as cross-entropy."""
    return cross_entropy(margins(scores, labels, learned), labels.p)


def margin(scores: Tensor, labels: Labels, learned: Learned) -> Tensor:
    """−[p ln σ(Δ − m) + (1−p) ln σ(−Δ − m)]: a clear preference asks for a wide margin. Llama 2, arXiv 2307.09288.

    m is that paper's small table: 1 for a strength of 3 (much better), 2/3, 1/3, and 0 for a tie or none said.
    """
    delta, wanted = margins(scores, labels, learned), labels.strength / 3
    return -(labels.p * logsigmoid(delta - wanted) + (1 - labels.p) * logsigmoid(-delta - wanted))


def scaled(scores: Tensor, labels: Labels, learned: Learned) -> Tensor:
    """m times Bradley–Terry for strength m: a clear preference counts more; one with none said counts once.

    HelpSteer2-Preference, arXiv 2410.01257.
    """
    return labels.strength.clamp(min=1) * bradley_terry(scores, labels, learned)


def rao_kupper(scores: Tensor, labels: Labels, learned: Learned) -> Tensor:
    """Bradley–Terry with ties, for a threshold α > 0. Rao & Kupper 1967; arXiv 2410.05328.

    P(first) = σ(Δ−α), P(second) = σ(−Δ−α), P(tie) = 1 − both = σ(Δ+α) σ(α−Δ) (1 − e^(−2α)); at Δ = 0 tanh(α/2).
    """
    if not len(learned.tie):
        return bradley_terry(scores, labels, learned)
    delta, alpha = margins(scores, labels, learned), learned.threshold
    tied = logsigmoid(alpha + delta) + logsigmoid(alpha - delta) + torch.log(-torch.expm1(-2 * alpha))
    return _three_ways(labels, logsigmoid(delta - alpha), logsigmoid(-delta - alpha), tied)


def davidson(scores: Tensor, labels: Labels, learned: Learned) -> Tensor:
    """Bradley–Terry with ties, for ν > 0. Davidson 1970.

    With Z = e^(Δ/2) + e^(−Δ/2) + ν: P(first) = e^(Δ/2)/Z, P(tie) = ν/Z; at Δ = 0 P(tie) = ν/(2+ν).
    """
    if not len(learned.tie):
        return bradley_terry(scores, labels, learned)
    delta = margins(scores, labels, learned)
    tie = torch.log(learned.threshold).expand_as(delta)
    return _three_ways(labels, *torch.stack([delta / 2, -delta / 2, tie]).log_softmax(0))


def plackett_luce(scores: Tensor, labels: Labels, learned: Learned) -> Tensor:
    """−Σᵢ target(i) ln softmax(r)(i) of one choice; those of a ranking sum to −Σ_k [r_π(k) − ln Σ_{j≥k} e^{r_π(j)}].

    Two responses are Bradley–Terry. Each place further back in the order shown takes γ. Plackett 1975; Luce 1959.
    """
    there = labels.members >= 0
    values = scores[labels.members.clamp(min=0)] - learned.order(labels.rater)[:, None] * labels.place
    logs = values.masked_fill(~there, -torch.inf).log_softmax(1)
    return -(labels.target * logs.masked_fill(~there, 0.0)).sum(1)


PREFERENCE = {name: globals()[name] for name in OBJECTIVES}  # a line there names its function here
WITH_TIES = ("rao_kupper", "davidson")


def least_squares(scores: Tensor, labels: Labels, learned: Learned) -> Tensor:
    """ln 2 − (p−½)Δ + Δ²/8: Bradley–Terry to second order at Δ = 0, ⅛(Δ − 4(p−½))², but for a constant. For ridge."""
    delta = margins(scores, labels, learned)
    return torch.log(delta.new_tensor(2.0)) - (labels.p - 0.5) * delta + delta**2 / 8


def centring(scores: Tensor, labels: Labels) -> Tensor:
    """(n,) (r₁ + r₂)²: fixes the free constant of the scores. arXiv 2312.09244 eq. 2, where its weight is .01.

    Of a choice from more than two, (2 · mean)².
    """
    there = labels.members >= 0
    mean = (scores[labels.members.clamp(min=0)] * there).sum(1) / there.sum(1)
    return (2 * mean) ** 2


def cross_entropy(margin: Tensor, p: Tensor | float = 1.0) -> Tensor:
    """−[p ln σ(Δ) + (1−p) ln σ(−Δ)], element by element; p = 1 is what is usually written −ln σ(Δ)."""
    return -(p * logsigmoid(margin) + (1 - p) * logsigmoid(-margin))


def _three_ways(labels: Labels, first: Tensor, second: Tensor, tie: Tensor) -> Tensor:
    half = labels.tie / 2
    return -((labels.p - half) * first + (1 - labels.p - half) * second + labels.tie * tie)
