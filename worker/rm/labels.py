"""What people said of pairs and rankings, as tensors for objectives.py.

A verdict is a choice from a set of examples. A pair is a choice from two; a ranking of k is a choice from k, then from
the k − 1 left, and so on.

    of(data, recipe.preference)    the training verdicts as the objective wants them: pairs, or the choices of rankings
    labels.some(picked)            a batch of them
    labels.within()                the same labels over only the examples that they name, and which those are
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from math import comb
from statistics import fmean

import torch
from torch import Tensor

from .recipe import Preference
from .types import Comparison, Dataset, Ranking

_ALL_ORDERS = 6  # of a tied group: larger ones are averaged over their rotations


@dataclass(frozen=True)
class Labels:
    """n choices from sets of at most K examples; K is 2 for pairs."""

    members: Tensor  # (n, K) positions of examples, in the order shown; −1 fills smaller sets
    target: Tensor  # (n, K) the share with which each was chosen, ties shared out; rows sum to 1
    place: Tensor  # (n, K) where each was shown: 0 first
    tie: Tensor  # (n,) share of ties; of pairs alone
    weight: Tensor  # (n,)
    strength: Tensor  # (n,) 1 slightly … 3 much better; 0 where nobody said, and for ties; of pairs alone
    rater: Tensor  # (n,) position in raters; −1 where not known
    raters: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def first(self) -> Tensor:
        return self.members[:, 0]

    @property
    def second(self) -> Tensor:
        return self.members[:, 1]

    @property
    def p(self) -> Tensor:
        """(n,) the share of pairs with which the first was preferred, ties counted half."""
        return self.target[:, 0]

    def some(self, picked: Tensor) -> "Labels":
        """Those at the positions, or where a mask is set."""
        return Labels(*(getattr(self, one.name)[picked] for one in fields(self)[:-1]), self.raters)

    def within(self) -> tuple["Labels", Tensor]:
        """The same labels with members counted from 0, and (examples,) the positions they had."""
        named = torch.unique(self.members[self.members >= 0])
        members = torch.searchsorted(named, self.members.clamp(min=0)).where(self.members >= 0, -1)
        return replace(self, members=members), named


def of(data: Dataset, recipe: Preference) -> Labels:
    """The training verdicts. Raises ValueError when there are none, or none that weighs anything.

    Plackett–Luce reads the rankings where there are any, everything else the pairs.
    """
    if not data.train:
        raise ValueError("there is no comparison to train on")
    ranked = recipe.objective == "plackett_luce" and data.rankings
    found = choices(data.rankings) if ranked else pairs(data.train)
    found = relied(found, data.reliability) if recipe.reliability else found
    if recipe.soft_labels and found.members.shape[1] == 2:
        found = soft(found, by_rater=recipe.order == "rater")
    if not found.weight.sum() > 0:
        raise ValueError("no verdict weighs anything: their weights, or their raters' reliability, are all 0")
    return smoothed(found, recipe.smoothing) if recipe.smoothing else found


def pairs(comparisons: Sequence[Comparison]) -> Labels:
    """One choice from two for each comparison."""
    raters, number = _raters(comparisons)
    p = torch.tensor([one.p for one in comparisons])
    return Labels(
        members=torch.tensor([(one.first, one.second) for one in comparisons], dtype=torch.long).view(-1, 2),
        target=torch.stack([p, 1 - p], 1),
        place=torch.tensor([[0.0, 1.0]]).expand(len(p), 2),
        tie=(p == 0.5).float(),
        weight=torch.tensor([float(one.weight) for one in comparisons]),
        strength=torch.tensor([float(one.strength or 0) * (one.p != 0.5) for one in comparisons]),
        rater=number,
        raters=raters,
    )


def soft(labels: Labels, by_rater: bool = False) -> Labels:
    """One label for all verdicts on the same two in the same order shown: p = (wins + ½ ties) / n, counting n times.

    The optimum of every objective of decided pairs and ties is the same, over fewer rows; strengths are averaged over
    those who preferred one. `by_rater` keeps what different raters said apart, for order effects of their own.
    """
    key = torch.cat([labels.members, labels.rater[:, None] * by_rater], 1)
    _, group = torch.unique(key, dim=0, return_inverse=True)
    count = int(group.max()) + 1
    lead = torch.full((count,), len(labels)).scatter_reduce(0, group, torch.arange(len(labels)), "amin")
    total = _summed(labels.weight, group, count)
    mean = lambda of: _summed(labels.weight * of, group, count) / total.clamp(min=1e-12)  # noqa: E731
    p, said = mean(labels.p), (labels.strength > 0).to(labels.weight)
    found = labels.some(lead)
    return replace(
        found,
        target=torch.stack([p, 1 - p], 1),
        tie=mean(labels.tie),
        weight=total,
        strength=mean(labels.strength) / mean(said).clamp(min=1e-12) * (mean(said) > 0),
        rater=found.rater if by_rater else torch.full((count,), -1),
    )


def smoothed(labels: Labels, epsilon: float) -> Labels:
    """Label smoothing: p moved to (1−ε)p + ε(1−p); then the optimum for p = 1 is Δ = ln((1−ε)/ε).

    Of a choice from k, ε goes to the k − 1 others in equal parts.
    """
    there = (labels.members >= 0).to(labels.target)
    others = (1 - labels.target) / (there.sum(1, keepdim=True) - 1)
    return replace(labels, target=((1 - epsilon) * labels.target + epsilon * others) * there)


def relied(labels: Labels, reliability: Mapping[str, float]) -> Labels:
    """Weights times each rater's reliability; one of whom nothing is known counts as the mean of the others."""
    usual = fmean(reliability.values()) if reliability else 1.0
    each = torch.tensor([*(reliability.get(name, usual) for name in labels.raters), usual])
    return replace(labels, weight=labels.weight * each[labels.rater])


