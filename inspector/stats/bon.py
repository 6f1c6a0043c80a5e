"""Best of n from scored candidates, exactly and for a whole pool at once. PURE numpy.

Best of n is n-fold selection from N scored candidates per prompt. Its distance from no selection is
KL = ln n − (n−1)/n nats, d = √KL. The expected value of the top of n drawn without replacement is, candidates sorted
by proxy, R_n = Σ_i C(i−1, n−1)/C(N, n) · g_(i): unbiased, no sampling (Gao et al., arXiv 2210.10760, §2).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

Ties = Literal["average", "order"]


def kl(n: np.ndarray) -> np.ndarray:
    """KL of best-of-n from one draw, in nats: ln n − (n−1)/n."""
    n = np.asarray(n, dtype=float)
    return np.log(n) - (n - 1) / n


def steps(candidates: int) -> np.ndarray:
    """n = 1, 2, 3, 4, 6, 8, 12, 16 … up to all candidates."""
    powers = [2**k for k in range(candidates.bit_length())]
    between = [3 * 2**k for k in range(candidates.bit_length())]
    return np.array(sorted({n for n in (*powers, *between, candidates) if n <= candidates}))


def top_weights(candidates: int, n: int) -> np.ndarray:
    """(candidates,) probability that the i-th lowest is the top of n: C(i−1, n−1)/C(N, n), by log-factorials."""
    if not 1 <= n <= candidates:
        raise ValueError(f"best of {n} wants at least {n} candidates, not {candidates}")
    log = np.array([math.lgamma(i + 1) for i in range(candidates + 1)])  # log i!
    below = np.arange(n - 1, candidates)  # i − 1
    weights = np.zeros(candidates)
    total = log[candidates] - log[n] - log[candidates - n]
    weights[n - 1 :] = np.exp(log[below] - log[n - 1] - log[below - n + 1] - total)
    return weights


@lru_cache(maxsize=8)
def _weights(candidates: int, ns: tuple[int, ...]) -> np.ndarray:
    """(ns, candidates): the same for every prompt of a pool."""
    return np.stack([top_weights(candidates, n) for n in ns])


def best_of_n(proxy: Sequence[float], gold: Sequence[float], ns: Sequence[int], ties: Ties = "average") -> np.ndarray:
    """(ns,) expected gold of the candidate of one prompt with the highest proxy among n drawn without replacement.

    Candidates with equal proxies are averaged over all orders, or with "order" the later one is taken.
    """
    if len(proxy) != len(gold) or not len(proxy):
        raise ValueError("as many proxies as golds, and at least one")
    gold = np.asarray(gold, dtype=float)
    return tops(np.asarray(proxy, dtype=float), [gold], np.array([len(gold)]), ns, ties)[0, 0]


def tops(
    proxy: np.ndarray, values: Sequence[np.ndarray], sizes: np.ndarray, ns: Sequence[int], ties: Ties = "average"
) -> np.ndarray:
    """(values, prompts, ns) expectations of each of the values at the top by proxy, one sort for all of them.

    proxy and values (candidates,) lie prompt after prompt, `sizes` (prompts,) of each; no size is below the largest n.
    """
    found, starts = np.empty((len(values), len(sizes), len(ns))), np.cumsum(sizes) - sizes
    for size in np.unique(sizes):
        which = np.flatnonzero(sizes == size)
        rows = starts[which][:, None] + np.arange(size)
        found[:, which] = _sorted_tops(proxy[rows], [one[rows] for one in values], ns, ties)
    return found


def _sorted_tops(proxy: np.ndarray, values: list[np.ndarray], ns: Sequence[int], ties: Ties) -> np.ndarray:
    """Of prompts with equally many candidates: proxy and values (prompts, size)."""
    order = np.argsort(proxy, axis=1, kind="stable" if ties == "order" else None)
    ranked = np.take_along_axis(proxy, order, 1)
    first = np.ones(proxy.shape, dtype=bool)  # of its run of equal proxies
    first[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    weights = _weights(proxy.shape[1], tuple(int(n) for n in ns)).T
    averaged = ties == "average" and not first.all()
    picked = (np.take_along_axis(one, order, 1) for one in values)
    return np.stack([(_evened(one, first) if averaged else one) @ weights for one in picked])


def _evened(ranked: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Each value as the mean of its run of equal proxies."""
    run = np.cumsum(first.ravel()) - 1
    return (np.bincount(run, ranked.ravel()) / np.bincount(run))[run].reshape(ranked.shape)
