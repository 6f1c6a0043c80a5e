"""The same model with its backbone read exactly, or in bfloat16; its heads stay in float32 either way."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .ensemble_runs import Ensemble
from .heads import RewardModel
from .scoring import backbone_of
from .tuned import TunedModel


@contextmanager
def precision(model: RewardModel | TunedModel | Ensemble, *, bf16: bool) -> Iterator[None]:
    """Whatever its recipe says, its backbones compute under autocast to bfloat16, or in float32, inside the block."""
    handles = []
    for backbone in {id(one.model): one for one in _backbones(model)}.values():
        handles += _hooked(backbone.model, backbone.device.type, bf16)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _backbones(model: RewardModel | TunedModel | Ensemble) -> Iterator:
    if isinstance(model, Ensemble):
        for one in model.members:
            yield from _backbones(one)
    else:
        yield model.network.backbone if isinstance(model, TunedModel) else backbone_of(model)


def _hooked(module: torch.nn.Module, device: str, bf16: bool) -> list:
    """Autocast as asked for, from before the module reads to after; a forward that fails ends it as well."""
    inside: list[torch.autocast] = []

    def enter(*_: object) -> None:
        inside.append(torch.autocast(device, dtype=torch.bfloat16, enabled=bf16, cache_enabled=False))
        inside[-1].__enter__()

    def leave(*_: object) -> None:
        inside.pop().__exit__(None, None, None)

    return [module.register_forward_pre_hook(enter), module.register_forward_hook(leave, always_call=True)]
