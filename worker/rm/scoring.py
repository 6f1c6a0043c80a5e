"""Scores of examples under a fitted model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from . import backbone, ensemble_runs, gating, tuned
from .embed import embed
from .ensemble_runs import Ensemble
from .heads import RewardModel
from .tuned import TunedModel
from .types import Example, Report, Scored, silent


def backbone_of(model: RewardModel) -> backbone.Backbone:
    """The model's backbone; raises ValueError when it, or the way it encodes, is not what the heads were fitted on."""
    found = backbone.load(model.backbone_name, model.encoding)
    if (found.hash, found.encoder.hash) != (model.backbone_hash, model.encode_hash):
        raise ValueError(f"backbone {model.backbone_name} differs from the one that this model was fitted on")
    return found


@torch.no_grad()
def score(
    model: RewardModel | TunedModel | Ensemble,
    examples: Sequence[Example],
    cache_dir: Path | None = None,
    report: Report = silent,
) -> Scored:
    """Every head's score of every example, in their order; float32, the same alone and in company."""
    if not examples:
        raise ValueError("there is nothing to score")
    if isinstance(model, Ensemble):
        return _together(model, examples, cache_dir, report)
    if isinstance(model, TunedModel):
        return tuned.score(model, examples, report)
    reader = backbone_of(model)
    embedded = embed(reader, examples, model.rule, cache_dir, report)
    prompts = gating.prompts(reader, examples, model.rule, cache_dir, report) if model.gate else None
    values = model(embedded, prompts).numpy()
    return Scored(
        heads={head: values[:, n] for n, head in enumerate(model.heads)},
        tokens=embedded.sizes[:, 1],
        truncated=embedded.sizes[:, 2] > 0,
    )


def _together(model: Ensemble, examples: Sequence[Example], cache_dir: Path | None, report: Report) -> Scored:
    """Member by member; the report goes on where the last one ended."""
    found, count = [], len(model.members)
    for n, one in enumerate(model.members):

        def part(stage: str, done: int, total: int, metrics: Mapping[str, float], n: int = n) -> None:
            report(stage, (n * total + done) // count, total, metrics)

        found.append(score(one, examples, cache_dir, part))
    return ensemble_runs.combined(model, found)
