"""What a version's preference comes to as one function of hidden states, or a sentence on why it does not."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from . import backbone as backbones
from . import scoring
from .backbone import Backbone
from .ensemble_runs import Ensemble
from .export import Reward
from .heads import RewardModel
from .layers import Mlp
from .tuned import TunedModel
from .types import PREFERENCE, Example

_INSTEAD = "Train {} without gate or length calibration, with members combined by mean."


def of(model: RewardModel | TunedModel | Ensemble) -> Reward:
    """Raises ValueError when the preference is more than a Hugging Face model can hold."""
    if isinstance(model, Ensemble):
        raise ValueError(
            "This version combines several models, which no Hugging Face model can do. Export its members."
        )
    return _tuned(model) if isinstance(model, TunedModel) else _heads(model)


def scores(model: RewardModel | TunedModel, examples: Sequence[Example]) -> Tensor:
    """(n,) what the folder must give: the preference, computed in float32 also where the version reads in bfloat16."""
    if isinstance(model, TunedModel) and model.recipe.tuning.bf16:
        tuning = model.recipe.tuning.model_copy(update={"bf16": False})
        model = replace(model, recipe=model.recipe.model_copy(update={"tuning": tuning}))
    return torch.from_numpy(scoring.score(model, examples).heads[PREFERENCE])


def _tuned(model: TunedModel) -> Reward:
    return Reward(moved(model), head(model), torch.zeros(()))


def head(model: TunedModel) -> Tensor:
    """(D,) the weights of its preference. Raises ValueError when that is more than one linear head."""
    _simple(bool(model.curve), model.shape.members, model.recipe.extras.combine, model.recipe.name)
    return model.tensors["heads.preference.weight"].double().mean(0).float()


def moved(model: TunedModel) -> Backbone:
    """The backbone with the weights that training gave it; adapters are added to what they adapt."""
    from peft.tuners.lora import LoraLayer

    trained, plain = model.network.model, backbones.fresh(model.backbone_name, model.encoding)
    state = {key.replace(".base_layer.", "."): value for key, value in trained.state_dict().items()}
    for name, module in trained.named_modules():
        if isinstance(module, LoraLayer):
            state[f"{name}.weight"] = module.base_layer.weight + module.get_delta_weight("default")
    plain.model.load_state_dict({key: value for key, value in state.items() if ".lora_" not in key})
    plain.model.requires_grad_(False)
    return plain


def _simple(curve: bool, members: int, combine: str, instead: str) -> None:
    reason = ""
    if curve:
        reason = "is corrected by the response's length"
    elif members > 1 and combine != "mean":
        reason = f"combines its members by {combine}"
    if reason:
        _refuse(reason, instead)


def _refuse(reason: str, instead: str) -> None:
    advice = _INSTEAD.format(instead)
    raise ValueError(f"This version's preference {reason}, which no Hugging Face model can do. {advice}")


def _heads(model: RewardModel) -> Reward:
    found, instead = scoring.backbone_of(model), "heads with parts=embeddings,"
    if model.gate:
        _refuse("is mixed from its criteria by the prompt", instead)
    _simple(bool(model.curve), model.members, model.extras.combine, instead)
    if _reads(model, slice(2 * found.dim, None)):
        _refuse("reads surface features of the text", instead)
    parts = _parts(model, found.dim, found.encoder.causal)
    size, own = found.dim * len(parts), slice(0, model.members)
    weights = model.response.weights[own, :size].double().mean(0)
    bias = model.response.bias[own].double().mean() - weights @ model.response.center[:size].double()
    return Reward(found, weights.float(), bias.float(), parts, _mlp(model.mlp, size) if model.mlp else None)


def _reads(model: RewardModel, inputs: slice) -> bool:
    """Whether any of these inputs matters to it."""
    linear = model.response.weights[: model.members, inputs].any()
    return bool(linear or (model.mlp is not None and model.mlp.into[:, :, inputs].any()))


def _parts(model: RewardModel, width: int, causal: bool) -> tuple[str, ...]:
    if not _reads(model, slice(width, 2 * width)):
        return ("whole",)
    if causal:
        raise ValueError(
            "This version's preference reads the mean over the response, and nothing in a causal input shows where the "
            "response begins. Train lora or full, or heads on an encoder."
        )
    return ("whole", "response")


def _mlp(mlp: Mlp, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """The mean of the members' as one, its centre in the shift."""
    into = mlp.into.flatten(0, 1)
    shift = mlp.bias.flatten().double() - into.double() @ mlp.center.double()
    return into[:, :size].contiguous(), shift.float(), mlp.out.flatten() / len(mlp.out)
