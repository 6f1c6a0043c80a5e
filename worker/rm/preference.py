"""The preference head on frozen embeddings: the fit, how strong its prior is, and how sure its margins are."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from . import ensemble, fitting, objectives, order
from .labels import Labels
from .layers import Linear, Mlp
from .objectives import RATER_SPREAD, Learned, cross_entropy
from .recipe import Recipe
from .types import Report

_TRIED = 3000  # pairs that the prior's strength is tried on
_MLP_STEPS = 40
_ALIKE = 0.995  # cosine of two directions that are one but for chance


@dataclass(frozen=True)
class Problem:
    """What is to be fitted. Inputs are centred, and scaled so that every weight has one and the same prior."""

    x: Tensor  # (examples, d)
    labels: Labels  # as the objective wants them
    pairs: Labels  # the same verdicts as pairs
    fold: Tensor  # (examples,)
    tokens: Tensor  # (examples,) float, of the responses
    groups: list[str]  # (examples,) the prompt of each
    recipe: Recipe

    @property
    def of(self) -> Callable[[Tensor, Labels, Learned], Tensor]:
        """(scores, labels, learned) → the loss."""
        objective, centring = self.objective, self.recipe.preference.centring
        return lambda scores, labels, learned: objectives.weighted(objective, scores, labels, learned, centring)

    @property
    def objective(self) -> order.Objective:
        ridge = self.recipe.heads.head == "ridge"
        return objectives.least_squares if ridge else objectives.PREFERENCE[self.recipe.preference.objective]

    def order_error(self, scores: Tensor, learned: Learned) -> Tensor:
        """Standard errors of the order effects, as order.errors has them."""
        return order.errors(self.objective, scores, self.labels, learned, self.groups)

    def without(self, fold: int) -> "Problem":
        """Its training verdicts outside one fold."""
        return replace(self, labels=self.labels.some(self.fold[self.labels.first] != fold))

    def first(self, verdicts: int) -> "Problem":
        """About so many of the verdicts, spread evenly."""
        pick = lambda labels: labels.some(torch.arange(0, len(labels), max(1, -(-len(labels) // verdicts))))  # noqa: E731
        return replace(self, labels=pick(self.labels), pairs=pick(self.pairs))


@dataclass(frozen=True)
class Head:
    """A fitted preference of the problem's inputs; score = x · weights + bias (+ mlp)."""

    weights: Tensor  # (d,)
    bias: Tensor  # () not 0 only where scores are centred
    learned: Learned
    mlp: Mlp | None = None  # one member
    length: Tensor | None = None  # (d,) of ODIN's second head, which the score leaves out

    def __call__(self, x: Tensor) -> Tensor:
        linear = x @ self.weights + self.bias
        return linear + self.mlp(x)[:, 0] if self.mlp else linear


@dataclass(frozen=True)
class Fitted:
    """The members, what was chosen for them, what they say of examples that they did not see, and the loss by step."""

    members: list[Head]
    learned: Learned  # by all verdicts together
    order_error: Tensor  # (gammas,)
    l2: float
    scores: Tensor  # (examples, members) cross-fitted
    curve: list[float]
    untrained: float  # Bradley–Terry loss before the first step: ln 2


def fit(problem: Problem, report: Report) -> Fitted:
    """Choose the prior's strength on held-out folds, then fit on all verdicts, and each member on those it drew."""
    l2 = _strength(problem, problem.recipe.heads.l2, report)
    white = fitting.whitening(_gram(problem), l2)
    report("calibrate", 0, 1, {})
    scores = _cross_fit(problem, l2, white)
    curve: list[float] = []
    pairs, named = problem.pairs, problem.labels.within()[1]
    first, second = torch.searchsorted(named, pairs.members.T.contiguous())

    def step(n: int, loss: float, scores: Tensor) -> None:
        curve.append(loss / float(problem.labels.weight.sum()))
        right = ((scores[first] > scores[second]) == (pairs.p > 0.5))[pairs.p != 0.5].float()
        report("fit", n + 1, max(n + 1, 10), {"loss": curve[-1], "accuracy": float(right.mean()), "step": n + 1})

    whole = solve(problem, l2, white, step=step)
    members = _members(problem, l2, white, whole)
    untrained = objectives.untrained(torch.zeros(len(problem.x)), pairs)
    error = problem.order_error(_line(whole, problem.x), whole.learned)
    return Fitted(members, whole.learned, error, l2, scores, curve, untrained)


def _line(head: Head, x: Tensor) -> Tensor:
    """(examples,) what γ was fitted beside: no mlp yet, and length where a second head takes it."""
    return replace(head, mlp=None)(x) + (0 if head.length is None else x @ head.length)


