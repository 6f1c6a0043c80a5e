"""On a GPU: a random causal model of 0.6 billion weights fine-tuned in bfloat16, beside TRL with the same model.

    python -m tests.benchmarks.finetune_gpu [--quick]

Qwen3's shape with random weights and a tokenizer trained on the texts; QA-Feedback dev with its passages in the
prompt, four responses each, which is where a shared prompt pays. Useful tokens are those TRL has to read: both
responses of a pair with their prompt. Share of peak: 6 operations per weight and token that were really computed.
Without a GPU it prints nothing.
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from tests.benchmarks import _peers as peers
from tests.benchmarks.__main__ import machine
from tests.benchmarks.qa_feedback import SOURCE
from worker.rm import backbone, finetune, reading
from worker.rm.plan import plan
from worker.rm.recipe import Encoding
from worker.rm.tuned import build

PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40": 181e12}  # dense bfloat16 operations per second
ENCODING = Encoding(max_length=1024)


def main() -> None:
    if not torch.cuda.is_available() or not SOURCE.exists():
        sys.exit(print("no GPU or no data: nothing measured", file=sys.stderr))
    data = with_passages(peers.decided(48 if "--quick" in sys.argv else 600))
    name = random_model([one.turns[0][1] + one.response for one in data.examples])
    recipe = peers.recipe(bf16=True).model_copy(update={"encoding": ENCODING})
    tuning = recipe.tuning.model_copy(update={"shared_prefix": True, "pairs_per_step": 32, "freeze_embeddings": False})
    recipe = recipe.model_copy(update={"tuning": tuning})
    inputs = reading.inputs(backbone.load(name, ENCODING).encoder, data.examples, "sentence")
    rows = [(inputs[one.first].ids, inputs[one.second].ids) for one in data.train]
    computed, memory = [], {}

    def ours():
        network = build(backbone.fresh(name, ENCODING), recipe, (own := plan(data, inputs, recipe)).shape)
        network.begin(0)
        computed[:] = [sum(network.forwarded([inputs[n] for n in group.examples])[0] for group in own.groups)]
        steps = lambda: finetune.steps_of(network, own, recipe, Path(tempfile.mkdtemp()), lambda *_: None)  # noqa: E731
        return synced(steps, memory, "ours")

    def theirs():
        return synced(peers.trl(classifier(name), rows, gradient_checkpointing=False, bf16=True), memory, "TRL")

    found = peers.turns({"TRL": theirs, "ours": ours}, 1 if "--quick" in sys.argv else 3)
    say(found, sum(len(a) + len(b) for a, b in rows), computed[0], name, memory)


def with_passages(data):
    """The passages that the answerers were given stand in the prompt."""
    return replace(
        data,
        examples=[replace(one, turns=(("user", "\n".join([*one.context, one.turns[0][1]])),)) for one in data.examples],
    )


def random_model(texts: list[str]) -> str:
    """A folder with Qwen3's 0.6 billion weights at random."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from tests.worker.rm.tiny import tokenizer

    own = tokenizer(texts, ["<|endoftext|>"], eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    shape = {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16}
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(Qwen3Config(vocab_size=151_936, num_key_value_heads=8, head_dim=128, **shape))
    folder = tempfile.mkdtemp()
    own.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def classifier(name: str) -> torch.nn.Module:
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(name, num_labels=1, dtype=torch.float32)
    model.config.pad_token_id = 0
    return model


def synced(work, memory: dict[str, float], who: str):
    """The work to its end on the GPU; the most megabytes that it held there go into `memory`."""

    def run() -> None:
        torch.cuda.reset_peak_memory_stats()
        work()
        torch.cuda.synchronize()
        memory[who] = max(memory.get(who, 0.0), torch.cuda.max_memory_allocated() / 2**20)

    return run


def say(found: dict, useful: int, computed: int, name: str, memory: dict[str, float]) -> None:
    seconds, theirs = (peers.typical(found, who)[0] for who in ("ours", "TRL"))
    weights = sum(one.numel() for one in backbone.load(name, ENCODING).model.layers.parameters())
    device = torch.cuda.get_device_name()
    peak = next((value for kind, value in PEAK.items() if kind in device), None)
    times = peers.ratio(found, "TRL", "ours")
    line = {
        "name": "full fine-tune of a random 0.6B causal model in bf16 on a GPU beside TRL",
        "ours": round(useful / seconds),
        "peer": round(useful / theirs),
        "unit": "useful tokens/s",
        "ratio": round(times, 2),
        "target": 2,
        "holds": times >= 2,
        "machine": f"{device}, {machine()}",
        "computed_tokens_per_s": round(computed / seconds),
        "share_of_peak": round(6 * weights * computed / seconds / peak, 3) if peak else None,
        "memory_mb": round(memory["ours"]),
        "peer_memory_mb": round(memory["TRL"]),
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
