"""Which view a model has."""

from ..heads import RewardModel
from ..tuned import TunedModel
from ..types import Example
from . import frozen, moved
from .view import View


def at(model: RewardModel | TunedModel, example: Example, head: str) -> View:
    """One forward pass of the text, and one of its prompt where a gate wants that."""
    return (moved if isinstance(model, TunedModel) else frozen).view(model, example, head)
