"""Length taken out of a fitted score: the curve that scores follow with length is subtracted. PURE numpy.

Δ' = Δ − (f̂(len₁) − f̂(len₂)), f̂ the LOWESS of score on length over the training responses: RC-LWR, arXiv 2409.17407.
"""

import numpy as np

KNOTS = 64  # lengths that the curve is computed at; it is linear between them and flat beyond
SHARE = 2 / 3  # of the responses that speak at each length
_ROUNDS = 3


def length_curve(lengths: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m,) lengths in rising order and (m,) what the scores are there, less their mean; m is at most KNOTS.

    One length alone has no curve: a single knot at 0.
    """
    knots = np.unique(np.quantile(lengths, np.linspace(0, 1, KNOTS), method="nearest")) if len(lengths) else np.zeros(1)
    if len(knots) < 2:
        return knots.astype(float), np.zeros(len(knots))
    values = lowess(lengths, scores, knots)
    return knots.astype(float), values - np.interp(lengths, knots, values).mean()


def lowess(x: np.ndarray, y: np.ndarray, at: np.ndarray, share: float = SHARE, rounds: int = _ROUNDS) -> np.ndarray:
    """(len(at),) Cleveland's robust locally weighted line of y on x (JASA 1979), at the given places.

    Tricube weights over the nearest `share` of the points, then bisquare weights of the residuals, `rounds` times.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    near = min(max(int(np.ceil(share * len(x))), 2), len(x))
    trust = np.ones(len(x))
    for _ in range(rounds):
        found = np.array([_line(x, y, trust, place, near) for place in at])
        residual = np.abs(y - np.interp(x, at, found))
        spread = 6 * np.median(residual)
        if spread <= 1e-12 * max(np.ptp(y), 1e-300):
            break
        trust = (1 - np.minimum(residual / spread, 1) ** 2) ** 2
    return found


def _line(x: np.ndarray, y: np.ndarray, trust: np.ndarray, place: float, near: int) -> float:
    """The weighted line's value at the place; the weighted mean where all that speaks lies at one x."""
    away = np.abs(x - place)
    reach = max(np.partition(away, near - 1)[near - 1], 1e-9)
    weight = trust * np.maximum(1 - np.minimum(away / reach, 1) ** 3, 1e-12) ** 3
    middle, mean = np.average(x, weights=weight), np.average(y, weights=weight)
    spread = np.sum(weight * (x - middle) ** 2)
    slope = np.sum(weight * (x - middle) * (y - mean)) / spread if spread > 1e-9 * np.sum(weight) else 0.0
    return float(mean + slope * (place - middle))
