"""The loss of a joint model on some prompt groups: preference, attributes, quantiles, segments, steps, ODIN's length.

Each part is a mean over what was said in the whole step, so a step may be taken in pieces whose losses add up. Only
ODIN's correlations go over a piece and the queue before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from . import auxiliary, ensemble, objectives, targets
from .labels import Labels
from .network import Outputs, RewardNetwork, Shape
from .objectives import Learned
from .reading import Input
from .recipe import Recipe
from .types import Dataset


@dataclass(frozen=True)
class Said:
    """What is known of n examples beside the verdicts; NaN or −1 where nothing is."""

    ratings: Tensor  # (n, criteria)
    overall: Tensor  # (n,) mean rating
    segments: tuple[Tensor, ...]  # per example (its segments, categories)
    balance: tuple[Tensor, ...]  # the same shape
    steps: tuple[Tensor, ...]  # per example (its segments,)

    def some(self, picked: Sequence[int]) -> "Said":
        several = ([own[n] for n in picked] for own in (self.segments, self.balance, self.steps))
        return Said(self.ratings[list(picked)], self.overall[list(picked)], *map(tuple, several))

    def any(self) -> Tensor:
        """(n,) whether an example teaches something besides its verdicts."""
        own = [bool((a >= 0).any() or (~b.isnan()).any()) for a, b in zip(self.segments, self.steps, strict=True)]
        return (~self.ratings.isnan()).any(1) | ~self.overall.isnan() | torch.tensor(own, dtype=torch.bool)


def said(data: Dataset, inputs: Sequence[Input], recipe: Recipe) -> tuple[Said, Shape]:
    """Of the training examples, and the heads that can be learnt from it."""
    extras, held = recipe.extras, targets.held(data)
    table = targets.ratings(data, data.criteria)
    table[held] = np.nan
    criteria = targets.told_apart(table, data.criteria) if extras.attributes else []
    ratings = torch.from_numpy(table[:, [data.criteria.index(key) for key in criteria]])
    overall = torch.from_numpy(targets.overall(table) if extras.quantiles else np.full(len(table), np.nan, np.float32))
    bounds = [one.bounds for one in inputs]
    labels = targets.segment_labels(data, bounds, held, data.categories)
    columns = targets.seen_both_ways(labels, data.categories) if extras.segments else []
    flaws = torch.from_numpy(labels[:, columns].astype(np.int8))
    step = torch.from_numpy(targets.step_labels(data, bounds, held))
    step = step if extras.steps else torch.full_like(step, torch.nan)
    sizes = [len(own) for own in bounds]
    found = Said(ratings, overall, flaws.split(sizes), auxiliary.balance(flaws).float().split(sizes), step.split(sizes))
    return found, Shape(
        members=extras.members,
        criteria=tuple(criteria),
        categories=tuple(data.categories[n] for n in columns),
        quantiles=extras.quantiles if bool((~overall.isnan()).any()) else (),
        steps=bool((~step.isnan()).any()),
        length=extras.odin,
    )


@dataclass
class Totals:
    """Of a step: what each part of the loss is a mean over."""

    weight: float
    ratings: float
    overall: float
    segments: float
    steps: float
    everything: float  # weight of all verdicts, over which a prior is spread

    @classmethod
    def of(cls, labels: Labels, known: Said, everything: float) -> "Totals":
        count = lambda parts: float(sum(float(auxiliary.said(part)) for part in parts))  # noqa: E731
        balance = float(sum(float(part.sum()) for part in known.balance))
        return cls(
            float(labels.weight.sum()),
            count([known.ratings]),
            count([known.overall]),
            balance,
            count(known.steps),
            everything,
        )


def loss(
    network: RewardNetwork,
    outputs: Outputs,
    labels: Labels,
    drawn: Tensor,
    known: Said,
    tokens: Tensor,
    learned: Learned,
    recipe: Recipe,
    totals: Totals,
    queue: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """The whole loss, its preference part, and ODIN's next queue.

    labels name rows of outputs; drawn (members, n) is how often each member counts each verdict.
    """
    extras, device = recipe.extras, outputs.members.device
    preference = outputs.members.new_zeros(())
    for own, often in zip(outputs.members.T, drawn, strict=True):
        mine = replace(labels, weight=labels.weight * often)
        preference = preference + objectives.preference_loss(own + outputs.length, mine, learned, recipe.preference)
    preference = preference / (len(drawn) * max(totals.weight, 1e-12)) if len(labels) else preference
    total = preference
    if len(labels):
        total = total + objectives.prior(learned) * float(labels.weight.sum()) / max(totals.weight, 1e-12) / max(
            totals.everything, 1e-12
        )
    if totals.ratings:
        error = auxiliary.attributes(outputs.attributes, known.ratings.to(device))
        total = total + extras.attributes * error / totals.ratings
    if totals.overall:
        levels = torch.tensor(network.shape.quantiles, device=device)
        total = total + auxiliary.quantiles(outputs.quantiles, known.overall.to(device), levels) / totals.overall
    if totals.segments:
        flaws, weights = torch.cat(known.segments).to(device), torch.cat(known.balance).to(device)
        total = total + extras.segments * auxiliary.segments(outputs.segments, flaws, weights) / totals.segments
    if totals.steps:
        total = total + extras.steps * auxiliary.steps(outputs.steps, torch.cat(known.steps).to(device)) / totals.steps
    if network.shape.length:
        rows = torch.stack([network.heads["preference"].weight.mean(0), network.heads["length"].weight[0]])
        quality = ensemble.combine(outputs.members, extras)
        penalty, queue = auxiliary.odin(quality, outputs.length, tokens.to(device), rows, queue)
        total = total + penalty * float(labels.weight.sum()) / max(totals.weight, 1e-12)
    return total, preference.detach(), queue
