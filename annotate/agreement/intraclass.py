"""Intraclass correlation of ratings that are numbers, ICC(1) and ICC(1,k), with the F interval. PURE numpy.

Raters need not be the same people for each unit: one-way random effects. Mean squares between and within n units of
k ratings give ICC(1) = (BMS − WMS) / (BMS + (k−1) WMS) and, for the mean of k ratings, ICC(1,k) = (BMS − WMS) / BMS;
their bounds put F·F₀.₉₇₅(df₂, df₁) and F / F₀.₉₇₅(df₁, df₂) in the place of F = BMS / WMS.

Source: Shrout & Fleiss, Psychol. Bull. 86 (1979) 420, p. 422 and 424.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from annotate.agreement.intervals import Interval, Undefined, undefined
from annotate.agreement.tables import check_even


def icc(
    counts: np.ndarray, values: Sequence[float], units: np.ndarray | None = None, average: bool = False
) -> Interval:
    """ICC(1), or ICC(1,k) with `average`, of (units, values) counts; `units` says how many units show each row.

    Every unit needs the same number k ≥ 2 of ratings; for uneven tables α at the interval level says nearly the same.
    """
    counts = np.asarray(counts, dtype=float)
    units = np.ones(len(counts), int) if units is None else np.asarray(units, dtype=int)
    counts, units = counts[units > 0], units[units > 0]
    n = int(units.sum())
    try:
        check_even(counts)
        ratio, k = _ratio(counts, np.asarray(values, dtype=float), units), int(counts[0].sum())
    except Undefined as error:
        return undefined(str(error), n)
    bent = (lambda f: 1 - 1 / f) if average else (lambda f: (f - 1) / (f + k - 1))
    return _between(ratio, bent, n - 1, n * (k - 1))


def _ratio(counts: np.ndarray, values: np.ndarray, units: np.ndarray) -> float:
    """F = BMS / WMS; infinite where raters of one unit never differ."""
    n, k = units.sum(), counts[0].sum()
    if n < 2:
        raise Undefined("two units or more are needed")
    values = values - units @ counts @ values / (n * k)
    means = counts @ values / k
    within = units @ (counts * (values - means[:, None]) ** 2).sum(1) / (n * (k - 1))
    between = k * (units @ means**2) / (n - 1)
    alone = (counts == k).any(1).all()  # no rounding error may pass for a spread
    if alone and ((units @ counts) > 0).sum() == 1:
        raise Undefined("everybody gave the same answer to everything")
    return math.inf if alone else float(between / within)


def _between(ratio: float, bent: Callable[[float], float], df1: int, df2: int) -> Interval:
    """The coefficient `bent` out of F, with its bounds."""
    n = df1 + 1
    if math.isinf(ratio):
        return Interval(1.0, None, None, n, "raters of one unit never differ, so nothing says how sure that is")
    if ratio <= 1e-12:  # its interval would be a point, and ICC(1,k) has no value at all
        return undefined("all units have the same mean", n)
    low, high = bent(ratio / f_quantile(0.975, df1, df2)), bent(ratio * f_quantile(0.975, df2, df1))
    return Interval(bent(ratio), low, high, n)


def f_quantile(q: float, df1: int, df2: int) -> float:
    """The F below which a share q of Fisher's distribution lies, by bisection on its Beta form."""
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _beta_share(middle, df1 / 2, df2 / 2) < q else (low, middle)
    return low * df2 / (df1 * (1 - low))


def _beta_share(x: float, a: float, b: float) -> float:
    """I_x(a, b), the regularised incomplete beta function (DLMF 8.17.22), for 0 < x < 1."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_share(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Its continued fraction 1 + d₁/(1 + d₂/(1 + …)) by Lentz's method; quick for x below the mean."""
    value, c, d = 1.0, 1.0, 0.0
    for i in range(1, 100_000):
        m = i // 2
        if i % 2:
            step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + step * d)
        c = 1 + step / c
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            return value
    raise ArithmeticError("the continued fraction of the incomplete beta function did not converge")
