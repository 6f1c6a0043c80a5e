"""Where a score comes from, in several ways; worker.explain says of each what its values mean and what they cost."""

from dataclasses import replace
from functools import partial

from ..ensemble_runs import Ensemble
from ..heads import RewardModel
from ..tuned import TunedModel
from ..types import PREFERENCE, Example, Report, TokenAttribution, silent
from . import cost, view
from .abc import abc
from .exact import exact
from .frozen import LENGTH
from .layers import layers
from .loo import loo
from .members import by_members
from .path import integrated, slope
from .prefix import prefix
from .probe import probe
from .shapley import shapley

__all__ = ["LENGTH", "METHODS", "attribute", "methods"]

# Each is a function (model, example, head) → TokenAttribution; the order is that of `methods`.
METHODS = {
    "exact": exact,
    "ig": integrated,
    "grad": slope,
    "layers": layers,
    "prefix": prefix,
    "probe": probe,
    "loo": loo,
    "shapley": shapley,
    "abc": abc,
}
BY_SCORES = {"loo", "shapley"}  # many texts scored: possible for every head of every model
SLOW = BY_SCORES | {"probe"}  # slow enough to report
OF_MEMBERS = {"exact", "ig", "grad", "layers", "prefix", "probe"}  # an ensemble's are made of its members'


def methods(model: RewardModel | TunedModel | Ensemble, head: str) -> tuple[str, ...]:
    """The keys of METHODS that a head's score can be taken apart by.

    A disagreement has no share of a token, nor has an ensemble's mean less its variance: those are scored alone.
    """
    if head == "disagreement" or (isinstance(model, Ensemble) and head == PREFERENCE and model.extras.combine == "uwo"):
        able = BY_SCORES
    elif isinstance(model, Ensemble):
        members = model.members if head == PREFERENCE else [model.members[int(head.removeprefix("member:"))]]
        able = BY_SCORES | OF_MEMBERS.intersection(*(methods(one, PREFERENCE) for one in members))
    else:
        able = BY_SCORES | {"ig", "grad", "layers", "probe", "abc"}
        able |= {"exact"} if view.linear(model, head) and view.spread(model, head) else set()
        able |= {"prefix"} if view.backbone_of(model).encoder.causal else set()
    return tuple(key for key in METHODS if key in able)


def attribute(
    model: RewardModel | TunedModel | Ensemble,
    example: Example,
    head: str,
    method: str = "exact",
    report: Report = silent,
) -> TokenAttribution:
    """Split one head's score of one example by one of METHODS; baseline + Σ features + Σ tokens + residual = score.

    `cost` says how many tokens the backbone read and how long it took. Raises ValueError for an unknown head, and for a
    method that it cannot be split by. `report` hears of the texts that a method by scores scores.
    """
    if head not in model.heads:
        raise ValueError(f"no head {head!r}; there are {', '.join(model.heads)}")
    if method not in (possible := methods(model, head)):
        raise ValueError(_why(head, method, possible))
    own = {"report": report} if method in SLOW else {}
    one = partial(METHODS[method], **own)
    with cost.metered(model) as spent:
        mixed = isinstance(model, Ensemble) and method in OF_MEMBERS
        found = by_members(model, example, head, one) if mixed else one(model, example, head)
    return replace(found, cost=dict(found.cost) | spent)


def _why(head: str, method: str, possible: tuple[str, ...]) -> str:
    if method == "exact" and "ig" in possible:
        return f"{head} is not linear near an example, so it has no exact split: take integrated gradients"
    if method == "prefix" and "probe" in possible:
        return "an encoder reads backwards, too, so it has no score at each token: take the end-token probe"
    return f"{head} cannot be split by {method}; there are {', '.join(possible)}: look at what it is made of"
