"""How far people agree with each other, how far a model agrees with them, and how sure any share is. PURE numpy.

A table of ratings is units × raters with None where a rater did not rate. A statistic that has no value raises
Undefined with the reason, and becomes an Interval whose value is None: it never becomes a silent zero.

Sources: Wilson, J. Am. Stat. Assoc. 22 (1927) · Cohen, Educ. Psychol. Meas. 20 (1960) · Fleiss, Psychol. Bull.
76 (1971) · Krippendorff, Computing Krippendorff's Alpha-Reliability (2011) · Efron & Tibshirani (1993) · Hanley &
McNeil, Radiology 143 (1982).
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

Z95 = 1.959963984540054
Table = Sequence[Sequence[Hashable | None]]


class Undefined(ValueError):
    """The statistic has no value on these data; the message says why."""


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval; without a value, `why` says what is missing."""

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
    share, z2 = successes / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)), n)


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
    rng, values = np.random.default_rng(seed), []
    for _ in range(draws):
        picked = np.concatenate([units[i] for i in rng.integers(0, len(units), len(units))])
        try:
            values.append(statistic(*[column[picked] for column in columns]))
        except Undefined:
            continue
    if 2 * len(values) < draws:
        return Interval(value, None, None, rows, "too few rows for an interval")
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(value, float(low), float(high), rows)


def _members(groups: Sequence) -> list[np.ndarray]:
    """Row numbers of each group."""
    _, which = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(which, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(which[order])) + 1) if len(order) else []


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


def percent_agreement(counts: np.ndarray) -> Interval:
    """Probability that two raters of one unit agree: pairs within a unit, then the mean over units with a pair."""
    raters = counts.sum(1)
    counts, raters = counts[raters > 1], raters[raters > 1]
    if not len(counts):
        return undefined("no unit was rated twice")
    shares = (counts * (counts - 1)).sum(1) / (raters * (raters - 1))
    return wilson(min(float(shares.sum()), len(shares)), len(shares))


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """(p_o − p_e) / (1 − p_e) of two raters on the same units."""
    if len(first) != len(second):
        raise ValueError("both raters must rate the same units")
    values, _ = tally([first, second])
    place = {value: i for i, value in enumerate(values)}
    confusion = np.zeros((len(values), len(values)))
    for a, b in zip(first, second, strict=True):
        confusion[place[a], place[b]] += 1
    return _beyond_chance(
        np.trace(confusion) / max(1, len(first)),
        float(confusion.sum(0) @ confusion.sum(1)) / max(1, len(first)) ** 2,
        len(first),
    )


def fleiss_kappa(counts: np.ndarray) -> float:
    """Fleiss' κ of (units, values) counts; each unit needs the same number of raters."""
    raters = counts.sum(1)
    if not len(counts) or raters[0] < 2 or (raters != raters[0]).any():
        raise Undefined("every unit needs the same number of raters, two or more")
    m = raters[0]
    observed = ((counts * (counts - 1)).sum(1) / (m * (m - 1))).mean()
    return _beyond_chance(observed, ((counts.sum(0) / counts.sum()) ** 2).sum(), len(counts))


def _beyond_chance(observed: float, expected: float, units: int) -> float:
    if not units:
        raise Undefined("no unit was rated by both")
    if expected >= 1:
        raise Undefined("everybody gave the same answer to everything")
    return float((observed - expected) / (1 - expected))


def krippendorff_alpha(
    counts: np.ndarray,
    values: Sequence | None = None,
    level: Literal["nominal", "ordinal", "interval"] = "nominal",
) -> float:
    """1 − D_o / D_e over the coincidences of (units, values) counts; units rated once say nothing.

    `values` are the numbers behind the columns, wanted by the interval level alone.
    """
    raters = counts.sum(1)
    counts, raters = counts[raters > 1], raters[raters > 1]
    if not len(counts):
        raise Undefined("no unit was rated twice")
    weighted = counts / (raters - 1)[:, None]
    coincidences = counts.T @ weighted - np.diag(weighted.sum(0))
    totals = coincidences.sum(1)
    distance = _distance(totals, values, level)
    expected = totals @ distance @ totals
    if expected <= 0:
        raise Undefined("everybody gave the same answer to everything")
    return float(1 - (totals.sum() - 1) * (coincidences * distance).sum() / expected)


def _distance(totals: np.ndarray, values: Sequence | None, level: str) -> np.ndarray:
    """Squared differences δ² between values, (values, values)."""
    if level == "nominal":
        return 1.0 - np.eye(len(totals))
    if level == "interval":
        numbers = np.asarray(values, dtype=float)
        return (numbers[:, None] - numbers[None, :]) ** 2
    if level == "ordinal":  # ranks: the mass up to the middle of each value
        middle = np.cumsum(totals) - totals / 2
        return (middle[:, None] - middle[None, :]) ** 2
    raise ValueError(f"unknown level {level!r}")


# ---- A model beside people: a margin is score(first) − score(second); p is what people say: 1 first, 0 second, ½ tied.


def pair_accuracy(margins: Sequence[float], p: Sequence[float], empty: str = "people decided no pair") -> Interval:
    """Share of decided pairs whose margin has the right sign; a margin of zero is half right."""
    credit = credits(margins, p)
    return wilson(float(credit.sum()), len(credit), empty)


def credits(margins: Sequence[float], p: Sequence[float]) -> np.ndarray:
    """1 right, 0 wrong, .5 for a margin of zero; one per decided pair."""
    margins, p = np.asarray(margins, dtype=float), np.asarray(p, dtype=float)
    return (np.sign(margins * (p - 0.5))[p != 0.5] + 1) / 2


def auroc(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Probability that a positive scores above a negative, ties half: Mann–Whitney's U over positives × negatives."""
    labels = np.asarray(labels, dtype=bool)
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        raise Undefined("one of the two classes is empty")
    above = ranks(scores)[labels].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def ranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from 1, ties sharing their mean rank."""
    _, which, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[which]


# ---- The ceiling: what the raters' own disagreement leaves for a model to reach.


def margin_ceilings(spread: float) -> tuple[float, float]:
    """(best accuracy, probability that two raters agree) where true margins are N(0, spread²).

    A rater prefers the first with p = σ(margin), so accuracy ≤ E max(p, 1−p) and agreement = E[p² + (1−p)²].
    """
    z = np.linspace(-8.0, 8.0, 4001)
    weight = np.exp(-z * z / 2)
    weight /= weight.sum()
    p = 0.5 * (1 + np.tanh(spread * z / 2))
    return float(weight @ np.maximum(p, 1 - p)), float(weight @ (p * p + (1 - p) ** 2))


def ceiling(agreement: Interval) -> Interval:
    """Best accuracy on one rater's labels that this agreement between raters allows, bound by bound."""
    if agreement.value is None:
        return undefined(agreement.why, agreement.n)
    bounds = [best_accuracy(x) for x in (agreement.value, agreement.low, agreement.high)]
    return Interval(*bounds, agreement.n)


def best_accuracy(agreement: float) -> float:
    """Invert margin_ceilings by bisection: .5 for raters at chance, 1 for raters who always agree."""
    low, high = 0.0, 1e4
    if agreement <= 0.5:
        return 0.5
    if agreement >= margin_ceilings(high)[1]:
        return 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if margin_ceilings(middle)[1] < agreement else (low, middle)
    return margin_ceilings(high)[0]
