"""How far does bfloat16 move a score, and whom does it make win? PURE numpy.

A response scored twice, exactly and with its backbone rounded, differs by d. A margin is the difference of two of
those, so it has a floor of its own: what lies below 1.96 standard deviations of its rounding may be rounding alone.
"""

from dataclasses import dataclass

import numpy as np

from annotate.agreement import Z95, Interval, undefined, wilson
from inspector.stats.correlation import grouped, interval, redrawn

MOST_PAIRS = 500_000


@dataclass(frozen=True)
class Noise:
    responses: int
    sd: Interval  # of the difference, over redrawn items
    largest: float
    pairs: int
    margin: float  # root mean square of how far a margin moved
    flipped: Interval  # pairs of which the other one wins; Wilson's

    @property
    def floor(self) -> float:
        """A margin below it may be rounding alone."""
        return Z95 * self.margin


def noise(item: np.ndarray, exact: np.ndarray, rounded: np.ndarray) -> Noise:
    """(n,) each, n > 0: the item of each response, and its two scores."""
    d = rounded - exact
    first, second, _ = within(item)
    before, after = exact[first] - exact[second], rounded[first] - rounded[second]
    won = before != 0
    moved = float(np.sqrt(((after - before) ** 2).mean())) if len(first) else 0.0
    turned = (np.sign(after) != np.sign(before))[won]
    flipped = wilson(float(turned.sum()), len(turned), "no pair had a winner")
    return Noise(len(d), _spread(item, d), float(np.abs(d).max()), len(first), moved, flipped)


def _spread(item: np.ndarray, d: np.ndarray) -> Interval:
    table = grouped(np.unique(item, return_inverse=True)[1], [np.ones(len(d)), d, d * d])
    every = np.concatenate([table.sum(0)[None], redrawn(table)])
    n, total, squares = every.T
    sd = np.sqrt(np.maximum(squares / n - (total / n) ** 2, 0))
    return interval(sd[0], sd[1:], len(d), len(table))


def within(item: np.ndarray, most: int = MOST_PAIRS) -> tuple[np.ndarray, np.ndarray, bool]:
    """Rows (first, second) of pairs of responses to one item, and whether these are all there are.

    Neighbours first, then those two apart, and so on, as long as they are no more than `most`.
    """
    order = np.argsort(item, kind="stable")
    sizes = np.bincount(np.unique(item, return_inverse=True)[1]) if len(item) else np.zeros(1, int)
    found, total = [], 0
    for apart in range(1, int(sizes.max())):
        same = np.flatnonzero(item[order[apart:]] == item[order[:-apart]])
        total += len(same)
        if found and total > most:
            return *_joined(found), False
        found.append((order[same], order[same + apart]))
    return *_joined(found), True


def _joined(found: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    nothing = np.zeros(0, dtype=int)
    return tuple(np.concatenate([nothing, *(one[side] for one in found)]) for side in (0, 1))


def small(margins: np.ndarray, floor: float) -> Interval:
    """The share of margins no larger than the floor; 0 asks for exact ties."""
    if not len(margins):
        return undefined("there is no pair")
    return wilson(float((np.abs(margins) <= floor).sum()), len(margins))
