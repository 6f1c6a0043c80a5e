"""Scoring beside a transformers text-classification pipeline, on two threads; and scoring again what is cached.

    python -m tests.benchmarks.scoring [--quick]

Answers of QA-Feedback dev without passages under MiniLM with one random output. Both start from texts and give one raw
number for each; first the numbers are compared. Variants take turns within one run. Of bfloat16 it is told how far
scores move against their standard deviation, and how many decided pairs turn round.
"""

import json
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch

from tests.benchmarks import _peers as peers
from tests.benchmarks.__main__ import machine
from tests.benchmarks.qa_feedback import SOURCE
from worker.rm import backbone, scoring
from worker.rm.network import Shape
from worker.rm.recipe import Recipe
from worker.rm.training import fit_heads
from worker.rm.tuned import TunedModel, build, kept


def main() -> None:
    if not SOURCE.exists():
        sys.exit(print(f"no {SOURCE.name} beside the project: nothing measured", file=sys.stderr))
    warnings.filterwarnings("ignore")
    torch.set_num_threads(2)
    quick = "--quick" in sys.argv
    data = peers.decided(100 if quick else 650)
    texts = [f"{one.turns[0][1]} [SEP] {one.response}" for one in data.examples]
    models = {name: model(bf16) for name, bf16 in (("fp32", False), ("bf16", True))}
    pipe = pipeline()
    theirs = pipe(texts)
    scores = {name: scoring.score(own, data.examples).heads["preference"] for name, own in models.items()}
    if (difference := float(np.abs(scores["fp32"] - theirs).max())) > 1e-4:
        sys.exit(f"the scores differ by {difference}: nothing measured")
    works = {name: lambda own=own: lambda: scoring.score(own, data.examples) for name, own in models.items()}
    found = peers.turns({"pipeline": lambda: lambda: pipe(texts), **works}, 1 if quick else 5)
    moved = np.abs(scores["bf16"] - scores["fp32"]).max()
    more = {"difference": float(moved), "reward_sd": float(scores["fp32"].std()), "flipped": flipped(data, scores)}
    say("scoring in fp32 beside a pipeline", found, "fp32", len(texts), 1.6, {"difference": difference})
    say("scoring in bf16 beside a pipeline", found, "bf16", len(texts), 2.6, more)
    again(data, quick)


def model(bf16: bool) -> TunedModel:
    """The peers' classifier as a tuned model."""
    recipe = peers.recipe(bf16)
    found = backbone.fresh("minilm", recipe.encoding)
    network = build(found, recipe, Shape())
    network.heads["preference"].weight.data.copy_(peers.classifier().classifier.weight)
    own = TunedModel("minilm", found.hash, found.encoder.hash, recipe, Shape(), kept(network, recipe))
    assert own.network is not None  # loaded before anything is timed
    return own


def pipeline():
    """Texts → numbers without the output's bias, which cancels in every margin."""
    from transformers import pipeline as made

    model = peers.classifier().eval()
    tokenizer = backbone.load("minilm").encoder.tokenizer
    pipe = made("text-classification", model=model, tokenizer=tokenizer, device=-1)
    bias = float(model.classifier.bias)
    options = {"batch_size": 16, "padding": True, "truncation": True, "max_length": peers.ENCODING.max_length}
    return lambda texts: np.array([one["score"] for one in pipe(texts, function_to_apply="none", **options)]) - bias


def flipped(data, scores: dict[str, np.ndarray]) -> float:
    """Share of decided pairs whose winner is another one in bfloat16."""
    pairs = np.array([(one.first, one.second) for one in data.train])
    exact, rough = (scores[name][pairs[:, 0]] > scores[name][pairs[:, 1]] for name in ("fp32", "bf16"))
    return float((exact != rough).mean())


def again(data, quick: bool) -> None:
    """Scoring by heads, first with an empty cache of embeddings, then unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        own = fit_heads(data, backbone.load("minilm"), Recipe(), Path(folder)).model
    first, second = [], []
    peers.forget_peak()
    for _ in range(1 if quick else 3):
        with tempfile.TemporaryDirectory() as folder:
            for times in (first, second):
                start = time.perf_counter()
                scoring.score(own, data.examples, Path(folder))
                times.append(time.perf_counter() - start)
    ratio = statistics.median(a / b for a, b in zip(first, second, strict=True))
    line = {
        "name": "scoring again with cached embeddings",
        "ours": round(len(data.examples) / statistics.median(second)),
        "peer": round(len(data.examples) / statistics.median(first), 1),
        "unit": "responses/s",
        "ratio": round(ratio, 1),
        "target": 50,
        "holds": ratio >= 50,
        "machine": machine(),
        "memory_mb": round(peers.peak()),
    }
    print(json.dumps(line), flush=True)


def say(name: str, found: dict, ours: str, count: int, target: float, more: dict) -> None:
    (seconds, memory), (theirs, their_memory) = peers.typical(found, ours), peers.typical(found, "pipeline")
    times = peers.ratio(found, "pipeline", ours)
    line = {
        "name": name,
        "ours": round(count / seconds, 1),
        "peer": round(count / theirs, 1),
        "unit": "responses/s",
        "ratio": round(times, 2),
        "target": target,
        "holds": times >= target,
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "cpu_ratio": round(peers.ratio(found, "pipeline", ours, 2), 2),
        "memory_mb": round(memory),
        "peer_memory_mb": round(their_memory),
    }
    print(json.dumps(line | {key: round(value, 5) for key, value in more.items()}), flush=True)


if __name__ == "__main__":
    main()
