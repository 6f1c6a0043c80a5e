"""A score split exactly where the head is linear near the text and reads many tokens."""

from ..heads import RewardModel
from ..tuned import TunedModel
from ..types import Example, TokenAttribution
from . import look


def exact(model: RewardModel | TunedModel, example: Example, head: str) -> TokenAttribution:
    """Each token's part of each mean, and an equal part of its segment's features.

    Relative to the average training example for heads on frozen embeddings, and to hidden states of 0 for fine-tunes.
    No residual but rounding.
    """
    view = look.at(model, example, head)
    near, hidden, pool = view.linear, view.hidden.cpu(), view.pool().cpu()
    rows, center = near.rows.cpu(), near.center.cpu()
    each = hidden @ rows.T - (rows * center).sum(1)  # (tokens, rows)
    values = (pool.T * each).sum(1)
    spread = pool[len(pool) - len(near.of_segments) :]  # each segment's row sums to 1 over its tokens
    return view.told("exact", values + spread.T @ near.of_segments.sum(1), near.named, near.constant)
