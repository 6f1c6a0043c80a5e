"""Is a model worse on a part of its pairs, and is it better than another there? PURE numpy.

Pairs of one prompt are not independent. Whether a slice differs from all else is asked twice, of the pairs by Fisher's
exact test and of whole prompts by the normal test of the difference with its variance over prompts (Liang & Zeger,
Biometrika 73, 1986); the larger p counts. Two versions are compared by McNemar's exact test over prompts
(Psychometrika 12, 1947), as rounds do. Of the many p-values of a table, those below the largest p₍ₖ₎ ≤ k·q/m are
believed: at most the share q of these is expected to be wrong (Benjamini & Hochberg, J. R. Stat. Soc. B 57, 1995).
"""

import math
from collections.abc import Sequence

import numpy as np

from annotate.agreement import Interval, undefined, wilson
from inspector.stats.correlation import FEWEST, grouped, interval, redrawn


def accuracy(credit: np.ndarray, empty: str = "nothing is in it") -> Interval:
    """Mean of credits from 0 to 1 with Wilson's interval; NaN is left out."""
    known = credit[~np.isnan(credit)]
    return wilson(min(float(known.sum()), len(known)), len(known), empty)


def differs(credit: np.ndarray, which: np.ndarray, inside: np.ndarray) -> float | None:
    """Two-sided p that the slice is as accurate as all else; (n,) credits, prompts from 0, membership.

    None where the slice, or all else, is of fewer than five prompts: they would prove nothing.
    """
    n, rest = int(inside.sum()), int((~inside).sum())
    if min(len(np.unique(which[part])) for part in (inside, ~inside)) < FEWEST:
        return None
    right, others = (int(credit[part].sum() + 0.5) for part in (inside, ~inside))
    return max(fisher(right, n - right, others, rest - others), _over_prompts(credit, which, inside))


def _over_prompts(credit: np.ndarray, which: np.ndarray, inside: np.ndarray) -> float:
    """The normal test; 0, which decides nothing, where no prompt varies."""
    n, rest = inside.sum(), (~inside).sum()
    mine, others = credit[inside].mean(), credit[~inside].mean()
    pull = np.where(inside, (credit - mine) / n, -(credit - others) / rest)
    sums = np.bincount(which, pull)
    prompts = len(np.unique(which))
    spread = math.sqrt(float(sums @ sums) * prompts / max(1, prompts - 1))
    return math.erfc(abs(mine - others) / spread / math.sqrt(2)) if spread > 1e-12 else 0.0


def fisher(a: int, b: int, c: int, d: int) -> float:
    """Two-sided p of the table [[a, b], [c, d]]: all tables with its margins that are no likelier than it."""
    row, column, total = a + b, a + c, a + b + c + d
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, total + 1)))])
    x = np.arange(max(0, row + column - total), min(row, column) + 1)
    chance = _choose(logs, column, x) + _choose(logs, total - column, row - x) - _choose(logs, total, np.array(row))
    return min(1.0, float(np.exp(chance[chance <= chance[a - x[0]] + 1e-7]).sum()))


def _choose(logs: np.ndarray, n: int, k: np.ndarray) -> np.ndarray:
    return logs[n] - logs[k] - logs[n - k]


def mcnemar(won: int, lost: int) -> float:
    """Two-sided exact p: 2 · P(Bin(won + lost, ½) ≤ min), at most 1."""
    n, fewer = won + lost, min(won, lost)
    k = np.arange(fewer)
    logs = np.cumsum(np.concatenate([[-n * math.log(2)], np.log((n - k) / (k + 1))]))
    return min(1.0, 2 * float(np.exp(logs).sum()))


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """The smallest share of false finds at which each is believed: min over j ≥ k of m·p₍ⱼ₎/j. None stays None."""
    known = sorted(((value, place) for place, value in enumerate(p) if value is not None), reverse=True)
    found, least = [None] * len(p), 1.0
    for step, (value, place) in enumerate(known):
        least = min(least, len(known) * value / (len(known) - step))
        found[place] = least
    return found


def against(
    new: np.ndarray, old: np.ndarray, which: np.ndarray, slices: Sequence[np.ndarray]
) -> list[dict[str, Interval | int | float]]:
    """`gains` of one comparison, new − old credits (n,) of the same pairs, on each slice (booleans)."""
    return gains([(new - old, inside) for inside in slices], which)


def gains(parts: Sequence[tuple[np.ndarray, np.ndarray]], which: np.ndarray) -> list[dict]:
    """For each (gain, inside), (n,) each: the difference of accuracy, prompts won and lost, and McNemar's p.

    Outside, a gain may be NaN. Intervals come from one redraw of prompts for all parts.
    """
    columns = [column for gain, inside in parts for column in (np.where(inside, gain, 0.0), inside * 1.0)]
    sums = grouped(which, columns)
    draws = redrawn(sums) if len(sums) > 1 else np.full((1, sums.shape[1]), np.nan)
    return [_against(*part, which, draws[:, 2 * n : 2 * n + 2]) for n, part in enumerate(parts)]


def _against(gain: np.ndarray, inside: np.ndarray, which: np.ndarray, draws: np.ndarray) -> dict:
    n = int(inside.sum())
    if not n:
        return {"difference": undefined("there is no pair to compare on"), "won": 0, "lost": 0, "p": None}
    of_prompt = np.bincount(which[inside], gain[inside])
    won, lost, prompts = int((of_prompt > 1e-12).sum()), int((of_prompt < -1e-12).sum()), len(np.unique(which[inside]))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = interval(float(gain[inside].mean()), draws[:, 0] / draws[:, 1], n, prompts)
    return {"difference": found, "won": won, "lost": lost, "p": mcnemar(won, lost)}


def buckets(values: np.ndarray, most: int = 4) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """(n,) places in at most so many equally full buckets of whole numbers, and the least and largest of each."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, most + 1)))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(0, len(edges) - 2))
    used, place = np.unique(place, return_inverse=True)
    return place, [(int(values[place == n].min()), int(values[place == n].max())) for n in range(len(used))]
