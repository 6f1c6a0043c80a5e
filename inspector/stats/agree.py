"""How far two ways of taking a score apart say the same of a text. PURE numpy.

Values of one sentence are not independent of each other, so intervals redraw whole sentences (blocks; Künsch, Ann.
Stat. 17, 1989): they say how far a number hangs on single ones, and nothing of other texts. Ranks are those in the
whole text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotate.agreement import Interval, undefined
from annotate.agreement.beside import ranks
from inspector.stats.correlation import FEWEST as FEWEST_SENTENCES
from inspector.stats.correlation import correlate

FEWEST = 3  # values, for a correlation
TOP = 0.1
FEW = "too few sentences for an interval"


@dataclass(frozen=True)
class Agreement:
    """Of two methods over the same tokens or stretches."""

    spearman: Interval
    pearson: Interval
    top: Interval  # share of one's strongest tenth that is in the other's


def agreement(first: Sequence[float], second: Sequence[float], sentences: Sequence[int] = ()) -> Agreement:
    """Of values over the same (n,) parts of a text; `sentences` (n,) says of which each part is, from 0.

    Raises ValueError for two lengths.
    """
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if x.shape != y.shape:
        raise ValueError(f"{len(x)} values beside {len(y)}")
    if len(x) < FEWEST:
        return Agreement(*[undefined("fewer than three parts", len(x))] * 3)
    which = np.unique(sentences, return_inverse=True)[1] if len(sentences) else np.zeros(len(x), dtype=np.int64)
    return Agreement(_correlation(ranks(x), ranks(y), which), _correlation(x, y, which), _top(x, y))


def _correlation(x: np.ndarray, y: np.ndarray, which: np.ndarray) -> Interval:
    if not (np.ptp(x) and np.ptp(y)):
        return undefined("one of them is the same everywhere", len(x))
    found = correlate({"": x}, y, which)[""].plain.r
    return replace(found, why=FEW) if which.max() + 1 < FEWEST_SENTENCES else found


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


def _top(x: np.ndarray, y: np.ndarray) -> Interval:
    if not (x.any() and y.any()):
        return undefined("one of them is zero everywhere", len(x))
    return Interval(overlap(x, y), None, None, len(x), "a share of few parts")
