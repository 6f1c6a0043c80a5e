"""A reward model as one safetensors file: tensors, and everything else as JSON in its metadata."""

import hashlib
import json
import os
from dataclasses import fields
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from .heads import RewardModel
from .layers import Curve, Gate, Linear, Mlp
from .recipe import Encoding, Extras

FORMAT = "touchstone-heads-2"
LAYERS = {"segment": Linear, "response": Linear, "step": Linear, "mlp": Mlp, "gate": Gate, "curve": Curve}
SETTINGS = {"encoding": Encoding, "extras": Extras}


def save(model: RewardModel, path: Path) -> str:
    """Write the file, on the disk and whole or not at all, and return its sha256."""
    layers = {name: layer for name in LAYERS if (layer := getattr(model, name)) is not None}
    tensors = {
        f"{name}.{part.name}": getattr(layer, part.name).contiguous()
        for name, layer in layers.items()
        for part in fields(layer)
    }
    plain = {one.name: getattr(model, one.name) for one in fields(model) if one.name not in LAYERS}
    plain |= {name: getattr(model, name).model_dump(mode="json") for name in SETTINGS}
    # One key only: safetensors writes several in any order, and equal models should be equal files.
    content = to_bytes(tensors, {FORMAT: json.dumps(plain)})
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return hashlib.sha256(content).hexdigest()


def load(path: Path) -> RewardModel:
    """The model as saved, bit by bit. Raises ValueError when the file is not one of ours."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise ValueError(f"{path.name} is not a reward model: {error}") from None
    if FORMAT not in metadata:
        raise ValueError(f"{path.name} is not a reward model of format {FORMAT}")
    plain = json.loads(metadata[FORMAT])
    plain |= {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
    plain |= {name: kind.model_validate(plain[name]) for name, kind in SETTINGS.items()}
    layers = {
        name: kind(**{part.name: tensors[f"{name}.{part.name}"] for part in fields(kind)})
        for name, kind in LAYERS.items()
        if f"{name}.{fields(kind)[0].name}" in tensors
    }
    return RewardModel(**plain, **layers)
