"""What people said of single responses, as arrays beside the examples; and which examples may be learnt from."""

import zlib
from collections.abc import Sequence

import numpy as np

from . import segments, steps
from .cache import Embedded
from .types import Dataset


def held(data: Dataset) -> np.ndarray:
    """(examples,) whether the example's group is held out."""
    groups = set(data.test_groups)
    groups |= {data.examples[n].group for pair in data.test for n in (pair.first, pair.second)}
    return np.array([example.group in groups for example in data.examples], dtype=bool)


def folds(data: Dataset, count: int) -> np.ndarray:
    """(examples,) the fold of each training example, −1 where held out. Equal groups, equal fold."""
    out = held(data)
    groups = sorted({one.group for one, away in zip(data.examples, out, strict=True) if not away}, key=_scatter)
    place = {group: n % count for n, group in enumerate(groups)}
    return np.array([place.get(example.group, -1) for example in data.examples])


def _scatter(group: str) -> tuple[int, str]:
    return zlib.crc32(group.encode()), group


def bounds(embedded: Embedded) -> list[np.ndarray]:
    """The segments of each example."""
    return np.split(embedded.bounds, np.cumsum(embedded.sizes[:, 0])[:-1])


def of_different_texts(data: Dataset) -> np.ndarray:
    """(pairs, 2) positions of what is compared, each couple once: where a model reads both alike, it was cut."""
    couples = sorted(
        {(min(a, b), max(a, b)) for a, b in ((one.first, one.second) for one in (*data.train, *data.test))}
    )
    apart = [(a, b) for a, b in couples if data.examples[a].response != data.examples[b].response]
    return np.array(apart, dtype=np.int64).reshape(-1, 2)


def ratings(data: Dataset, criteria: Sequence[str]) -> np.ndarray:
    """(examples, criteria) mean ratings, NaN where nobody rated."""
    rows = [[one.ratings.get(key, np.nan) for key in criteria] for one in data.examples]
    return np.array(rows, dtype=np.float32).reshape(len(data.examples), len(criteria))


def told_apart(table: np.ndarray, keys: Sequence[str]) -> list[str]:
    """The keys whose column holds at least two different values: the others teach nothing."""
    return [key for key, column in zip(keys, table.T, strict=True) if len(set(column[~np.isnan(column)])) > 1]


def overall(table: np.ndarray) -> np.ndarray:
    """(examples,) the mean over the criteria that were rated, NaN where none was."""
    rated = ~np.isnan(table)
    total = np.where(rated, table, 0).sum(1)
    return np.where(rated.any(1), total / np.maximum(rated.sum(1), 1), np.nan).astype(np.float32)


def segment_labels(
    data: Dataset, bounds: Sequence[np.ndarray], without: np.ndarray, categories: Sequence[str]
) -> np.ndarray:
    """(segments, categories) 1 flawed, 0 clean, −1 where that is not known; `bounds` has each example's segments.

    It is not known where nobody looked, where only another category was marked, and where `without` (examples,) is set.
    """
    rows = [np.full((len(own), len(categories)), -1, dtype=np.int8) for own in bounds]
    for example, own, row, away in zip(data.examples, bounds, rows, without, strict=True):
        if example.spans is not None and not away:
            for c, key in enumerate(categories):
                row[:, c] = segments.label(own, example.spans, key)
    return np.concatenate(rows) if rows else np.empty((0, len(categories)), dtype=np.int8)


def seen_both_ways(labels: np.ndarray, categories: Sequence[str]) -> list[int]:
    """The columns with flawed and clean segments."""
    return [c for c in range(len(categories)) if {0, 1} <= set(labels[:, c].tolist())]


def step_labels(data: Dataset, bounds: Sequence[np.ndarray], without: np.ndarray) -> np.ndarray:
    """(segments,) from −1 (wrong) to 1 (right), NaN where nobody judged the step or `without` (examples,) is set."""
    rows = [
        np.full(len(own), np.nan) if example.steps is None or away else steps.label(own, example.steps)
        for example, own, away in zip(data.examples, bounds, without, strict=True)
    ]
    return np.concatenate(rows).astype(np.float32) if rows else np.empty(0, dtype=np.float32)
