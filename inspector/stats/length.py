"""Does a longer response get more? For a model's scores and for people's verdicts alike. PURE numpy.

Pooled correlation mixes prompts that want long answers with responses that are long; the within-prompt one centres
both sides per prompt first, so only the second remains. Intervals redraw whole prompts, because responses to one
prompt are not independent; on independent rows they agree with Fisher's z (Biometrika 10, 1915).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Z95, Interval, credits, pair_accuracy, ranks, undefined, wilson

DRAWS = 1000


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
class Bin:
    """Mean of y where x lies in one of the equally full bins, with its normal 95 % interval."""

    x: float
    mean: Interval


def correlations(x: Sequence[float], y: Sequence[float], prompts: Sequence) -> Correlations:
    """Pooled Pearson and Spearman and within-prompt Pearson of x with y, 95 % intervals over prompts."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    which = np.unique(np.asarray(prompts), return_inverse=True)[1] if len(x) else np.zeros(0, dtype=int)
    return Correlations(
        pearson=_correlation(x, y, which),
        spearman=_correlation(ranks(x), ranks(y), which),
        within=within_prompt(x, y, which),
    )


def within_prompt(x: np.ndarray, y: np.ndarray, which: np.ndarray) -> Interval:
    """Pearson of x and y after both are centred within their prompt; prompts with one response say nothing."""
    counts = np.bincount(which)
    several = counts[which] > 1
    if not several.any():
        return undefined("no prompt has two scored responses")
    x, y, which = x[several], y[several], np.unique(which[several], return_inverse=True)[1]
    return _correlation(_centred(x, which), _centred(y, which), which, centre=False)


def _centred(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    centred = values - (np.bincount(which, values) / np.bincount(which))[which]
    centred[np.abs(centred) < 1e-12 * max(1.0, np.abs(values).max())] = 0.0  # equal values stay equal
    return centred


def _correlation(x: np.ndarray, y: np.ndarray, which: np.ndarray, centre: bool = True) -> Interval:
    """Pearson from sums per prompt, so that a redraw of prompts is one product."""
    n = len(x)
    for name, values in (("length", x), ("score", y)):
        if n < 3 or np.ptp(values) == 0:
            return undefined(f"the {name} is constant" if n >= 3 else "there are fewer than three responses", n)
    x, y = ((v - v.mean()) / v.std() for v in (x, y)) if centre else (x / x.std(), y / y.std())
    columns = (np.ones(n), x, y, x * x, y * y, x * y)
    sums = np.stack([np.bincount(which, column) for column in columns], axis=1)  # (prompts, 6)
    value = _pearson(sums.sum(0)[None], centre)[0]
    if len(sums) < 5:
        return Interval(float(value), None, None, n, "too few prompts for an interval")
    low, high = np.nanquantile(_pearson(_redrawn(sums), centre), (0.025, 0.975))
    return Interval(float(value), float(low), float(high), n)


def _redrawn(sums: np.ndarray) -> np.ndarray:
    """(draws, 6) sums over as many prompts, drawn again with replacement; one draw at a time keeps memory small."""
    rng, prompts = np.random.default_rng(0), len(sums)
    times = (np.bincount(rng.integers(0, prompts, prompts), minlength=prompts) for _ in range(DRAWS))
    return np.stack([often @ sums for often in times])


def _pearson(sums: np.ndarray, centre: bool) -> np.ndarray:
    """(draws, 6) sums n, x, y, xx, yy, xy → (draws,) correlations."""
    n, x, y, xx, yy, xy = sums.T
    if not centre:  # already centred within each prompt
        x, y = np.zeros_like(n), np.zeros_like(n)
    spread = (xx - x * x / n) * (yy - y * y / n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (xy - x * y / n) / np.sqrt(np.maximum(spread, 0)), np.nan)


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


def binned(x: Sequence[float], y: Sequence[float], bins: int = 10) -> list[Bin]:
    """Means of y over equally full bins of x; rows with equal x are never parted."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if not len(x):
        return []
    edges = np.unique(np.quantile(x, np.linspace(0, 1, bins + 1)))
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, max(0, len(edges) - 2))
    return [_bin(x[place == i], y[place == i]) for i in np.unique(place)]


def _bin(x: np.ndarray, y: np.ndarray) -> Bin:
    mean, half = float(y.mean()), Z95 * float(y.std()) / np.sqrt(max(1, len(y) - 1))
    return Bin(float(x.mean()), Interval(mean, mean - float(half), mean + float(half), len(y)))
