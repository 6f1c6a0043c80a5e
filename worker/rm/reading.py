"""Examples as a tuned backbone reads them: token ids, and which tokens each head looks at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .embed import segment_bounds
from .encode import Encoded, Encoder
from .segments import of_tokens
from .types import Example

_SLICE = 2048  # examples tokenised at a time


@dataclass(frozen=True)
class Input:
    """One example."""

    group: str
    ids: tuple[int, ...]
    bounds: np.ndarray  # (segments, 2) code points into the response
    spans: np.ndarray  # (segments, 2) token positions, end exclusive
    tokens: int  # of the response
    cut: int  # tokens lost to max_length


def inputs(encoder: Encoder, examples: Sequence[Example], rule: str) -> list[Input]:
    """In the order of the examples; `rule` is a key of segments.RULES."""
    found = []
    for start in range(0, len(examples), _SLICE):
        part = examples[start : start + _SLICE]
        found += [of(example, one, rule) for example, one in zip(part, encoder.encode_all(part), strict=True)]
    return found


def of(example: Example, encoded: Encoded, rule: str) -> Input:
    """One that is encoded already."""
    bounds = segment_bounds(example, encoded, rule)
    read = spans(bounds, encoded.offsets) + encoded.response_span[0]
    return Input(example.group, encoded.ids, bounds, read, encoded.tokens, encoded.cut)


def spans(bounds: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(segments, 2) response tokens of each segment."""
    if not len(bounds):
        return np.empty((0, 2), dtype=np.int64)
    ends = np.bincount(of_tokens(bounds, offsets), minlength=len(bounds)).cumsum()
    return np.stack([np.r_[0, ends[:-1]], ends], 1)


def whole(places: np.ndarray, pooling: str) -> np.ndarray:
    """The places of the whole input's tokens that are pooled."""
    return {"last": places[-1:], "cls": places[:1], "mean": places}[pooling]


def pooled(hidden: Tensor, picked: Sequence[np.ndarray]) -> Tensor:
    """(reads, dim) means of hidden (places, dim) over the places of each read."""
    if not picked:
        return hidden.new_zeros(0, hidden.shape[1])
    counts = np.array([len(one) for one in picked])
    own = hidden.index_select(0, torch.from_numpy(np.concatenate(picked)).to(hidden.device))
    if (counts == 1).all():
        return own
    read = torch.from_numpy(np.repeat(np.arange(len(counts)), counts)).to(hidden.device)
    total = hidden.new_zeros(len(counts), hidden.shape[1]).index_add(0, read, own)
    return total / torch.from_numpy(counts).to(hidden)[:, None]
