"""The mean of the weights of several fine-tunes of one start, scored by one forward: WARM, arXiv 2401.12187 eq. 2."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from .tuned import TunedModel

_MOST_RANK = 512


def mean(models: Sequence[TunedModel]) -> TunedModel:
    """One model of the same kind; its curve, scale and temperature are to be found anew.

    Adapters multiply, so their mean is not the product of their means: the mean model's adapters stand side by side,
    M times as wide. Raises ValueError where the models did not begin alike or do not read and answer alike.
    """
    if reason := unlike(models):
        raise ValueError(f"weights can be averaged of fine-tunes of one start alone; these have {reason}")
    first = models[0]
    lora = first.recipe.name == "lora"
    tensors = {name: _joined(name, [one.tensors[name] for one in models], lora) for name in first.tensors}
    recipe = _wider(first.recipe, len(models)) if lora else first.recipe
    return replace(first, recipe=recipe, tensors=tensors, curve=None)


def unlike(models: Sequence[TunedModel]) -> str:
    """What keeps them from being averaged; "" when nothing does."""
    if len(models) < 2:
        return "no second one among them"
    if not all(isinstance(one, TunedModel) for one in models):
        return "no weights of their own: train lora or full"
    ranks = {(one.recipe.tuning.lora_rank, one.recipe.tuning.lora_alpha) for one in models}
    checks = {
        "different trainers": {one.recipe.name for one in models},
        "different backbones": {one.backbone_hash for one in models},
        "different encodings": {(one.encode_hash, one.rule) for one in models},
        "different heads": {one.shape for one in models},
        "different ways to combine members or steps": {
            (one.recipe.extras.combine, one.recipe.extras.step_aggregate) for one in models
        },
        "different precisions": {one.recipe.tuning.bf16 for one in models},
        "adapters of different ranks": ranks if models[0].recipe.name == "lora" else {0},
    }
    found = next((reason for reason, kinds in checks.items() if len(kinds) > 1), "")
    wide = models[0].recipe.name == "lora" and models[0].recipe.tuning.lora_rank * len(models) > _MOST_RANK
    return found or (f"ranks of more than {_MOST_RANK} in all" if wide else "")


def _joined(name: str, values: Sequence[Tensor], lora: bool) -> Tensor:
    if lora and ".lora_A." in name:
        return torch.cat(list(values), 0)
    if lora and ".lora_B." in name:
        return torch.cat(list(values), 1) / len(values)
    return torch.stack([one.double() for one in values]).mean(0).to(values[0].dtype)


def _wider(recipe, count: int):
    """A rank M times as large at the same scale α / r."""
    own = recipe.tuning
    changed = {"lora_rank": own.lora_rank * count, "lora_alpha": own.lora_alpha * count}
    return recipe.model_copy(update={"tuning": own.model_copy(update=changed)})
