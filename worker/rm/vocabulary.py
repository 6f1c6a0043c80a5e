"""The rows of a word table that a data set reads, trained alone and put back at the end.

The others get no gradient, and without one Adam leaves a row where it is: what comes out is the same, and neither
gradients nor Adam's two moments are kept for tens of thousands of words that nobody wrote.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from .network import RewardNetwork
from .reading import Input


class Vocabulary:
    """While it is in place, the network reads inputs as `narrow` gives them."""

    def __init__(self, network: RewardNetwork, inputs: Sequence[Input]) -> None:
        self.model = network.model
        self.whole = self.model.get_input_embeddings()
        self.used = torch.unique(torch.tensor([token for one in inputs for token in one.ids]))
        self.place = dict(zip(self.used.tolist(), range(len(self.used)), strict=True))
        start = self.whole.weight.detach()[self.used.to(self.whole.weight.device)].clone()
        self.model.set_input_embeddings(nn.Embedding.from_pretrained(start, freeze=False))

    def narrow(self, one: Input) -> Input:
        return replace(one, ids=tuple(self.place[token] for token in one.ids))

    def put_back(self) -> None:
        rows = self.model.get_input_embeddings().weight.detach()
        self.whole.weight.data[self.used.to(rows.device)] = rows
        self.model.set_input_embeddings(self.whole)


def fits(network: RewardNetwork) -> bool:
    """Whether the table moves, is a plain one, and padding (a word of its own) is never read."""
    table = network.model.get_input_embeddings()
    return type(table) is nn.Embedding and table.weight.requires_grad and network.packed
