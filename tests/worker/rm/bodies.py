"""A training run, which may kill itself in a process of its own."""

import os
import signal
import sys
from pathlib import Path

import torch

from tests.worker.rm.conftest import dataset
from worker.rm import finetune
from worker.rm.recipe import Extras, Preference, Recipe, Tuning
from worker.rm.types import Report, silent


def recipe(name: str, **tuning) -> Recipe:
    own = {"epochs": 2, "pairs_per_step": 12, "save_every": 2, "learning_rate": 1e-3, "seed": 5} | tuning
    return Recipe(
        name=name, preference=Preference(order="shared"), extras=Extras(odin=True, members=2), tuning=Tuning(**own)
    )


def train(folder: Path, backbone: str, name: str, report: Report = silent) -> dict:
    tuning = {"lora_dropout": 0.1, "learning_rate": 1e-2} if name == "lora" else {}
    found = finetune.fit(dataset(12, 3), backbone, recipe(name, **tuning), work_dir=folder, report=report)
    return {"loss": found.info["loss"], "margins": found.held_out.margins.tolist()}


def main(folder: str, backbone: str, name: str, die_at: str) -> None:
    torch.set_num_threads(1)

    def report(stage: str, done: int, total: int, metrics: dict) -> None:
        if stage == "train" and done == int(die_at):
            os.kill(os.getpid(), signal.SIGKILL)

    train(Path(folder), backbone, name, report)


if __name__ == "__main__":
    main(*sys.argv[1:])
