"""A number and how sure it is: Wilson's interval, the bootstrap, medians, and changes between two shares. PURE numpy.

Sources: Wilson, J. Am. Stat. Assoc. 22 (1927) · Efron & Tibshirani, An Introduction to the Bootstrap (1993) ·
David & Nagaraja, Order Statistics (2003) §7.1 · Newcombe, Stat. Med. 17 (1998) 873, method 10.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import numpy as np

Z95 = 1.959963984540054
SAME = "redrawing changes nothing, so it gives no interval"


class Undefined(ValueError):
    """The statistic has no value on these data; the message says why."""


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval; without a value or without bounds, `why` says what is missing."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    why: str = ""

    def as_dict(self) -> dict[str, float | int | str | None]:
        """Plain values for JSON; `why` only where there is something to say."""
        return {key: value for key, value in asdict(self).items() if key != "why" or value}


def undefined(why: str, n: int = 0) -> Interval:
    """An Interval without a value."""
    return Interval(None, None, None, n, why)


def wilson(successes: float, n: int, empty: str = "there is nothing to count") -> Interval:
    """Share of successes with Wilson's score interval; half successes (ties) are allowed. Of nothing: why `empty`."""
    if n == 0:
        return undefined(empty)
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes among {n}")
    return Interval(successes / n, *wilson_bounds(successes / n, n), n)


def wilson_bounds(share: float, n: float) -> tuple[float, float]:
    """Where a true share may lie, n observations having given this one; n > 0 need not be whole.

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n), and never without the share itself.
    """
    z2 = Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))


def difference(first: tuple[float, int], second: tuple[float, int]) -> Interval:
    """Share of the second (successes, n) minus that of the first, independent of it: is a rater drifting?

    Newcombe's method 10: δ − √((p₂−l₂)² + (u₁−p₁)²) to δ + √((u₂−p₂)² + (p₁−l₁)²), l and u by Wilson.
    """
    before, after = wilson(*first), wilson(*second)
    n = before.n + after.n
    if before.value is None or after.value is None:
        return undefined("one of the two has nothing to count", n)
    change = after.value - before.value
    down = math.hypot(after.value - after.low, before.high - before.value)
    return Interval(change, change - down, change + math.hypot(after.high - after.value, before.value - before.low), n)


def median(values: Sequence[float], counts: Sequence[int] | None = None) -> Interval:
    """Sample median with the order statistics x₍ⱼ₎ and x₍ₙ₊₁₋ⱼ₎ around it; `counts` says how often each value came.

    j is the greatest with 2 P(Bin(n, ½) < j) ≤ .05, so they cover the true median in 95 % or more. Needs n ≥ 6.
    """
    values = np.asarray(values, dtype=float)
    counts = np.ones(len(values), int) if counts is None else np.asarray(counts)
    order = np.argsort(values, kind="stable")
    values, upto = values[order], np.cumsum(counts[order])
    n = int(upto[-1]) if len(upto) else 0
    if not n:
        return undefined("there is nothing to take a median of")
    at = lambda rank: float(values[np.searchsorted(upto, rank)])  # noqa: E731
    value, j = (at((n + 1) // 2) + at(n // 2 + 1)) / 2, _outer_rank(n)
    if not j:
        return Interval(value, None, None, n, "an interval of a median needs six values")
    return Interval(value, at(j), at(n + 1 - j), n)


def _outer_rank(n: int) -> int:
    """The greatest j with P(Bin(n, ½) ≤ j − 1) ≤ .025; 0 where there is none."""
    k = np.arange(n // 2)
    logs = np.cumsum(np.concatenate([[-n * math.log(2)], np.log((n - k) / (k + 1))]))
    return int(np.searchsorted(np.cumsum(np.exp(logs)), 0.025, side="right"))


def percentiles(value: float, drawn: np.ndarray, n: int, few: str = "too few rows for an interval") -> Interval:
    """The value with the 2.5 % and 97.5 % points of its bootstrap draws; NaN marks a draw without a value.

    Such draws are left out; where they are more than half, or where all draws are equal, there is no interval.
    """
    kept = drawn[~np.isnan(drawn)]
    if 2 * len(kept) < len(drawn) or not len(kept):
        return Interval(value, None, None, n, few)
    low, high = np.quantile(kept, (0.025, 0.975))
    if np.ptp(kept) <= 1e-12 * max(1.0, abs(value)):
        return Interval(value, None, None, n, SAME)
    return Interval(value, float(low), float(high), n)


def bootstrap(
    statistic: Callable[..., float],
    *columns: Sequence,
    groups: Sequence | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """statistic(*columns) with a percentile interval from redrawing rows, or whole groups (prompts) where given.

    Draws on which the statistic is undefined are left out; without half of the draws there is no interval.
    """
    columns = [np.asarray(column) for column in columns]
    rows = len(columns[0])
    units = _members(np.arange(rows) if groups is None else groups)
    try:
        value = float(statistic(*columns))
    except Undefined as error:
        return undefined(str(error), rows)
    rng, drawn = np.random.default_rng(seed), np.full(draws, np.nan)
    for draw in range(draws):
        picked = np.concatenate([units[i] for i in rng.integers(0, len(units), len(units))])
        with suppress(Undefined):
            drawn[draw] = statistic(*[column[picked] for column in columns])
    return percentiles(value, drawn, rows)


def _members(groups: Sequence) -> list[np.ndarray]:
    """Row numbers of each group."""
    _, which = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(which, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(which[order])) + 1) if len(order) else []