def solve(
    problem: Problem, l2: float, white: Tensor, near: Head | None = None, step: fitting.Step | None = None
) -> Head:
    """The head of the problem's verdicts, its mlp included; `near` is a head to start from.

    Weights have a normal prior of precision l2, γ and the tie threshold those of objectives.prior. With ODIN a second
    head takes what goes with length, and the score leaves it out.
    """
    labels, named = problem.labels.within()
    inside = replace(problem, x=problem.x[named], labels=labels, tokens=problem.tokens[named])
    linear = _linear(inside, l2, white, near, step)
    return _with_mlp(inside, l2, linear) if problem.recipe.heads.head == "mlp" else linear


def _linear(problem: Problem, l2: float, white: Tensor, near: Head | None, step: fitting.Step | None) -> Head:
    x, labels, recipe = problem.x, problem.labels, problem.recipe
    begin = objectives.start(labels, recipe.preference)
    sizes = [x.shape[1], len(begin.gamma), len(begin.tie), int(recipe.preference.centring > 0)]
    length, basis = (
        _of_length(x, problem.tokens, l2) if recipe.extras.odin else (x.new_zeros(0), x.new_zeros(len(x.T), 0))
    )
    sizes.append(int(recipe.extras.odin))
    unit = 2 / labels.weight.sum().clamp(min=1).sqrt()  # as round as the whitened weights
    units = torch.cat([_of_gammas(labels, len(begin.gamma)), unit.expand(sum(sizes[2:]))])

    def split(point: Tensor) -> tuple[Head, Tensor]:
        weights, rest = point[: sizes[0]], point[sizes[0] :] * units
        gamma, tie, bias, much = rest.split(sizes[1:])
        weights = white @ weights
        return Head(weights - basis @ (basis.T @ weights), bias.sum(), Learned(gamma, tie)), much

    def loss(point: Tensor) -> tuple[Tensor, Tensor]:
        head, much = split(point)
        scores = quality = head(x)
        if recipe.extras.odin:
            scores = quality + much * (x @ length)
        priors = l2 / 2 * (white @ point[: sizes[0]]).square().sum() + objectives.prior(head.learned)
        return problem.of(scores, labels, head.learned) + priors, quality

    start = torch.zeros(sum(sizes))
    if near is not None:
        start[: sizes[0]] = torch.linalg.solve(white, near.weights)
    head, much = split(fitting.minimise(loss, start, step))
    return replace(head, length=much * length) if recipe.extras.odin else head


def _of_length(x: Tensor, tokens: Tensor, l2: float) -> tuple[Tensor, Tensor]:
    """(d,) W_L, scaled to a deviation of 1 of its scores, and (d, 1 or 2) an orthonormal basis of what W_Q may not use.

    The terms of auxiliary.odin at their least, in closed form, where L-BFGS would stall at their kinks: W_L follows
    length best (ridge), and W_Q is orthogonal to it and uncorrelated with length over the training responses.
    """
    middle = x - x.mean(0)
    along = middle.T @ ((tokens - tokens.mean()) / tokens.std(correction=0).clamp(min=1e-6))
    gram = (middle.T @ middle).double() + l2 * torch.eye(x.shape[1], dtype=torch.double)
    length = torch.linalg.solve(gram, along.double()).float()
    length = length / (x @ length).std(correction=0).clamp(min=1e-6)
    both = torch.nn.functional.normalize(torch.stack([along, length], 1), dim=0, eps=1e-9)
    if both[:, 0] @ both[:, 1] > _ALIKE:
        return length, both[:, :1]
    return length, torch.linalg.qr(both).Q


def _of_gammas(labels: Labels, gammas: int) -> Tensor:
    """(gammas,) about the posterior deviation of each order effect, doubled, for L-BFGS to walk in."""
    total = labels.weight.sum()[None] + 4
    own = torch.zeros(max(gammas - 1, 0))
    if gammas > 1:
        known = labels.rater >= 0
        own = own.index_add_(0, labels.rater[known], labels.weight[known]) + 4 / RATER_SPREAD**2
    return 2 / torch.cat([total, own])[:gammas].sqrt()


def _with_mlp(problem: Problem, l2: float, linear: Head) -> Head:
    """The linear head with a hidden layer added, which at the start adds nothing. Every weight has the same prior."""
    x, labels, hidden = problem.x, problem.labels, problem.recipe.heads.hidden
    draw = torch.Generator().manual_seed(problem.recipe.tuning.seed)
    into = torch.randn(hidden, x.shape[1], generator=draw) / x.square().sum(1).mean().clamp(min=1e-6).sqrt()
    parts = [linear.weights, into.flatten(), torch.randn(hidden, generator=draw), torch.zeros(hidden)]
    sizes, unit = [len(part) for part in parts], l2**-0.5

    def head(point: Tensor) -> Head:
        weights, into, bias, out = (point * unit).split(sizes)
        mlp = Mlp(into.view(1, hidden, -1), bias[None], out[None], x.new_zeros(x.shape[1]))
        return Head(weights, linear.bias, linear.learned, mlp)

    def loss(point: Tensor) -> tuple[Tensor, Tensor]:
        found = head(point)
        scores = found(x)
        return problem.of(scores, labels, linear.learned) + point.square().sum() / 2, scores

    found = head(fitting.minimise(loss, torch.cat(parts) / unit, most=_MLP_STEPS, change=1e-4))
    return replace(found, bias=linear.bias - found.mlp(x).mean())  # members are compared, so all have one origin


