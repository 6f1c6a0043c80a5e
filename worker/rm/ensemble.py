"""Several preference heads in place of one: how they are made to differ, and what becomes of their scores.

Reward model ensembles help mitigate overoptimization, arXiv 2310.02743 eq. 3–5.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .recipe import Extras


def combine(members: Tensor, recipe: Extras) -> Tensor:
    """(n,) of the scores (n, K) of K members, row by row: the order of the responses is never touched."""
    return _COMBINED[recipe.combine](members, recipe)


def disagreement(members: Tensor) -> Tensor:
    """(n,) the population standard deviation of each response's K scores."""
    return members.std(1, correction=0)


# mean · WCO: the worst member · UWO: mean − λ·variance, that of the population as in the paper · a lower quantile
_COMBINED = {
    "mean": lambda members, _: members.mean(1),
    "wco": lambda members, _: members.amin(1),
    "uwo": lambda members, recipe: members.mean(1) - recipe.uwo_weight * members.var(1, correction=0),
    "quantile": lambda members, recipe: torch.quantile(members, recipe.quantile, dim=1),
}


def bootstrap(groups: Sequence[str], members: int, seed: int = 0) -> Tensor:
    """(members, n) how often each member counts each of n verdicts: prompts drawn with replacement, verdicts with them.

    Heads of a convex loss end at one point wherever they start and in whatever order they read, so their data differ.
    """
    names, place = np.unique(np.asarray(groups, dtype=object), return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=members)
    return torch.from_numpy(drawn[:, place.ravel()]).float()
