"""Integrated gradients beside captum's, and how long a heat-map takes, on two threads.

    python -m tests.benchmarks.attribution [--quick]

Answers of QA-Feedback dev without passages, the preference of heads on the bundled backbone. Both walk from padding in
place of the response to the response, in outputs of the embedding block, and ask the same heads; captum gets
transformers' own model. First both are compared at equal nodes. "At its fewest" is the one number of steps at which
every response keeps to our bound, max(.001, 1 % of the change); captum is told it, we find it. In bfloat16 gradients
are, and end points are not. Variants take turns within one run, response by response.
"""

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from tests.benchmarks import _peers as peers
from tests.benchmarks.__main__ import machine
from tests.benchmarks.qa_feedback import SOURCE
from worker.rm import backbone
from worker.rm.attribution import attribute, look, path
from worker.rm.attribution.view import View
from worker.rm.recipe import Recipe
from worker.rm.source import folder
from worker.rm.training import fit_heads
from worker.rm.types import PREFERENCE, Example

LADDER = (8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 50, 64, 100)
TARGETS = {("fp32", 50): 2.0, ("fp32", 0): 1.3, ("bf16", 50): 3.3, ("bf16", 0): 2.2}  # 0: at its fewest


def main() -> None:
    if not SOURCE.exists():
        sys.exit(print(f"no {SOURCE.name} beside the project: nothing measured", file=sys.stderr))
    warnings.filterwarnings("ignore")
    torch.set_num_threads(2)
    quick = "--quick" in sys.argv
    data = peers.decided(60 if quick else 300)
    model = fit_heads(data, backbone.load("minilm"), Recipe(), None).model
    picked = np.random.default_rng(0).choice(len(data.examples), 3 if quick else 16, replace=False)
    sample = [data.examples[n] for n in picked]
    views = [look.at(model, example, PREFERENCE) for example in sample]
    network = peer()
    difference = max(equal_nodes(network, view) for view in views[:3])
    fewest = next(n for n in LADDER if all(residual(network, view, n) <= 1 for view in views))
    works = {
        "captum 50": lambda n: captum(network, views[n], 50),
        f"captum {fewest}": lambda n: captum(network, views[n], fewest),
        "fp32": lambda n: path.integrated(model, sample[n], PREFERENCE),
        "bf16": lambda n: path.integrated(model, sample[n], PREFERENCE, bf16=True),
    }
    rounds = [turns(works, len(sample)) for _ in range(1 if quick else 3)]
    for (kind, steps), target in TARGETS.items():
        found = [works[kind](n) for n in range(len(sample))]
        more = {"difference": difference, "peer_steps": steps or fewest} | quality(found)
        say(rounds, kind, f"captum {steps or fewest}", "" if steps else " at its fewest steps", target, more)
    heat_map(model, data.examples, 3 if quick else 9)


def peer() -> torch.nn.Module:
    """The backbone as transformers gives it, as `View.value` wants to hear it."""
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder("minilm"), dtype=torch.float32).eval()


def captum(network: torch.nn.Module, view: View, steps: int) -> tuple[torch.Tensor, float]:
    """(tokens,) attributions and captum's own residual."""
    from captum.attr import LayerIntegratedGradients

    pool, ids = view.pool(), torch.tensor([view.encoded.ids])
    padded = ids.clone()
    padded[0, slice(*view.encoded.response_span)] = view.backbone.encoder.tokenizer.pad_token_id
    mask = torch.ones_like(ids)
    reads = lambda ids, mask: view.value(pool @ network(input_ids=ids, attention_mask=mask).last_hidden_state)  # noqa: E731
    method = LayerIntegratedGradients(reads, network.embeddings)
    found, delta = method.attribute(
        ids, padded, additional_forward_args=(mask,), n_steps=steps, return_convergence_delta=True
    )
    return found.sum(-1)[0].detach(), float(delta)


def equal_nodes(network: torch.nn.Module, view: View) -> float:
    """The largest difference of any token at 16 nodes in one part; it must be under 1e-5."""
    start, end = path.ends(view)
    before = path.CUTS, path.NODES
    path.CUTS, path.NODES = (0.0, 1.0), 16
    own = path.walk(path.along(view), start, end, tolerance=np.inf).values
    path.CUTS, path.NODES = before
    if (difference := float((own - captum(network, view, 16)[0]).abs().max())) > 1e-5:
        sys.exit(f"the attributions differ by {difference}: nothing measured")
    return difference


def residual(network: torch.nn.Module, view: View, steps: int) -> float:
    """Captum's residual as a share of the bound."""
    values, delta = captum(network, view, steps)
    return abs(delta) / max(1e-3, 0.01 * abs(float(values.sum()) - delta))


def turns(works: dict[str, Callable[[int], object]], count: int) -> dict[str, tuple[float, float]]:
    """Seconds and processor seconds of each over all responses, another one first each time."""
    names, spent = list(works), dict.fromkeys(works, (0.0, 0.0))
    for n in range(count):
        for name in names[n % len(names) :] + names[: n % len(names)]:
            start, used = time.perf_counter(), time.process_time()
            works[name](n)
            wall, cpu = spent[name]
            spent[name] = wall + time.perf_counter() - start, cpu + time.process_time() - used
    return spent


def quality(found: list) -> dict:
    """Of our own walks: nodes, and the worst residual as a share of the bound."""
    change = [one.score - one.baseline - sum(one.features.values()) for one in found]
    worst = max(abs(one.residual) / max(1e-3, 0.01 * abs(much)) for one, much in zip(found, change, strict=True))
    nodes = statistics.fmean(one.cost["nodes"] for one in found)
    return {"nodes": nodes, "worst_residual": worst, "responses": len(found)}


def say(rounds: list[dict], kind: str, other: str, how: str, target: float, more: dict) -> None:
    ratio = statistics.median(one[other][0] / one[kind][0] for one in rounds)
    line = {
        "name": f"integrated gradients in {kind} beside captum{how}",
        "ours": round(statistics.median(one[kind][0] for one in rounds) / more["responses"], 3),
        "peer": round(statistics.median(one[other][0] for one in rounds) / more["responses"], 3),
        "unit": "s/response",
        "ratio": round(ratio, 2),
        "target": target,
        "holds": ratio >= target and more["worst_residual"] <= 1.01,
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "cpu_ratio": round(statistics.median(one[other][1] / one[kind][1] for one in rounds), 2),
    }
    print(json.dumps(line | {key: round(value, 7) for key, value in more.items()}), flush=True)


def heat_map(model, examples: list[Example], rounds: int) -> None:
    """Both responses of a pair of 512 tokens each, nothing cached: what the page shows first, and what may be asked."""
    long = [replace(one, response=" ".join([one.response] * 40)) for one in examples[:2]]
    for method, target in (("exact", 1.5), ("ig", None)):
        times, read = [], 0.0
        for _ in range(rounds if target else 1):
            start = time.perf_counter()
            found = [attribute(model, one, PREFERENCE, method) for one in long]
            times.append(time.perf_counter() - start)
            read = sum(one.cost["tokens"] for one in found)
        median = statistics.median(times)
        line = {
            "name": f"heat-map of a 512-token pair, {method}",
            "ours": round(median, 3),
            "peer": None,
            "unit": "s",
            "ratio": None,
            "target": target,
            "holds": None if target is None else median <= target,
            "machine": machine(),
            "tokens": [len(one.tokens) for one in found],
            "read": read,
            "worst_residual": max(abs(one.residual) for one in found),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
