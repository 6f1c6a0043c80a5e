"""A version on a file of pairs that was never imported."""

import os
from typing import BinaryIO

import numpy as np

from annotate.formats import Record, read
from annotate.models.item import Split
from worker.jobs.files import batches, examples_of
from worker.jobs.loading import model_of
from worker.jobs.metrics import preference_metrics
from worker.models import Version
from worker.rm.scoring import score
from worker.rm.types import PREFERENCE, Comparison, HeldOut, Report, silent
from worker.services.snapshot import verdicts


class _Tally:
    """What is kept of a file: a score and a length per response, and the verdicts by place."""

    def __init__(self) -> None:
        self.scores: list[float] = []
        self.lengths: list[int] = []
        self.comparisons: list[Comparison] = []
        self.prompts: set[str] = set()
        self.truncated = 0


def evaluate(version: Version, file: BinaryIO, format: str, report: Report = silent) -> dict:
    """Pair accuracy with its interval, trivial baselines and ceiling, as in metrics.py; ValueError names a bad row.

    `majority` is the side that this file prefers more often. Verdicts that could not be judged are counted as skipped;
    `leakage` counts the file's prompts that the version was trained on.
    """
    model, tally, skipped = model_of(version), _Tally(), 0
    size = os.fstat(file.fileno()).st_size
    for batch in batches(read(file, format)):
        examples = []
        for where, item in batch:
            skipped += _take(tally, item, len(tally.scores) + len(examples))
            examples += examples_of(where, item)
        scored = score(model, examples)
        tally.scores += scored.heads[PREFERENCE].tolist()
        tally.lengths += [len(example.response) for example in examples]
        tally.prompts |= {example.group for example in examples}
        tally.truncated += int(scored.truncated.sum())
        report("bytes read and scored", file.tell(), size, {})
    counts = {
        "skipped": skipped,
        "truncated": tally.truncated,
        "leakage": {"prompts": _trained_on(version, tally.prompts)},
    }
    return _metrics(tally, model.temperature) | counts


def _trained_on(version: Version, prompts: set[str]) -> int:
    """How many of the prompts stand in the training part of the version's snapshot."""
    rows = version.snapshot.rows.filter(split=Split.TRAIN)
    return len(prompts & set(rows.values_list("judgement__item__prompt_sha256", flat=True).distinct()))


def _take(tally: _Tally, item: Record, offset: int) -> int:
    """Add the item's verdicts, its responses standing from `offset` on; returns how many could not be judged."""
    skipped = 0
    for verdict in item.judgements:
        pairs = verdicts(verdict.shown, verdict.outcome, verdict.ranking)
        skipped += not pairs
        tally.comparisons += [Comparison(offset + a, offset + b, p, verdict.weight) for a, b, p in pairs]
    return skipped


def _metrics(tally: _Tally, temperature: float) -> dict:
    if not tally.comparisons:
        raise ValueError("The file holds no verdict on a pair.")
    first = np.array([c.first for c in tally.comparisons])
    second = np.array([c.second for c in tally.comparisons])
    p, scores = np.array([c.p for c in tally.comparisons]), np.array(tally.scores)
    held = HeldOut(scores[first] - scores[second], p, first, second, {}, {})
    said, lengths = tally.comparisons, np.array(tally.lengths)
    return preference_metrics(held, said, said, lengths, temperature, said)
