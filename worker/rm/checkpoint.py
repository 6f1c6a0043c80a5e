"""A reward model as one safetensors file: tensors, and everything else as JSON in its metadata."""

import hashlib
import json
import os
from dataclasses import asdict, fields
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from .heads import Linear, RewardModel
from .recipe import Encoding

FORMAT = "touchstone-heads-1"
_LINEAR = ("segment", "response")


def save(model: RewardModel, path: Path) -> str:
    """Write the file, on the disk and whole or not at all, and return its sha256."""
    tensors = {
        f"{name}.{part.name}": getattr(getattr(model, name), part.name).contiguous()
        for name in _LINEAR
        for part in fields(Linear)
    }
    plain = {key: value for key, value in asdict(model).items() if key not in _LINEAR}
    plain["encoding"] = model.encoding.model_dump(mode="json")
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
    names = {key: tuple(plain.pop(key)) for key in ("categories", "heads")}
    linear = {
        name: Linear(**{part.name: tensors[f"{name}.{part.name}"] for part in fields(Linear)}) for name in _LINEAR
    }
    encoding = Encoding.model_validate(plain.pop("encoding", {}))
    return RewardModel(**plain, **names, **linear, encoding=encoding)
