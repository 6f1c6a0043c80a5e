"""Step rewards: what people said of a response's steps, by segment, and one score from the scores of its steps."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from .types import StepLabel

CLASSES = (-1, 0, 1)  # wrong, neutral, right: the columns of a step head


def label(bounds: np.ndarray, steps: Sequence[StepLabel]) -> np.ndarray:
    """(segments,) the label of the step that covers most of each segment; NaN where none does.

    A scored response comes without steps, so a step is read by the segments it is made of: the rules of segments.py cut
    at line and sentence ends, where steps end.
    """
    found = np.full(len(bounds), np.nan)
    most = np.zeros(len(bounds))
    for step in steps:
        covered = np.minimum(bounds[:, 1], step.end) - np.maximum(bounds[:, 0], step.start)
        found[covered > most] = step.label
        most = np.maximum(most, covered)
    return found


def right(logits: Tensor) -> Tensor:
    """(n,) ln P(the step is not wrong) of (n, 3) logits: a neutral step counts as right. PRM800K, arXiv 2305.20050."""
    return logsigmoid(logits[:, 1:].logsumexp(1) - logits[:, 0])


def aggregate(logits: Tensor, owner: Tensor, count: int, how: str) -> Tensor:
    """(count,) one probability per response, of the logits (n, 3) of its steps, which lie in the order of `owner` (n,).

    "product": that all are right · "min": that the weakest is · "last": that the last is. Without steps it is 1.
    """
    return _AGGREGATES[how](right(logits), owner, logits.new_zeros(count)).exp()


def _last(logs: Tensor, owner: Tensor, start: Tensor) -> Tensor:
    closing = torch.ones(len(owner), dtype=torch.bool, device=owner.device)
    closing[:-1] = owner[1:] != owner[:-1]
    return start.index_add(0, owner[closing], logs[closing])


_AGGREGATES = {
    "product": lambda logs, owner, start: start.index_add(0, owner, logs),
    "min": lambda logs, owner, start: start.scatter_reduce(0, owner, logs, "amin"),
    "last": _last,
}
