"""Two versions on the same responses: who wins now, in what order, on what scale. PURE numpy.

Margins are held against each other pair by pair, in log-odds, each under its own version's temperature. Correlations
are of scores: pooled, where a version's constant per prompt counts, and within prompts, where it does not.

Kendall's τ-b is S/√(XY), where S counts pairs in the same order less those in the other, X and Y those not tied in the
one and in the other. Its interval pooled is that of Fisher's z, with the variance of Hájek's projection summed over
prompts (van der Vaart, Asymptotic Statistics (1998) ch. 12); within prompts, whole prompts are redrawn.
"""

import math
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Z95, Interval, ranks, undefined, wilson
from annotate.agreement.intervals import SAME, wilson_bounds
from inspector.stats.correlation import codes, correlate, grouped, interval, redrawn, several

NAMES = ("earlier score", "later score")
CONSTANT = "one of the two gives all of them the same"


@dataclass(frozen=True)
class Matrix:
    """Shares of the pairs that people decided, by which of the two versions agrees with them; Wilson's."""

    both: Interval
    new: Interval  # the new version alone
    old: Interval
    neither: Interval
    tied: Interval  # one of the two gives both responses the same


@dataclass(frozen=True)
class Order:
    spearman: Interval
    within: Interval  # Spearman of ranks within the prompt
    kendall: Interval
    kendall_within: Interval


@dataclass(frozen=True)
class Scale:
    """Of the scores as they are; slope and spread after each prompt's mean is taken out."""

    means: list[float]  # old, new
    sds: list[float]
    moved: Interval  # new − old
    slope: Interval  # of new on old
    spread: Interval  # sd of new over sd of old


def matrix(new: np.ndarray, old: np.ndarray) -> Matrix:
    """(pairs,) each: 1 agrees with people, 0 does not, ½ a tie of scores."""
    cells = (new == 1) & (old == 1), (new == 1) & (old == 0), (new == 0) & (old == 1), (new == 0) & (old == 0)
    tied = (new == 0.5) | (old == 0.5)
    return Matrix(*(wilson(float(cell.sum()), len(new), "people decided no pair") for cell in (*cells, tied)))


def same_winner(new: np.ndarray, old: np.ndarray, which: np.ndarray) -> Interval:
    """Share of pairs (margins of each version) that both decide alike, over redrawn prompts."""
    if not len(new):
        return undefined("no item has two responses that both scored")
    table = grouped(which, [np.ones(len(new)), np.sign(new) == np.sign(old)])
    n, same = np.concatenate([table.sum(0)[None], redrawn(table)]).T
    found = interval(same[0] / n[0], same[1:] / n[1:], len(new), len(table))
    if found.why != SAME:
        return found
    return Interval(found.value, *wilson_bounds(found.value, len(table)), found.n)


def order(
    old: np.ndarray, new: np.ndarray, which: np.ndarray, pairs: tuple[np.ndarray, np.ndarray], rows: np.ndarray
) -> Order:
    """(n,) scores of both, and prompts; `pairs`, rows of two responses to one item; `rows`, those of the pooled τ."""
    first, second = pairs
    return Order(
        spearman=_r(ranks(old), ranks(new), which, within=False),
        within=_r(ranks_within(old, which), ranks_within(new, which), which, within=True),
        kendall=kendall(old[rows], new[rows], codes(which[rows])),
        kendall_within=kendall_within(old[first] - old[second], new[first] - new[second], which[first]),
    )


def _r(x: np.ndarray, y: np.ndarray, which: np.ndarray, within: bool) -> Interval:
    return correlate({"x": x}, y, which, within=within, names=NAMES)["x"].plain.r


def ranks_within(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    """(n,) ranks from 1 among the rows of the same prompt, ties sharing their mean rank."""
    order = np.lexsort((values, which))
    prompt, value = which[order], values[order]
    begins = np.r_[True, prompt[1:] != prompt[:-1]]
    starts = np.flatnonzero(begins | np.r_[True, value[1:] != value[:-1]])
    sizes = np.diff(starts, append=len(values))
    middle = np.repeat(starts + (sizes - 1) / 2, sizes)
    found = np.empty(len(values))
    found[order] = middle - np.flatnonzero(begins)[np.cumsum(begins) - 1] + 1
    return found


def kendall(x: np.ndarray, y: np.ndarray, which: np.ndarray) -> Interval:
    """τ-b over all pairs of rows; n² cells, so for a few thousand rows at most."""
    n = len(x)
    s, a, b = np.zeros(n), np.zeros(n), np.zeros(n)
    for row in range(n):
        above, beside = np.sign(x - x[row]), np.sign(y - y[row])
        s[row], a[row], b[row] = above @ beside, above @ above, beside @ beside
    if not (a.any() and b.any()):
        return undefined(CONSTANT if n > 1 else "there are fewer than two responses", n)
    root = math.sqrt(a.sum() * b.sum())
    value = float(s.sum() / root)
    each = np.bincount(which, 2 * s / root - value * (a / a.sum() + b / b.sum()))
    if len(each) < 5:
        return Interval(value, None, None, n, "too few prompts for an interval")
    spread = math.sqrt(float((each**2).sum()) * len(each) / (len(each) - 1))
    if 1 - abs(value) < 1e-9:
        return Interval(value, None, None, n, SAME)
    half, z = Z95 * spread / (1 - value * value), math.atanh(value)
    return Interval(value, math.tanh(z - half), math.tanh(z + half), n)


def kendall_within(old: np.ndarray, new: np.ndarray, which: np.ndarray) -> Interval:
    """τ-b over pairs within prompts, by the signs of their margins."""
    if not len(old):
        return undefined("no item has two responses that both scored")
    x, y = np.sign(old), np.sign(new)
    table = grouped(np.unique(which, return_inverse=True)[1], [x * y, x * x, y * y])
    every = np.concatenate([table.sum(0)[None], redrawn(table)])
    if not every[0, 1:].all():
        return undefined(CONSTANT, len(old))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = every[:, 0] / np.sqrt(every[:, 1] * every[:, 2])
    return interval(found[0], found[1:], len(old), len(table))


def scale(old: np.ndarray, new: np.ndarray, which: np.ndarray) -> Scale:
    """(n,) scores of both, n > 0, and the prompts of their responses."""
    whole = grouped(which, [np.ones(len(old)), new - old])
    drawn = redrawn(whole)
    moved = interval(float((new - old).mean()), drawn[:, 1] / drawn[:, 0], len(old), len(whole))
    slope, spread = _inside(old, new, which)
    means, sds = ([float(of(one)) for one in (old, new)] for of in (np.mean, np.std))
    return Scale(means, sds, moved, slope, spread)


def _inside(old: np.ndarray, new: np.ndarray, which: np.ndarray) -> tuple[Interval, Interval]:
    """Slope and ratio of standard deviations within prompts."""
    keep = several(which)
    which = codes(which[keep])
    x, y = _centred(old[keep], which), _centred(new[keep], which)
    if not x.any():
        nothing = undefined("the earlier version tells no two responses to one prompt apart", int(keep.sum()))
        return nothing, nothing
    table = grouped(which, [x * x, x * y, y * y])
    xx, xy, yy = np.concatenate([table.sum(0)[None], redrawn(table)]).T
    with np.errstate(invalid="ignore", divide="ignore"):
        slope, spread = np.where(xx > 0, xy / xx, np.nan), np.where(xx > 0, np.sqrt(yy / xx), np.nan)
    return tuple(interval(one[0], one[1:], len(x), len(table)) for one in (slope, spread))


def _centred(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    return values - (np.bincount(which, values) / np.bincount(which))[which] if len(values) else values
