"""Agreement from a histogram of tasks, with intervals fast enough for a page. PURE numpy.

A pattern is the count vector of one unit: how many of its raters gave each value. Percent, Fleiss' κ and α depend on
a table only through how many units show each pattern, so {pattern: units} is all that a page has to keep: adding a
judgement moves one unit from one pattern to another. Redrawing whole units with replacement is then one multinomial
draw over the patterns: the same bootstrap as redrawing rows (Efron & Tibshirani 1993 §6), at a cost that grows with
the patterns and not with the units. In the same way a confusion matrix is all that Cohen's κ of two raters needs.

Where one task gives several units, such as both responses of a pair or all pairs of a ranking, the same people stand
behind them, and they are not independent: `Tasks` says which come together, and whole tasks are redrawn (Davison &
Hinkley, Bootstrap Methods and their Application (1997) §3.8). Of very many tasks some, taken without looking, are
enough: their draws are brought as near to the value as those of all would be (Bickel, Götze & van Zwet, Statistica
Sinica 7 (1997) 1, the m out of n bootstrap, whose spread goes with 1 / √m).

Units rated once say nothing about agreement and are left out before redrawing.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement.intervals import Interval, Undefined, percentiles, undefined, wilson_bounds
from annotate.agreement.tables import (
    ONCE,
    UNANIMOUS,
    Level,
    alphas,
    check_even,
    fleiss_kappas,
    kappas,
    pairable,
    shares,
)

CELLS = 1_000_000  # of one block of draws, 8 MB
Statistic = Callable[[np.ndarray], np.ndarray]  # (draws, patterns) weights → (draws,), NaN where undefined


@dataclass(frozen=True)
class Tasks:
    """Which units come together: of each task, or of a `share` of all tasks, {pattern: units}."""

    held: Sequence[Mapping[Hashable, int]]
    share: float = 1.0

    def table(self, patterns: Sequence[Hashable]) -> np.ndarray | None:
        """(tasks, patterns) units of tasks that hold any; None where none holds two, so that each stands for itself."""
        place = {pattern: n for n, pattern in enumerate(patterns)}
        table = np.zeros((len(self.held), len(patterns)))
        for row, units in zip(table, self.held, strict=True):
            for pattern in units.keys() & place.keys():
                row[place[pattern]] += units[pattern]
        return table[table.any(1)] if (table.sum(1) > 1).any() else None


def histogram(counts: np.ndarray) -> dict[tuple[int, ...], int]:
    """{pattern: units} of (units, values) counts."""
    patterns, units = np.unique(np.asarray(counts, dtype=int), axis=0, return_counts=True)
    return {tuple(map(int, pattern)): int(n) for pattern, n in zip(patterns, units, strict=True)}


def aligned(lines: Iterable[tuple[Mapping[Hashable, int], int]]) -> tuple[list, dict[tuple[int, ...], int]]:
    """Sorted distinct values and {pattern: units} from ({value: raters}, units) lines, as a page keeps them."""
    lines = list(lines)
    values = sorted({value for counts, _ in lines for value in counts})
    counted: Counter[tuple[int, ...]] = Counter()
    for counts, units in lines:
        counted[tuple(counts.get(value, 0) for value in values)] += units
    return values, dict(counted)


def summary(
    counted: Mapping[tuple[int, ...], int],
    level: Level = "nominal",
    values: Sequence[float] | None = None,
    draws: int = 1000,
    seed: int = 0,
    tasks: Tasks | None = None,
) -> dict[str, Interval]:
    """Percent, Fleiss' κ and Krippendorff's α of {pattern: units}, n being the units with two ratings or more.

    `values` are the numbers behind a pattern's places, wanted by the interval level; for the ordinal level the places
    stand in order. Fleiss' κ has no value unless all units, those rated once too, have the same number of raters.
    Without `tasks`, each unit is a task of its own.
    """
    patterns, units = _arrays(counted)
    twice = pairable(patterns)
    uneven = _why_uneven(patterns)
    patterns, units = patterns[twice], units[twice]
    if not len(patterns):
        return {name: undefined(ONCE) for name in ("percent", "fleiss", "alpha")}
    agreed = shares(patterns)
    together = tasks and tasks.table([tuple(map(int, pattern)) for pattern in patterns])
    found = redraw(
        units,
        {
            "percent": lambda w: w @ agreed / w.sum(1),
            "fleiss": lambda w: fleiss_kappas(w, patterns),
            "alpha": lambda w: alphas(w, patterns, values, level),
        },
        draws,
        seed,
        together,
        tasks.share if tasks else 1.0,
    )
    found["percent"] = _sure(found["percent"], units.sum() if together is None else len(together) / tasks.share)
    return found | ({"fleiss": undefined(uneven, int(units.sum()))} if uneven else {})


def _arrays(counted: Mapping[tuple[int, ...], int]) -> tuple[np.ndarray, np.ndarray]:
    """Patterns (p, values) as numbers and units (p,), without the patterns that no unit shows."""
    kept = {pattern: n for pattern, n in counted.items() if n}
    if any(n < 0 for n in kept.values()) or any(min(pattern, default=0) < 0 for pattern in kept):
        raise ValueError("a histogram holds no negative numbers")
    if len({len(pattern) for pattern in kept}) > 1:
        raise ValueError("the patterns of a histogram have one length")
    patterns = np.array(list(kept), dtype=float).reshape(len(kept), -1 if kept else 0)
    return patterns, np.array(list(kept.values()), dtype=int)


def _why_uneven(patterns: np.ndarray) -> str:
    try:
        check_even(patterns)
    except Undefined as error:
        return str(error)
    return ""


def redraw(
    units: np.ndarray,
    statistics: Mapping[str, Statistic],
    draws: int,
    seed: int,
    together: np.ndarray | None = None,
    share: float = 1.0,
) -> dict[str, Interval]:
    """Each statistic of the histogram, with the percentile interval of one set of multinomial redraws of its units.

    With `together` (tasks, patterns), from `Tasks.table`, of the tasks, which are this `share` of all.
    """
    kinds, number = (None, units) if together is None else np.unique(together, axis=0, return_counts=True)
    rng, total = np.random.default_rng(seed), int(number.sum())
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in statistics}
    for size in _blocks(draws, max(len(units), len(number))):
        picked = rng.multinomial(total, number / total, size).astype(float)
        for name, statistic in statistics.items():
            drawn[name].append(statistic(picked if kinds is None else picked @ kinds))
    whole, some = units[None].astype(float), (number if kinds is None else number @ kinds)[None].astype(float)
    found = {}
    for name, statistic in statistics.items():
        value, around = statistic(whole)[0], statistic(some)[0]
        nearer = value + (np.concatenate(drawn[name]) - around) * (1.0 if kinds is None else share**0.5)
        found[name] = _interval(value, nearer, int(units.sum()))
    return found


def _blocks(draws: int, width: int) -> list[int]:
    """Sizes of the blocks in which to make the draws."""
    size = max(1, min(draws, CELLS // max(1, width)))
    return [min(size, draws - start) for start in range(0, draws, size)]


def _interval(value: float, drawn: np.ndarray, n: int) -> Interval:
    return undefined(UNANIMOUS, n) if np.isnan(value) else percentiles(float(value), drawn, n)


def _sure(share: Interval, tasks: float) -> Interval:
    """A share that no redraw changes has Wilson's bounds: all of three tasks agreeing does not prove that all do."""
    if share.low is not None:
        return share
    return Interval(share.value, *wilson_bounds(share.value, tasks), share.n)


def cohen(cells: np.ndarray, draws: int = 1000, seed: int = 0, tasks: Tasks | None = None) -> Interval:
    """Cohen's κ of two raters from their confusion matrix (values, values); units are redrawn as its cells.

    The patterns of `tasks` are the cells, (first's value, second's value).
    """
    cells = np.asarray(cells, dtype=int)
    shape = cells.shape
    if cells.ndim != 2 or shape[0] != shape[1] or (cells < 0).any():
        raise ValueError("a confusion matrix is square and holds no negative numbers")
    if not cells.sum():
        return undefined("no unit was rated by both")
    statistic = {"kappa": lambda w: kappas(w.reshape(-1, *shape))}
    together = tasks and tasks.table(list(np.ndindex(shape)))
    return redraw(cells.ravel(), statistic, draws, seed, together, tasks.share if tasks else 1.0)["kappa"]
