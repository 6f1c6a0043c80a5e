"""Is it right where it is sure, and do members of an ensemble differ where it is wrong? PURE numpy.

A model that may keep silent speaks first where it is most confident: accuracy over coverage, and the area under the
risk (1 − accuracy) by Geifman & El-Yaniv (NeurIPS 2017, arXiv 1705.08500). Confidence without worth leaves the risk
where it is for all; the best order speaks of everything right first. Rows of equal confidence are taken in no order:
each counts as their mean. Prompts are redrawn for the intervals.

The area under the ROC curve has Obuchowski's variance for data in clusters (Biometrics 53 (1997) 567), prompts here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Z95, Interval, Undefined, auroc, ranks, undefined, wilson
from annotate.agreement.intervals import SAME
from inspector.stats.calibration import bins
from inspector.stats.correlation import blocked, interval

COVERAGE = np.arange(1, 51) / 50
DRAWS = 200
PARTS = 5


@dataclass(frozen=True)
class Selective:
    accuracy: tuple[Interval, ...]  # at each of COVERAGE
    area: Interval  # under the risk
    chance: float  # the same of an order that knows nothing
    best: float  # and of the best there is


def selective(confidence: np.ndarray, right: np.ndarray, which: np.ndarray) -> Selective:
    """(n,) each, n > 0; `right` is 1, 0 or ½."""
    _, place = np.unique(-confidence, return_inverse=True)
    order = np.argsort(place, kind="stable")
    rights, starts = right[order], np.flatnonzero(np.diff(place[order], prepend=-1))
    value, area = _curve(rights, np.ones(len(rights)), starts)
    drawn = [_curve(rights, times[order], starts) for times in _redraws(which)]
    curves, areas = np.array([one for one, _ in drawn]), np.array([one for _, one in drawn])
    prompts, n = len(np.unique(which)), len(right)
    told = [interval(v, c, int(np.ceil(q * n)), prompts) for v, c, q in zip(value, curves.T, COVERAGE, strict=True)]
    best = _curve(np.sort(right)[::-1], np.ones(n), np.arange(n))[1]
    return Selective(tuple(told), interval(area, areas, n, prompts), float(1 - right.mean()), best)


def _redraws(which: np.ndarray, seed: int = 0):
    """How often each row counts, draw by draw."""
    rng, which = np.random.default_rng(seed), blocked(which)
    units = int(which.max()) + 1
    for _ in range(DRAWS):
        yield np.bincount(rng.integers(0, units, units), minlength=units)[which].astype(float)


def _curve(rights: np.ndarray, times: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, float]:
    """(coverages,) accuracies and the area under the risk, rows in order and each so many times there.

    Rows from one of `starts` to the next are equally confident.
    """
    mean = np.add.reduceat(times * rights, starts) / np.maximum(np.add.reduceat(times, starts), 1)
    shared = np.repeat(mean, np.diff(starts, append=len(rights)))
    spoken, right = np.cumsum(times), np.cumsum(times * shared)
    at = np.searchsorted(spoken, COVERAGE * spoken[-1] - 1e-9)
    accuracy = right / np.maximum(spoken, 1)
    return accuracy[at], float((times * (1 - accuracy)).sum() / spoken[-1])


# ---- Members of an ensemble


@dataclass(frozen=True)
class Part:
    """Pairs whose members differ about as much."""

    low: float
    high: float
    wrong: Interval  # Wilson's


def parts(doubt: np.ndarray, wrong: np.ndarray) -> list[Part]:
    """Error by how far members differ, in parts of equal mass from the least on."""
    place = bins(doubt, PARTS)
    rows = (place == one for one in np.unique(place))
    return [
        Part(float(doubt[row].min()), float(doubt[row].max()), wilson(float(wrong[row].sum()), int(row.sum())))
        for row in rows
    ]


def aurocs(doubts: Mapping[str, np.ndarray], wrong: np.ndarray, which: np.ndarray) -> dict[str, Interval]:
    """How well each tells wrong from right; what is half right is in neither class."""
    sure = wrong != 0.5
    return {name: area(doubt[sure], wrong[sure] > 0.5, which[sure]) for name, doubt in doubts.items()}


def area(scores: np.ndarray, positive: np.ndarray, which: np.ndarray) -> Interval:
    """AUROC with its interval over prompts, from 0 to 1."""
    n = len(scores)
    try:
        value = auroc(scores, positive)
    except Undefined:
        return undefined("all of them are right, or all wrong", n)
    up, down = int(positive.sum()), int((~positive).sum())
    every = ranks(scores)
    # how many of the other class lie below a positive, and above a negative, as shares
    above = (every[positive] - ranks(scores[positive])) / down
    below = (up - (every[~positive] - ranks(scores[~positive]))) / up
    _, which = np.unique(which, return_inverse=True)
    own = np.bincount(which[positive], above - value, minlength=which.max() + 1)
    other = np.bincount(which[~positive], below - value, minlength=which.max() + 1)
    if len(own) < 5:
        return Interval(value, None, None, n, "too few prompts for an interval")
    spread = np.sqrt(((own / up + other / down) ** 2).sum() * len(own) / (len(own) - 1))
    if not spread:
        return Interval(value, None, None, n, SAME)
    half = Z95 * float(spread)
    return Interval(value, max(0.0, value - half), min(1.0, value + half), n)
