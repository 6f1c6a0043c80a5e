"""Ranking answers to one prompt by their scores. PURE: no Django, no torch."""

from collections.abc import Sequence

import numpy as np


def ranks(scores: Sequence[float]) -> list[int | None]:
    """1 for the best; equal scores share the rank of the first of them (1, 1, 3); None where the score is NaN."""
    values = np.asarray(scores, dtype=np.float64)
    known = np.sort(values[~np.isnan(values)])
    above = len(known) - np.searchsorted(known, values, side="right")
    return [None if np.isnan(value) else int(n) + 1 for value, n in zip(values, above, strict=True)]


def best(scores: Sequence[float]) -> int | None:
    """The place of the best; of equals the first; None where no score is known."""
    found = ranks(scores)
    return found.index(1) if 1 in found else None
