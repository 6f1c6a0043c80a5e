"""What a training run reads, worked out before it starts: inputs, verdicts by prompt group, and all else said."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from . import batching, ensemble, joint, labels, targets
from .joint import Said
from .labels import Labels
from .network import RewardNetwork, Shape
from .reading import Input
from .recipe import Recipe
from .types import Comparison, Dataset


@dataclass(frozen=True)
class Group:
    """A prompt's training examples and the verdicts on them, as positions."""

    examples: tuple[int, ...]
    verdicts: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    inputs: Sequence[Input]  # of all examples
    labels: Labels  # members are positions of examples
    pairs: Labels  # the same verdicts as plain pairs
    drawn: Tensor  # (members, verdicts) how often each member counts each
    said: Said
    shape: Shape
    groups: Sequence[Group]
    held: Sequence[Comparison]  # verdicts on held-out prompts, to be looked at while it runs

    def steps(self, recipe: Recipe) -> list[list[int]]:
        """Groups of every step of every epoch."""
        counts = [len(group.verdicts) for group in self.groups]
        lengths = [max(len(self.inputs[n].ids) for n in group.examples) for group in self.groups]
        own = recipe.tuning
        return [
            step
            for epoch in range(own.epochs)
            for step in batching.steps(counts, lengths, own.pairs_per_step, f"{own.seed} {epoch}")
        ]

    def begin_heads(self, network: RewardNetwork) -> None:
        """Ratings are predicted by their mean, quantiles by their level, before anything is learnt."""
        if self.shape.criteria:
            network.heads["attributes"].bias.data.copy_(self.said.ratings.nanmean(0))
        if self.shape.quantiles:
            rated = self.said.overall[~self.said.overall.isnan()]
            network.heads["quantiles"].bias.data.copy_(torch.quantile(rated, torch.tensor(self.shape.quantiles)))

    def fingerprint(self, recipe: Recipe, start: str) -> str:
        """Changes with anything that a training curve depends on; `start` stands for the weights it begins with."""
        own = self.labels
        tensors = [own.members, own.target, own.place, own.tie, own.weight, own.strength, own.rater, self.drawn]
        more = [self.said.ratings, self.said.overall, *self.said.segments, *self.said.steps]
        found = hashlib.sha256(json.dumps([start, recipe.model_dump(mode="json")]).encode())
        for one in self.inputs:
            found.update(repr(one.ids).encode())
        for value in [*tensors, *more]:
            found.update(value.contiguous().numpy().tobytes())
        return found.hexdigest()


def plan(data: Dataset, inputs: Sequence[Input], recipe: Recipe) -> Plan:
    """Raises ValueError where there is no comparison to train on."""
    own = labels.of(data, recipe.preference)
    said, shape = joint.said(data, inputs, recipe)
    names = [data.examples[n].group for n in own.first.tolist()]
    many = recipe.extras.members
    drawn = ensemble.bootstrap(names, many, recipe.tuning.seed) if many > 1 else torch.ones(1, len(own))
    return Plan(inputs, own, labels.pairs(data.train), drawn, said, shape, _groups(data, own, said), data.test)


def _groups(data: Dataset, own: Labels, said: Said) -> list[Group]:
    """By the prompt of a verdict's first response; what says something without a verdict goes with its own prompt."""
    verdicts, examples = defaultdict(list), defaultdict(set)
    for n, members in enumerate(own.members.tolist()):
        name = data.examples[members[0]].group
        verdicts[name].append(n)
        examples[name] |= {member for member in members if member >= 0}
    for n in (said.any() & ~torch.from_numpy(targets.held(data))).nonzero()[:, 0].tolist():
        examples[data.examples[n].group].add(n)
    return [Group(tuple(sorted(examples[name])), tuple(verdicts[name])) for name in sorted(examples)]


def within(own: Labels, examples: Sequence[int], device: torch.device | str = "cpu") -> Labels:
    """Labels on the device whose members count from 0 in `examples`, which must hold all of them."""
    place = {n: k for k, n in enumerate(examples)} | {-1: -1}
    members = torch.tensor([[place[n] for n in row] for row in own.members.tolist()], dtype=torch.long)
    tensors = {one.name: getattr(own, one.name) for one in fields(own) if one.name != "raters"}
    tensors["members"] = members.view_as(own.members)
    return replace(own, **{name: value.to(device) for name, value in tensors.items()})
