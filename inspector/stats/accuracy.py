"""How often margins agree with people. PURE numpy.

A margin is score(first) − score(second); p is what people said: 1 first, 0 second, .5 undecided.
AUROC is the Mann–Whitney U over positives × negatives (Hanley & McNeil, Radiology 143, 1982).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from annotate.agreement import Interval, Undefined, undefined, wilson


def pair_accuracy(margins: Sequence[float], p: Sequence[float]) -> Interval:
    """Share of decided pairs whose margin has the right sign; a margin of zero is half right."""
    credit = credits(margins, p)
    return wilson(float(credit.sum()), len(credit)) if len(credit) else undefined("people decided no pair")


def credits(margins: Sequence[float], p: Sequence[float]) -> np.ndarray:
    """1 right, 0 wrong, .5 for a margin of zero; one per decided pair."""
    margins, p = np.asarray(margins, dtype=float), np.asarray(p, dtype=float)
    return (np.sign(margins * (p - 0.5))[p != 0.5] + 1) / 2


def accuracy_by_slice(margins: Sequence[float], p: Sequence[float], slices: Sequence[str]) -> Mapping[str, Interval]:
    """pair_accuracy within each named slice, in the order of the names."""
    margins, p, slices = np.asarray(margins), np.asarray(p), np.asarray(slices)
    return {str(name): pair_accuracy(margins[slices == name], p[slices == name]) for name in np.unique(slices)}


def auroc(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Probability that a positive scores above a negative, ties counted half."""
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
