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
Columns = slice | np.ndarray  # which of the patterns
Statistic = Callable[[np.ndarray], np.ndarray]  # (draws, patterns) weights → (draws,), NaN where undefined


@dataclass(frozen=True)
class Tasks:
    """Which units come together: of each task, or of a `share` of all tasks, {pattern: units}."""

    held: Sequence[Mapping[Hashable, int]]
    share: float = 1.0

    def together(self, patterns: Sequence[Hashable]) -> "Together | None":
        """Of tasks that hold any of the patterns; None where none holds two units, so that each stands for itself."""
        held = [{one: n for one, n in units.items() if n} for units in self.held]
        known, shown = set(patterns), {pattern for units in held for pattern in units}
        place = {pattern: n for n, pattern in enumerate(pattern for pattern in patterns if pattern in shown)}
        held = [{place[one]: n for one, n in units.items() if one in known} for units in held]
        if all(sum(units.values()) < 2 for units in held):
            return None
        table = np.zeros((len(held), len(place)))
        for row, units in zip(table, held, strict=True):
            row[list(units)] = list(units.values())
        which = np.array([n for n, pattern in enumerate(patterns) if pattern in place])
        return Together(which, table[table.any(1)], self.share)


@dataclass(frozen=True)
class Together:
    """`Tasks` in numbers: which patterns they show, (columns,), and how many units of each, (tasks, columns)."""

    which: np.ndarray
    table: np.ndarray
    share: float


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
    together = tasks and tasks.together([tuple(map(int, pattern)) for pattern in patterns])

    def statistics(of: Columns) -> dict[str, Statistic]:
        return {
            "percent": lambda w: w @ agreed[of] / w.sum(1),
            "fleiss": lambda w: fleiss_kappas(w, patterns[of]),
            "alpha": lambda w: alphas(w, patterns[of], values, level),
        }

    found = redraw(units, statistics, draws, seed, together)
    sure = len(together.table) / together.share if together else units.sum()
    found["percent"] = _sure(found["percent"], sure)
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
    statistics: Callable[[Columns], Mapping[str, Statistic]],
    draws: int,
    seed: int,
    together: Together | None = None,
) -> dict[str, Interval]:
    """Each statistic of the histogram, with the percentile interval of one set of multinomial redraws of its units, or
    of whole tasks where units come `together`. `statistics` gives them for weights on some of the patterns.
    """
    ones = units[None].astype(float)
    values = {name: statistic(ones)[0] for name, statistic in statistics(slice(None)).items()}
    if together is None:
        drawn = _drawn(units, None, statistics(slice(None)), draws, seed)
    else:
        kinds, number = np.unique(together.table, axis=0, return_counts=True)
        some, around = statistics(together.which), (number @ kinds)[None].astype(float)
        drawn = _drawn(number, kinds, some, draws, seed)
        nearer = together.share**0.5
        drawn = {name: values[name] + nearer * (drawn[name] - some[name](around)[0]) for name in some}
    return {name: _interval(value, drawn[name], int(units.sum())) for name, value in values.items()}


def _drawn(
    number: np.ndarray, kinds: np.ndarray | None, statistics: Mapping[str, Statistic], draws: int, seed: int
) -> dict[str, np.ndarray]:
    """(draws,) of each statistic: as many things are drawn as there are, of each kind in proportion to its number."""
    rng, total = np.random.default_rng(seed), int(number.sum())
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in statistics}
    for size in _blocks(draws, len(number) if kinds is None else max(kinds.shape)):
        weights = rng.multinomial(total, number / total, size).astype(float)
        weights = weights if kinds is None else weights @ kinds
        for name, statistic in statistics.items():
            drawn[name].append(statistic(weights))
    return {name: np.concatenate(found) for name, found in drawn.items()}


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
    together = tasks and tasks.together(list(np.ndindex(shape)))

    def kappa(of: Columns) -> dict[str, Statistic]:
        place = np.eye(cells.size)[of]  # of the weights, among all cells
        return {"kappa": lambda w: kappas((w @ place).reshape(-1, *shape))}

    return redraw(cells.ravel(), kappa, draws, seed, together)["kappa"]
