"""Where optimising against the reward model leaves the gold, over best-of-n or over a policy's training. PURE numpy.

Gains are over the reference policy (one random candidate, or the first step), in standard deviations of it, so that
proxy and gold share an axis. Gao et al., arXiv 2210.10760; intervals redraw prompts.

Two ways of losing the gold are told apart. Noise in the proxy alone (regressional) gives gold = slope · proxy, which
rises for ever; only where the gold surely falls behind that line does something else happen (extremal), and only a
measured fall from the highest point is a turn. Manheim & Garrabrant, arXiv 1803.04585.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from annotate.agreement import Interval, Undefined, undefined
from inspector.stats.bon import kl, steps, tops
from inspector.stats.gao import FORMS, Fit, fit

DRAWS = 1000
COUNTS = 1_000_000  # prompts × redraws counted at a time; all redraws of many prompts at once would be large
FEWEST = 5  # prompts; of fewer no redraw says how sure a loss is
KEPT = 0.9  # the alarm: the gold is surely below this share of what noise in the proxy alone would leave of it


@dataclass(frozen=True)
class Curve:
    """Gain over the reference policy by point, in its standard deviations, with 95 % bands over redrawn prompts."""

    mean: np.ndarray  # (points,)
    low: np.ndarray
    high: np.ndarray
    draws: np.ndarray = field(repr=False)  # (draws, points): the same redraws for every curve
    raw: np.ndarray = field(repr=False)  # (points,) in the score's own unit, not as a gain


@dataclass(frozen=True)
class Drift:
    points: np.ndarray  # n of best-of-n, or steps
    kl: np.ndarray
    d: np.ndarray
    proxy: Curve
    gold: Curve
    behind: Curve  # gold − what noise in the proxy alone would give
    rate: Interval  # gold gained per proxy gained where noise is all there is, in standard deviations
    fits: tuple[Fit, ...]
    best: int  # place of the highest gold
    peak: Interval  # the point where the gold is highest; high None: the range measured does not show its end
    fall: Interval  # from there to the last point: negative where gold is lost
    turned: bool  # the fall is sure, the choice of its beginning allowed for
    alarm: int | None  # place of the first point from which on the gold surely lacks a tenth of what noise would leave
    prompts: int
    candidates: int  # per prompt, the fewest; 0 for a policy's training
    variance: Curve | None = None  # of the members' scores for the chosen candidate
    spreads: tuple[float, float] = (1.0, 1.0)  # of proxy and gold, in their own units

    @property
    def kind(self) -> str:
        """reversed, extremal, bending or regressional: what happens to the gold."""
        if self.rate.high is not None and self.rate.high < 0:
            return "reversed"
        if self.turned:
            return "extremal"
        return "regressional" if self.alarm is None else "bending"


def drift(
    sizes: np.ndarray, proxy: np.ndarray, gold: np.ndarray, variance: np.ndarray | None = None, seed: int = 0
) -> Drift:
    """Best-of-n of a pool: proxy and gold (candidates,) lie prompt after prompt, `sizes` (prompts,) of each.

    variance (candidates,) of an ensemble's members is followed too. Raises Undefined where nothing can be said.
    """
    candidates = int(sizes.min()) if len(sizes) else 0
    if candidates < 2:
        raise Undefined("every prompt of the pool needs at least two scored candidates")
    ns, values = steps(candidates), [proxy, gold, *([] if variance is None else [variance])]
    moments = _moments(sizes, proxy, gold)
    spreads = _spreads(moments)
    raw = tops(proxy, values, sizes, ns)
    gains = [(one - one[:, :1]) / spread for one, spread in zip(raw, spreads, strict=False)]
    redrawn = redraw(np.concatenate([*gains, moments, *raw[2:]], axis=1), seed)
    cut, p, g = len(ns), *(one.mean(0) for one in gains)
    draws = (redrawn[:, :cut], redrawn[:, cut : 2 * cut])
    slope = _slope(moments.mean(0), spreads), _slope(redrawn[:, 2 * cut : 2 * cut + 3], spreads)
    curves = [curve_of(*one) for one in zip((p, g), draws, raw[:2].mean(1), strict=True)]
    found = read_off(ns, kl(ns), curves, slope, len(sizes), candidates, spreads)
    if variance is None:
        return found
    mean = raw[2].mean(0)
    return replace(found, variance=curve_of(mean, redrawn[:, 2 * cut + 3 :], mean))


def _moments(sizes: np.ndarray, proxy: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """(prompts, 3): variance of proxy and of gold, and their covariance, within each prompt."""
    starts = np.cumsum(sizes) - sizes
    p, g = (one - np.repeat(np.add.reduceat(one, starts) / sizes, sizes) for one in (proxy, gold))
    return np.stack([np.add.reduceat(one, starts) / sizes for one in (p * p, g * g, p * g)], axis=1)


def _spreads(moments: np.ndarray) -> tuple[float, float]:
    """Standard deviations within a prompt; Undefined where one is 0."""
    proxy, gold = np.sqrt(moments.mean(0)[:2])
    if proxy == 0:
        raise Undefined("the proxy gives all candidates the same score")
    if gold == 0:
        raise Undefined("all candidates have the same gold score")
    return float(proxy), float(gold)


def _slope(moments: np.ndarray, spreads: tuple[float, float]) -> np.ndarray:
    """Standard deviations of gold per standard deviation of proxy, by regression within prompts."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return moments[..., 2] / moments[..., 0] * spreads[0] / spreads[1]


