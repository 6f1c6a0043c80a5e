"""A fine-tuning run over several devices: one process each, whose gradients are added up.

The parent writes what is to be done into the run's folder, starts them by `accelerate launch`, hears the first one's
reports through a pipe, and reads the model that it leaves. A parent that dies breaks the pipe, which ends the others.
Checkpoints are those of finetune.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.distributed as dist
from pydantic import TypeAdapter

from . import checkpoint, finetune, outcome_tuned, reading
from .recipe import Recipe
from .training import Trained
from .tuned import TunedModel
from .types import Dataset, Report, silent

# What would otherwise be asked of accelerate's own configuration; port 0 is any that is free.
LAUNCH = "--multi_gpu --num_machines 1 --main_process_port 0 --mixed_precision no --dynamo_backend no".split()
ORDER, MODEL, START, INFO = "order.json", "trained.safetensors", "warm.safetensors", "info.json"


@dataclass(frozen=True)
class Order:
    """What the processes are to do."""

    data: Dataset
    backbone: str
    recipe: Recipe
    warm: bool


def fit(
    data: Dataset,
    backbone_name: str,
    recipe: Recipe,
    *,
    devices: int,
    cache_dir: Path | None = None,
    work_dir: Path,
    report: Report = silent,
    warm: TunedModel | None = None,
) -> Trained:
    """As finetune.fit, on so many devices. Raises what the first process failed of, as a RuntimeError otherwise."""
    start = time.monotonic()
    work_dir.mkdir(parents=True, exist_ok=True)
    order = Order(data, backbone_name, recipe, warm is not None)
    (work_dir / ORDER).write_bytes(TypeAdapter(Order).dump_json(order))
    if warm:
        checkpoint.save(warm, work_dir / START)
    with _processes(work_dir, devices) as running:
        for line in running.stdout:
            if line.startswith("{"):
                said = json.loads(line)
                report(said["stage"], said["done"], said["total"], said["metrics"])
        if running.wait():
            raise _cause((work_dir / "errors.txt").read_text(errors="replace"))
    model = checkpoint.load(work_dir / MODEL)
    inputs = reading.inputs(model.network.backbone.encoder, data.examples, model.rule)
    trained = outcome_tuned.finish(model, data, inputs, report)
    info = json.loads((work_dir / INFO).read_text()) | trained.info
    return replace(trained, seconds={"total": time.monotonic() - start}, info=info)


@contextmanager
def _processes(folder: Path, devices: int) -> Iterator[subprocess.Popen]:
    """All of them end with the block, however it ends."""
    command = ["accelerate.commands.launch", *LAUNCH, f"--num_processes={devices}", "-m", __name__, str(folder)]
    threads = str(max(1, torch.get_num_threads() // devices))
    with (folder / "errors.txt").open("wb") as errors:
        running = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": threads},
            start_new_session=True,
        )
        try:
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGTERM)
                running.wait()
            running.stdout.close()


def _cause(errors: str) -> Exception:
    """The last line of a Python error among what the processes wrote."""
    lines = [line.split("]:", 1)[-1].strip() for line in errors.splitlines()]
    named = [line for line in lines if line.partition(":")[0].endswith(("Error", "Exception"))]
    first = next(
        (line for line in named if "ChildFailedError" not in line), "RuntimeError: a process ended without a word"
    )
    kind, _, text = first.partition(": ")
    kinds = {"ValueError": ValueError, "torch.OutOfMemoryError": torch.OutOfMemoryError, "OSError": OSError}
    return kinds.get(kind, RuntimeError)(text or first)


# ---- In each process


def main(folder: Path) -> None:
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if cuda else "gloo")
    order = TypeAdapter(Order).validate_json((folder / ORDER).read_bytes())
    warm = checkpoint.load(folder / START) if order.warm else None
    leads = dist.get_rank() == 0
    model, _, run = finetune.train(
        order.data, order.backbone, order.recipe, work_dir=folder, report=_say if leads else silent, warm=warm
    )
    if leads:
        checkpoint.save(model, folder / MODEL)
        (folder / INFO).write_text(json.dumps(run.info() | {"devices": run.world}))
    dist.destroy_process_group()


def _say(stage: str, done: int, total: int, metrics: dict) -> None:
    print(json.dumps({"stage": stage, "done": done, "total": total, "metrics": dict(metrics)}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
