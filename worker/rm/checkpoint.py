"""A reward model as one safetensors file: tensors, and everything else as JSON in its metadata."""

import hashlib
import json
import os
from dataclasses import asdict, fields
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .heads import RewardModel
from .layers import Curve, Gate, Linear, Mlp
from .network import Shape
from .recipe import Encoding, Extras, Recipe
from .tuned import TunedModel

FORMAT = "touchstone-heads-2"
TUNED = "touchstone-tuned-1"
LAYERS = {"segment": Linear, "response": Linear, "step": Linear, "mlp": Mlp, "gate": Gate, "curve": Curve}
SETTINGS = {"encoding": Encoding, "extras": Extras}


def save(model: RewardModel | TunedModel, path: Path) -> str:
    """Write the file, on the disk and whole or not at all, and return its sha256. OSError when the disk is full."""
    tensors, name, plain = _of_tuned(model) if isinstance(model, TunedModel) else _of_heads(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    try:
        # One key only: safetensors writes several in any order, and equal models should be equal files.
        save_file(tensors, draft, {name: json.dumps(plain)})
        with draft.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except SafetensorError as error:
        raise OSError(f"the model's file could not be written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return found


def _of_heads(model: RewardModel) -> tuple[dict[str, Tensor], str, dict]:
    layers = {name: layer for name in LAYERS if (layer := getattr(model, name)) is not None}
    plain = {one.name: getattr(model, one.name) for one in fields(model) if one.name not in LAYERS}
    plain |= {name: getattr(model, name).model_dump(mode="json") for name in SETTINGS}
    return _flat(layers), FORMAT, plain


def _of_tuned(model: TunedModel) -> tuple[dict[str, Tensor], str, dict]:
    plain = {one.name: getattr(model, one.name) for one in fields(model) if one.name not in ("tensors", "curve")}
    plain |= {"recipe": model.recipe.model_dump(mode="json"), "shape": asdict(model.shape)}
    curve = _flat({"curve": model.curve}) if model.curve else {}
    return dict(model.tensors) | curve, TUNED, plain


def _flat(layers: dict) -> dict[str, Tensor]:
    return {
        f"{name}.{part.name}": getattr(layer, part.name).contiguous()
        for name, layer in layers.items()
        for part in fields(layer)
    }


def load(path: Path) -> RewardModel | TunedModel:
    """The model as saved, bit by bit. Raises ValueError when the file is not one of ours."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise ValueError(f"{path.name} is not a reward model: {error}") from None
    if TUNED in metadata:
        return _tuned(json.loads(metadata[TUNED]), tensors)
    if FORMAT not in metadata:
        raise ValueError(f"{path.name} is not a reward model of format {FORMAT} or {TUNED}")
    plain = _tuples(json.loads(metadata[FORMAT]))
    plain |= {name: kind.model_validate(plain[name]) for name, kind in SETTINGS.items()}
    return RewardModel(**plain, **_layers(tensors))


def _tuned(plain: dict, tensors: dict[str, Tensor]) -> TunedModel:
    plain |= {"recipe": Recipe.model_validate(plain["recipe"]), "shape": Shape(**_tuples(plain["shape"]))}
    curve = _layers({name: tensors.pop(name) for name in list(tensors) if name.startswith("curve.")})
    return TunedModel(**plain, **curve, tensors=tensors)


def _tuples(plain: dict) -> dict:
    """JSON has lists alone."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}


def _layers(tensors: dict[str, Tensor]) -> dict:
    return {
        name: kind(**{part.name: tensors[f"{name}.{part.name}"] for part in fields(kind)})
        for name, kind in LAYERS.items()
        if f"{name}.{fields(kind)[0].name}" in tensors
    }
