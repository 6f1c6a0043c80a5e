"""Fitting all heads again on 10,000 pairs whose embeddings are cached: reading the cache, fitting, nothing else.

    python -m tests.benchmarks.heads_refit [--quick]

The cache is filled with made-up numbers of the bundled backbone's shape: 1,667 prompts with four responses of three
segments each and all six pairs of each prompt; half of the responses have spans in one of two categories. No peer
does this, so the figure stands against its target alone.
"""

import json
import statistics
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from tests.benchmarks.__main__ import machine
from worker.rm import backbone, cache, features
from worker.rm.embed import folder_name, key
from worker.rm.recipe import Recipe
from worker.rm.training import fit_heads
from worker.rm.types import Comparison, Dataset, Example, SpanLabel

PROMPTS, TARGET = 1667, 2.0
TEXT = "A first sentence here. A second sentence here. A third sentence here."
BOUNDS = np.int32([[0, 23], [23, 47], [47, 69]])
CATEGORIES = ("wrong", "irrelevant")


def examples(rng: np.random.Generator) -> list[Example]:
    """Responses to PROMPTS prompts, four each."""
    found = []
    for n in range(4 * PROMPTS):
        prompt = f"Question {n // 4}"
        spans = (SpanLabel(23, 46, CATEGORIES[rng.integers(2)]),) if rng.random() < 0.5 else ()
        group = sha256(prompt.encode()).hexdigest()
        found.append(Example(str(n), group, (("user", prompt),), f"{TEXT} {n}", (), spans if n % 2 else None))
    return found


def embeddings(rng: np.random.Generator, n: int, width: int) -> cache.Embedded:
    """Random values of the right shapes."""
    normal = lambda *shape: rng.standard_normal(shape, dtype=np.float32)  # noqa: E731
    return cache.Embedded(
        pooled=normal(n, 2 * width),
        surface=normal(n, len(features.SURFACE) + len(features.COSINES)),
        segments=normal(3 * n, width),
        segment_features=normal(3 * n, len(features.SEGMENT)),
        bounds=np.tile(BOUNDS, (n, 1)),
        sizes=np.tile(np.int32([[3, 15, 0]]), (n, 1)),
    )


def comparisons(rng: np.random.Generator, quality: np.ndarray) -> list[Comparison]:
    """All pairs of each prompt, decided by quality and chance."""
    found = []
    for start in range(0, len(quality), 4):
        for a in range(start, start + 4):
            for b in range(a + 1, start + 4):
                gap = quality[a] - quality[b] + rng.logistic()
                found.append(Comparison(a, b, 0.5 if abs(gap) < 0.3 else float(gap > 0)))
    return found


def main() -> None:
    rng = np.random.default_rng(0)
    minilm = backbone.load("minilm")
    torch.set_num_threads(2)
    people = examples(rng)
    rows = embeddings(rng, len(people), minilm.dim)
    pairs = comparisons(rng, rows.surface[:, :6].sum(1) / 3 + rows.pooled[:, :20].sum(1) / 10)[:10_000]
    data = Dataset(people, pairs, (), CATEGORIES)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / folder_name(minilm, Recipe().heads.rule)
        for start in range(0, len(people), 500):
            picked = np.arange(start, min(start + 500, len(people)))
            cache.write(where, [key(people[n]) for n in picked], cache.take(rows, picked))
        runs = [fit_heads(data, minilm, Recipe(), Path(folder)) for _ in range(1 if "--quick" in sys.argv else 5)]
    seconds = {stage: round(statistics.median(run.seconds[stage] for run in runs), 3) for stage in runs[0].seconds}
    line = {
        "name": "heads refit on 10,000 cached pairs",
        "ours": seconds["total"],
        "peer": None,
        "unit": "s",
        "ratio": None,
        "target": TARGET,
        "holds": seconds["total"] < TARGET,
        "machine": machine(),
        "seconds": seconds,
        "l2": runs[0].info["l2"],
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
