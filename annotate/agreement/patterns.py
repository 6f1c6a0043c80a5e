"""Agreement from a histogram of tasks, with intervals fast enough for a page. PURE numpy.

A pattern is the count vector of one unit: how many of its raters gave each value. Percent, Fleiss' κ and α depend on
a table only through how many units show each pattern, so {pattern: units} is all that a page has to keep: adding a
judgement moves one unit from one pattern to another. Redrawing whole units with replacement is then one multinomial
draw over the patterns: the same bootstrap as redrawing rows (Efron & Tibshirani 1993 §6), at a cost that grows with
the patterns and not with the units. In the same way a confusion matrix is all that Cohen's κ of two raters needs.

Units rated once say nothing about agreement and are left out before redrawing.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

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
) -> dict[str, Interval]:
    """Percent, Fleiss' κ and Krippendorff's α of {pattern: units}, n being the units with two ratings or more.

    `values` are the numbers behind a pattern's places, wanted by the interval level; for the ordinal level the places
    stand in order. Fleiss' κ has no value unless all units, those rated once too, have the same number of raters.
    """
    patterns, units = _arrays(counted)
    twice = pairable(patterns)
    uneven = _why_uneven(patterns)
    patterns, units = patterns[twice], units[twice]
    if not len(patterns):
        return {name: undefined(ONCE) for name in ("percent", "fleiss", "alpha")}
    agreed = shares(patterns)
    found = redraw(
        units,
        {
            "percent": lambda w: w @ agreed / w.sum(1),
            "fleiss": lambda w: fleiss_kappas(w, patterns),
            "alpha": lambda w: alphas(w, patterns, values, level),
        },
        draws,
        seed,
    )
    found["percent"] = _sure(found["percent"])
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


def redraw(units: np.ndarray, statistics: Mapping[str, Statistic], draws: int, seed: int) -> dict[str, Interval]:
    """Each statistic of the histogram, with the percentile interval of one set of multinomial redraws of its units."""
    n, rng = int(units.sum()), np.random.default_rng(seed)
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in statistics}
    for size in _blocks(draws, len(units)):
        weights = rng.multinomial(n, units / n, size).astype(float)
        for name, statistic in statistics.items():
            drawn[name].append(statistic(weights))
    ones = units[None].astype(float)
    return {name: _interval(f(ones)[0], np.concatenate(drawn[name]), n) for name, f in statistics.items()}


def _blocks(draws: int, width: int) -> list[int]:
    """Sizes of the blocks in which to make the draws."""
    size = max(1, min(draws, CELLS // max(1, width)))
    return [min(size, draws - start) for start in range(0, draws, size)]


def _interval(value: float, drawn: np.ndarray, n: int) -> Interval:
    return undefined(UNANIMOUS, n) if np.isnan(value) else percentiles(float(value), drawn, n)


def _sure(share: Interval) -> Interval:
    """A share that no redraw changes has Wilson's bounds: all of three units agreeing does not prove that all do."""
    if share.low is not None:
        return share
    return Interval(share.value, *wilson_bounds(share.value, share.n), share.n)


def cohen(cells: np.ndarray, draws: int = 1000, seed: int = 0) -> Interval:
    """Cohen's κ of two raters from their confusion matrix (values, values); units are redrawn as its cells."""
    cells = np.asarray(cells, dtype=int)
    shape = cells.shape
    if cells.ndim != 2 or shape[0] != shape[1] or (cells < 0).any():
        raise ValueError("a confusion matrix is square and holds no negative numbers")
    if not cells.sum():
        return undefined("no unit was rated by both")
    statistic = {"kappa": lambda w: kappas(w.reshape(-1, *shape))}
    return redraw(cells.ravel(), statistic, draws, seed)["kappa"]
