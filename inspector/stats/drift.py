"""Where choosing by the reward model leaves the gold: best-of-n curves and what they say. PURE numpy.

Best of n is n-fold selection from a pool of N scored candidates per prompt. Its distance from no selection is
KL = ln n − (n−1)/n nats, d = √KL. The expected gold of the top of n drawn without replacement is, candidates sorted
by proxy, R_n = Σ_i C(i−1, n−1)/C(N, n) · g_(i): unbiased, no sampling (Gao et al., arXiv 2210.10760, §2 and its forms
R = d(α − βd) for best-of-n and R = d(α − β ln d) for RL).

What it does not know: a fitted peak is read off a form; only the measured fall between two n is evidence of a turn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from annotate.agreement import Interval, Undefined

DRAWS = 1000
Pool = Sequence[tuple[Sequence[float], Sequence[float]]]  # per prompt: proxies, golds


@dataclass(frozen=True)
class Curve:
    """Gain over one random candidate, per n, in standard deviations within a prompt; bands over prompts."""

    mean: np.ndarray  # (ns,)
    low: np.ndarray
    high: np.ndarray
    draws: np.ndarray  # (draws, ns): the same redrawn prompts for proxy and gold
    raw: np.ndarray  # (ns,) in the score's own unit, not as a gain


@dataclass(frozen=True)
class Fit:
    """R(d) = d(α − βd) for "bon", d(α − β ln d) for "rl", with its peak d* where it has one."""

    form: str
    alpha: Interval
    beta: Interval
    peak: Interval  # value None: no peak within the range measured
    rmse: float

    def at(self, d: np.ndarray) -> np.ndarray:
        """The fitted gain at distances d."""
        first, second = _basis(self.form, d)
        return self.alpha.value * first + self.beta.value * second


@dataclass(frozen=True)
class Drift:
    ns: np.ndarray
    kl: np.ndarray
    d: np.ndarray
    proxy: Curve
    gold: Curve
    fits: tuple[Fit, ...]
    best_n: int  # where the measured gold is highest
    fall: Interval  # from there to the largest n: negative where gold is lost
    prompts: int
    candidates: int  # per prompt, the fewest


def kl(n: np.ndarray) -> np.ndarray:
    """KL of best-of-n from one draw, in nats: ln n − (n−1)/n."""
    n = np.asarray(n, dtype=float)
    return np.log(n) - (n - 1) / n


def best_of_n(
    proxy: Sequence[float],
    gold: Sequence[float],
    ns: Sequence[int],
    ties: Literal["average", "order"] = "average",
) -> np.ndarray:
    """Expected gold of the candidate with the highest proxy among n drawn without replacement, for each n.

    Candidates with equal proxies are averaged over all orders, or with "order" the later one is taken.
    """
    proxy, gold = np.asarray(proxy, dtype=float), np.asarray(gold, dtype=float)
    if len(proxy) != len(gold) or not len(proxy):
        raise ValueError("as many proxies as golds, and at least one")
    order = np.argsort(proxy, kind="stable")
    ranked = gold[order]
    if ties == "average":
        _, which, counts = np.unique(proxy[order], return_inverse=True, return_counts=True)
        ranked = (np.bincount(which, ranked) / counts)[which]
    return _weights(len(proxy), tuple(int(n) for n in ns)) @ ranked


@lru_cache(maxsize=8)
def _weights(candidates: int, ns: tuple[int, ...]) -> np.ndarray:
    """(ns, candidates): the same for every prompt of a pool."""
    return np.stack([top_weights(candidates, n) for n in ns])


def top_weights(candidates: int, n: int) -> np.ndarray:
    """(candidates,) probability that the i-th lowest is the top of n: C(i−1, n−1)/C(N, n), by log-factorials."""
    if not 1 <= n <= candidates:
        raise ValueError(f"best of {n} wants at least {n} candidates, not {candidates}")
    log = np.array([math.lgamma(i + 1) for i in range(candidates + 1)])  # log i!
    below = np.arange(n - 1, candidates)  # i − 1
    weights = np.zeros(candidates)
    total = log[candidates] - log[n] - log[candidates - n]
    weights[n - 1 :] = np.exp(log[below] - log[n - 1] - log[below - n + 1] - total)
    return weights


def steps(candidates: int) -> np.ndarray:
    """n = 1, 2, 3, 4, 6, 8, 12, 16 … up to all candidates."""
    powers = [2**k for k in range(candidates.bit_length())]
    between = [3 * 2**k for k in range(candidates.bit_length())]
    return np.array(sorted({n for n in (*powers, *between, candidates) if n <= candidates}))


def drift(pool: Pool, seed: int = 0) -> Drift:
    """The whole page for one pool: curves, bands, fits, peak. Raises Undefined where nothing can be said."""
    candidates = min((len(proxy) for proxy, _ in pool), default=0)
    if candidates < 2:
        raise Undefined("every prompt of the pool needs at least two scored candidates")
    ns = steps(candidates)
    times = np.random.default_rng(seed).multinomial(len(pool), np.full(len(pool), 1 / len(pool)), DRAWS)
    proxy = _curve([(p, p) for p, _ in pool], ns, times, "the model gives all candidates the same score")
    gold = _curve(pool, ns, times, "all candidates have the same gold score")
    d = np.sqrt(kl(ns))
    best = int(np.argmax(gold.mean))
    return Drift(
        ns=ns,
        kl=kl(ns),
        d=d,
        proxy=proxy,
        gold=gold,
        fits=tuple(fit(form, d, gold) for form in ("bon", "rl")),
        best_n=int(ns[best]),
        fall=_interval(gold.mean[-1] - gold.mean[best], gold.draws[:, -1] - gold.draws[:, best], len(pool)),
        prompts=len(pool),
        candidates=candidates,
    )


def _curve(pool: Pool, ns: np.ndarray, times: np.ndarray, flat: str) -> Curve:
    """Average over prompts; times (draws, prompts) says how often each prompt is in each redraw."""
    spread = math.sqrt(float(np.mean([np.var(values) for _, values in pool])))
    if spread == 0:
        raise Undefined(flat)
    raw = np.stack([best_of_n(proxy, values, ns) for proxy, values in pool])  # (prompts, ns)
    gain = (raw - raw[:, :1]) / spread
    draws = times @ gain / len(pool)
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    return Curve(gain.mean(0), low, high, draws, raw.mean(0))


def fit(form: Literal["bon", "rl"], d: np.ndarray, curve: Curve) -> Fit:
    """Least squares over the measured points past d = 0, and the same on every redraw for the intervals."""
    far = d > 0
    if far.sum() < 3:
        return _no_fit(form)
    basis = np.stack(_basis(form, d[far]), axis=1)  # (points, 2)
    solve = np.linalg.pinv(basis)
    alpha, beta = solve @ curve.mean[far]
    redrawn = curve.draws[:, far] @ solve.T  # (draws, 2)
    n, reach = len(curve.draws), float(d.max())
    return Fit(
        form=form,
        alpha=_interval(alpha, redrawn[:, 0], n),
        beta=_interval(beta, redrawn[:, 1], n),
        peak=_peak(form, np.array([[alpha, beta]]), redrawn, reach),
        rmse=float(np.sqrt(np.mean((basis @ [alpha, beta] - curve.mean[far]) ** 2))),
    )


def _no_fit(form: str) -> Fit:
    nothing = Interval(None, None, None, 0, "a fit wants at least three values of n above 1")
    return Fit(form, nothing, nothing, nothing, math.nan)


def _basis(form: str, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    d = np.asarray(d, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return d, -d * d if form == "bon" else np.where(d > 0, -d * np.log(d), 0.0)


def peaks(form: str, coefficients: np.ndarray) -> np.ndarray:
    """(k, 2) of α, β → (k,) distances d*: α/2β, or e^(α/β − 1); infinite where the form never turns."""
    alpha, beta = coefficients.T
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        d = alpha / (2 * beta) if form == "bon" else np.exp(alpha / beta - 1)
    return np.where((beta > 0) & (alpha > 0 if form == "bon" else True), d, np.inf)


def _peak(form: str, best: np.ndarray, redrawn: np.ndarray, reach: float) -> Interval:
    """d* with its interval; a bound beyond the range is None, for nothing was measured there."""
    value = peaks(form, best)[0]
    low, high = np.quantile(peaks(form, redrawn), (0.025, 0.975), method="nearest")
    low, high = (float(x) if x <= reach else None for x in (low, high))
    if value > reach:
        return Interval(None, low, None, len(redrawn), "no peak within the range measured")
    return Interval(float(value), low, high, len(redrawn))


def _interval(value: float, draws: np.ndarray, n: int) -> Interval:
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(float(value), float(low), float(high), n)