# ---- Rankings


def choices(rankings: Sequence[Ranking]) -> Labels:
    """The choices that rankings are made of. Their losses sum to that of Plackett and Luce.

    A tied group is averaged over all orders of its members; of a group of more than 6 over its rotations, in which each
    member takes each place once. What was shown and not ranked stays in every set and is never chosen.
    """
    raters, number = _raters(rankings)
    rows = [(n, *choice) for n, ranking in enumerate(rankings) for choice in _choices(ranking)]
    owner = torch.tensor([n for n, *_ in rows], dtype=torch.long)
    width = max((len(members) for _, members, _, _, _ in rows), default=2)
    table = lambda of, fill: torch.tensor([[*row, *[fill] * (width - len(row))] for row in of]).view(-1, width)  # noqa: E731
    return Labels(
        members=table((row[1] for row in rows), -1).long(),
        target=table((row[2] for row in rows), 0.0).float(),
        place=table((row[3] for row in rows), 0.0).float(),
        tie=torch.zeros(len(rows)),
        weight=torch.tensor([float(rankings[n].weight * share) for n, _, _, _, share in rows]),
        strength=torch.zeros(len(rows)),
        rater=number[owner],
        raters=raters,
    )


def _choices(ranking: Ranking) -> Iterator[tuple[list[int], list[float], list[int], float]]:
    """(members, target, place, share): of each group, what is left of it, before all that ranks below."""
    ranked = {member for group in ranking.groups for member in group}
    below = {member for member in ranking.shown if member not in ranked}
    for group in reversed(ranking.groups):
        for left, share in _remainders(group):
            if len(left) + len(below) > 1:
                members = [member for member in ranking.shown if member in below or member in left]
                target = [(member in left) / len(left) for member in members]
                yield members, target, [ranking.shown.index(member) for member in members], share
        below |= set(group)


def _remainders(group: tuple[int, ...]) -> Iterator[tuple[set[int], float]]:
    """What is left of a group at each step and in what share of its orders; each of it is the next equally often."""
    size = len(group)
    for left in range(1, size + 1):
        if size <= _ALL_ORDERS:
            for some in combinations(group, left):
                yield set(some), 1 / comb(size, left)
        else:
            for begin in range(size if left < size else 1):
                yield {group[(begin + n) % size] for n in range(left)}, 1 / (size if left < size else 1)


# ---- Raters


def _raters(said: Sequence[Comparison | Ranking]) -> tuple[tuple[str, ...], Tensor]:
    """Their names, and (n,) each one's place among them."""
    names = tuple(sorted({one.rater for one in said} - {""}))
    place = defaultdict(lambda: -1, {name: n for n, name in enumerate(names)})
    return names, torch.tensor([place[one.rater] for one in said], dtype=torch.long)


def _summed(values: Tensor, group: Tensor, count: int) -> Tensor:
    return values.new_zeros(count).index_add_(0, group, values)
