"""A curve of scores by length: Cleveland's robust locally weighted line (J. Am. Stat. Assoc. 74, 1979). PURE numpy.

At each place a line is fitted to the nearest `share` of the points, weighted by (1 − (distance/reach)³)³ and, from the
second round on, by how near the point lies to the curve of the round before: (1 − (e/6s)²)², s the median |e|.

The fitted value is Σ l_i y_i, so with residuals e its variance over redrawn prompts is Σ_prompts (Σ l_i e_i)² (Liang &
Zeger, Biometrika 73, 1986): the band is ± 1.96 of its root. It takes the weights as given and says nothing of the bias
where the true curve bends within a neighbourhood.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Z95

PLACES = 48
SHARE = 2 / 3
ROUNDS = 3


@dataclass(frozen=True)
class Fitted:
    """The curve at rising places, linear between them and flat beyond; (places,) each."""

    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def at(self, x: np.ndarray) -> np.ndarray:
        """What the curve says at these lengths."""
        return np.interp(x, self.x, self.y)


def fitted(x: Sequence[float], y: Sequence[float], which: np.ndarray, places: int = PLACES) -> Fitted | None:
    """The curve of y over x at quantiles of x, with its 95 % band over prompts; None where x does not vary."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    at = np.unique(np.quantile(x, np.linspace(0, 1, places), method="nearest")) if len(x) > 2 else np.zeros(0)
    if len(at) < 2:
        return None
    smooth = robust(x, y, at)
    curve = smooth @ y
    pull = smooth * (y - np.interp(x, at, curve))  # (places, n)
    per_prompt = np.stack([np.bincount(which, row) for row in pull])
    half = Z95 * np.sqrt((per_prompt**2).sum(1))
    return Fitted(at, curve, curve - half, curve + half)


def robust(x: np.ndarray, y: np.ndarray, at: np.ndarray, share: float = SHARE, rounds: int = ROUNDS) -> np.ndarray:
    """(places, n) weights l of the last round: the curve is l @ y."""
    near = min(max(int(np.ceil(share * len(x))), 2), len(x))
    away = np.abs(x - at[:, None])
    reach = np.maximum(np.partition(away, near - 1, axis=1)[:, near - 1 : near], 1e-9)
    tricube = np.maximum(1 - np.minimum(away / reach, 1) ** 3, 1e-12) ** 3
    trust = np.ones(len(x))
    for left in reversed(range(rounds)):
        smooth = _lines(x, at, tricube * trust)
        residual = np.abs(y - np.interp(x, at, smooth @ y))
        spread = 6 * np.median(residual)
        if not left or spread <= 1e-12 * max(np.ptp(y), 1e-300):
            break
        trust = (1 - np.minimum(residual / spread, 1) ** 2) ** 2
    return smooth


def _lines(x: np.ndarray, at: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(places, n): what each point adds to the weighted line at each place; the weighted mean where x does not vary."""
    total = weight.sum(1, keepdims=True)
    middle = weight @ x[:, None] / total
    apart = x - middle
    spread = (weight * apart**2).sum(1, keepdims=True)
    slope = np.where(spread > 1e-9 * total, (at[:, None] - middle) / np.where(spread > 0, spread, 1), 0.0)
    return weight * (1 / total + slope * apart)
