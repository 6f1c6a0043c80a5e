"""How a fine-tune does on held-out pairs while it runs: the live accuracy. It changes nothing in what is learnt."""

from collections.abc import Sequence

import torch

from . import ensemble
from .labels import Labels, pairs
from .network import RewardNetwork
from .plan import Plan, within
from .reading import Input
from .recipe import Recipe
from .tuned import forward
from .types import Comparison

PAIRS = 200  # looked at each time, of the decided ones
TIMES = 10  # at most, beside the whole held-out part at the end
SHARE = 0.05  # of the run's time at most; a token that is only read takes a third of one that is learnt from


def watched(test: Sequence[Comparison]) -> Labels:
    """At most PAIRS decided held-out pairs, spread evenly."""
    decided = [one for one in test if one.p != 0.5]
    return pairs(decided[:: max(1, -(-len(decided) // PAIRS))])


def moments(steps: int, learnt: int, read: int) -> set[int]:
    """After which steps to look, of 1 … `steps`, at equal distances and never at the end.

    `learnt` tokens are those of the whole run, `read` those of one look.
    """
    times = min(TIMES, steps - 1, int(3 * SHARE * learnt / max(read, 1)))
    return {n * steps // (times + 1) for n in range(1, times + 1)}


def moments_of(plan: Plan, recipe: Recipe, held: Labels, steps: int) -> set[int]:
    """Of a run; none where no held-out pair is decided."""
    examples = held.members.unique().tolist()
    learnt = sum(len(plan.inputs[n].ids) for group in plan.groups for n in group.examples) * recipe.tuning.epochs
    return moments(steps, learnt, sum(len(plan.inputs[n].ids) for n in examples)) if examples else set()


@torch.no_grad()
def look(network: RewardNetwork, inputs: Sequence[Input], labels: Labels, recipe: Recipe) -> dict[str, float]:
    """The share of the pairs whose scores have the label's sign, half for equal scores, and how many there are.

    Before length calibration, which is fitted at the end. The network is left in training.
    """
    held = labels.members.unique().tolist()
    own = within(labels, held)
    network.eval()
    scores = ensemble.combine(forward(network, [inputs[n] for n in held]).members, recipe.extras)
    network.train()
    margins = scores[own.first] - scores[own.second]
    credit = (1 + torch.sign(margins) * torch.sign(own.p - 0.5)) / 2
    return {"held_out_accuracy": float(credit.mean()), "held_out_pairs": len(own)}
