"""Choosing one answer of n by a model's scores, and ranking them all. PURE numpy.

The answer chosen is the best of the first n candidates, as a policy that draws n would have it; of equals the first.
What best-of-n gives on average over all draws of n is bon.best_of_n, which needs no draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inspector.stats.bon import best_of_n, steps, tops

Pool = Sequence[tuple[Sequence[float], Sequence[float]]]  # per prompt: proxies, golds


@dataclass(frozen=True)
class Choice:
    place: int  # of the chosen among the candidates
    tied: int  # others of the first n with the same score


def choose(scores: Sequence[float], n: int) -> Choice:
    """The best of the first n; ValueError when there are fewer."""
    if not 1 <= n <= len(scores):
        raise ValueError(f"best of {n} wants at least {n} candidates, not {len(scores)}")
    first = np.asarray(scores[:n], dtype=float)
    best = int(first.argmax())
    return Choice(best, int((first == first[best]).sum()) - 1)


def ranking(scores: Sequence[float]) -> list[tuple[int, int]]:
    """(rank, place) from the best on; equal scores share the rank of the first of them and stay in their order."""
    values = np.asarray(scores, dtype=float)
    order = np.argsort(-values, kind="stable")
    above = len(values) - np.searchsorted(np.sort(values), values, side="right")
    return [(int(above[place]) + 1, int(place)) for place in order]


@dataclass(frozen=True)
class Summary:
    """Means over prompts."""

    prompts: int
    candidates: int  # fewest per prompt
    chosen_proxy: float
    chosen_gold: float
    expected_proxy: float  # over all draws of n
    expected_gold: float
    random_gold: float  # of one candidate by chance
    best_gold: float  # of the best of the first n by gold: what choosing could give at most
    tied: int  # prompts whose choice has an equal


def summary(pool: Pool, n: int) -> Summary:
    """Of (proxies, golds) per prompt; ValueError where a prompt has fewer than n candidates."""
    choices = [choose(proxy, n) for proxy, _ in pool]
    mean = lambda values: float(np.mean(values))  # noqa: E731
    return Summary(
        prompts=len(pool),
        candidates=min(len(proxy) for proxy, _ in pool),
        chosen_proxy=mean([proxy[one.place] for (proxy, _), one in zip(pool, choices, strict=True)]),
        chosen_gold=mean([gold[one.place] for (_, gold), one in zip(pool, choices, strict=True)]),
        expected_proxy=mean([best_of_n(proxy, proxy, [n])[0] for proxy, _ in pool]),
        expected_gold=mean([best_of_n(proxy, gold, [n])[0] for proxy, gold in pool]),
        random_gold=mean([np.mean(gold) for _, gold in pool]),
        best_gold=mean([max(gold[:n]) for _, gold in pool]),
        tied=sum(one.tied > 0 for one in choices),
    )


@dataclass(frozen=True)
class Curve:
    """Means over prompts of what the best of n by score gives, over all draws of n; (points,) each."""

    n: tuple[int, ...]
    proxy: tuple[float, ...]
    gold: tuple[float, ...]

    @property
    def best(self) -> int:
        """Its place where gold is highest."""
        return int(np.argmax(self.gold))


def curve(pool: Pool) -> Curve:
    """From one candidate to as many as each prompt has."""
    sizes = np.array([len(proxy) for proxy, _ in pool])
    proxy, gold = (np.concatenate([np.asarray(one[side], dtype=float) for one in pool]) for side in (0, 1))
    ns = steps(int(sizes.min()))
    of_proxy, of_gold = tops(proxy, [proxy, gold], sizes, ns.tolist()).mean(1).tolist()
    return Curve(tuple(ns.tolist()), tuple(of_proxy), tuple(of_gold))
