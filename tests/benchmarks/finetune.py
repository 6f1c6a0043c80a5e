"""Fine-tuning a reward model beside TRL's RewardTrainer: the same backbone, pairs and loss, on two threads.

    python -m tests.benchmarks.finetune [--quick]

QA-Feedback dev without passages, MiniLM as AutoModelForSequenceClassification (our pooling "cls"), one epoch, dropout
off, AdamW, about 16 pairs a step. TRL gets our token ids. First both losses of one batch are compared. Variants take
turns within one run. TRL's defaults are bfloat16 with gradient checkpointing; by hand it does best without
checkpointing, with eager attention, and with its data grouped by length. Where a GPU is, a random causal model of
0.6 billion weights is trained as well, see finetune_gpu.py.
"""

import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch
from torch.nn.functional import logsigmoid

from tests.benchmarks import _peers as peers
from tests.benchmarks.__main__ import machine
from tests.benchmarks.qa_feedback import SOURCE, dataset
from worker.rm import backbone, finetune, reading
from worker.rm.plan import plan
from worker.rm.recipe import Recipe
from worker.rm.training import fit_heads
from worker.rm.tuned import build

HAND_TUNED = {"bf16": True, "gradient_checkpointing": False, "train_sampling_strategy": "group_by_length"}


def main() -> None:
    if not SOURCE.exists():
        sys.exit(print(f"no {SOURCE.name} beside the project: nothing measured", file=sys.stderr))
    warnings.filterwarnings("ignore")
    torch.set_num_threads(2)
    quick = "--quick" in sys.argv
    data = peers.decided(24 if quick else 150)
    inputs = reading.inputs(backbone.load("minilm", peers.ENCODING).encoder, data.examples, "sentence")
    rows = [(inputs[one.first].ids, inputs[one.second].ids) for one in data.train]
    difference = same_loss(data, inputs, rows)
    ours = lambda bf16: lambda: training(data, inputs, peers.recipe(bf16))  # noqa: E731
    found = peers.turns(
        {
            "TRL defaults": lambda: peers.trl(peers.classifier(), rows),
            "TRL hand-tuned": lambda: peers.trl(peers.classifier("eager"), rows, **HAND_TUNED),
            "fp32": ours(False),
            "bf16": ours(True),
        },
        1 if quick else 3,
    )
    for kind, peer, target in (
        ("fp32", "TRL defaults", 3.5),
        ("bf16", "TRL defaults", 6.0),
        ("bf16", "TRL hand-tuned", 3.0),
    ):
        say(f"full fine-tune in {kind} beside {peer}", found, kind, peer, len(rows), target, difference)
    refit(found, len(rows))


def training(data, inputs, recipe: Recipe):
    """All steps of a fresh network, as a job runs them."""
    network = build(backbone.fresh("minilm", recipe.encoding), recipe, (own := plan(data, inputs, recipe)).shape)
    network.begin(0)
    network.heads["preference"].weight.data.copy_(peers.classifier().classifier.weight)
    return lambda: finetune.steps_of(network, own, recipe, Path(tempfile.mkdtemp()), lambda *_: None)


def same_loss(data, inputs, rows) -> float:
    """|our loss − the classifier's| on the first prompts, in float32; it must be under 1e-4."""
    recipe = peers.recipe(bf16=False)
    model = peers.classifier().eval()
    network = build(backbone.fresh("minilm", recipe.encoding), recipe, plan(data, inputs, recipe).shape)
    network.heads["preference"].weight.data.copy_(model.classifier.weight)
    picked = data.train[: peers.STEP_PAIRS]
    with torch.no_grad():
        scores = network.eval()(inputs[: max(max(one.first, one.second) for one in picked) + 1]).members[:, 0]
        own = -logsigmoid(torch.stack([scores[one.first] - scores[one.second] for one in picked])).mean()
        ids, mask = backbone.load("minilm").pad([row for pair in rows[: len(picked)] for row in pair])
        chosen, rejected = model(input_ids=ids, attention_mask=mask).logits.view(-1, 2).T
        theirs = -logsigmoid(chosen - rejected).mean()
    if (difference := float((own - theirs).abs())) > 1e-4:
        sys.exit(f"the losses differ by {difference}: nothing measured")
    return difference


def say(name: str, found: dict, ours: str, peer: str, pairs: int, target: float, difference: float) -> None:
    (seconds, memory), (theirs, their_memory) = peers.typical(found, ours), peers.typical(found, peer)
    times = peers.ratio(found, peer, ours)
    line = {
        "name": name,
        "ours": round(pairs / seconds, 1),
        "peer": round(pairs / theirs, 1),
        "unit": "pairs/s",
        "ratio": round(times, 2),
        "target": target,
        "holds": times >= target,
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "cpu_ratio": round(peers.ratio(found, peer, ours, 2), 2),
        "pairs": pairs,
        "memory_mb": round(memory),
        "peer_memory_mb": round(their_memory),
        "loss_difference": difference,
    }
    print(json.dumps(line), flush=True)


def refit(found: dict, pairs: int) -> None:
    """Heads on cached embeddings over everything, against the time that TRL's speed of this run would take for it."""
    data = dataset(1)
    with tempfile.TemporaryDirectory() as folder:
        fit_heads(data, backbone.load("minilm"), Recipe(), Path(folder))
        peers.forget_peak()
        start = time.perf_counter()
        fit_heads(data, backbone.load("minilm"), Recipe(), Path(folder))
        seconds = time.perf_counter() - start
    theirs = peers.typical(found, "TRL defaults")[0] * sum(one.p != 0.5 for one in data.train) / pairs
    line = {
        "name": "heads refit beside a TRL retrain at its defaults' speed",
        "ours": round(seconds, 2),
        "peer": round(theirs, 1),
        "unit": "s",
        "ratio": round(theirs / seconds, 1),
        "target": 100,
        "holds": theirs / seconds >= 100,
        "machine": machine(),
        "pairs": len(data.train),
        "memory_mb": round(peers.peak()),
        "peer_memory_mb": round(peers.typical(found, "TRL defaults")[1]),
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
