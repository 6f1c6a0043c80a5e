"""What is known of a fitted model: its predictions on what it never saw, and how the fit came out."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from . import heads, labels, steps, targets
from .cache import Embedded
from .gating import Gated
from .heads import RewardModel
from .preference import Fitted, Problem
from .types import Dataset, HeldOut

ALIKE = 1e-6  # by which embeddings of the same tokens may differ


def held_out(model: RewardModel, data: Dataset, embedded: Embedded, prompts: Tensor | None = None) -> HeldOut:
    """What the model says of the test comparisons, and of spans, ratings and steps of the held-out groups."""
    scores, place = model(embedded, prompts).numpy(), {head: n for n, head in enumerate(model.heads)}
    held, test = targets.held(data), labels.pairs(data.test)
    first, second = test.first.numpy(), test.second.numpy()
    named = [key for key in data.criteria if f"attribute:{key}" in place]
    table, overall = targets.ratings(data, named), targets.overall(targets.ratings(data, data.criteria))
    return HeldOut(
        scores[first, 0] - scores[second, 0],
        test.p.numpy(),
        first,
        second,
        _segments(model, data, embedded, held),
        {key: _known(scores[:, place[f"attribute:{key}"]], table[:, n], held) for n, key in enumerate(named)},
        _steps(model, data, embedded, held) if model.step else None,
        {
            head.removeprefix("quantile:"): _known(scores[:, n], overall, held)
            for head, n in place.items()
            if head.startswith("quantile:")
        },
    )


def _known(predicted: np.ndarray, said: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(predicted, said) of the held-out examples that somebody said something of."""
    known = held & ~np.isnan(said)
    return predicted[known], said[known]


def _segments(
    model: RewardModel, data: Dataset, embedded: Embedded, held: np.ndarray
) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
    found = targets.segment_labels(data, targets.bounds(embedded), ~held, model.categories)
    logits = model.logits(embedded).numpy()
    known = found >= 0
    return {key: (logits[known[:, n], n], found[known[:, n], n]) for n, key in enumerate(model.categories)}


def _steps(model: RewardModel, data: Dataset, embedded: Embedded, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(P(not wrong), label) of each held-out step."""
    label = targets.step_labels(data, targets.bounds(embedded), ~held)
    chance = steps.right(model.step(heads.segment_inputs(embedded))).exp().numpy()
    return chance[~np.isnan(label)], label[~np.isnan(label)]


def info(
    data: Dataset,
    embedded: Embedded,
    found: Fitted | Gated,
    model: RewardModel,
    problem: Problem,
    prompts: Tensor | None,
) -> dict[str, object]:
    """What is worth knowing of the fit, as plain values.

    loss: by step, the mean over weights · step0_loss: Bradley–Terry before the first step, which is ln 2 ·
    order_gamma: shared log-odds for the first shown, order_by_rater: each rater's; order_error and
    order_error_by_rater: their standard errors, only where the recipe learns any · tie_theta or tie_nu: the
    threshold · member_correlation: the mean Pearson r between members' scores of the training examples · reliability:
    what the raters' verdicts were weighed by · read_alike: compared pairs of different texts and equal tokens.
    """
    wanted = [f"attribute:{key}" for key in data.criteria if model.extras.attributes]
    wanted += [f"segment:{key}" for key in data.categories if model.extras.segments]
    said = {
        "order_gamma": float(found.learned.gamma[0]) if len(found.learned.gamma) else 0.0,
        "temperature": model.temperature,
        "loss": found.curve,
        "step0_loss": found.untrained,
        "truncated": int((embedded.sizes[:, 2] > 0).sum()),
        "read_alike": _read_alike(data, embedded.pooled),
        "without_head": [name for name in wanted if name not in model.heads],
    }
    said |= _ties(found, problem) | _order(found, problem.labels.raters)
    inside = problem.fold >= 0
    if model.members > 1:
        said["member_correlation"] = _likeness(model.table(embedded)[inside, : model.members])
    if problem.recipe.preference.reliability:
        said["reliability"] = dict(data.reliability)
    if isinstance(found, Gated):
        return said | {"gate": _gate(found, model, prompts[inside])}
    return said | {"l2": found.l2}


def _order(found: Fitted | Gated, raters: Sequence[str]) -> dict[str, object]:
    """How sure γ is, and each rater's own where raters have one."""
    if not len(found.order_error):
        return {}
    shared, *errors = found.order_error.tolist()
    if not errors:
        return {"order_error": shared}
    each = found.learned.order(torch.arange(len(raters))).tolist()
    by_rater = {"order_by_rater": each, "order_error_by_rater": errors}
    return {"order_error": shared} | {name: dict(zip(raters, them, strict=True)) for name, them in by_rater.items()}


def _read_alike(data: Dataset, pooled: np.ndarray) -> int:
    """By their embeddings, of which the first number tells nearly all pairs apart."""
    first, second = targets.of_different_texts(data).T
    near = np.abs(pooled[first, 0] - pooled[second, 0]) < ALIKE
    return int((np.abs(pooled[first[near]] - pooled[second[near]]) < ALIKE).all(1).sum())


def _ties(found: Fitted | Gated, problem: Problem) -> dict[str, float]:
    """θ = e^α of Rao and Kupper, 1 where nothing is tied; ν of Davidson, then 0."""
    threshold = float(found.learned.threshold)
    if problem.recipe.preference.objective == "davidson":
        return {"tie_nu": threshold}
    return {"tie_theta": float(np.exp(threshold))}


def _likeness(members: Tensor) -> float:
    table = np.corrcoef(members.numpy().T)
    return float(table[~np.eye(len(table), dtype=bool)].mean())


def _gate(found: Gated, model: RewardModel, prompts: Tensor) -> dict[str, object]:
    """By criterion: λ, how much verbosity was taken out of it, and its mean share over the training prompts."""
    names = [model.rows[n - model.members].removeprefix("attribute:") for n in model.attributes]
    mixed = [name for name, taken in zip(names, found.taken, strict=True) if taken < 1]  # 1: verbosity itself
    shares = found.gate.weights(prompts).mean(0).tolist()
    return {
        "strength": float(found.gate.strength),
        "taken": {name: taken for name, taken in zip(names, found.taken.tolist(), strict=True) if name in mixed},
        "share": dict(zip(mixed, shares, strict=True)),
    }