def _members(problem: Problem, l2: float, white: Tensor, whole: Head) -> list[Head]:
    """One head on all verdicts; or several, each on prompts drawn with replacement."""
    count, seed = problem.recipe.extras.members, problem.recipe.tuning.seed
    if count == 1:
        return [whole]
    groups = [problem.groups[n] for n in problem.labels.first.tolist()]
    return [
        solve(_drawn(problem, often, seed + n), l2, white, near=whole)
        for n, often in enumerate(ensemble.bootstrap(groups, count, seed))
    ]


def _drawn(problem: Problem, often: Tensor, seed: int) -> Problem:
    """Each verdict as often as it was drawn, and another start of the mlp."""
    labels = replace(problem.labels, weight=problem.labels.weight * often).some(often > 0)
    tuning = problem.recipe.tuning.model_copy(update={"seed": seed})
    return replace(problem, labels=labels, recipe=problem.recipe.model_copy(update={"tuning": tuning}))


# ---- What was not seen


def _gram(problem: Problem) -> Tensor:
    """(d, d) Σ over pairs of (x₁ − x₂)(x₁ − x₂)ᵀ, by way of their examples where these are fewer than half of them."""
    pairs, named = problem.pairs.within()
    x = problem.x[named]
    apart = x[pairs.first] - x[pairs.second]
    if len(x) > len(apart) / 2:
        return apart.T @ apart
    return x.T @ torch.zeros_like(x).index_add_(0, pairs.first, apart).index_add_(0, pairs.second, apart, alpha=-1)


def _strength(problem: Problem, choices: tuple[float, ...], report: Report) -> float:
    """The prior precision that predicts held-out folds best, tried on at most _TRIED pairs, at its best temperature.

    A precision does not depend on the number of pairs, so a part of them is enough to choose it; nor on how members are
    drawn or on an mlp, so a linear head is tried.
    """
    plain = problem.recipe.model_copy(
        update={
            "extras": problem.recipe.extras.model_copy(update={"members": 1, "odin": False}),
            "heads": problem.recipe.heads.model_copy(update={"head": "logistic"}),
        }
    )
    tried, losses = replace(problem.first(_TRIED), recipe=plain), []
    gram = _gram(tried)
    for n, l2 in enumerate(choices):
        report("tune", n, len(choices), {})
        margin = margins(_cross_fit(tried, l2, fitting.whitening(gram, l2))[:, 0], tried.pairs)
        tau = fitting.temperature(margin, tried.pairs.p, tried.pairs.weight)
        losses.append(float((tried.pairs.weight * cross_entropy(margin / tau, tried.pairs.p)).sum()))
    return choices[int(np.argmin(losses))]


def _cross_fit(problem: Problem, l2: float, white: Tensor) -> Tensor:
    """(examples, members) scores by heads that did not see the example's prompt; 0 where nothing could be fitted."""
    scores = torch.zeros(len(problem.x), problem.recipe.extras.members)
    for n in problem.fold[problem.labels.first].unique().tolist():
        own, held = problem.without(n), problem.fold == n
        if len(own.labels):
            whole = solve(own, l2, white)
            for m, head in enumerate(_members(own, l2, white, whole)):
                scores[held, m] = head(problem.x[held])
    return scores


def margins(scores: Tensor, pairs: Labels) -> Tensor:
    """(pairs,) score(first) − score(second)"""
    return scores[pairs.first] - scores[pairs.second]


def length_row(members: list[Head], center: Tensor, scale: Tensor) -> Linear:
    """ODIN's length head, the mean of the members', as one row of the inputs as they came."""
    weights = torch.stack([one.length * scale for one in members]).mean(0)[None]
    return Linear(weights, center, torch.zeros(1))


def as_rows(members: list[Head], center: Tensor, scale: Tensor) -> tuple[Linear, Mlp | None]:
    """The members as one map of the inputs as they came: x was (input − center) · scale."""
    linear = Linear(
        torch.stack([one.weights * scale for one in members]), center, torch.stack([m.bias for m in members])
    )
    if members[0].mlp is None:
        return linear, None
    into, bias, out = (torch.cat([getattr(one.mlp, name) for one in members]) for name in ("into", "bias", "out"))
    return linear, Mlp(into * scale, bias, out, center.clone())  # a file holds no tensor twice
