"""A backbone that may move, with heads in float32 on what it says of whole inputs and of their segments.

The preference head has no bias and starts near 0, so that the first loss is ln 2. A segment is read at its last token
by a causal backbone, which has then read all of it, and by the mean of its tokens otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from . import batching, packing, products, reading
from .backbone import Backbone, first_position
from .reading import Input


@dataclass(frozen=True)
class Shape:
    """Which heads there are."""

    members: int = 1
    criteria: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()
    steps: bool = False
    length: bool = False  # ODIN's second head


class Outputs(NamedTuple):
    """Of n inputs with S segments in all."""

    members: Tensor  # (n, members)
    length: Tensor  # (n,) zeros without that head
    attributes: Tensor  # (n, criteria)
    quantiles: Tensor  # (n, quantiles)
    segments: Tensor  # (S, categories) logits
    steps: Tensor  # (S, 3) logits, or (S, 0)


UNBIASED = ("preference", "length")  # a constant cancels in every margin


class RewardNetwork(nn.Module):
    """Called with inputs, gives Outputs; packed without padding where the backbone's attention allows it.

    Heads hold nothing before `begin`, or before weights are put into them.
    """

    def __init__(self, backbone: Backbone, shape: Shape, *, bf16: bool = False, shared_prefix: bool = False) -> None:
        super().__init__()
        if shared_prefix and not backbone.encoder.causal:
            raise ValueError(f"{backbone.name} reads a prompt with its response: shared_prefix needs a causal model")
        self.backbone, self.shape, self.bf16, self.shared_prefix = backbone, shape, bf16, shared_prefix
        self.model = backbone.model
        sizes = {
            "preference": shape.members,
            "length": int(shape.length),
            "attributes": len(shape.criteria),
            "quantiles": len(shape.quantiles),
            "segments": len(shape.categories),
            "steps": 3 * shape.steps,
        }
        self.heads = nn.ModuleDict(
            {
                name: skip_init(nn.Linear, backbone.dim, size, bias=name not in UNBIASED, device=backbone.device)
                for name, size in sizes.items()
                if size
            }
        )
        self.packed = can_pack(backbone)
        if self.packed:
            packing.prepare(self.model)
        elif shared_prefix:
            raise ValueError(f"{backbone.name}: its attention cannot share prompts; turn shared_prefix off")
        products.speed_up(self.model)

    def begin(self, seed: int) -> None:
        """Heads at 0; several members at N(0, 1/(d+1)²), small enough for a first loss of ln 2 and all different."""
        draw = torch.Generator().manual_seed(seed)
        for parameter in self.heads.parameters():
            nn.init.zeros_(parameter)
        if self.shape.members > 1:
            drawn = torch.randn(self.shape.members, self.backbone.dim, generator=draw) / (self.backbone.dim + 1)
            self.heads["preference"].weight.data.copy_(drawn)

    def forward(self, inputs: Sequence[Input]) -> Outputs:
        return self.read(*self.states(inputs), inputs)

    def read(self, hidden: Tensor, places: Sequence[np.ndarray], inputs: Sequence[Input]) -> Outputs:
        """What the heads make of hidden states (places, dim), each input's tokens being at its places."""
        encoder = self.backbone.encoder
        whole = reading.pooled(hidden, [reading.whole(own, encoder.pooling) for own in places])
        each = [(own, span) for own, one in zip(places, inputs, strict=True) for span in one.spans]
        picked = [own[end - 1 : end] if encoder.causal else own[start:end] for own, (start, end) in each]
        wanted = self.shape.categories or self.shape.steps
        segments = reading.pooled(hidden, picked if wanted else [])
        return self.outputs(whole, segments if wanted else hidden.new_zeros(len(picked), hidden.shape[1]))

    def outputs(self, whole: Tensor, segments: Tensor) -> Outputs:
        """Of the whole inputs (n, dim) and of all their segments (S, dim), pooled."""
        whole = self.backbone.polished(whole)
        return Outputs(
            self._head("preference", whole),
            self._head("length", whole).sum(1),
            self._head("attributes", whole),
            self._head("quantiles", whole),
            self._head("segments", segments),
            self._head("steps", segments),
        )

    def _head(self, name: str, read: Tensor) -> Tensor:
        """(n, outputs) in float32; without that head there are none."""
        return self.heads[name](read) if name in self.heads else read.new_zeros(len(read), 0)

    def states(self, inputs: Sequence[Input]) -> tuple[Tensor, list[np.ndarray]]:
        """(places, dim) hidden states in float32, and the places of each input's tokens among them."""
        with torch.autocast(self.backbone.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            return self._packed(inputs) if self.packed else self._padded(inputs)

    def _packed(self, inputs: Sequence[Input]) -> tuple[Tensor, list[np.ndarray]]:
        groups = [one.group for one in inputs] if self.shared_prefix else None
        row = packing.pack([one.ids for one in inputs], groups)
        layout = packing.Layout(row, self.backbone.encoder.causal, self.backbone.device)
        layers = self.backbone.encoder.encoding.layers
        found = self.model(
            input_ids=torch.tensor([row.ids], device=self.backbone.device),
            position_ids=(layout.positions + first_position(self.model))[None],
            layout=layout,
            output_hidden_states=layers > 1,
        )
        if layers == 1:
            return found.last_hidden_state[0].float(), row.places
        return torch.stack([one[0].float() for one in found.hidden_states[-layers:]]).mean(0), row.places

    def _padded(self, inputs: Sequence[Input]) -> tuple[Tensor, list[np.ndarray]]:
        distinct = list(dict.fromkeys(one.ids for one in inputs))
        states, places, used = [], {}, 0
        for batch in batching.by_tokens([len(one) for one in distinct], self.padded_budget):
            ids, mask = self.backbone.pad([distinct[n] for n in batch])
            states.append(self.backbone.hidden(mask, input_ids=ids).flatten(0, 1))
            for row, n in enumerate(batch):
                places[distinct[n]] = used + row * ids.shape[1] + np.arange(len(distinct[n]))
            used += ids.numel()
        return torch.cat(states), [places[one.ids] for one in inputs]

    @property
    def padded_budget(self) -> int:
        return batching.TOKENS[self.backbone.device.type] // 4

    def forwarded(self, inputs: Sequence[Input]) -> tuple[int, int]:
        """Useful tokens that a forward of these reads, and tokens with padding."""
        if self.packed:
            groups = [one.group for one in inputs] if self.shared_prefix else None
            useful = len(packing.pack([one.ids for one in inputs], groups).ids)
            return useful, useful
        lengths = [len(one) for one in dict.fromkeys(one.ids for one in inputs)]
        batches = batching.by_tokens(lengths, self.padded_budget)
        return sum(lengths), sum(len(batch) * lengths[batch[0]] for batch in batches)


PACKED = frozenset("bert roberta xlm-roberta electra llama mistral qwen2 qwen3 gemma olmo2 granite".split())


def can_pack(backbone: Backbone) -> bool:
    """Whether packed rows give what padded ones do: known for these architectures where no layer looks a short way."""
    config = backbone.model.config
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    return config.model_type in PACKED and not (window and window < backbone.encoder.max_length)