def redraw(columns: np.ndarray, seed: int) -> np.ndarray:
    """(prompts, c) → (DRAWS, c) means over prompts drawn with replacement, all columns by the same draw."""
    rng, n, found = np.random.default_rng(seed), len(columns), []
    for start in range(0, DRAWS, block := max(1, min(DRAWS, COUNTS // n))):
        rows = min(block, DRAWS - start)
        picked = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(picked.ravel(), minlength=rows * n).reshape(rows, n)
        found.append(counts.astype(float) @ columns / n)
    return np.concatenate(found)


def curve_of(mean: np.ndarray, draws: np.ndarray, raw: np.ndarray) -> Curve:
    """With the 95 % band of its redraws."""
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    return Curve(mean, low, high, draws, raw)


def read_off(
    points: np.ndarray,
    distance: np.ndarray,
    curves: Sequence[Curve],
    slope: tuple,
    prompts: int,
    candidates: int,
    spreads: tuple[float, float],
) -> Drift:
    """What two curves (proxy, gold) over distances KL (points,) say; slope is gold per proxy, with its redraws."""
    (proxy, gold), d = curves, np.sqrt(distance)
    rate, rates = slope
    behind = gold.mean - rate * proxy.mean
    behind = curve_of(behind, gold.draws - rates[:, None] * proxy.draws, behind)
    fitted = (fit(form, d, gold.mean, gold.draws) for form in FORMS)
    best = int(np.argmax(gold.mean))
    fall = _interval(gold.mean[-1] - gold.mean[best], gold.draws[:, -1] - gold.draws[:, best], prompts)
    return Drift(
        points=points,
        kl=distance,
        d=d,
        proxy=proxy,
        gold=gold,
        behind=behind,
        rate=_interval(rate, rates, prompts),
        fits=tuple(one for one in fitted if one),
        best=best,
        peak=_peak(points, gold),
        fall=fall,
        turned=prompts >= FEWEST and _loss_at_least(gold, best) > 0,
        alarm=_alarm(gold, proxy, rates) if prompts >= FEWEST else None,
        prompts=prompts,
        candidates=candidates,
        spreads=spreads,
    )


def _peak(points: np.ndarray, gold: Curve) -> Interval:
    """Where the gold is highest and, over redrawn prompts, where it is; open at the end of what was measured."""
    low, high = np.quantile(points[gold.draws.argmax(1)], (0.025, 0.975), method="nearest")
    value, last = float(points[gold.mean.argmax()]), points[-1]
    return Interval(value, float(low), None if high == last else float(high), len(gold.draws))


def _loss_at_least(gold: Curve, best: int) -> float:
    """Lower 95 % bound of what is lost from the highest point to the last, for all points at once.

    The highest point was chosen by looking, so that its own interval would claim too much: the bound uses the largest
    of all points' studentised deviations (the max-t bootstrap; White, Econometrica 68 (2000) 1097).
    """
    lost, redrawn = gold.mean - gold.mean[-1], gold.draws - gold.draws[:, -1:]
    spread = redrawn.std(0)
    known = spread > 1e-12
    if not known[best]:
        return 0.0 if best == len(lost) - 1 else float(lost[best])
    most = ((redrawn - lost)[:, known] / spread[known]).max(1)
    return float(lost[best] - np.quantile(most, 0.95) * spread[best])


def _alarm(gold: Curve, proxy: Curve, rates: np.ndarray) -> int | None:
    """The first point from which on, to the end, the whole interval lies below the share of the line."""
    line = KEPT * np.maximum(rates, 0)[:, None] * proxy.draws  # where they never went together, the line is 0
    sure = np.quantile(gold.draws - line, 0.975, axis=0) < -1e-12
    ends = len(sure) - int(np.argmin(sure[::-1]))
    return ends if sure[-1] and ends < len(sure) else None


def _interval(value: float, draws: np.ndarray, n: int) -> Interval:
    if not math.isfinite(value):
        return undefined("the proxy does not vary", n)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(float(value), float(low), float(high), n)
