"""Raters beside a model: do they agree on the same pairs, and do their biases overlap? PURE numpy."""

from collections.abc import Mapping, Sequence

import numpy as np

from annotate.agreement import Interval, wilson


def with_others(pair: np.ndarray, first_won: np.ndarray, rater: np.ndarray, raters: int) -> list[Interval]:
    """How far each rater's decided verdicts agree with what others decided of the same pairs.

    pair (n,) numbers a pair, first_won (n,) says whether its one response won against its other, rater (n,) from 0.
    Each verdict counts once: the share of the others who say the same. Wilson's interval is over the verdicts.
    """
    _, which = np.unique(pair, return_inverse=True)
    everybody, said_first = np.bincount(which), np.bincount(which, first_won)
    own = np.unique(np.stack([which, rater]), axis=1, return_inverse=True)[1].reshape(-1)  # one rater on one pair
    mine, mine_first = np.bincount(own)[own], np.bincount(own, first_won)[own]
    others, others_first = everybody[which] - mine, said_first[which] - mine_first
    alike = np.where(first_won, others_first, others - others_first) / np.maximum(others, 1)
    asked = others > 0
    counts = np.bincount(rater[asked], minlength=raters)
    sums = np.minimum(np.bincount(rater[asked], alike[asked], minlength=raters), counts)
    return [wilson(float(s), int(n), "nobody else decided the same pairs") for s, n in zip(sums, counts, strict=True)]


def sure(one: Interval) -> bool:
    """Does the interval leave out zero?"""
    return one.low is not None and one.high is not None and not one.low <= 0 <= one.high


def overlap(one: Interval, other: Interval) -> bool:
    """Have two intervals anything in common?"""
    return one.low <= other.high and other.low <= one.high


def taken_over(model: Interval, raters: Mapping[str, Interval]) -> tuple[Sequence[str], Sequence[str]]:
    """Raters who surely have the bias: those whose interval overlaps the model's, and those whose does not.

    A model that surely has none, or the opposite one, took over nobody's, whatever overlaps.
    """
    biased = [name for name, one in raters.items() if sure(one)]
    over = [name for name in biased if sure(model) and overlap(model, raters[name])]
    return over, [name for name in biased if name not in over]
