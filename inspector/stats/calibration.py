"""How sure is it, and how sure should it be? PURE numpy.

P(the first is preferred) = σ(Δ/τ). Which response stands first means nothing, so everything is told from the side that
the model prefers: its confidence is c = σ(|Δ|/τ), from ½ to 1, and r says how right it was: 1 where people prefer that
side, 0 where they prefer the other, ½ where they prefer neither or the margin is 0. Brier and NLL are the same either
way; a bin of the folded form holds what two bins, p and 1 − p, would hold.

ECE         Σ_b (n_b/n) |r̄_b − c̄_b| over ten bins of equal mass; equal confidences are never parted (Naeini et al., AAAI
            2015, with the adaptive bins of Nixon et al., arXiv 1904.01685). It is never 0, even of a perfect model: its
            floor is its mean where each verdict is drawn with the model's own confidence.
Brier       mean of (c − r)² = reliability − resolution + uncertainty + within (Murphy, J. Appl. Meteorol. 12, 1973; the
            last, what bins hide, by Stephenson et al., Weather Forecast. 23, 2008)
temperature the τ that minimises the cross-entropy; its interval by the sandwich over prompts of 1/τ, in which the
            cross-entropy is convex (Liang & Zeger, Biometrika 73, 1986)
"""

import math
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Z95, Interval, margin_ceilings, undefined, wilson
from inspector.stats.correlation import grouped, interval, redrawn

BINS = 10
FLOOR_DRAWS = 400
LN2 = math.log(2)
_TOGETHER = 1 << 22  # draws at a time, to keep memory small


@dataclass(frozen=True)
class Bin:
    confidence: float  # mean
    low: float
    high: float
    right: Interval  # Wilson's


@dataclass(frozen=True)
class Floor:
    """ECE of a model that is right exactly as often as it says, on so many verdicts."""

    mean: float
    p95: float


@dataclass(frozen=True)
class Brier:
    value: Interval
    coin: float  # of saying ½ each time
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(np.asarray(x, dtype=float) / 2))


def folded(margins: np.ndarray, p: np.ndarray, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """(n,) confidence in the preferred side, (n,) how right that was."""
    side = np.sign(margins)
    return sigmoid(np.abs(margins) / temperature), 0.5 + side * (p - 0.5)


def bins(values: np.ndarray, most: int = BINS) -> np.ndarray:
    """(n,) from 0: at most so many bins of about equal mass, equal values in one."""
    if not len(values):
        return np.zeros(0, dtype=int)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, most + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, values, side="left"), return_inverse=True)[1]


def reliability(confidence: np.ndarray, right: np.ndarray) -> list[Bin]:
    """Bin by bin, the least confident first."""
    place = bins(confidence)
    return [_bin(confidence[place == one], right[place == one]) for one in np.unique(place)]


def _bin(confidence: np.ndarray, right: np.ndarray) -> Bin:
    bounds = float(confidence.min()), float(confidence.max())
    return Bin(float(confidence.mean()), *bounds, wilson(float(right.sum()), len(right)))


def ece(confidence: np.ndarray, right: np.ndarray, which: np.ndarray) -> Interval:
    """With the interval of redrawn prompts, in the same bins.

    A redrawn sample has its own noise on top of that of the sample, which |·| turns into more ECE; the draws are moved
    to where the value is, so that the interval is of what ECE is on average on so many verdicts.
    """
    if not len(confidence):
        return undefined("there is no held-out verdict")
    place = bins(confidence)
    apart = (right - confidence)[None] * (place == np.arange(place.max() + 1)[:, None])
    table = grouped(which, [np.ones(len(right)), *apart])
    value, drawn = (np.abs(sums[:, 1:]).sum(1) / sums[:, 0] for sums in (table.sum(0)[None], redrawn(table)))
    moved = np.clip(drawn - drawn.mean() + value[0], 0, 1)
    return interval(value[0], moved, len(right), len(table))


