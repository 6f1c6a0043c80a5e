"""The GPU against the CPU of the same machine, on the demo's answers: same scores, how many more per second.

BACKBONE=minilm python -m tests.benchmarks.cuda [--quick]     (prints nothing on a machine without a GPU)
"""

import json
import os
import sys
import time
from dataclasses import replace

import torch

from annotate.world import make_world
from worker.rm import backbone, training
from worker.rm.attribution import attribute
from worker.rm.embed import embed
from worker.rm.types import Comparison, Dataset, Example


def answers(questions: int) -> list[Example]:
    """Every answer of a known world as an example."""
    world = make_world(questions=questions)
    return [
        Example(key=f"{q}-{a}", group=str(q), turns=question.turns, response=answer.text, context=(question.table,))
        for q, question in enumerate(world.questions)
        for a, answer in enumerate(question.answers)
    ]


def on(device: str) -> backbone.Backbone:
    """A copy of the backbone on that device."""
    loaded = backbone.load(os.environ.get("BACKBONE", "minilm"))
    return replace(loaded, model=loaded.model.to(device))


def timed(work: object) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def row(name: str, ours: float, peer: float, unit: str, holds: bool, target: str) -> None:
    machine = torch.cuda.get_device_name()
    line = {"name": name, "ours": round(ours, 3), "peer": round(peer, 3), "unit": unit, "ratio": round(ours / peer, 2)}
    print(json.dumps(line | {"target": target, "holds": holds, "machine": machine}), flush=True)


def main() -> None:
    examples = answers(40 if "--quick" in sys.argv else 160)
    embed(on("cuda"), examples[:64])  # the first call pays for loading kernels
    gpu, found = timed(lambda: embed(on("cuda"), examples))
    cpu, expected = timed(lambda: embed(on("cpu"), examples))
    pairs = [Comparison(n, n + 1, float(n % 3 == 0)) for n in range(0, len(examples), 2)]
    model = training.fit_embedded(
        Dataset(examples, pairs, []), expected, on("cpu"), training.HeadsRecipe(folds=2, l2=(10.0,))
    ).model
    gap = float((model(found) - model(expected)).abs().max() / model.std)
    same, n = gap < 1e-3, len(examples)
    row("embedding, GPU against CPU", n / gpu, n / cpu, "responses/s", same, "same scores")
    row("largest score gap in standard deviations, GPU against CPU", gap, 1e-3, "sd", same, "< 0.001")
    work = [lambda one=one: attribute(model, one, "preference", "ig") for one in examples[:8]]
    on("cpu")
    slow, _ = timed(lambda: [each() for each in work])
    on("cuda")
    fast, maps = timed(lambda: [each() for each in work])
    complete = all(abs(one.residual) <= max(1e-3, 0.02 * abs(one.score - one.baseline)) for one in maps)
    row("integrated gradients, GPU and CPU", len(maps) / fast, len(maps) / slow, "responses/s", complete, "complete")


if __name__ == "__main__":
    if torch.cuda.is_available():
        main()
