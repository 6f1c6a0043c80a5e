"""What a response is worth with some of its units alone: the scores of all such texts, in one batched call.

A subset of M units is a bit mask of M bits.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch

from .. import batching, embed, ensemble_runs, gating, reading, tuned
from ..backbone import Backbone
from ..cache import stack
from ..encode import Encoded
from ..ensemble_runs import Ensemble
from ..heads import RewardModel
from ..scoring import score
from ..segments import Bounds
from ..tuned import TunedModel
from ..types import Example, Report, Scored, silent
from .units import holding
from .view import backbone_of

Model = RewardModel | TunedModel | Ensemble


def deleted(
    model: Model, example: Example, head: str, bounds: Bounds, subsets: Iterable[int], report: Report = silent
) -> dict[int, float]:
    """Subset → score of the text made of its units alone, the others left out."""
    texts = {subset: _text(example.response, bounds, subset) for subset in subsets}
    places = {text: n for n, text in enumerate(dict.fromkeys(texts.values()))}
    values = score(model, [replace(example, response=text) for text in places], report=report).heads[head].tolist()
    return {subset: values[places[text]] for subset, text in texts.items()}


def _text(text: str, bounds: Bounds, subset: int) -> str:
    return "".join(text[start:end] for k, (start, end) in enumerate(bounds) if subset >> k & 1)


@torch.no_grad()
def masked(
    model: Model, example: Example, head: str, bounds: Bounds, subsets: Iterable[int], report: Report = silent
) -> dict[int, float]:
    """The same with padding in the places of the other units' tokens, as on the path of integrated gradients.

    Lengths, positions and the features that are no part of the hidden states are those of the whole text.
    """
    listed = list(dict.fromkeys(subsets))
    return dict(zip(listed, _masked(model, example, bounds, listed, report).heads[head].tolist(), strict=True))


def _masked(model: Model, example: Example, bounds: Bounds, subsets: list[int], report: Report) -> Scored:
    if isinstance(model, Ensemble):
        return ensemble_runs.combined(model, [_masked(one, example, bounds, subsets, report) for one in model.members])
    backbone = backbone_of(model)
    encoded = backbone.encoder.encode(example)
    rows = [_padded(backbone, encoded, bounds, subset) for subset in subsets]
    values = (_of_tuned if isinstance(model, TunedModel) else _of_heads)(model, example, rows, report).numpy()
    heads = {name: values[:, n] for n, name in enumerate(model.heads)}
    return Scored(heads, np.array([one.tokens for one in rows]), np.array([one.cut > 0 for one in rows]))


def _padded(backbone: Backbone, encoded: Encoded, bounds: Bounds, subset: int) -> Encoded:
    """With padding for the tokens of units that are not in the subset."""
    begin, end = encoded.response_span
    units, pad = holding(bounds, encoded.offsets).tolist(), backbone.encoder.pad_id
    own = [token if subset >> k & 1 else pad for token, k in zip(encoded.ids[begin:end], units, strict=True)]
    return replace(encoded, ids=(*encoded.ids[:begin], *own, *encoded.ids[end:]))


def _of_heads(model: RewardModel, example: Example, rows: list[Encoded], report: Report) -> torch.Tensor:
    backbone, found = backbone_of(model), []
    for run in batching.in_order([len(one.ids) for one in rows], batching.TOKENS[backbone.device.type]):
        found += embed.forward(backbone, [example] * len(run), [rows[n] for n in run], model.rule)
        report("embed", len(found), len(rows), {})
    prompts = gating.prompts(backbone, [example] * len(rows), model.rule, None, silent) if model.gate else None
    return model(stack(found), prompts)


def _of_tuned(model: TunedModel, example: Example, rows: list[Encoded], report: Report) -> torch.Tensor:
    (whole,) = reading.inputs(backbone_of(model).encoder, [example], model.rule)
    inputs = [replace(whole, ids=one.ids) for one in rows]
    return tuned.table(model, tuned.predict(model.network, inputs, report), inputs)


def reader(model: Model) -> Backbone:
    """The backbone by whose tokens a score is told; of an ensemble that of its first member."""
    return backbone_of(model.members[0] if isinstance(model, Ensemble) else model)
