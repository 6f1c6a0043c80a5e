"""Where a training run stands, on the disk: from it a killed run goes on as if nothing had happened.

One safetensors file, replaced as a whole: weights that move, what is learnt beside them, Adam's moments, the state of
the random numbers, ODIN's queue, the losses so far. The order of the data follows from the seed.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.optim import Optimizer

NAME = "state.safetensors"
FORMAT = "touchstone-run-1"


def write(folder: Path, tensors: Mapping[str, Tensor], said: Mapping[str, object]) -> None:
    """Atomically; an OSError (a full disk) leaves what was there before."""
    folder.mkdir(parents=True, exist_ok=True)
    publish(folder / NAME, save({name: value.detach().contiguous() for name, value in tensors.items()}, _json(said)))


def _json(said: Mapping[str, object]) -> dict[str, str]:
    return {FORMAT: json.dumps(said)}


def publish(path: Path, content: bytes) -> None:
    """The file, on the disk and whole or not at all, whoever else writes it."""
    draft = path.with_name(f"{uuid4().hex}.part")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read(folder: Path, fingerprint: str) -> tuple[dict[str, Tensor], dict] | None:
    """What was written by a run of the same data, recipe and start; None where there is nothing to go on from."""
    try:
        with safe_open(folder / NAME, "pt") as file:
            said = json.loads((file.metadata() or {}).get(FORMAT, "{}"))
            if said.get("fingerprint") == fingerprint:
                return {name: file.get_tensor(name) for name in file.keys()}, said  # noqa: SIM118 (not a dict)
    except (SafetensorError, FileNotFoundError):
        return None
    return None


def moments(optimizer: Optimizer) -> dict[str, Tensor]:
    """Its state as named tensors."""
    found = optimizer.state_dict()["state"]
    return {f"adam.{n}.{key}": value for n, own in found.items() for key, value in own.items()}


def set_moments(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    whole = optimizer.state_dict()
    for name, value in tensors.items():
        if name.startswith("adam."):
            _, n, key = name.split(".")
            whole["state"].setdefault(int(n), {})[key] = value
    optimizer.load_state_dict(whole)


def randomness() -> dict[str, Tensor]:
    cuda = {"random.cuda": torch.cuda.get_rng_state()} if torch.cuda.is_available() else {}
    return {"random.cpu": torch.get_rng_state()} | cuda


def set_randomness(tensors: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(tensors["random.cpu"])
    if torch.cuda.is_available() and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"])
