"""Correlations of several things with one, their intervals from one redraw of prompts. PURE numpy.

Responses to one prompt are not independent, so whole prompts are redrawn. Every number here is a function of sums per
prompt: a redraw is one product of how often each prompt came with those sums, for all of them at once. Within a prompt
both sides are centred there first, so that what prompts ask for is taken out. The partial correlation at an equal
third thing z is (r_xy − r_xz r_yz) / √((1 − r_xz²)(1 − r_yz²)) (Yule, Proc. R. Soc. A 79, 1907).

More than BLOCKS prompts are put into that many blocks by lot, and blocks are redrawn: they are as independent as their
prompts, and 2,000 of them know the width of an interval to 2 %.

p-values are two-sided, of Fisher's z against its standard deviation over the redraws. Where several are read at once
they are corrected by Holm's method (Scand. J. Stat. 6, 1979): the chance that any of them is wrong stays below 5 %.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Interval, percentiles, undefined

DRAWS = 1000
FEWEST = 5  # prompts, for an interval
BLOCKS = 2000  # units that are redrawn, at most
_TOGETHER = 50  # draws; keeps memory small


@dataclass(frozen=True)
class Correlation:
    """r with its interval and its p-value (None without an interval)."""

    r: Interval
    p: float | None


@dataclass(frozen=True)
class Both:
    """A correlation as it is, and at an equal third thing."""

    plain: Correlation
    partial: Correlation


def codes(prompts: Sequence) -> np.ndarray:
    """(n,) the number of each row's prompt, from 0."""
    if isinstance(prompts, np.ndarray):
        return np.unique(prompts, return_inverse=True)[1]
    seen: dict = {}
    return np.fromiter((seen.setdefault(prompt, len(seen)) for prompt in prompts), dtype=np.int64)


def blocked(which: np.ndarray) -> np.ndarray:
    """(n,) the number of each row's block: its prompt, or one of BLOCKS that share many prompts by lot."""
    prompts = int(which.max()) + 1 if len(which) else 0
    return which if prompts <= BLOCKS else (np.random.default_rng(0).permutation(prompts) % BLOCKS)[which]


def grouped(which: np.ndarray, columns: Sequence[np.ndarray]) -> np.ndarray:
    """(prompts, columns) sums; of more than BLOCKS prompts, by block."""
    which = blocked(which)
    return np.stack([np.bincount(which, column) for column in columns], axis=1)


def redrawn(sums: np.ndarray, seed: int = 0, draws: int = DRAWS) -> np.ndarray:
    """(prompts or blocks, k) → (draws, k): the sums over as many of them, drawn again with replacement."""
    rng, prompts = np.random.default_rng(seed), len(sums)
    found = np.empty((draws, sums.shape[1]))
    for start in range(0, draws, _TOGETHER):
        part = range(start, min(draws, start + _TOGETHER))
        times = np.stack([np.bincount(rng.integers(0, prompts, prompts), minlength=prompts) for _ in part])
        found[part.start : part.stop] = times.astype(float) @ sums
    return found


def interval(value: float, draws: np.ndarray, n: int, prompts: int) -> Interval:
    """The value with the percentiles of its draws; none from fewer than five prompts."""
    few = "too few prompts for an interval"
    return percentiles(float(value), draws, n, few) if prompts >= FEWEST else Interval(float(value), None, None, n, few)


