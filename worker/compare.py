"""Is a new version better than the one in use, and do new verdicts fit a version worse? PURE numpy.

A prompt is the unit: verdicts on one prompt are not independent, so whole prompts are redrawn or counted.
Sources: Efron & Tibshirani, An Introduction to the Bootstrap (1993) ch. 8 and 13 · the exact test of McNemar,
Psychometrika 12 (1947), over prompts · Newcombe, Stat. Med. 17 (1998) 873, method 10 · Hájek (1971) for weighted
shares · Kish, Survey Sampling (1965) §8.2 for the number of prompts that they are worth.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Interval, difference, percentiles, undefined, wilson

DRAWS = 2000
LEVEL = 0.05
LEAST = 20  # prompts with new verdicts, before drift is tested


@dataclass(frozen=True)
class Paired:
    """Two versions on the same pairs; `difference` is the accuracy of the new one minus that of the old one."""

    new: Interval
    old: Interval
    difference: Interval
    prompts: int
    won: int  # prompts of which the new one has more pairs right
    lost: int
    p_value: float  # two-sided, of won against lost

    def as_dict(self) -> dict:
        """Plain values for JSON."""
        parts = {name: getattr(self, name).as_dict() for name in ("new", "old", "difference")}
        return parts | {name: getattr(self, name) for name in ("prompts", "won", "lost", "p_value")}


def paired(new: Sequence[float], old: Sequence[float], prompts: Sequence, seed: int = 0) -> Paired:
    """How often each is right (1, 0, or ½ for a tie of scores) on the same pairs (pairs,), whose prompts are given.

    The interval of the difference comes from redrawing prompts. Where every draw gives the same, because no two
    prompts differ, it is ± (1 − .025^(1/prompts)): the largest share of differing prompts of which none may be seen.
    """
    new, old = np.asarray(new, float), np.asarray(old, float)
    if not len(new):
        nothing = undefined("there is no pair to compare on")
        return Paired(nothing, nothing, nothing, 0, 0, 0, 1.0)
    _, which = np.unique(np.asarray(prompts), return_inverse=True)
    gains, sizes = np.bincount(which, new - old), np.bincount(which)
    won, lost = int((gains > 0).sum()), int((gains < 0).sum())
    return Paired(
        wilson(float(new.sum()), len(new)),
        wilson(float(old.sum()), len(old)),
        _redrawn(gains, sizes, seed),
        len(sizes),
        won,
        lost,
        sign_test(won, lost),
    )


def _redrawn(gains: np.ndarray, sizes: np.ndarray, seed: int) -> Interval:
    value, pairs, prompts = float(gains.sum() / sizes.sum()), int(sizes.sum()), len(sizes)
    rng, drawn = np.random.default_rng(seed), np.empty(DRAWS)
    for draw in range(DRAWS):
        picked = rng.integers(0, prompts, prompts)
        drawn[draw] = gains[picked].sum() / sizes[picked].sum()
    found = percentiles(value, drawn, pairs)
    if found.low is not None:
        return found
    unseen = 1 - (LEVEL / 2) ** (1 / prompts)
    return Interval(value, max(-1.0, value - unseen), min(1.0, value + unseen), pairs)


def sign_test(won: int, lost: int) -> float:
    """Two-sided exact p: 2 · P(Bin(won + lost, ½) ≤ min), at most 1; 1 where nothing differs."""
    n, k = won + lost, np.arange(min(won, lost))
    logs = np.cumsum(np.concatenate([[-n * math.log(2)], np.log((n - k) / (k + 1))]))  # ln P(Bin = k)
    return min(1.0, 2 * float(np.exp(logs).sum()))


def holds(found: Paired, rule: str, tolerance: float = 0.0) -> bool:
    """Whether the rule promotes the new version.

    better      the whole interval of the difference lies above 0, and the exact test over prompts gives p ≤ .05
    not_worse   the whole interval lies above −tolerance
    never       a person decides
    """
    low = found.difference.low
    if low is None or rule == "never":
        return False
    return low > -tolerance if rule == "not_worse" else low > 0 and found.p_value <= LEVEL


# ---- Drift


@dataclass(frozen=True)
class Verdict:
    """One verdict beside a version's margin: `right` is 1, 0 or ½; `probability` is that of having been asked."""

    prompt: str
    right: float
    probability: float = 1.0


def drift(new: Sequence[Verdict], held_out: Sequence[Verdict]) -> Interval:
    """Accuracy on new verdicts minus accuracy on the held-out ones: drift is when the whole interval lies below 0.

    `new` stand in the order in which they came, on prompts the version never saw. Both accuracies are weighted by
    1 / probability (Hájek), so that choosing hard tasks is not taken for drift. It is tested on the first 20, 40,
    80 … new prompts only: the more often one looks, the more often chance alone would show something.
    """
    prompts = list(dict.fromkeys(verdict.prompt for verdict in new))
    if len(prompts) < LEAST:
        return undefined(f"{len(prompts)} of {LEAST} prompts with new verdicts", len(prompts))
    looked = set(prompts[: LEAST * 2 ** int(math.log2(len(prompts) // LEAST))])
    before, after = weighted(held_out), weighted([verdict for verdict in new if verdict.prompt in looked])
    return difference(before, after)


def weighted(verdicts: Sequence[Verdict]) -> tuple[float, float]:
    """(right, prompts) for an interval: the weighted share right times the number of equally weighted prompts that
    these are worth, (Σw)² / Σw² with w the weight of a prompt."""
    if not verdicts:
        return 0.0, 0
    weights = np.array([1 / verdict.probability for verdict in verdicts])
    right = np.array([verdict.right for verdict in verdicts])
    _, which = np.unique([verdict.prompt for verdict in verdicts], return_inverse=True)
    totals = np.bincount(which, weights)
    worth = float(totals.sum() ** 2 / (totals**2).sum())
    return min(worth, worth * float(weights @ right / weights.sum())), worth
