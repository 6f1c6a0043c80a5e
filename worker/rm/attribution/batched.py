"""Many texts read in batches, to be explained one by one: the forward passes are most of the time.

Paths are walked one by one, too: the nodes of one fill a batch by themselves, and two of 64 tokens or more together
took as long as one after the other (on two cores: 0.83 s and 0.86 s for 64 tokens, 3.4 s and 3.1 s for 256).
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import torch

from .. import batching
from ..backbone import Backbone
from ..encode import Encoded
from ..ensemble_runs import Ensemble
from ..types import Example
from . import known
from .view import attention, backbone_of
from .worth import Model, reader

_SLICE = 512  # examples tokenised at a time
SHORT = 0.75  # of the longest in a batch


def batched(model: Model, examples: Sequence[Example]) -> Iterator[list[int]]:
    """Positions of the examples in batches of similar length; while a batch is in hand, its texts are read already."""
    for start in range(0, len(examples), _SLICE):
        part = examples[start : start + _SLICE]
        lengths = [len(one.ids) for one in reader(model).encoder.encode_all(part)]
        for batch in _similar(lengths, batching.TOKENS[reader(model).device.type]):
            with ExitStack() as stack:
                for backbone in _backbones(model):
                    _read(stack, backbone, backbone.encoder.encode_all([part[n] for n in batch]))
                yield [start + n for n in batch]


def _similar(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Positions in batches that are cut where a text is much shorter than the longest: little of one is padding."""
    for batch in batching.by_tokens(lengths, budget):
        start = 0
        for n in range(1, len(batch) + 1):
            if n == len(batch) or lengths[batch[n]] < SHORT * lengths[batch[start]]:
                yield batch[start:n]
                start = n


def _backbones(model: Model) -> list[Backbone]:
    """Each once: members of an ensemble may share theirs."""
    members = model.members if isinstance(model, Ensemble) else (model,)
    found = [backbone_of(one) for one in members]
    return list({(id(one.model), one.encoder.hash): one for one in found}.values())


@torch.no_grad()
def _read(stack: ExitStack, backbone: Backbone, texts: list[Encoded]) -> None:
    began = time.perf_counter()
    ids, mask = backbone.pad([one.ids for one in texts])
    with attention(backbone, ids.shape[1]):
        hidden = backbone.hidden(mask, input_ids=ids)
    stack.enter_context(known.kept(backbone, texts, hidden, time.perf_counter() - began))
