"""The score of every beginning of a response, each ended as a whole text is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .. import batching, cache, gating, network, reading, tuned
from ..backbone import Backbone
from ..embed import read
from ..encode import Encoded
from ..heads import RewardModel
from ..tuned import TunedModel
from ..types import Example, Report, TokenAttribution, silent
from . import look
from .view import attention, backbone_of

Beginning = tuple[Example, Encoded]
States = Iterator[tuple[list[int], Tensor]]  # which beginnings, and their hidden states (n, longest, D)


def probe(model: RewardModel | TunedModel, example: Example, head: str, report: Report = silent) -> TokenAttribution:
    """V_t − V_{t−1} of each response token, V_t the score of the response ended after token t; end tokens have none.

    Everything is what it would be for that text, features, segments and length with it; the baseline is the score of
    an empty response. A causal backbone reads the text once with an end behind every token, each end seeing its own
    beginning (a tree mask); an encoder, which reads backwards too, reads every beginning anew.
    """
    view = look.at(model, example, head)
    backbone, encoded = view.backbone, view.encoded
    begun = list(beginnings(example, encoded))
    one_pass = backbone.encoder.causal and network.can_pack(backbone)
    states = _grown(backbone, encoded, begun) if one_pass else _each(backbone, begun)
    scores, done = torch.zeros(len(begun), dtype=torch.double), 0
    prompts = gating.prompts(backbone, [example], model.rule, None, silent) if _gated(model) else None
    for places, hidden in states:
        scores[places] = _scores(model, head, [begun[n] for n in places], hidden, prompts).double()
        done += len(places)
        report("score", done, len(begun), {})
    values = torch.zeros(len(encoded.ids), dtype=torch.double)
    values[slice(*encoded.response_span)] = scores.diff()
    return view.told("probe", values, {}, float(scores[0]))


def beginnings(example: Example, encoded: Encoded) -> Iterator[Beginning]:
    """Of 0, 1, … all response tokens, with the text that they are of."""
    begin, end = encoded.response_span
    for n in range(encoded.tokens + 1):
        text = example.response if n == encoded.tokens else example.response[: max(encoded.offsets[:n, 1], default=0)]
        ids = encoded.ids[: begin + n] + encoded.ids[end:]
        own = replace(encoded, ids=ids, response_span=(begin, begin + n), offsets=encoded.offsets[:n])
        yield replace(example, response=text), own


def _gated(model: RewardModel | TunedModel) -> bool:
    return isinstance(model, RewardModel) and model.gate is not None


# ---- Hidden states


def _batches(backbone: Backbone, begun: Sequence[Beginning]) -> list[list[int]]:
    return batching.by_tokens([len(one.ids) for _, one in begun], batching.TOKENS[backbone.device.type])


def _each(backbone: Backbone, begun: Sequence[Beginning]) -> States:
    """Every beginning read by itself, as many at a time as memory is meant for."""
    for places in _batches(backbone, begun):
        ids, mask = backbone.pad([begun[n][1].ids for n in places])
        with torch.no_grad(), attention(backbone, ids.shape[1]):
            hidden = backbone.hidden(mask, input_ids=ids)
        yield places, hidden


def _grown(backbone: Backbone, encoded: Encoded, begun: Sequence[Beginning]) -> States:
    """The same out of one pass."""
    trunk, ends = tree(backbone, encoded)
    begin, many = encoded.response_span[0], ends.shape[1]
    for places in _batches(backbone, begun):
        longest = begin + max(places) + many
        hidden = trunk.new_zeros(len(places), longest, trunk.shape[1])
        for row, n in enumerate(places):
            hidden[row, : begin + n] = trunk[: begin + n]
            hidden[row, begin + n : begin + n + many] = ends[n]
        yield places, hidden


@torch.no_grad()
def tree(backbone: Backbone, encoded: Encoded) -> tuple[Tensor, Tensor]:
    """(n, D) states up to the response's end, and (beginnings, E, D) of the E end tokens behind each beginning.

    Each end is at the positions that follow its beginning, and sees that and itself alone. Tokens read: n + E·(T + 1).
    """
    begin, until = encoded.response_span
    many, starts = len(encoded.ids) - until, np.arange(begin, until + 1)
    ids = [*encoded.ids[:until], *(encoded.ids[until:] * len(starts))]
    positions = np.concatenate([np.arange(until), (starts[:, None] + np.arange(many)).ravel()])
    own = np.concatenate([np.full(until, -1), np.repeat(np.arange(len(starts)), many)])  # which end a token is of
    reach = np.concatenate([np.arange(1, until + 1), np.repeat(starts, many)])  # tokens of the trunk that it sees
    sees = np.arange(until) < reach[:, None]
    same = (own[:, None] == own[None, until:]) & (positions[None, until:] <= positions[:, None])
    mask = torch.from_numpy(np.concatenate([sees, same], 1)).to(backbone.device)
    blocked = torch.zeros(mask.shape, device=backbone.device).masked_fill(~mask, torch.finfo(torch.float32).min)
    with attention(backbone, len(ids)):
        hidden = backbone.hidden(
            blocked[None, None],
            input_ids=torch.tensor([ids], device=backbone.device),
            position_ids=torch.from_numpy(positions)[None].to(backbone.device),
        )[0]
    return hidden[:until], hidden[until:].view(len(starts), many, -1)


# ---- Scores


@torch.no_grad()
def _scores(
    model: RewardModel | TunedModel, head: str, begun: Sequence[Beginning], hidden: Tensor, prompts: Tensor | None
) -> Tensor:
    """(n,) of hidden states (n, longest, D)."""
    examples, encoded = [example for example, _ in begun], [one for _, one in begun]
    place = model.heads.index(head)
    if isinstance(model, TunedModel):
        inputs = [reading.of(example, one, model.rule) for example, one in begun]
        places = [row * hidden.shape[1] + np.arange(len(one.ids)) for row, one in enumerate(encoded)]
        found = model.network.read(hidden.flatten(0, 1), places, inputs)
        return tuned.table(model, network.Outputs(*(each.cpu() for each in found)), inputs)[:, place]
    embedded = cache.stack(read(backbone_of(model), examples, encoded, model.rule, hidden))
    return model(embedded, None if prompts is None else prompts.expand(len(begun), -1))[:, place]
