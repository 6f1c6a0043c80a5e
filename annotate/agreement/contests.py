"""Scores of responses and reliabilities of raters from comparisons: Bradley–Terry with raters who err. PURE numpy.

Rater r prefers i to j with probability η_r σ(s_i − s_j) + (1 − η_r) σ(s_j − s_i): η = 1 always follows the scores, ½
guesses, 0 turns them around. A prior holds the scores together, each response having won and lost λ times against a
virtual one of score 0; η has a Beta(2, 2) prior, which keeps it off the ends. Fitted by EM over the hidden "did the
rater follow the scores this time?", the scores climbing by Böhning & Lindsay's bound on the curvature, p(1 − p) ≤ ¼:

    E   q_t = η p_t / (η p_t + (1 − η)(1 − p_t)),  p_t = σ(s_winner − s_loser)
    M   η_r = (1 + Σ q_t) / (2 + n_r),  s_i += g_i / (d_i / 2 + λ / 2),  g_i = Σ ±(q_t − p_t) + λ (1 − 2σ(s_i))

Scores and reliabilities turned around fit as well; the fit starts where all raters are good, so that most follow.
Ties are left out by the caller.

What it cannot know: where no responses are compared in a circle (each response in one pair only), margins can take any
size, and no rater's reliability has a level: Undefined; use Dawid–Skene. With few comparisons per response the fitted
scores follow the noise and every rater looks better than they are (simulated: +.04 at 60 comparisons per response and
+.09 at 20, with intervals that miss the truth), so where sampling noise is more than SETTLED of the variance of the
scores, the reliabilities are undefined, too.

Sources: Chen, Bennett, Collins-Thompson & Horvitz, Pairwise ranking aggregation in a crowdsourced setting (Crowd-BT),
WSDM 2013, eq. 2, 5 and 6 · Böhning & Lindsay, Ann. Inst. Stat. Math. 40 (1988) 641 · Varadhan & Roland,
Scand. J. Stat. 35 (2008) 335.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from annotate.agreement.intervals import Z95, Interval, Undefined, undefined

SETTLED = 0.04


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
    compared: np.ndarray  # (responses,) how often


class _State(NamedTuple):
    trust: np.ndarray  # (raters,) the logit of η
    scores: np.ndarray  # (responses,)


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
    state, climbed, moved = _State(np.full(wins.raters_n, math.log(4)), np.zeros(wins.responses)), [], math.inf
    safe, rounds = state, 0
    while rounds < most and moved > tolerance:
        once, height = _round(wins, state, prior)
        rounds += 1
        if climbed and height < climbed[-1]:
            state = safe  # the leap went too far: go on from where it began
            continue
        climbed.append(height)
        safe, _ = _round(wins, once, prior)
        rounds += 1
        state, moved = _leap(state, once, safe)
    reliability = _reliability(wins, safe, prior)
    return Contests(safe.scores, reliability, rounds, moved <= tolerance, np.array(climbed))


def _round(wins: _Wins, at: _State, prior: float) -> tuple[_State, float]:
    """One E and one M step, and the log posterior density before them."""
    p, q, height = _expect(wins, _sigmoid(at.trust), at.scores, prior)
    step = _climb(wins, q - p, at.scores, prior) / (wins.compared / 2 + prior / 2)
    followed, n = np.bincount(wins.raters, q, wins.raters_n), np.bincount(wins.raters, minlength=wins.raters_n)
    return _State(np.log((1 + followed) / (1 + n - followed)), at.scores + step), height


def _leap(start: _State, once: _State, twice: _State) -> tuple[_State, float]:
    """Where two steps point to (Varadhan & Roland's SQUAREM, scheme S3), and how far the last step moved."""
    zero, one, two = (np.concatenate(at) for at in (start, once, twice))
    first, bend = one - zero, two - 2 * one + zero
    far = max(1.0, math.sqrt(first @ first / max(bend @ bend, 1e-300)))
    leapt = zero + 2 * far * first + far * far * bend
    return _State(*np.split(leapt, [len(start.trust)])), float(np.abs(two - one).max())


def _wins(winners, losers, raters, shape) -> _Wins:
    winners, losers, raters = (np.asarray(column, dtype=np.int64) for column in (winners, losers, raters))
    if not len(winners):
        raise Undefined("no comparison was decided")
    if min(winners.min(), losers.min(), raters.min()) < 0 or (winners == losers).any():
        raise ValueError("responses and raters are numbered from 0, and none is compared with itself")
    if not circles(winners, losers):
        raise Undefined("no responses are compared in a circle, so the level of reliability cannot be told")
    responses, raters_n = shape or (int(max(winners.max(), losers.max())) + 1, int(raters.max()) + 1)
    compared = np.bincount(np.concatenate([winners, losers]), minlength=responses)
    return _Wins(winners, losers, raters, responses, raters_n, compared)


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


def _reliability(wins: _Wins, at: _State, prior: float) -> tuple[Interval, ...]:
    """Each rater's η with the interval of its logit, from the expected information about all η and the scores' scale.

    With every score multiplied by 1 + c, the information is an arrow: I_rr, I_rc and I_cc, so that
    var η_r = 1 / I_rr + (I_rc / I_rr)² / (I_cc − Σ_r I_rc² / I_rr). The scores' order and spacing are taken as known.
    """
    eta, n = _sigmoid(at.trust), np.bincount(wins.raters, minlength=wins.raters_n)
    margin = at.scores[wins.winners] - at.scores[wins.losers]
    p, own = _sigmoid(margin), eta[wins.raters]
    said, slope = own * p + (1 - own) * (1 - p), (2 * own - 1) * p * (1 - p)
    if _noise(wins, at.scores, slope**2 / (said * (1 - said)), prior) > SETTLED:
        return tuple(undefined("too few comparisons of each response for its score to settle", int(k)) for k in n)
    known = lambda x: np.bincount(wins.raters, x / (said * (1 - said)), len(eta))  # noqa: E731
    each = known((2 * p - 1) ** 2) + 1 / eta**2 + 1 / (1 - eta) ** 2
    cross = known((2 * p - 1) * slope * margin)
    held = 2 * prior * (at.scores**2 * _sigmoid(at.scores) * _sigmoid(-at.scores)).sum()
    scale = known((slope * margin) ** 2).sum() + held - (cross**2 / each).sum()
    variance = 1 / each + (cross / each) ** 2 / scale
    return tuple(_logit_interval(*row) for row in zip(at.trust, np.sqrt(variance), n, strict=True))


def _noise(wins: _Wins, scores: np.ndarray, information: np.ndarray, prior: float) -> float:
    """Mean sampling variance of the scores of compared responses, as a share of the scores' own variance."""
    known = np.bincount(wins.winners, information, len(scores)) + np.bincount(wins.losers, information, len(scores))
    seen = wins.compared > 0
    return float((1 / (known + prior / 2))[seen].mean() / max(scores[seen].var(), 1e-300))


def _logit_interval(trust: float, error: float, n: int) -> Interval:
    if not n:
        return undefined("compared nothing")
    eta = float(_sigmoid(trust))
    half = Z95 * error / (eta * (1 - eta))
    return Interval(eta, float(_sigmoid(trust - half)), float(_sigmoid(trust + half)), int(n))
