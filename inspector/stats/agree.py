"""How far two ways of taking a score apart say the same of a text. PURE numpy.

Values of one text are not independent of each other, so no number here has an interval: it describes this text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Interval, undefined
from annotate.agreement.beside import ranks

FEWEST = 3  # values, for a correlation
TOP = 0.1
ONE_TEXT = "of this text alone: its values are not independent"


@dataclass(frozen=True)
class Agreement:
    """Of two methods over the same tokens or stretches."""

    spearman: Interval
    pearson: Interval
    top: Interval  # share of one's strongest tenth that is in the other's


def agreement(first: Sequence[float], second: Sequence[float]) -> Agreement:
    """Of values over the same (n,) parts of a text. Raises ValueError for two lengths."""
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if x.shape != y.shape:
        raise ValueError(f"{len(x)} values beside {len(y)}")
    if len(x) < FEWEST:
        return Agreement(*[undefined("fewer than three parts", len(x))] * 3)
    return Agreement(_number(pearson(ranks(x), ranks(y)), len(x)), _number(pearson(x, y), len(x)), _top(x, y))


def pearson(x: np.ndarray, y: np.ndarray) -> float | None:
    """Product-moment correlation; None where one side does not vary."""
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(np.clip(x @ y / size, -1, 1)) if size > 0 else None


def overlap(x: np.ndarray, y: np.ndarray, share: float = TOP) -> float:
    """Share of the ⌈share · n⌉ parts with the largest |x| that are among those with the largest |y|; ties by place."""
    count = int(np.ceil(share * len(x)))
    strongest = (set(np.argsort(-np.abs(values), kind="stable")[:count].tolist()) for values in (x, y))
    return len(set.intersection(*strongest)) / count


def over_units(starts: Sequence[int], values: Sequence[float], units: Sequence[tuple[int, int]]) -> list[float]:
    """Token values summed over stretches [start, end): a token is of each stretch that it begins in."""
    order = np.argsort(starts, kind="stable")
    ordered = np.asarray(starts)[order]
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, dtype=float)[order])])
    edges = np.searchsorted(ordered, np.asarray(units, dtype=int).reshape(-1, 2))
    return (sums[edges[:, 1]] - sums[edges[:, 0]]).tolist()


def _number(value: float | None, n: int) -> Interval:
    if value is None:
        return undefined("one of them is the same everywhere", n)
    return Interval(value, None, None, n, ONE_TEXT)


def _top(x: np.ndarray, y: np.ndarray) -> Interval:
    if not (x.any() and y.any()):
        return undefined("one of them is zero everywhere", len(x))
    return Interval(overlap(x, y), None, None, len(x), ONE_TEXT)
