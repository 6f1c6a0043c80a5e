"""Sequences one behind the other in one row, without padding; those of one group may share the reading of their prompt.

Attention goes by blocks. A block of queries sees the keys of its own sequence: those of the same tokens, after those
of the shared prompt when there is one. Positions count on from the prompt, so every state is what it would be alone.
Sharing needs a causal backbone: there a prompt's states do not depend on what follows it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """Tokens [start, end) of the row; before them it sees those of [0, shared) counted from `prompt`."""

    start: int
    end: int
    prompt: int = 0
    shared: int = 0

    @property
    def keys(self) -> int:
        return self.shared + self.end - self.start


@dataclass(frozen=True)
class Packed:
    """One row of tokens, its blocks in order, and where each token of each sequence lies in it."""

    ids: list[int]
    blocks: list[Block]
    places: list[np.ndarray]  # per sequence, one place per token


def pack(sequences: Sequence[Ids], groups: Sequence[str] | None = None) -> Packed:
    """Each distinct sequence once; with `groups` (a name per sequence) what a group begins with is there once, too."""
    distinct = list(dict.fromkeys(zip(groups or [""] * len(sequences), sequences, strict=True)))
    together: dict[str, list[Ids]] = defaultdict(list)
    for group, one in distinct:
        together[group].append(one)
    ids: list[int] = []
    blocks: list[Block] = []
    found = {}
    for group, many in together.items():
        common = common_prefix(many) if groups else 0
        prompt = len(ids)
        if common:
            ids += many[0][:common]
            blocks.append(Block(prompt, prompt + common))
        for one in many:
            start = len(ids)
            ids += one[common:]
            blocks.append(Block(start, len(ids), prompt, common))
            found[group, one] = np.r_[prompt : prompt + common, start : len(ids)]
    return Packed(ids, blocks, [found[key] for key in zip(groups or [""] * len(sequences), sequences, strict=True)])


def common_prefix(group: Sequence[Ids]) -> int:
    """Tokens that all sequences of a group begin with, leaving each at least one of its own; 0 for one alone."""
    if len(group) < 2:
        return 0
    most = min(map(len, group)) - 1
    return next((n for n in range(most) if len({one[n] for one in group}) > 1), most)


class Layout:
    """What attention needs of the blocks, made once for all layers. Lengths are plain numbers: no waiting for a GPU."""

    def __init__(self, packed: Packed, causal: bool, device: torch.device) -> None:
        blocks = packed.blocks
        self.causal = causal
        self.queries = [block.end - block.start for block in blocks]
        self.keys = [block.keys for block in blocks]
        self.gather = self._gather(blocks).to(device) if any(block.shared for block in blocks) else None
        self.starts = [_starts(lengths, device) for lengths in (self.queries, self.keys)]
        self.positions = torch.cat([torch.arange(b.shared, b.keys) for b in blocks]).to(device)

    @staticmethod
    def _gather(blocks: Sequence[Block]) -> Tensor:
        """Places of all blocks' keys."""
        each = [(torch.arange(b.prompt, b.prompt + b.shared), torch.arange(b.start, b.end)) for b in blocks]
        return torch.cat([part for both in each for part in both])


def _starts(lengths: Sequence[int], device: torch.device) -> Tensor:
    return torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32).to(device)


def prepare(model: Any) -> None:
    """Make the model read packed rows: it is then called with `layout=` and no attention mask."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attention)
    model.set_attn_implementation(NAME)


NAME = "touchstone_packed"


@torch.compiler.disable  # it would be compiled anew for every batch's lengths
def attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    layout: Layout,
    scaling: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """(1, heads, T, width) each; → (1, T, heads, width). There may be fewer heads of keys than of queries."""
    if layout.gather is not None:
        key, value = key.index_select(2, layout.gather), value.index_select(2, layout.gather)
    if query.is_cuda and query.dtype != torch.float32:
        return _by_flash(query, key, value, layout, scaling), None
    with torch.autocast(query.device.type, enabled=False):  # a CPU's bfloat16 attention is slower and less exact
        found = _block_by_block(query.float(), key.float(), value.float(), layout, scaling)
    return found.to(query.dtype), None


def _by_flash(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scaling: float | None) -> Tensor:
    """One kernel for all blocks; its causal window ends at the last key, which is what a shared prompt wants."""
    from torch.nn.attention.varlen import varlen_attn

    rows = [one[0].transpose(0, 1).contiguous() for one in (query, key, value)]
    longest = max(layout.queries), max(layout.keys)
    window = (-1, 0) if layout.causal else (-1, -1)
    gqa = query.shape[1] != key.shape[1]
    return varlen_attn(*rows, *layout.starts, *longest, scale=scaling, window_size=window, enable_gqa=gqa)[None]


def _block_by_block(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scaling: float | None) -> Tensor:
    parts = (query.split(layout.queries, 2), key.split(layout.keys, 2), value.split(layout.keys, 2))
    gqa = query.shape[1] != key.shape[1]
    found = [
        scaled_dot_product_attention(q, k, v, **_sight(q, k, layout.causal), scale=scaling, enable_gqa=gqa)
        for q, k, v in zip(*parts, strict=True)
    ]
    return torch.cat([one.transpose(1, 2) for one in found], 1)


def _sight(query: Tensor, key: Tensor, causal: bool) -> dict[str, Any]:
    """Which keys a query sees: all; or itself and what is before it, a shared prompt coming before everything."""
    before = key.shape[2] - query.shape[2]
    if not causal or not before:
        return {"is_causal": causal}
    mask = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril(before)
    return {"attn_mask": mask}
