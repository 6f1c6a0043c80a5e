"""The score read at every token of a text that a causal backbone has read once."""

import torch
from torch import Tensor

from ..heads import RewardModel
from ..tuned import TunedModel
from ..types import Example, TokenAttribution
from . import look
from .view import View

_AT_ONCE = 64  # prefixes pooled together


def prefix(model: RewardModel | TunedModel, example: Example, head: str) -> TokenAttribution:
    """V_t − V_{t−1} of each token from the response on, V_t being read as if the text ended at token t.

    One pass: a causal state knows nothing of what follows. The values telescope to the score less the baseline, V
    before the response. Features are held fixed, and a segment that has not begun counts as the average one. Heads were
    trained on whole texts, so what they say of half a text is off their distribution.
    """
    view = look.at(model, example, head)
    begin, count = view.encoded.response_span[0], len(view.encoded.ids)
    with torch.no_grad():
        scores = torch.cat([_read(view, part) for part in torch.arange(begin, count + 1).split(_AT_ONCE)]).double()
    values = torch.zeros(count, dtype=torch.double)
    values[begin:] = scores.diff()
    return view.told("prefix", values, view.features, float(scores[0]) - sum(view.features.values()))


def _read(view: View, ends: Tensor) -> Tensor:
    """(n,) scores of what stands before each of the ends (n,)."""
    pools = torch.stack([view.pool(int(upto)) for upto in ends])
    unread = (pools.sum(2) == 0) & (view.pool().sum(1) > 0)  # (n, rows)
    pooled = pools @ view.hidden
    if view.linear:
        pooled = torch.where(unread[..., None], view.linear.center.to(pooled), pooled)
    return view.value(pooled)
