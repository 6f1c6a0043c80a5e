"""The two forms of gold over distance, R(d) = d(α − βd) for best-of-n and d(α − β ln d) for RL, with their peaks.

Gao, Schulman & Hilton, Scaling laws for reward model overoptimization, arXiv 2210.10760, §3. PURE numpy.
A fitted peak is read off a form: only a measured fall is evidence of a turn.
"""

import math
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Interval

FORMS = ("bon", "rl")
FEWEST = 3  # points past d = 0


@dataclass(frozen=True)
class Fit:
    """One form fitted to a curve, with intervals over redrawn prompts."""

    form: str
    alpha: Interval
    beta: Interval
    peak: Interval  # value None: no peak within the range measured; a bound None: it lies beyond that range
    rmse: float
    residuals: np.ndarray  # (points,) measured − fitted
    draws: np.ndarray  # (draws, 2) α and β of each redraw

    def at(self, d: np.ndarray) -> np.ndarray:
        """The fitted gain at distances d."""
        first, second = basis(self.form, d)
        return self.alpha.value * first + self.beta.value * second

    def band(self, d: np.ndarray) -> np.ndarray:
        """(2, d) the 95 % band of the fitted gain."""
        return np.quantile(self.draws @ np.stack(basis(self.form, d)), (0.025, 0.975), axis=0)


def fit(form: str, d: np.ndarray, mean: np.ndarray, draws: np.ndarray) -> Fit | None:
    """Least squares through (d, mean) past d = 0, and through each of draws (draws, points); None of under 3 points."""
    far = d > 0
    if far.sum() < FEWEST:
        return None
    terms = np.stack(basis(form, d), axis=1)
    solve = np.linalg.pinv(terms[far])
    best, redrawn = solve @ mean[far], draws[:, far] @ solve.T
    residuals = mean - terms @ best
    return Fit(
        form=form,
        alpha=_interval(best[0], redrawn[:, 0]),
        beta=_interval(best[1], redrawn[:, 1]),
        peak=peak(form, best, redrawn, float(d.max())),
        rmse=math.sqrt(np.mean(residuals[far] ** 2)),
        residuals=residuals,
        draws=redrawn,
    )


def basis(form: str, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What α and β are multiplied by: d and −d², or d and −d ln d."""
    d = np.asarray(d, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return d, -d * d if form == "bon" else np.where(d > 0, -d * np.log(d), 0.0)


def peaks(form: str, coefficients: np.ndarray) -> np.ndarray:
    """(k, 2) of α, β → (k,) distances d*: α/2β, or e^(α/β − 1); infinite where the form never turns."""
    alpha, beta = coefficients.T
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        d = alpha / (2 * beta) if form == "bon" else np.exp(alpha / beta - 1)
    return np.where((beta > 0) & (alpha > 0 if form == "bon" else True), d, np.inf)


def peak(form: str, best: np.ndarray, redrawn: np.ndarray, reach: float) -> Interval:
    """d* of α, β (2,) with its interval over redraws (k, 2); a bound beyond `reach`, the measured, is open."""
    value = float(peaks(form, best[None])[0])
    low, high = np.quantile(peaks(form, redrawn), (0.025, 0.975), method="nearest")
    low, high = (float(bound) if bound <= reach else None for bound in (low, high))
    if value > reach:
        return Interval(None, low, None, len(redrawn), "no peak within the range measured")
    return Interval(value, low, high, len(redrawn))


def _interval(value: float, draws: np.ndarray) -> Interval:
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(float(value), float(low), float(high), len(draws))
