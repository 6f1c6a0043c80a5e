"""A reward model on frozen embeddings: its heads in float32, and what they read.

A segment head reads one segment: [mean hidden state, features.SEGMENT]. A response head reads one response:
[whole input, response, features.SURFACE + COSINES, mean logit of each segment head]. Heads are linear, so that a score
can be taken apart exactly; an mlp may be added to the preference.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from . import ensemble, steps
from .cache import Embedded
from .layers import Curve, Gate, Linear, Mlp
from .recipe import Encoding, Extras
from .types import PREFERENCE


@dataclass(frozen=True)
class RewardModel:
    """All heads of one version. The first head is the preference; "segment:KEY" is the mean logit over segments.

    Rows of `response`: the preference's members (none where a gate mixes the attributes), then what `rows` names.
    """

    backbone_name: str
    backbone_hash: str
    encode_hash: str
    rule: str  # how responses are cut: a key of segments.RULES
    categories: tuple[str, ...]  # with a segment head
    rows: tuple[str, ...]  # heads that are a row of `response` each
    segment: Linear  # (categories, D + SEGMENT)
    response: Linear  # (members + rows, 2·D + SURFACE + COSINES + categories)
    mlp: Mlp | None = None  # added to the members
    gate: Gate | None = None
    curve: Curve | None = None  # of response tokens; subtracted from the preference
    step: Linear | None = None  # (3, D + SEGMENT), see steps.py
    extras: Extras = field(default_factory=Extras)  # how members and steps are combined
    temperature: float = 1.0  # P(first preferred) = σ(Δ / temperature)
    mean: float = 0.0  # of the training examples' preference scores
    std: float = 1.0
    encoding: Encoding = field(default_factory=Encoding)

    @property
    def members(self) -> int:
        return len(self.response.weights) - len(self.rows)

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the scores, in their order."""
        several = (*(f"member:{n}" for n in range(self.members)), "disagreement") if self.members > 1 else ()
        return (PREFERENCE, *self.rows, *(("step",) if self.step else ()), *several)

    @property
    def attributes(self) -> tuple[int, ...]:
        """Rows of `response` that are criteria."""
        return tuple(n + self.members for n, name in enumerate(self.rows) if name.startswith("attribute:"))

    def logits(self, embedded: Embedded) -> Tensor:
        """(segments, categories): above 0 is best called an error, each category on its own."""
        return self.segment(segment_inputs(embedded))

    def layered(self, x: Tensor) -> Tensor:
        """(examples, members + rows) of the inputs: what is linear, and the members' mlp."""
        found = self.response(x)
        return torch.cat([found[:, : self.members] + self.mlp(x), found[:, self.members :]], 1) if self.mlp else found

    def table(self, embedded: Embedded) -> Tensor:
        """The same of embedded examples."""
        return self.layered(response_inputs(embedded, self.logits(embedded)))

    def preference(self, table: Tensor, tokens: Tensor, prompts: Tensor | None = None) -> Tensor:
        """(examples,) from `table`, response tokens (examples,) and, for a gate, prompt embeddings (examples, D)."""
        if self.gate:
            found = self.gate(prompts, table[:, list(self.attributes)])
        else:
            found = ensemble.combine(table[:, : self.members], self.extras)
        return found - self.curve(tokens) if self.curve else found

    def __call__(self, embedded: Embedded, prompts: Tensor | None = None) -> Tensor:
        """(examples, heads) scores. A gate needs the prompts' embeddings, see gating.prompts."""
        table, tokens = self.table(embedded), torch.from_numpy(embedded.sizes[:, 1]).float()
        columns = [self.preference(table, tokens, prompts)[:, None], table[:, self.members :]]
        if self.step:
            owner, how = torch.from_numpy(embedded.owner), self.extras.step_aggregate
            columns.append(steps.aggregate(self.step(segment_inputs(embedded)), owner, len(embedded), how)[:, None])
        if self.members > 1:
            own = table[:, : self.members]
            columns += [own, ensemble.disagreement(own)[:, None]]
        return torch.cat(columns, 1)


def segment_inputs(embedded: Embedded) -> Tensor:
    """(segments, D + SEGMENT)"""
    return torch.from_numpy(np.concatenate([embedded.segments, embedded.segment_features], 1))


def response_inputs(embedded: Embedded, logits: Tensor) -> Tensor:
    """(examples, 2·D + SURFACE + COSINES + categories); a response without segments has mean logits of 0."""
    owner = torch.from_numpy(embedded.owner)
    total = torch.zeros(len(embedded), logits.shape[1]).index_add_(0, owner, logits)
    mean = total / torch.from_numpy(embedded.sizes[:, :1]).clamp(min=1)
    return torch.cat([torch.from_numpy(embedded.pooled), torch.from_numpy(embedded.surface), mean], 1)
