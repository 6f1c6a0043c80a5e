"""Separately trained versions that score together, each by itself and on one scale.

arXiv 2310.02743 combines the raw rewards of equally trained members. Scores of separate runs have no common scale, so
each member's are standardised first, by the mean and the deviation of its own on its training examples.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import torch

from . import ensemble, labels, targets
from .heads import RewardModel
from .recipe import Encoding, Extras
from .training import Trained
from .tuned import TunedModel
from .types import PREFERENCE, Dataset, HeldOut, Scored


@dataclass(frozen=True)
class Ensemble:
    """One version out of several models of any kind. Tokens are counted as the first of them reads."""

    members: tuple[RewardModel | TunedModel, ...]
    extras: Extras  # how they are combined
    temperature: float = 1.0  # P(first preferred) = σ(Δ / temperature)
    mean: float = 0.0  # of the training examples' preference scores
    std: float = 1.0

    @property
    def backbone_name(self) -> str:
        return self.members[0].backbone_name

    @property
    def encode_hash(self) -> str:
        return self.members[0].encode_hash

    @property
    def encoding(self) -> Encoding:
        return self.members[0].encoding

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the scores, in their order."""
        return (PREFERENCE, *(f"member:{n}" for n in range(len(self.members))), "disagreement")


def of(models: Sequence[RewardModel | TunedModel], extras: Extras) -> Ensemble:
    """Its temperature is that at which members of one opinion give the mean of their log-odds: K / Σ (std / τ).

    Raises ValueError for fewer than two, and where one is an ensemble of versions itself.
    """
    if len(models) < 2 or len(models) != extras.members:
        raise ValueError(f"an ensemble of {extras.members} versions cannot be made of {len(models)}")
    if any(isinstance(one, Ensemble) for one in models):
        raise ValueError("An ensemble of versions cannot be a member of another: choose its members.")
    return Ensemble(tuple(models), extras, temperature=1 / fmean(spread(one) / one.temperature for one in models))


def combined(model: Ensemble, found: Sequence[Scored]) -> Scored:
    """One score of each example out of what each member says of it; cut where any member had to cut."""
    raw = [torch.from_numpy(np.ascontiguousarray(one.heads[PREFERENCE])) for one in found]
    own = torch.stack([(x - one.mean) / spread(one) for x, one in zip(raw, model.members, strict=True)], 1)
    columns = [ensemble.combine(own, model.extras), *own.T, ensemble.disagreement(own)]
    heads = {name: column.numpy() for name, column in zip(model.heads, columns, strict=True)}
    return Scored(heads, found[0].tokens, np.any([one.truncated for one in found], 0))


def spread(model: RewardModel | TunedModel) -> float:
    """A model that gives every example the same has no scale."""
    return model.std or 1.0


def measured(model: Ensemble, data: Dataset, scored: Scored) -> Trained:
    """With the scale of its scores, and what it says of the held-out pairs; `scored` is of all of `data.examples`."""
    inside, values = ~targets.held(data), scored.heads[PREFERENCE]
    model = replace(model, mean=float(values[inside].mean()), std=float(values[inside].std()))
    test = labels.pairs(data.test)
    first, second = test.first.numpy(), test.second.numpy()
    held = HeldOut(values[first] - values[second], test.p.numpy(), first, second, {}, {})
    each = np.corrcoef([scored.heads[f"member:{n}"][inside] for n in range(len(model.members))])
    info = {
        "temperature": model.temperature,
        "truncated": int(scored.truncated.sum()),
        "member_correlation": float(each[~np.eye(len(each), dtype=bool)].mean()),
    }
    return Trained(model, held, {}, info)
