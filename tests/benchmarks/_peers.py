"""What the reward-model benchmarks share: QA-Feedback's pairs, the peers' model and trainer, turns, and peak memory."""

import gc
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch

from tests.benchmarks.qa_feedback import dataset
from worker.rm import backbone
from worker.rm.recipe import Encoding, Extras, Preference, Recipe, Tuning
from worker.rm.source import folder
from worker.rm.types import Comparison, Dataset

ENCODING = Encoding(pooling="cls", max_length=256)
RATE, STEP_PAIRS = 5e-5, 16


def recipe(bf16: bool) -> Recipe:
    """The peers' job: plain Bradley–Terry on decided pairs, one epoch, no warm-up, one learning rate."""
    tuning = Tuning(
        learning_rate=RATE, head_learning_rate=RATE, warmup=0, pairs_per_step=STEP_PAIRS, bf16=bf16, save_every=10**6
    )
    return Recipe(
        name="full",
        encoding=ENCODING,
        preference=Preference(objective="bradley_terry", order="none"),
        extras=Extras(attributes=0, segments=0, steps=0),
        tuning=tuning,
    )


def decided(pairs: int) -> Dataset:
    """Whole prompts of QA-Feedback with at least so many decided pairs in all, the winner first."""
    data = dataset(1)
    own, most = [], 0
    for one in data.train:
        if len(own) >= pairs and one.first // 4 != most:
            break
        if one.p != 0.5:
            first, second = (one.first, one.second) if one.p > 0.5 else (one.second, one.first)
            own.append(Comparison(first, second, 1.0))
        most = one.first // 4
    used = max(max(one.first, one.second) for one in own) // 4 * 4 + 4
    return Dataset(data.examples[:used], own, ())


def classifier(attention: str = "sdpa") -> torch.nn.Module:
    """MiniLM with one random output, dropout off."""
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(folder("minilm"), num_labels=1, dtype=torch.float32)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.set_attn_implementation(attention)
    return model


def trl(model: torch.nn.Module, rows: list[tuple], **settings: object) -> Callable[[], object]:
    """Its RewardTrainer over (chosen ids, rejected ids), ready to train."""
    from datasets import Dataset as Rows
    from trl import RewardConfig, RewardTrainer

    columns = {"chosen_ids": [list(a) for a, _ in rows], "rejected_ids": [list(b) for _, b in rows]}
    if "train_sampling_strategy" in settings:
        columns["length"] = [max(len(a), len(b)) for a, b in rows]
        settings |= {"length_column_name": "length", "remove_unused_columns": False}
    config = RewardConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=STEP_PAIRS,
        num_train_epochs=1,
        learning_rate=RATE,
        max_length=ENCODING.max_length,
        use_cpu=not torch.cuda.is_available(),
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        **settings,
    )
    tokenizer = backbone.load("minilm", ENCODING).encoder.tokenizer
    return RewardTrainer(
        model=model, args=config, train_dataset=Rows.from_dict(columns), processing_class=tokenizer
    ).train


def turns(variants: dict[str, Callable[[], Callable]], rounds: int) -> dict[str, list[tuple[float, float, float]]]:
    """(seconds, peak megabytes, CPU seconds) of every variant, once a round, in rotated order.

    A variant makes ready what is then timed; noise and drift hit all of them alike.
    """
    names, found = list(variants), {name: [] for name in variants}
    for n in range(rounds):
        for name in names[n % len(names) :] + names[: n % len(names)]:
            gc.collect()
            work = variants[name]()
            forget_peak()
            start, own = time.perf_counter(), time.process_time()
            work()
            found[name].append((time.perf_counter() - start, peak(), time.process_time() - own))
    return found


def forget_peak() -> None:
    """The peak of memory starts anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """Megabytes that this process held at most since then."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def ratio(found: dict, peer: str, ours: str, clock: int = 0) -> float:
    """How many times as long the peer took: the median over rounds. Clock 2 is CPU time, which others hardly move."""
    return statistics.median(a[clock] / b[clock] for a, b in zip(found[peer], found[ours], strict=True))


def typical(found: dict, name: str) -> tuple[float, float]:
    """Median seconds, largest peak in megabytes."""
    return statistics.median(one[0] for one in found[name]), max(one[1] for one in found[name])
