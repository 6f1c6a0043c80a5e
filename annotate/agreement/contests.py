"""Scores of responses and reliabilities of raters from comparisons: Bradley–Terry with raters who err. PURE numpy.

Rater r prefers i to j with probability η_r σ(s_i − s_j) + (1 − η_r) σ(s_j − s_i): η = 1 always follows the scores, ½
guesses, 0 turns them around. A prior holds the scores together, each response having won and lost λ times against a
virtual one of score 0; η has a Beta(2, 2) prior, which keeps it off the ends. Fitted by EM over the hidden "did the
rater follow the scores this time?", the scores climbing by Böhning & Lindsay's bound on the curvature, p(1 − p) ≤ ¼:

    E   q_t = η p_t / (η p_t + (1 − η)(1 − p_t)),  p_t = σ(s_winner − s_loser)
    M   η_r = (1 + Σ q_t) / (2 + n_r),  s_i += g_i / (d_i / 2 + λ / 2),  g_i = Σ ±(q_t − p_t) + λ (1 − 2σ(s_i))

The two ends of the scale are named by the raters: most of them follow the scores. Ties are left out by the caller.

What it cannot know: where no responses are compared in a circle (each response in one pair only), margins can take any
size, and no rater's reliability has a level: Undefined; use Dawid–Skene. With few comparisons per response λ still
decides much of the level; the order of the raters is sound before the level is.

Sources: Chen, Bennett, Collins-Thompson & Horvitz, Pairwise ranking aggregation in a crowdsourced setting (Crowd-BT),
WSDM 2013, eq. 2, 5 and 6 · Böhning & Lindsay, Ann. Inst. Stat. Math. 40 (1988) 641.
"""

import math
from dataclasses import dataclass

import numpy as np

from annotate.agreement.intervals import Z95, Interval, Undefined, undefined


@dataclass(frozen=True)
class Contests:
    scores: np.ndarray  # (responses,) in logits
    reliability: tuple[Interval, ...]  # one η per rater
    iterations: int
    converged: bool
    likelihood: np.ndarray  # (iterations,) log posterior density, without constants: never falls


@dataclass(frozen=True)
class _Wins:
    winners: np.ndarray  # (triples,)
    losers: np.ndarray
    raters: np.ndarray
    responses: int
    raters_n: int


def crowd_bt(
    winners: np.ndarray,
    losers: np.ndarray,
    raters: np.ndarray,
    shape: tuple[int, int] | None = None,
    prior: float = 0.5,
    tolerance: float = 1e-4,
    most: int = 300,
) -> Contests:
    """Fit to triples: rater `raters[t]` preferred response `winners[t]` to `losers[t]`, all numbered from 0.

    `shape` is how many responses and raters there are, `prior` is λ. Stops when no η and no score moves by more than
    `tolerance`, or after `most` rounds: `converged` tells.
    """
    wins = _wins(winners, losers, raters, shape)
    eta, scores, climbed = np.full(wins.raters_n, 0.8), np.zeros(wins.responses), []
    bound = np.bincount(wins.winners, minlength=len(scores)) + np.bincount(wins.losers, minlength=len(scores))
    for _ in range(most):
        p, q, height = _expect(wins, eta, scores, prior)
        climbed.append(height)
        step = _climb(wins, q - p, scores, prior) / (bound / 2 + prior / 2)
        better = (1 + np.bincount(wins.raters, q, len(eta))) / (2 + np.bincount(wins.raters, minlength=len(eta)))
        moved = max(np.abs(step).max(), np.abs(better - eta).max())
        eta, scores = better, scores + step
        if moved <= tolerance:
            break
    if np.bincount(wins.raters, minlength=len(eta)) @ (eta - 0.5) < 0:
        eta, scores = 1 - eta, -scores
    return Contests(scores, _reliability(wins, eta, scores, prior), len(climbed), moved <= tolerance, np.array(climbed))


