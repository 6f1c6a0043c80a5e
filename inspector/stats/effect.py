"""What are 20 more tokens worth? For scores and for verdicts alike, in log-odds of being preferred. PURE numpy.

Of scores: least squares within prompts of score/temperature on length (and quality, where it is known). Of verdicts:
the model of Rao & Kupper (J. Am. Stat. Assoc. 62, 1967) with Δ = order + length·(tokens first − second)/20 + quality,

    P(first) = σ(Δ − α)    P(second) = σ(−Δ − α)    P(tie) = the rest,

by Fisher scoring, with variances over prompts (Liang & Zeger, Biometrika 73, 1986). Without quality the effect holds
all that goes with length, good or bad; with it, length alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Z95, Interval, undefined
from inspector.stats.correlation import centred, grouped, interval, redrawn, several

TOKENS = 20
_ROUNDS = 60


def of_scores(
    scores: Sequence[float], tokens: Sequence[int], which: np.ndarray, quality: Sequence[float] | None = None
) -> Interval:
    """What 20 more tokens add to a score among answers to one prompt, of equal quality where that is given."""
    keep = several(which)
    if not keep.any():
        return undefined("no prompt has two scored responses")
    which = np.unique(which[keep], return_inverse=True)[1]
    columns = [scores, np.asarray(tokens) / TOKENS, np.zeros(len(keep)) if quality is None else quality]
    y, x, q = (centred(np.asarray(column, dtype=float)[keep], which) for column in columns)
    table = grouped(which, [x * x, q * q, x * q, x * y, q * y])
    every = np.concatenate([table.sum(0)[None], redrawn(table)])
    slope = _slope(every)
    if np.isnan(slope[0]):
        return undefined("length does not vary within a prompt at equal quality", len(y))
    return interval(slope[0], slope[1:], len(y), len(table))


def _slope(sums: np.ndarray) -> np.ndarray:
    """(draws, 5) → the coefficient of x in least squares of y on x and q."""
    xx, qq, xq, xy, qy = sums.T
    flat = qq <= 1e-12
    left = np.where(flat, xx, xx * qq - xq * xq)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(flat, xy, xy * qq - qy * xq) / left
    return np.where(left > 1e-9 * np.where(flat, 1, np.maximum(xx * qq, 1e-300)), found, np.nan)


@dataclass(frozen=True)
class Biases:
    """What the verdicts of somebody lean to, in log-odds, each at an equal amount of the other."""

    order: Interval  # of being shown first
    length: Interval  # of 20 more tokens


def of_verdicts(
    longer: Sequence[float], p: Sequence[float], which: np.ndarray, quality: Sequence[float] | None = None
) -> Interval:
    """The effect of 20 tokens alone; see `biases`."""
    return biases(longer, p, which, quality).length


def biases(
    longer: Sequence[float], p: Sequence[float], which: np.ndarray, quality: Sequence[float] | None = None
) -> Biases:
    """Both effects on verdicts p (1 first, 0 second, ½ tie) on pairs whose first is `longer` tokens longer; `quality`
    is that of the first less that of the second."""
    columns = [np.ones(len(p)), np.asarray(longer, dtype=float) / TOKENS]
    columns += [] if quality is None else [np.asarray(quality, dtype=float)]
    x, p = np.stack(columns, axis=1), np.asarray(p, dtype=float)
    prompts = len(np.unique(which))
    if prompts < 5 or np.ptp(x[:, 1]) == 0:
        why = "too few prompts were judged" if prompts < 5 else "all pairs differ alike in length"
        return Biases(*[undefined(why, len(p))] * 2)
    return Biases(*(_around(found, len(p)) for found in _fit(x, p, which)))


def _around(found: tuple[float, float] | None, n: int) -> Interval:
    if found is None:
        return undefined("the verdicts follow length without exception, or are too few: no finite estimate", n)
    value, error = found
    return Interval(value, value - Z95 * error, value + Z95 * error, n)


def _fit(x: np.ndarray, p: np.ndarray, which: np.ndarray) -> list[tuple[float, float] | None]:
    """Coefficients of the first two columns, each with its standard error over prompts; None where nothing settles."""
    ties = (p == 0.5).any()
    theta = np.zeros(x.shape[1] + ties)  # the last is ln α, where there are ties
    if ties:
        theta[-1] = np.log(0.5)
    for _ in range(_ROUNDS):
        score, information = _slopes(x, p, theta, bool(ties))
        try:
            step = np.linalg.solve(information, score.sum(0))
        except np.linalg.LinAlgError:
            return [None] * 2
        theta = theta + step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))
        if np.abs(step).max() < 1e-9:
            break
    else:
        return [None] * 2
    score, information = _slopes(x, p, theta, bool(ties))
    bread, per_prompt = np.linalg.inv(information), grouped(which, list(score.T))
    covariance = bread @ per_prompt.T @ per_prompt @ bread
    spread = np.diag(covariance)[:2]
    return [(float(at), float(np.sqrt(v))) if v < 1e4 else None for at, v in zip(theta[:2], spread, strict=True)]


def _slopes(x: np.ndarray, p: np.ndarray, theta: np.ndarray, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) slopes of the log-likelihood, and the (k, k) information expected."""
    alpha = np.exp(theta[-1]) if ties else 0.0
    delta = x @ theta[: x.shape[1]]
    first, second = _sigmoid(delta - alpha), _sigmoid(-delta - alpha)
    tie = np.maximum(1 - first - second, 1e-12)
    steep, other = first * (1 - first), second * (1 - second)
    # of each outcome: its probability, d log P / dΔ, d log P / dα
    outcomes = {1.0: (first, 1 - first, first - 1), 0.0: (second, second - 1, second - 1)}
    if ties:
        outcomes[0.5] = (tie, (other - steep) / tie, (other + steep) / tie)
    score, information = np.zeros((len(p), len(theta))), np.zeros((len(theta), len(theta)))
    for outcome, (chance, by_delta, by_alpha) in outcomes.items():
        own = x * by_delta[:, None]
        own = np.concatenate([own, (by_alpha * alpha)[:, None]], axis=1) if ties else own
        score += own * (p == outcome)[:, None]
        information += (own * chance[:, None]).T @ own
    return score, information


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))