def centred(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    """(n,) less the mean of the prompt; what is equal there stays equal to the last bit."""
    found = values - (np.bincount(which, values) / np.bincount(which))[which]
    found[np.abs(found) < 1e-12 * max(1.0, np.abs(values).max())] = 0.0
    return found


def several(which: np.ndarray) -> np.ndarray:
    """(n,) booleans: rows whose prompt has another row."""
    return np.bincount(which)[which] > 1 if len(which) else np.zeros(0, dtype=bool)


def correlate(
    things: Mapping[str, Sequence[float]],
    y: Sequence[float],
    which: np.ndarray,
    control: Sequence[float] | None = None,
    within: bool = False,
    names: tuple[str, str] = ("thing", "score"),
) -> dict[str, Both]:
    """Pearson of each thing with y, pooled or within prompts, and at equal `control`; `names` are for the reasons."""
    columns = [np.asarray(values, dtype=float) for values in things.values()]
    y, z = np.asarray(y, dtype=float), None if control is None else np.asarray(control, dtype=float)
    if within:
        keep = several(which)
        if not keep.any():
            return dict.fromkeys(things, _nothing("no prompt has two scored responses", 0))
        which = np.unique(which[keep], return_inverse=True)[1]
        columns = [centred(column[keep], which) for column in columns]
        y, z = centred(y[keep], which), None if z is None else centred(z[keep], which)
    if len(which) < 3:
        return dict.fromkeys(things, _nothing("there are fewer than three responses", len(which)))
    found = _all(columns, y, np.zeros(len(y)) if z is None else z, which, names)
    return dict(zip(things, found, strict=True))


def _nothing(why: str, n: int) -> Both:
    nothing = Correlation(undefined(why, n), None)
    return Both(nothing, nothing)


def _all(columns: list[np.ndarray], y: np.ndarray, z: np.ndarray, which: np.ndarray, names: tuple) -> list[Both]:
    """Of n ≥ 3 rows; a z that does not vary holds nothing equal."""
    table = _sums([_unit(column) for column in columns], _unit(y), _unit(z), which)
    draws = redrawn(table) if len(table) >= FEWEST else np.full((1, table.shape[1]), np.nan)
    n, y, yy, z, zz, yz, *rest = np.concatenate([table.sum(0)[None], draws]).T  # row 0 is the value itself
    r_yz, found = _r(n, y, yy, z, zz, yz), []
    for x, xx, xy, xz in zip(*[iter(rest)] * 4, strict=True):
        if why := f"the {names[0]} is constant" if not xx[0] else f"the {names[1]} is constant" if not yy[0] else "":
            found.append(_nothing(why, len(which)))
            continue
        r_xy = _r(n, x, xx, y, yy, xy)
        partial = _at_equal(r_xy, _r(n, x, xx, z, zz, xz), r_yz)
        found.append(Both(_told(r_xy, which, len(table)), _told(partial, which, len(table), zz[0] > 0)))
    return found


def _unit(values: np.ndarray) -> np.ndarray:
    """Centred with standard deviation 1; zeros where it is constant."""
    return (values - values.mean()) / values.std() if np.ptp(values) else np.zeros(len(values))


def _sums(columns: list[np.ndarray], y: np.ndarray, z: np.ndarray, which: np.ndarray) -> np.ndarray:
    """(prompts, 6 + 4·columns)"""
    products = [np.ones(len(y)), y, y * y, z, z * z, y * z]
    for x in columns:
        products += [x, x * x, x * y, x * z]
    return grouped(which, products)


def _r(n, x, xx, y, yy, xy) -> np.ndarray:
    """(draws,) Pearson from sums; NaN where one of the two does not vary."""
    spread = (xx - x * x / n) * (yy - y * y / n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 1e-18 * n * n, (xy - x * y / n) / np.sqrt(np.maximum(spread, 0)), np.nan)


def _at_equal(r_xy: np.ndarray, r_xz: np.ndarray, r_yz: np.ndarray) -> np.ndarray:
    """(draws,) partial correlations; NaN where z leaves nothing of one of the two."""
    left = (1 - r_xz**2) * (1 - r_yz**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(left > 1e-9, (r_xy - r_xz * r_yz) / np.sqrt(np.maximum(left, 0)), np.nan)


def _told(r: np.ndarray, which: np.ndarray, prompts: int, controlled: bool = True) -> Correlation:
    """r[0] is the value, the others are its redraws."""
    if math.isnan(r[0]):
        why = "nothing is left of it at equal length" if controlled else "nothing is held equal"
        return Correlation(undefined(why, len(which)), None)
    r = np.clip(r, -1, 1)
    found = interval(r[0], r[1:], len(which), prompts)
    return Correlation(found, None if found.low is None else p_value(float(r[0]), r[1:]))


def p_value(r: float, draws: np.ndarray) -> float | None:
    """Two-sided: is Fisher's z of r further from 0 than its deviation over the redraws makes likely?"""
    z = np.arctanh(np.clip(draws[~np.isnan(draws)], -1 + 1e-9, 1 - 1e-9))
    spread = float(z.std())
    return math.erfc(abs(math.atanh(max(-1 + 1e-9, min(1 - 1e-9, r)))) / spread / math.sqrt(2)) if spread else None


def holm(p: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for reading all of them: the k-th smallest of m times m − k + 1, never below one before it."""
    known = sorted((value, place) for place, value in enumerate(p) if value is not None)
    found, most = [None] * len(p), 0.0
    for rank, (value, place) in enumerate(known):
        most = max(most, min(1.0, (len(known) - rank) * value))
        found[place] = most
    return found
