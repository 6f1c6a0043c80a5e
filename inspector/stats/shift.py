"""Have the scores themselves moved? Two versions on the same candidates, head by head. PURE numpy.

Each version is recentred prompt by prompt to its mean over the candidates, what the reference policy gets, because a
prompt's constant means nothing to a preference; how far the mean went is told beside it. Distances between the
distributions: Wasserstein-1 in standard deviations of the earlier version, and Kolmogorov–Smirnov. By chance alone the
two versions could be exchanged prompt by prompt: the permutation test does so, and Holm's step-down corrects for the
number of heads (Scand. J. Stat. 6 (1979) 65).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from annotate.agreement import Interval
from inspector.stats.correlation import holm

EXCHANGES = 999
GRID = 512  # places where the two distributions are held against each other; all of them where they are fewer
REDRAWS = 500


@dataclass(frozen=True)
class Shift:
    head: str
    moved: Interval  # of the mean, in standard deviations of the earlier version within a prompt, as all here
    spread: float  # later standard deviation over the earlier
    wasserstein: float
    ks: float
    p: float
    corrected: float  # p after Holm's correction
    candidates: int


def shifts(heads: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> list[Shift]:
    """Of each head: scores before and after (candidates,) prompt after prompt, and sizes (prompts,)."""
    found = [one for head, (before, after, sizes) in heads.items() if (one := shift(head, before, after, sizes))]
    corrected = holm([one.p for one in found])
    return [replace(one, corrected=p) for one, p in zip(found, corrected, strict=True)]


def shift(head: str, before: np.ndarray, after: np.ndarray, sizes: np.ndarray, seed: int = 0) -> Shift | None:
    """One head; None where the earlier version gave all candidates of each prompt the same score."""
    rng, a, b = np.random.default_rng(seed), _recentred(before, sizes), _recentred(after, sizes)
    sd = float(a.std())
    if sd == 0:
        return None
    a, b = a / sd, b / sd
    apart = _apart(a, b, sizes)
    ks = float(np.abs(apart.sum(0)).max())
    signs = rng.choice((-1.0, 1.0), size=(EXCHANGES, len(sizes)))
    by_chance = np.abs(signs @ apart).max(1)
    p = (1 + (by_chance >= ks - 1e-12).sum()) / (EXCHANGES + 1)
    moved = _moved((after - before) / sd, sizes, rng)
    return Shift(head, moved, float(b.std()), wasserstein(a, b), ks, float(p), float(p), len(a))


def _recentred(scores: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return scores - np.repeat(np.add.reduceat(scores, np.cumsum(sizes) - sizes) / sizes, sizes)


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein-1 between two samples of one size: the mean distance of equal ranks."""
    return float(np.abs(np.sort(a) - np.sort(b)).mean())


def _apart(a: np.ndarray, b: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(prompts, places) what each prompt adds to the difference of the two distribution functions at each place."""
    places = np.unique(np.concatenate([a, b]))
    if len(places) > GRID:
        places = np.quantile(places, np.linspace(0, 1, GRID))
    prompt, cells = np.repeat(np.arange(len(sizes)), sizes), len(sizes) * (len(places) + 1)
    at = (prompt * (len(places) + 1) + np.searchsorted(places, one) for one in (a, b))
    below, other = (np.bincount(one, minlength=cells).reshape(len(sizes), -1).cumsum(1) for one in at)
    return (below - other)[:, :-1] / len(a)


def _moved(difference: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> Interval:
    """The mean with its interval over prompts drawn with replacement."""
    sums = np.add.reduceat(difference, np.cumsum(sizes) - sizes)
    picked = rng.integers(len(sizes), size=(REDRAWS, len(sizes)))
    low, high = np.quantile(sums[picked].sum(1) / sizes[picked].sum(1), (0.025, 0.975))
    return Interval(float(difference.mean()), float(low), float(high), len(sizes))