def _wins(winners, losers, raters, shape) -> _Wins:
    winners, losers, raters = (np.asarray(column, dtype=np.int64) for column in (winners, losers, raters))
    if not len(winners):
        raise Undefined("no comparison was decided")
    if min(winners.min(), losers.min(), raters.min()) < 0 or (winners == losers).any():
        raise ValueError("responses and raters are numbered from 0, and none is compared with itself")
    if not circles(winners, losers):
        raise Undefined("no responses are compared in a circle, so the level of reliability cannot be told")
    return _Wins(
        winners, losers, raters, *(shape or (int(max(winners.max(), losers.max())) + 1, int(raters.max()) + 1))
    )


def circles(first: np.ndarray, second: np.ndarray) -> int:
    """How many independent circles the compared pairs close: pairs − responses + connected parts."""
    used, ends = np.unique([first, second], return_inverse=True)
    ends = np.sort(ends.reshape(2, -1), 0)
    pairs = np.unique(ends[0] * len(used) + ends[1])
    low, high = pairs // len(used), pairs % len(used)
    part, before = np.arange(len(used)), None
    while not np.array_equal(part, before):  # the least number of a part spreads, and names are followed to their end
        before, least = part.copy(), np.minimum(part[low], part[high])
        for end in (part[low], part[high]):
            np.minimum.at(part, end, least)
        part = part[part[part]]
    return len(pairs) - len(used) + len(np.unique(part))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))


def _expect(wins: _Wins, eta: np.ndarray, scores: np.ndarray, prior: float) -> tuple[np.ndarray, np.ndarray, float]:
    """(p, q, log posterior density) with p and q of each triple."""
    p = _sigmoid(scores[wins.winners] - scores[wins.losers])
    followed = eta[wins.raters] * p
    said = followed + (1 - eta[wins.raters]) * (1 - p)
    held = -2 * prior * np.log(2 * np.cosh(scores / 2)).sum() + np.log(eta * (1 - eta)).sum()
    return p, followed / said, float(np.log(said).sum() + held)


def _climb(wins: _Wins, pull: np.ndarray, scores: np.ndarray, prior: float) -> np.ndarray:
    """Gradient of each score: what its wins and losses pull, and the virtual response."""
    up, down = (np.bincount(ends, pull, len(scores)) for ends in (wins.winners, wins.losers))
    return up - down + prior * (1 - 2 * _sigmoid(scores))


def _reliability(wins: _Wins, eta: np.ndarray, scores: np.ndarray, prior: float) -> tuple[Interval, ...]:
    """Each rater's η with the interval of its logit, from the expected information about all η and the scores' scale.

    With every score multiplied by 1 + c, the information is an arrow: I_rr, I_rc and I_cc, so that
    var η_r = 1 / I_rr + (I_rc / I_rr)² / (I_cc − Σ_r I_rc² / I_rr). The scores' order and spacing are taken as known.
    """
    margin = scores[wins.winners] - scores[wins.losers]
    p, own = _sigmoid(margin), eta[wins.raters]
    said = own * p + (1 - own) * (1 - p)
    by_eta, by_scale = 2 * p - 1, (2 * own - 1) * p * (1 - p) * margin
    known = lambda x: np.bincount(wins.raters, x / (said * (1 - said)), len(eta))  # noqa: E731
    held = 2 * prior * (scores**2 * _sigmoid(scores) * _sigmoid(-scores)).sum()
    each = known(by_eta**2) + 1 / eta**2 + 1 / (1 - eta) ** 2
    cross = known(by_eta * by_scale)
    scale = known(by_scale**2).sum() + held - (cross**2 / each).sum()
    variance = 1 / each + (cross / each) ** 2 / scale
    n = np.bincount(wins.raters, minlength=len(eta))
    return tuple(_logit_interval(*row) for row in zip(eta, np.sqrt(variance), n, strict=True))


def _logit_interval(eta: float, error: float, n: int) -> Interval:
    if not n:
        return undefined("compared nothing")
    middle, half = math.log(eta / (1 - eta)), Z95 * error / (eta * (1 - eta))
    return Interval(float(eta), *(float(_sigmoid(middle + side * half)) for side in (-1, 1)), int(n))