def floor(confidence: np.ndarray, draws: int = FLOOR_DRAWS, seed: int = 0) -> Floor:
    """Each verdict is drawn anew with the model's confidence, so many times."""
    place = bins(confidence)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    said, rng, found = confidence[order], np.random.default_rng(seed), []
    together = max(1, _TOGETHER // len(said))
    for start in range(0, draws, together):
        drawn = rng.random((min(together, draws - start), len(said)), dtype=np.float32) < said
        found.append(np.abs(np.add.reduceat(drawn - said, starts, axis=1)).sum(1) / len(said))
    every = np.concatenate(found)
    return Floor(float(every.mean()), float(np.quantile(every, 0.95)))


def brier(confidence: np.ndarray, right: np.ndarray, which: np.ndarray) -> Brier:
    """Of at least one verdict."""
    place, n = bins(confidence), len(right)
    size = np.bincount(place)
    said, was = (np.bincount(place, values) / size for values in (confidence, right))
    share, usual = size / n, right.mean()
    own, rest = confidence - said[place], right - was[place]
    return Brier(
        mean((confidence - right) ** 2, which),
        coin=float(((0.5 - right) ** 2).mean()),
        reliability=float(share @ (said - was) ** 2),
        resolution=float(share @ (was - usual) ** 2),
        uncertainty=float(right.var()),
        within=float((own * own - 2 * own * rest).mean()),
    )


def mean(values: np.ndarray, which: np.ndarray) -> Interval:
    """With the interval of redrawn prompts."""
    if not len(values):
        return undefined("there is no held-out verdict")
    table = grouped(which, [np.ones(len(values)), values])
    drawn = redrawn(table)
    return interval(float(values.mean()), drawn[:, 1] / drawn[:, 0], len(values), len(table))


def losses(margins: np.ndarray, p: np.ndarray, temperature: float) -> np.ndarray:
    """(n,) −[p ln σ(Δ/τ) + (1−p) ln σ(−Δ/τ)], in nats: ln 2 of a coin."""
    z = margins / temperature
    return p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z)


def fitted_temperature(margins: np.ndarray, p: np.ndarray, which: np.ndarray) -> Interval:
    """The upper bound is None where no bound is known: there, it may be that the margins say nothing."""
    slope = lambda b: float((margins * (p - sigmoid(b * margins))).sum())  # noqa: E731 falls with b
    spread, n = float(np.abs(margins).max(initial=0)), len(margins)
    if not spread:
        return undefined("there is no held-out margin other than 0", n)
    if slope(0) <= 0:
        return undefined("the margins point the wrong way: no temperature helps", n)
    if slope(1e3 / spread) >= 0:
        return undefined("people decided as the model does every time: no temperature is low enough", n)
    low, high = 0.0, 1e3 / spread
    for _ in range(80):
        low, high = ((low + high) / 2, high) if slope((low + high) / 2) > 0 else (low, (low + high) / 2)
    return _told((low + high) / 2, margins, p, which)


def _told(b: float, margins: np.ndarray, p: np.ndarray, which: np.ndarray) -> Interval:
    """1/b with its interval."""
    said = sigmoid(b * margins)
    each = grouped(which, [margins * (p - said)])[:, 0]
    half = Z95 * math.sqrt(float((each**2).sum())) / float((margins**2 * said * (1 - said)).sum())
    if len(each) < 5:
        return Interval(1 / b, None, None, len(p), "too few prompts for an interval")
    return Interval(1 / b, 1 / (b + half), 1 / (b - half) if half < b else None, len(p))


# ---- What people leave


def agreement(first: np.ndarray, second: np.ndarray, p: np.ndarray) -> Interval:
    """How often two decided verdicts on one pair of responses agree, over all such couples of verdicts."""
    decided = p != 0.5
    low, high = np.minimum(first, second)[decided], np.maximum(first, second)[decided]
    for_low = (p[decided] > 0.5) == (first[decided] < second[decided])
    _, pair = np.unique(np.stack([low, high]), axis=1, return_inverse=True)
    every, won = np.bincount(pair.reshape(-1)), np.bincount(pair.reshape(-1), for_low)
    couples = lambda k: float((k * (k - 1) / 2).sum())  # noqa: E731
    return wilson(couples(won) + couples(every - won), int(couples(every)), "no pair was judged twice")


def agreed_loss(agreement: Interval, tied: float) -> Interval:
    """The least NLL that this agreement between raters allows, bound by bound; a tie costs ln 2 at least.

    True margins are taken to be N(0, s²) with the s that gives this agreement; then it is E H(σ(margin)).
    """
    if agreement.value is None:
        return undefined(agreement.why, agreement.n)
    value, low, high = (_entropy(_spread(one)) for one in (agreement.value, agreement.high, agreement.low))
    return Interval(*(tied * LN2 + (1 - tied) * one for one in (value, low, high)), agreement.n)


def _spread(agreement: float) -> float:
    """The s at which two raters agree so often, by bisection; 0 for raters at chance."""
    low, high = 0.0, 1e3
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if margin_ceilings(middle)[1] < agreement else (low, middle)
    return (low + high) / 2


def _entropy(spread: float) -> float:
    """E H(σ(m)) over m ~ N(0, spread²), in nats."""
    z = np.linspace(-8.0, 8.0, 4001)
    weight, m = np.exp(-z * z / 2), spread * z
    return float(weight @ (sigmoid(m) * np.logaddexp(0, -m) + sigmoid(-m) * np.logaddexp(0, m)) / weight.sum())
