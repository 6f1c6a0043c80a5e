"""Does a longer response get more? For a model's scores and for people's verdicts alike. PURE numpy.

Pooled correlation mixes prompts that want long answers with responses that are long; the within-prompt one centres
both sides per prompt first, so only the second remains. Intervals redraw whole prompts, because responses to one
prompt are not independent; on independent rows they agree with Fisher's z (Biometrika 10, 1915).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Z95, Interval, credits, pair_accuracy, ranks, wilson
from inspector.stats.correlation import Both, codes, correlate

BUCKETS = 5
_NAMES = ("length", "score")


@dataclass(frozen=True)
class Correlations:
    pearson: Interval
    spearman: Interval
    within: Interval

    @property
    def listed(self) -> tuple[Interval, Interval, Interval]:
        """Pearson, Spearman, within prompt: the order of the table."""
        return self.pearson, self.spearman, self.within


@dataclass(frozen=True)
class LongerWins:
    """Counts over decided pairs; equal lengths are half a win in `share`."""

    share: Interval
    wins: int
    equal: int


@dataclass(frozen=True)
class SplitAccuracy:
    """A model's accuracy where people chose the longer response, and where they chose the shorter."""

    longer_chosen: Interval
    shorter_chosen: Interval


@dataclass(frozen=True)
class Bucket:
    """Responses whose length lies in one of the equally full buckets."""

    low: int
    high: int
    mean: Interval  # of the score; normal 95 % interval
    r: Interval  # of length and score inside the bucket


def correlations(x: Sequence[float], y: Sequence[float], prompts: Sequence) -> Correlations:
    """Pooled Pearson and Spearman and within-prompt Pearson of x with y, 95 % intervals over prompts."""
    x, y, which = np.asarray(x, dtype=float), np.asarray(y, dtype=float), codes(prompts)
    return Correlations(
        pearson=_one(x, y, which),
        spearman=_one(ranks(x), ranks(y), which),
        within=_one(x, y, which, within=True),
    )


def _one(x: np.ndarray, y: np.ndarray, which: np.ndarray, within: bool = False) -> Interval:
    found: Both = correlate({"x": x}, y, which, within=within, names=_NAMES)["x"]
    return found.plain.r


def longer_wins(first: Sequence[float], second: Sequence[float], preferred: Sequence[float]) -> LongerWins:
    """Share of decided pairs (preferred ≠ .5: 1 first, 0 second) that the longer response won."""
    difference, p = np.asarray(first, dtype=float) - np.asarray(second, dtype=float), np.asarray(preferred)
    credit = credits(difference, p)
    share = wilson(float(credit.sum()), len(credit), "no pair was decided")
    return LongerWins(share, int((credit == 1).sum()), int((credit == 0.5).sum()))


def split_accuracy(
    margins: Sequence[float], p: Sequence[float], first: Sequence[float], second: Sequence[float]
) -> SplitAccuracy:
    """Accuracy of margins on decided pairs by whether people chose the longer or the shorter response."""
    margins, p = np.asarray(margins, dtype=float), np.asarray(p, dtype=float)
    longer = (np.asarray(first, dtype=float) - np.asarray(second, dtype=float)) * (p - 0.5)
    return SplitAccuracy(
        pair_accuracy(margins[longer > 0], p[longer > 0], "people chose no longer response"),
        pair_accuracy(margins[longer < 0], p[longer < 0], "people chose no shorter response"),
    )


def by_bucket(x: Sequence[float], y: Sequence[float], prompts: Sequence, buckets: int = BUCKETS) -> list[Bucket]:
    """Mean of y, and correlation of x with y, over equally full buckets of x; rows with equal x are never parted."""
    x, y, which = np.asarray(x, dtype=float), np.asarray(y, dtype=float), codes(prompts)
    if not len(x):
        return []
    edges = np.unique(np.quantile(x, np.linspace(0, 1, buckets + 1)))
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, max(0, len(edges) - 2))
    inside = (place == number for number in np.unique(place))
    return [_bucket(x[mine], y[mine], codes(which[mine])) for mine in inside]


def _bucket(x: np.ndarray, y: np.ndarray, which: np.ndarray) -> Bucket:
    mean, half = float(y.mean()), Z95 * float(y.std()) / np.sqrt(max(1, len(y) - 1))
    told = Interval(mean, mean - float(half), mean + float(half), len(y))
    return Bucket(int(x.min()), int(x.max()), told, _one(x, y, which))
