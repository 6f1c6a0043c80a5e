"""The arithmetic of Shapley values: of numbers alone, whatever gave them. A subset of M units is a bit mask.

φ_k = Σ_S |S|!(M − |S| − 1)!/M! · [v(S ∪ k) − v(S)] over subsets S without k, which is the mean of what k adds over all
orders in which the units could come (Shapley 1953). Orders that keep groups together give Owen's values (Owen 1977).
"""

from collections.abc import Mapping, Sequence
from math import comb

import numpy as np


def shapley(values: np.ndarray) -> np.ndarray:
    """(M,) exactly, of the values (2^M,) of all subsets: bit k of a place says that unit k is in."""
    count = len(values).bit_length() - 1
    if len(values) != 2**count:
        raise ValueError(f"{len(values)} values are not those of all subsets of some units")
    places, values = np.arange(len(values)), np.asarray(values, dtype=np.float64)
    sizes = np.array([int(place).bit_count() for place in places])
    weights = np.array([1 / (count * comb(count - 1, size)) if size < count else 0.0 for size in sizes])
    found = np.empty(count)
    for k in range(count):
        without = places[(places >> k) & 1 == 0]
        found[k] = (weights[without] * (values[without | (1 << k)] - values[without])).sum()
    return found


def orders(groups: Sequence[int], pairs: int, seed: int = 0) -> np.ndarray:
    """(2 · pairs, M) antithetic orders of M units: each drawn one is followed by its reverse.

    Units of a group stand together, groups and the units within each in an order drawn at random: with one group, or
    as many groups as units, all orders are as likely. Reversing an order halves no chance, so the estimate stays
    unbiased (Mitchell et al. 2022, arXiv 2104.12199).
    """
    rng, of = np.random.default_rng(seed), np.asarray(groups)
    drawn = []
    for _ in range(pairs):
        own = [rng.permutation(np.flatnonzero(of == group)) for group in rng.permutation(np.unique(of))]
        one = np.concatenate(own)
        drawn += [one, one[::-1]]
    return np.array(drawn)


def prefixes(order: Sequence[int]) -> list[int]:
    """The M + 1 subsets on the way from none to all in this order."""
    found = [0]
    for k in order:
        found.append(found[-1] | (1 << int(k)))
    return found


def sampled(orders: np.ndarray, values: Mapping[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """(M,) estimates and (M,) their standard errors, of the values of the subsets on the way of antithetic orders.

    The two of a pair are averaged first, for they are not independent. Estimates sum to v(all) − v(none) exactly.
    """
    added = np.empty(orders.shape)
    for row, order in zip(added, orders, strict=True):
        row[order] = np.diff([values[subset] for subset in prefixes(order)])
    pairs = added.reshape(-1, 2, orders.shape[1]).mean(1)
    return pairs.mean(0), pairs.std(0, ddof=1) / len(pairs) ** 0.5
