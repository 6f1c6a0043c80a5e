"""Real human feedback, cross-validated by prompt: how often is the better answer found, and the wrong sentence?

    python -m tests.benchmarks.qa_feedback [--quick]

Reads QA-Feedback dev (500 questions, four answers, six pair labels each, spans on the first answer) from the folder
beside the project. Every prompt is held out once, in each of three assignments to five folds. Accuracy is over decided
pairs and by quality alone: the learned favour for the first shown is left out. --quick takes every eighth question.
"""

import json
import os
import sys
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from annotate.agreement import Interval, wilson
from annotate.formats import qa_feedback
from annotate.formats.record import Record, prompt_sha256
from tests.benchmarks.__main__ import machine
from tests.conftest import DATA
from worker.rm import backbone
from worker.rm.embed import embed
from worker.rm.recipe import Heads, Recipe
from worker.rm.training import PARTS, fit_embedded, fit_heads
from worker.rm.types import Comparison, Dataset, Example, HeldOut, SpanLabel

SOURCE, FLOOR, FOLDS, ASSIGNMENTS = DATA / "qa_feedback_dev.json", 0.598, 5, 3
ABLATIONS = {
    "embeddings": ("embeddings",),
    "surface": ("surface",),
    "surface + cosines": ("surface", "cosines"),
    "surface + segments": ("surface", "segments"),
    "surface + cosines + segments": ("surface", "cosines", "segments"),
    "all": PARTS,
}


def dataset(step: int) -> Dataset:
    """Every step-th question, everything in `train`; spans are known of the first answer alone."""
    records = [qa_feedback.record(row) for row in json.loads(SOURCE.read_text())[::step]]
    examples = [example for n, record in enumerate(records) for example in _examples(n, record)]
    pairs = [
        Comparison(4 * n + verdict.shown[0], 4 * n + verdict.shown[1], _p(verdict))
        for n, record in enumerate(records)
        for verdict in record.judgements
    ]
    categories = sorted({span.category for example in examples for span in example.spans or ()})
    return Dataset(examples, pairs, (), tuple(categories))


def _examples(n: int, record: Record) -> list[Example]:
    turns = tuple((turn.role, turn.content) for turn in record.turns)
    context = tuple(f"{passage.title}\n{passage.text}" for passage in record.context)
    spans = tuple(SpanLabel(s.start, s.end, s.category) for s in record.judgements[0].spans)
    group = prompt_sha256(record.turns)
    return [
        Example(f"{n}-{k}", group, turns, answer.text, context, None if k else spans)
        for k, answer in enumerate(record.responses)
    ]


def _p(verdict) -> float:
    return 0.5 if verdict.outcome == "tie" else float(verdict.ranking[0] == [verdict.shown[0]])


def folds(data: Dataset, seed: int) -> list[Dataset]:
    """The data with each fifth of the prompts held out."""
    groups = sorted({example.group for example in data.examples})
    np.random.default_rng(seed).shuffle(groups)
    found = []
    for n in range(FOLDS):
        held = frozenset(groups[n::FOLDS])
        test = [pair for pair in data.train if data.examples[pair.first].group in held]
        train = [pair for pair in data.train if data.examples[pair.first].group not in held]
        found.append(replace(data, train=train, test=test, test_groups=held))
    return found


def cross_validate(data: Dataset, embedded, minilm, recipe: Recipe, seed: int) -> tuple[HeldOut, list[dict]]:
    """Predictions on every prompt by heads that did not see it, margins at their temperature; and each fold's info."""
    fitted = [fit_embedded(part, embedded, minilm, recipe) for part in folds(data, seed)]
    held = [one.held_out for one in fitted]
    margins = np.concatenate([one.held_out.margins / one.model.temperature for one in fitted])
    segments = defaultdict(list)
    for one in held:
        for key, pair in one.segments.items():
            segments[key].append(pair)
    joined = {key: tuple(np.concatenate(part) for part in zip(*pairs, strict=True)) for key, pairs in segments.items()}
    columns = [np.concatenate([getattr(one, name) for one in held]) for name in ("p", "first", "second")]
    return HeldOut(margins, *columns, joined, {}), [dict(one.info) for one in fitted]


