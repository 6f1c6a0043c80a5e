"""Agreement of a table of ratings: units × raters with None where a rater did not rate. PURE numpy.

A table becomes (units, values) counts, and every statistic but Cohen's κ needs no more. The cores take `weights`
(draws, units), how often each draw holds each unit, and give one number per draw, NaN where it has none; the
statistic itself is the draw that holds each unit once.

Sources: Cohen, Educ. Psychol. Meas. 20 (1960) · Fleiss, Psychol. Bull. 76 (1971) eq. 1–7 · Krippendorff, Computing
Krippendorff's Alpha-Reliability (2011) · Krippendorff, Content Analysis (2004) §11.3 for the ordinal distance.
"""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from annotate.agreement.intervals import Interval, Undefined, undefined, wilson

Table = Sequence[Sequence[Hashable | None]]
Level = Literal["nominal", "ordinal", "interval"]
ONCE = "no unit was rated twice"
RAGGED = "every unit needs the same number of raters, two or more"
UNANIMOUS = "everybody gave the same answer to everything"


def tally(table: Table) -> tuple[list, np.ndarray]:
    """Sorted distinct values, and how often each unit got each: (units, values) counts."""
    values = sorted({rating for unit in table for rating in unit if rating is not None})
    place = {value: i for i, value in enumerate(values)}
    counts = np.zeros((len(table), len(values)))
    for row, unit in zip(counts, table, strict=True):
        for rating in unit:
            if rating is not None:
                row[place[rating]] += 1
    return values, counts


def pairable(counts: np.ndarray) -> np.ndarray:
    """Which units were rated twice or more: (units,) booleans."""
    return np.asarray(counts).sum(1) > 1


def shares(counts: np.ndarray) -> np.ndarray:
    """Share of pairs of raters who agree, Fleiss' P_i = Σ_v n_v(n_v − 1) / m(m − 1): (units,) for m ≥ 2 raters each."""
    raters = counts.sum(1)
    return (counts * (counts - 1)).sum(1) / (raters * (raters - 1))


def percent_agreement(counts: np.ndarray) -> Interval:
    """Probability that two raters of one unit agree: pairs within a unit, then the mean over units with a pair."""
    counts = counts[pairable(counts)]
    if not len(counts):
        return undefined(ONCE)
    return wilson(min(float(shares(counts).sum()), len(counts)), len(counts))


def confusion(first: Sequence[Hashable], second: Sequence[Hashable]) -> tuple[list, np.ndarray]:
    """Sorted distinct values of two raters of the same units, and how often the first said v and the second w."""
    if len(first) != len(second):
        raise ValueError("both raters must rate the same units")
    values = sorted({*first, *second})
    place = {value: i for i, value in enumerate(values)}
    cells = np.zeros((len(values), len(values)))
    np.add.at(cells, ([place[a] for a in first], [place[b] for b in second]), 1)
    return values, cells


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """(p_o − p_e) / (1 − p_e) of two raters on the same units."""
    _, cells = confusion(first, second)
    if not cells.sum():
        raise Undefined("no unit was rated by both")
    return defined(kappas(cells[None])[0])


def kappas(cells: np.ndarray) -> np.ndarray:
    """Cohen's κ of each (values, values) confusion matrix: (draws, values, values) → (draws,), none of them empty."""
    n = cells.sum((1, 2))
    observed = np.trace(cells, axis1=1, axis2=2) / n
    return beyond_chance(observed, (cells.sum(1) * cells.sum(2)).sum(1) / n**2)


def fleiss_kappa(counts: np.ndarray) -> float:
    """Fleiss' κ of (units, values) counts; each unit needs the same number of raters."""
    check_even(counts)
    return defined(fleiss_kappas(np.ones((1, len(counts))), counts)[0])


def check_even(counts: np.ndarray) -> None:
    """Undefined unless every unit has the same number of raters, two or more."""
    raters = counts.sum(1)
    if not len(counts) or raters[0] < 2 or (raters != raters[0]).any():
        raise Undefined(RAGGED)


def fleiss_kappas(weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(P̄ − P̄_e) / (1 − P̄_e) with P̄_e = Σ_v p_v², per draw."""
    totals = weights @ counts
    proportions = totals / totals.sum(1, keepdims=True)
    return beyond_chance(weights @ shares(counts) / weights.sum(1), (proportions**2).sum(1))


def beyond_chance(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """(p_o − p_e) / (1 − p_e), NaN where chance alone always agrees."""
    room = np.where(expected < 1 - 1e-12, 1 - expected, np.nan)
    return (observed - expected) / room


def krippendorff_alpha(counts: np.ndarray, values: Sequence | None = None, level: Level = "nominal") -> float:
    """1 − D_o / D_e over the coincidences of (units, values) counts; units rated once say nothing.

    `values` are the numbers behind the columns, wanted by the interval level alone; the ordinal level takes the
    columns in their order.
    """
    counts = counts[pairable(counts)]
    if not len(counts):
        raise Undefined(ONCE)
    return defined(alphas(np.ones((1, len(counts))), counts, values, level)[0])


def alphas(weights: np.ndarray, counts: np.ndarray, values: Sequence | None, level: Level) -> np.ndarray:
    """α per draw, for units of m ≥ 2 raters each.

    A unit's coincidences of c and k are (n_c n_k − [c = k] n_c) / (m − 1), so its share of the observed disagreement
    is Σ_ck n_c n_k δ²_ck / (m − 1), and α = 1 − (n − 1) Σ_units D_unit / Σ_ck N_c N_k δ²_ck over all N_c ratings c.
    """
    counts = np.asarray(counts, dtype=float)
    totals = weights @ counts
    spread = _ordinal if level == "ordinal" else _fixed
    observed, expected = spread(weights, counts, totals, values, level)
    expected = np.where(expected > 0, expected, np.nan)
    return 1 - (totals.sum(1) - 1) * observed / expected


def _fixed(weights, counts, totals, values, level) -> tuple[np.ndarray, np.ndarray]:
    """Observed and expected disagreement where the distance of two values is known beforehand."""
    distance = _distance(counts.shape[1], values, level)
    units = ((counts @ distance) * counts).sum(1) / (counts.sum(1) - 1)
    return weights @ units, ((totals @ distance) * totals).sum(1)


def _distance(columns: int, values: Sequence | None, level: str) -> np.ndarray:
    """Squared differences δ² between values, (values, values)."""
    if level == "nominal":
        return 1.0 - np.eye(columns)
    if level == "interval":
        numbers = np.asarray(values, dtype=float)
        return (numbers[:, None] - numbers[None, :]) ** 2
    raise ValueError(f"unknown level {level!r}")


def _ordinal(weights, counts, totals, *_) -> tuple[np.ndarray, np.ndarray]:
    """The same where δ is between middle ranks g in the draw: Σ n_c n_k (g_c − g_k)² = 2 (m Σ n g² − (Σ n g)²)."""
    ranks = np.cumsum(totals, 1) - totals / 2 - totals.sum(1, keepdims=True) / 2  # centred: α sees differences alone
    raters = counts.sum(1)
    squares = ((weights * (raters / (raters - 1))) @ counts * ranks**2).sum(1)
    observed = 2 * (squares - (weights / (raters - 1) * (ranks @ counts.T) ** 2).sum(1))
    expected = 2 * (totals.sum(1) * (totals * ranks**2).sum(1) - (totals * ranks).sum(1) ** 2)
    return observed, expected


def defined(value: float) -> float:
    """The value; Undefined where it has none, since nobody ever gave another answer."""
    if np.isnan(value):
        raise Undefined(UNANIMOUS)
    return float(value)
