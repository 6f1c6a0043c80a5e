"""How much of a gain in reward is only length? PURE numpy.

ΔR is the mean reward of the new answers less that of the old ones. Both are put into buckets of 20 tokens; the
non-length gain is NRG = Σ_b n_b (mean new − mean old in b) / Σ_b n_b over buckets that hold both, n_b the answers in
it, and 1 − NRG/ΔR is the share of the gain that comes with length (Singhal et al., arXiv 2310.03716 §3).

Intervals redraw whole prompts. A ratio to a gain that may be nothing says nothing, and is not given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Interval, undefined
from inspector.stats.correlation import grouped, interval, redrawn

BUCKET = 20  # tokens
_MOST = 60  # buckets; what is longer stands in the last


@dataclass(frozen=True)
class Bucket:
    """Answers of start … end − 1 tokens; a mean is None where there are none."""

    start: int
    end: int | None  # None: and longer
    old: float | None
    new: float | None
    counts: tuple[int, int]  # old, new


@dataclass(frozen=True)
class Gain:
    total: Interval  # ΔR
    nrg: Interval
    length_share: Interval  # 1 − NRG/ΔR
    tokens: tuple[float, float]  # mean length, old and new
    compared: int  # answers in buckets that hold both
    buckets: tuple[Bucket, ...]


def gain(
    tokens: Sequence[int], rewards: Sequence[float], new: Sequence[bool], which: np.ndarray, size: int = BUCKET
) -> Gain | None:
    """Of (n,) answers, old and new together, with the number of each one's prompt; None where one side is empty."""
    tokens, rewards, new = np.asarray(tokens), np.asarray(rewards, dtype=float), np.asarray(new, dtype=bool)
    if new.all() or not new.any():
        return None
    place = np.minimum(tokens // size, _MOST - 1).astype(int)
    size_of = int(place.max()) + 1
    table = _table(place, rewards, new, which, size_of)
    every = np.concatenate([table.sum(0)[None], redrawn(table)]).reshape(-1, 2, 2, size_of)
    total, nrg = _gains(every)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 1 - nrg / total
    n, prompts = len(tokens), len(table)
    counts = every[0, :, 0]
    both = counts.min(0) > 0
    found = interval(total[0], total[1:], n, prompts)
    return Gain(
        total=found,
        nrg=interval(nrg[0], nrg[1:], n, prompts) if both.any() else undefined("no bucket holds answers of both", n),
        length_share=_share(found, share, n, prompts, bool(both.any())),
        tokens=(float(tokens[~new].mean()), float(tokens[new].mean())),
        compared=int(counts[:, both].sum()),
        buckets=_buckets(every[0], size),
    )


def _table(place: np.ndarray, rewards: np.ndarray, new: np.ndarray, which: np.ndarray, buckets: int) -> np.ndarray:
    """(prompts, 2 sides · 2 · buckets): how many answers, and the sum of their rewards."""
    columns = []
    for side in (~new, new):
        inside = [side & (place == bucket) for bucket in range(buckets)]
        columns += [one.astype(float) for one in inside] + [one * rewards for one in inside]
    return grouped(which, columns)


def _gains(every: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(draws, 2 sides, 2, buckets) → ΔR and NRG, (draws,) each; NaN where there is nothing to compare."""
    counts, sums = every[:, :, 0], every[:, :, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums.sum(2) / counts.sum(2)
        inside = sums / counts
        weight = np.where((counts > 0).all(1), counts.sum(1), 0.0)
        nrg = np.where(weight > 0, weight * (inside[:, 1] - inside[:, 0]), 0.0).sum(1) / weight.sum(1)
    return mean[:, 1] - mean[:, 0], nrg


def _share(total: Interval, share: np.ndarray, n: int, prompts: int, some: bool) -> Interval:
    if not some:
        return undefined("no bucket holds answers of both", n)
    if total.low is None or total.low <= 0 <= total.high:
        return undefined("the gain itself is not sure to differ from 0", n)
    return interval(share[0], share[1:], n, prompts)


def _buckets(sums: np.ndarray, size: int) -> tuple[Bucket, ...]:
    counts = sums[:, 0]
    mean = [[float(s / c) if c else None for s, c in zip(sums[k, 1], counts[k], strict=True)] for k in (0, 1)]
    return tuple(
        Bucket(
            b * size,
            None if b == _MOST - 1 else (b + 1) * size,
            mean[0][b],
            mean[1][b],
            (int(counts[0, b]), int(counts[1, b])),
        )
        for b in range(counts.shape[1])
        if counts[:, b].any()
    )
