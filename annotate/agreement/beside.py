"""A model beside people, and the ceiling that people's own disagreement leaves it. PURE numpy.

A margin is score(first) − score(second); p is what people say: 1 first, 0 second, ½ tied.

Source of the area under the curve: Hanley & McNeil, Radiology 143 (1982).
"""

from collections.abc import Sequence

import numpy as np

from annotate.agreement.intervals import Interval, Undefined, undefined, wilson


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
