"""A policy's training against a reward model: reward and gold over the distance it has gone. PURE numpy."""

import numpy as np

from annotate.agreement import Undefined
from inspector.stats.drift import Drift, curve_of, read_off, redraw

EARLY = 1 / 4  # of the way in d: there the gold is taken to follow the proxy, as noise alone would have it


def training(rows: np.ndarray, prompts: np.ndarray, seed: int = 0) -> Drift:
    """rows (n, 4): step, KL in nats, reward, gold of one rollout each; prompts (n,) say which were drawn together.

    The first step is the reference policy; gains are in its standard deviations, KL is the mean of the step. Where
    the gold would go by noise alone is drawn through the first quarter of the distance. Raises Undefined.
    """
    steps, which = np.unique(rows[:, 0], return_inverse=True)
    if len(steps) < 2:
        raise Undefined("a run needs at least two steps")
    counts = np.bincount(which)
    kl = np.bincount(which, rows[:, 1]) / counts
    place = np.unique(prompts, return_inverse=True)[1] * len(steps) + which
    sums = [_table(place, weight, int(place.max()) + 1, len(steps)) for weight in (None, rows[:, 2], rows[:, 3])]
    spreads = tuple(float(rows[which == 0, column].std()) for column in (2, 3))
    spreads = spreads if counts[0] > 1 and min(spreads) > 0 else (1.0, 1.0)
    means = [np.bincount(which, rows[:, column]) / counts for column in (2, 3)]
    drawn = _drawn_means(redraw(np.concatenate(sums, axis=1), seed), means)
    gains = [(one - one[0]) / spread for one, spread in zip(means, spreads, strict=True)]
    draws = [(one - one[:, :1]) / spread for one, spread in zip(drawn, spreads, strict=True)]
    curves = [curve_of(*one) for one in zip(gains, draws, means, strict=True)]
    early = _early(np.sqrt(np.maximum(kl, 0)))
    rate, rates = (_through_origin(p[:, early], g[:, early]) for p, g in ([one[None] for one in gains], draws))
    slope = rate[0], rates
    return read_off(steps, np.maximum(kl, 0), curves, slope, len(sums[0]), 0, spreads)


def _table(place: np.ndarray, weight: np.ndarray | None, cells: int, steps: int) -> np.ndarray:
    """(prompts, steps) sums of weight, or counts."""
    rows = -(-cells // steps)
    return np.bincount(place, weight, minlength=rows * steps).reshape(rows, steps).astype(float)


def _drawn_means(redrawn: np.ndarray, means: list[np.ndarray]) -> list[np.ndarray]:
    """(draws, steps) means of reward and gold; a step that no redrawn prompt reached keeps its measured mean."""
    counts, *sums = np.split(redrawn, 3, axis=1)
    reached = counts > 0
    return [np.where(reached, one / np.where(reached, counts, 1), mean) for one, mean in zip(sums, means, strict=True)]


def _early(d: np.ndarray) -> np.ndarray:
    """The points past the reference within the first quarter of the way, at least one."""
    early = (d > d[0]) & (d <= d[0] + EARLY * (d.max() - d[0]))
    early[1] |= not early.any()
    return early


def _through_origin(proxy: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """(k,) gold per proxy by least squares without a constant, of (k, points)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (proxy * gold).sum(1) / (proxy * proxy).sum(1)
