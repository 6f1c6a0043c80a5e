"""Does a change of the surface change who wins? PURE numpy.

A changed response is held against every other response to its item, as that one is. A pair whose two scores were equal
has no winner to lose. Items are redrawn for the intervals, since pairs of one item share responses; where no pair of
any item flips (or all do) redrawing shows nothing, and Wilson's interval over items stands in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Interval, undefined
from annotate.agreement.intervals import wilson_bounds
from inspector.stats.correlation import grouped, interval, redrawn


@dataclass(frozen=True)
class Probed:
    """A response before and after a swap; `other` are the scores of the item's other responses."""

    item: int
    before: float
    after: float
    others: tuple[float, ...]


@dataclass(frozen=True)
class Flips:
    change: Interval  # mean of after − before
    raised: Interval  # share of responses that score higher
    flipped: Interval  # of the pairs that had a winner, those that have the other one now
    won: Interval  # of the pairs that the changed response lost, those that it wins now
    lost: Interval  # of those that it won, those that it loses now


def flips(probed: Sequence[Probed]) -> Flips:
    """Of one swap."""
    if not probed:
        return Flips(*[undefined("it changes no response that was drawn")] * 5)
    which = np.unique([one.item for one in probed], return_inverse=True)[1]
    rows = np.array([_row(one) for one in probed], dtype=float)
    table = grouped(which, list(rows.T))
    every = np.concatenate([table.sum(0)[None], redrawn(table)])
    n, change, raised, losing, won, winning, lost = every.T
    items = len(table)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = change / n
    return Flips(
        change=interval(mean[0], mean[1:], len(rows), items),
        raised=_share(raised, n, items, "it changes no response that was drawn"),
        flipped=_share(won + lost, losing + winning, items, "no pair had a winner"),
        won=_share(won, losing, items, "no changed response had lost"),
        lost=_share(lost, winning, items, "no changed response had won"),
    )


def _row(one: Probed) -> tuple[float, ...]:
    """1, change, raised, pairs it lost, of which it wins now, pairs it won, of which it loses now."""
    others = np.array(one.others, dtype=float)
    losing, winning = one.before < others, one.before > others
    won, lost = losing & (one.after > others), winning & (one.after < others)
    counted = (losing.sum(), won.sum(), winning.sum(), lost.sum())
    return 1.0, one.after - one.before, float(one.after > one.before), *map(float, counted)


def _share(some: np.ndarray, of: np.ndarray, items: int, empty: str) -> Interval:
    if not of[0]:
        return undefined(empty)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = some / of
    found = interval(share[0], share[1:], int(of[0]), items)
    if found.low is None:
        return Interval(found.value, *wilson_bounds(found.value, items), found.n)
    return found


def probed_of(scores: Mapping[int, tuple[int, float]], after: Mapping[int, float]) -> list[Probed]:
    """`scores`: response → (item, score as it is); `after`: response → score of it changed."""
    items: dict[int, dict[int, float]] = {}
    for response, (item, value) in scores.items():
        items.setdefault(item, {})[response] = value
    found = []
    for response, value in after.items():
        item, before = scores[response]
        others = tuple(score for other, score in items[item].items() if other != response)
        found.append(Probed(item, before, value, others))
    return found
