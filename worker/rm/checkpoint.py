"""A reward model as one safetensors file: tensors, and everything else as JSON in its metadata."""

import hashlib
import json
import os
from dataclasses import asdict, fields
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .ensemble_runs import Ensemble
from .heads import RewardModel
from .layers import Curve, Gate, Linear, Mlp
from .network import Shape
from .recipe import Encoding, Extras, Recipe
from .tuned import TunedModel

FORMAT = "touchstone-heads-2"
TUNED = "touchstone-tuned-1"
ENSEMBLE = "touchstone-ensemble-1"  # its members whole, each tensor's name after the member's number
LAYERS = {"segment": Linear, "response": Linear, "step": Linear, "mlp": Mlp, "gate": Gate, "curve": Curve}
SETTINGS = {"encoding": Encoding, "extras": Extras}


def save(model: RewardModel | TunedModel | Ensemble, path: Path) -> str:
    """Write the file, on the disk and whole or not at all, and return its sha256. OSError when the disk is full."""
    tensors, name, plain = _of_ensemble(model) if isinstance(model, Ensemble) else _of_one(model)
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


def _of_one(model: RewardModel | TunedModel) -> tuple[dict[str, Tensor], str, dict]:
    return _of_tuned(model) if isinstance(model, TunedModel) else _of_heads(model)


def _of_ensemble(model: Ensemble) -> tuple[dict[str, Tensor], str, dict]:
    tensors, members = {}, []
    for n, one in enumerate(model.members):
        own, name, plain = _of_one(one)
        tensors |= {f"{n}.{key}": value for key, value in own.items()}
        members.append({name: plain})
    plain = {"temperature": model.temperature, "mean": model.mean, "std": model.std}
    return tensors, ENSEMBLE, plain | {"members": members, "extras": model.extras.model_dump(mode="json")}


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


def load(path: Path) -> RewardModel | TunedModel | Ensemble:
    """The model as saved, bit by bit. Raises ValueError when the file is not one of ours."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise ValueError(f"{path.name} is not a reward model: {error}") from None
    known = {name: json.loads(metadata[name]) for name in (FORMAT, TUNED, ENSEMBLE) if name in metadata}
    if not known:
        raise ValueError(f"{path.name} is not a reward model of format {FORMAT}, {TUNED} or {ENSEMBLE}")
    return _ensemble(known[ENSEMBLE], tensors) if ENSEMBLE in known else _one(known, tensors)


def _ensemble(plain: dict, tensors: dict[str, Tensor]) -> Ensemble:
    each: list[dict[str, Tensor]] = [{} for _ in plain["members"]]
    for name, tensor in tensors.items():
        number, _, key = name.partition(".")
        each[int(number)][key] = tensor
    members = tuple(_one(one, own) for one, own in zip(plain["members"], each, strict=True))
    return Ensemble(**plain | {"members": members, "extras": Extras.model_validate(plain["extras"])})


def _one(known: dict, tensors: dict[str, Tensor]) -> RewardModel | TunedModel:
    """`known` is its JSON under the name of its format."""
    if TUNED in known:
        return _tuned(known[TUNED], tensors)
    plain = _tuples(known[FORMAT])
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
