"""Which pairs are worth a verdict, and with what probability each was picked. PURE numpy: no Django, no torch.

Δ is a margin in units of the temperature, so that σ(Δ) is the probability that the first response is preferred. Every
value is larger where a verdict is worth more; a pick mixes the largest values with a share drawn by chance alone.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, xlogy
from scipy.stats import hypergeom


def disagreement(members: np.ndarray) -> np.ndarray:
    """(pairs,) variance over the members of σ(Δ), from margins (members, pairs), in [0, ¼].

    Christiano et al., arXiv 1706.03741 §2.2.4: ask where the ensemble's predictions vary most.
    """
    _check_members(members)
    return expit(members).var(axis=0)


def mutual_information(members: np.ndarray) -> np.ndarray:
    """(pairs,) nats that the verdict tells about which member is right, from margins (members, pairs), in [0, ln 2].

    BALD: H(mean p) − mean H(p). Houlsby et al., arXiv 1112.5745 eq. 2.
    """
    _check_members(members)
    p = expit(members)
    return entropy(p.mean(axis=0)) - entropy(p).mean(axis=0)


def entropy(p: np.ndarray) -> np.ndarray:
    """−p ln p − (1−p) ln(1−p), in nats."""
    return -xlogy(p, p) - xlogy(1 - p, 1 - p)


def margin(margins: np.ndarray) -> np.ndarray:
    """(pairs,) −|Δ|: the nearer to a coin, the better. Lewis & Gale 1994; Settles 2009 §3.1."""
    return -np.abs(margins)


def information(margins: np.ndarray, z: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """(pairs,) ½ ln(1 + p(1−p) zᵀΣz): nats that a verdict is expected to tell about the weights of a linear head.

    z (pairs, d) are differences of features, Σ (d, d) the weights' posterior covariance. MacKay 1992, Neural
    Computation 4, 590 (the gain in entropy), with the Fisher information p(1−p) zzᵀ of a logistic observation: the
    step of a D-optimal design.
    """
    return 0.5 * np.log1p(_fisher(margins) * np.einsum("nd,de,ne->n", z, covariance, z))


def posterior_covariance(margins: np.ndarray, z: np.ndarray, precision: float = 1.0) -> np.ndarray:
    """(d, d) Σ = (λI + Σᵢ pᵢ(1−pᵢ) zᵢzᵢᵀ)⁻¹ of a logistic head that has seen these pairs (Laplace's approximation)."""
    return np.linalg.inv(precision * np.eye(z.shape[1]) + (z * _fisher(margins)[:, None]).T @ z)


def directions(z: np.ndarray, most: int = 64) -> np.ndarray:
    """(pairs, ≤ most) the same differences along their leading directions (SVD, not centred: a pair may be turned
    round), with a mean squared length of 1."""
    _, values, rows = np.linalg.svd(z, full_matrices=False)
    kept = z @ rows[:most][values[:most] > 1e-6 * max(values[0], 1e-12)].T
    return kept / max(float(np.sqrt((kept**2).sum(1).mean())), 1e-12)


def greedy(margins: np.ndarray, z: np.ndarray, covariance: np.ndarray, places: int) -> tuple[np.ndarray, np.ndarray]:
    """(pairs,) order, best first, and (pairs,) gains; Σ is brought up to date after each of the first `places`.

    So a batch does not ask the same thing twice. The rest keep the order of what they would still tell.
    """
    fisher, left, sigma = _fisher(margins), np.ones(len(margins), bool), covariance.copy()
    quadratic = np.einsum("nd,de,ne->n", z, sigma, z)
    order, gain = [], np.zeros(len(margins))
    for _ in range(min(places, len(margins))):
        best = int(np.argmax(np.where(left, fisher * quadratic, -np.inf)))
        gain[best] = 0.5 * np.log1p(fisher[best] * quadratic[best])
        left[best] = False
        order.append(best)
        along = sigma @ z[best]  # Sherman and Morrison
        shrink = fisher[best] / (1 + fisher[best] * quadratic[best])
        quadratic = np.maximum(quadratic - shrink * (z @ along) ** 2, 0)
        sigma -= shrink * np.outer(along, along)
    gain[left] = 0.5 * np.log1p(fisher * quadratic)[left]
    rest = np.flatnonzero(left)
    return np.array([*order, *rest[np.argsort(-gain[rest], kind="stable")]], dtype=int), gain


def _fisher(margins: np.ndarray) -> np.ndarray:
    return expit(margins) * expit(-margins)


def _check_members(members: np.ndarray) -> None:
    if members.ndim != 2 or len(members) < 2:
        raise ValueError("disagreement needs the margins of two members or more")


# ---- Picking


@dataclass(frozen=True)
class Picked:
    """Which pairs are put in front (positions), which of them by chance alone, and the probability of each."""

    chosen: np.ndarray  # (places,) best first, then those drawn
    by_chance: np.ndarray  # (places,) bool
    probability: np.ndarray  # (places,)


def pick(order: np.ndarray, places: int, random_share: float, rng: np.random.Generator) -> Picked:
    """Of all pairs, in the order of their worth, take `places`: first ⌈share · places⌉ by lot, then the best others.

    `order` must not depend on the lot. The share is above 0, so every pair has a chance, and the accuracy on what was
    picked can be corrected to that on all (Horvitz & Thompson 1952).
    """
    if not 0 < random_share <= 1:
        raise ValueError("the random share must be above 0 and at most 1")
    places = min(places, len(order))
    drawn = max(min(places, 1), int(np.ceil(random_share * places - 1e-9)))
    ranks = np.sort(rng.choice(len(order), drawn, replace=False))
    others = np.setdiff1d(np.arange(len(order)), ranks)[: places - drawn]
    taken = np.concatenate([others, ranks])
    by_chance = np.arange(len(taken)) >= len(others)
    return Picked(order[taken], by_chance, inclusion(len(order), places, drawn)[taken])


def inclusion(n: int, places: int, drawn: int) -> np.ndarray:
    """(n,) the probability that the pair of each rank is among the `places`, `drawn` of which go by lot. Exact.

    Rank i (from 0) is drawn with probability r/n. If it is not, it is among the best others when at least
    i − (m − r) + 1 of the i before it were drawn: a hypergeometric tail, r drawn of n − 1 of which i stand before.
    """
    if not n:
        return np.zeros(0)
    rank = np.arange(n)
    others = hypergeom.sf(rank - (places - drawn), n - 1, rank, drawn) if drawn < n else np.zeros(n)
    return drawn / n + (1 - drawn / n) * others