def accuracy(guess: np.ndarray, p: np.ndarray) -> Interval:
    """Of signs against decided labels; a guess of 0 is half right."""
    right = (np.sign(guess) * np.sign(p - 0.5) + 1) / 2
    return wilson(float(right[p != 0.5].sum()), int((p != 0.5).sum()))


def say(name: str, ours, unit: str, peer=None, target=None, **more) -> None:
    """One JSON line."""
    line = {"name": f"QA-Feedback: {name}", "ours": _round(ours), "peer": _round(peer), "unit": unit}
    line["ratio"] = _round(ours / peer) if peer else None
    line |= {"target": target, "holds": None if target is None else bool(ours > target), "machine": machine()}
    print(json.dumps(line | {key: _round(value) for key, value in more.items()}), flush=True)


def _round(value):
    return round(float(value), 4) if isinstance(value, float | np.floating) else value


def say_interval(name: str, found: Interval, **more) -> None:
    say(name, found.value, "accuracy", low=found.low, high=found.high, n=found.n, **more)


def main() -> None:
    if not SOURCE.exists():
        sys.exit(print(f"no {SOURCE.name} beside the project: nothing measured", file=sys.stderr))
    quick = "--quick" in sys.argv
    torch.set_num_threads(os.cpu_count() or 1)
    data, minilm = dataset(8 if quick else 1), backbone.load("minilm")
    with tempfile.TemporaryDirectory() as folder:
        seconds = fit_heads(data, minilm, Recipe(), Path(folder)).seconds
        embedded = embed(minilm, data.examples, Recipe().heads.rule, Path(folder))
    for stage, value in seconds.items():
        say(f"seconds, {stage}", value, "s", responses=len(data.examples), pairs=len(data.train))
    torch.set_num_threads(1)
    for name, parts in ABLATIONS.items():
        seeds = range(1 if quick else ASSIGNMENTS)
        runs = [cross_validate(data, embedded, minilm, Recipe(heads=Heads(parts=parts)), seed) for seed in seeds]
        each = [accuracy(held.margins, held.p).value for held, _ in runs]
        mean, decided = float(np.mean(each)), int((runs[0][0].p != 0.5).sum())
        found = wilson(mean * decided, decided)
        target = FLOOR if name == "all" and not quick else None
        say(f"accuracy, {name}", mean, "accuracy", 0.598, target, low=found.low, high=found.high, n=decided, each=each)
    _beside(data, *runs[0])


def _beside(data: Dataset, held: HeldOut, infos: list[dict]) -> None:
    """Baselines, what the model expects of itself, and segments, for the last and fullest model."""
    lengths = np.array([len(example.response) for example in data.examples])
    ones = np.ones(len(held.p))
    towards = 1 if sum(pair.p > 0.5 for pair in data.train) >= sum(pair.p < 0.5 for pair in data.train) else -1
    say_interval("always first", accuracy(ones, held.p))
    say_interval("longer wins", accuracy(lengths[held.first] - lengths[held.second], held.p))
    say_interval("majority", accuracy(towards * ones, held.p))
    say_interval("labels swapped", accuracy(held.margins, 1 - held.p))
    gamma = float(np.mean([info["order_gamma"] for info in infos]))
    say_interval("accuracy with the order effect", accuracy(held.margins + gamma, held.p), order_gamma=gamma)
    expected = float((1 / (1 + np.exp(-np.abs(held.margins)))).mean())
    say("accuracy the model expects of itself", expected, "accuracy")
    say("tie threshold", float(np.mean([info["tie_theta"] for info in infos])), "θ")
    for key, (logits, labels) in held.segments.items():
        called, share = logits > 0, float(labels.mean())
        f1 = 2 * float((called & (labels == 1)).sum()) / max(int(called.sum() + labels.sum()), 1)
        above = (logits[labels == 1][:, None] > logits[labels == 0][None]).mean() if 0 < share < 1 else None
        say(f"segments, {key}", f1, "F1", 2 * share / (1 + share), n=len(labels), errors=int(labels.sum()), auroc=above)


if __name__ == "__main__":
    main()
