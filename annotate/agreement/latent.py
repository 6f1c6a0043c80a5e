"""The truth behind raters who err: Dawid & Skene's model, fitted by EM. PURE numpy.

Unit i has a true class T_i, drawn with prior π; rater r says v of a unit of class k with probability C_rkv, whatever
others say. With the posteriors q_ik = P(T_i = k | all ratings),

    E   q_ik ∝ π_k Π_{(i,r,v)} C_rkv
    M   π_k = (s + Σ_i q_ik) / (V s + units)      C_rkv = (s + Σ_{(i,r,v)} q_ik) / (V s + Σ_{(i,r,·)} q_ik)

from q = each unit's shares of votes, s being the smoothing (a Dirichlet prior, which EM climbs with the likelihood).
The classes are named by the votes: a majority that is wrong more often than right would turn the names around.

What it cannot know: two raters alone fit many truths equally well; three or more are needed.

Source: Dawid & Skene, Applied Statistics 28 (1979) 20, eq. 2.3–2.5. Intervals: Meilijson, J. R. Stat. Soc. B 51
(1989) 127, the information in the score of each observation.
"""

from dataclasses import dataclass

import numpy as np

from annotate.agreement.intervals import Interval, Undefined, undefined, wilson_bounds
from annotate.agreement.tables import ONCE, UNANIMOUS


@dataclass(frozen=True)
class DawidSkene:
    prior: np.ndarray  # (values,)
    confusion: np.ndarray  # (raters, true values, said values); rows sum to 1
    posterior: np.ndarray  # (units, values); the prior where nobody rated the unit
    reliability: tuple[Interval, ...]  # one per rater: how often they say the true value
    iterations: int
    converged: bool
    likelihood: np.ndarray  # (iterations,) log posterior density, without constants: never falls


@dataclass(frozen=True)
class _Votes:
    units: np.ndarray  # (triples,) all three, in order of unit
    raters: np.ndarray
    said: np.ndarray  # (triples,) values
    shape: tuple[int, int, int]  # units, raters, values


def dawid_skene(
    units: np.ndarray,
    raters: np.ndarray,
    said: np.ndarray,
    shape: tuple[int, int, int] | None = None,
    smoothing: float = 0.01,
    tolerance: float = 1e-5,
    most: int = 200,
) -> DawidSkene:
    """Fit to triples: rater `raters[t]` said value `said[t]` of unit `units[t]`, all numbered from 0.

    `shape` is how many units, raters and values there are, where some have no triple. Stops when no posterior moves
    by more than `tolerance`, or after `most` rounds: `converged` tells.
    """
    votes = _votes(units, raters, said, shape)
    posterior, climbed = _shares(votes), []
    for _ in range(most):
        prior, confusion = _maximise(votes, posterior, smoothing)
        old, (posterior, height) = posterior, _expect(votes, prior, confusion)
        climbed.append(height + smoothing * (np.log(prior).sum() + np.log(confusion).sum()))
        moved = float(np.abs(posterior - old).max())
        if moved <= tolerance:
            break
    return DawidSkene(
        prior, confusion, posterior, _reliability(votes, posterior), len(climbed), moved <= tolerance, np.array(climbed)
    )


def _votes(units, raters, said, shape) -> _Votes:
    units, raters, said = (np.asarray(column, dtype=np.int64) for column in (units, raters, said))
    if not len(units):
        raise Undefined(ONCE)
    if min(units.min(), raters.min(), said.min()) < 0:
        raise ValueError("units, raters and values are numbered from 0")
    if (np.bincount(units) < 2).all():
        raise Undefined(ONCE)
    if len(np.unique(raters)) < 3:
        raise Undefined("fewer than three raters: whose errors are whose cannot be told")
    if len(np.unique(said)) < 2:
        raise Undefined(UNANIMOUS)
    order = np.argsort(units, kind="stable")
    shape = shape or tuple(int(column.max()) + 1 for column in (units, raters, said))
    return _Votes(units[order], raters[order], said[order], shape)


def _shares(votes: _Votes) -> np.ndarray:
    """Shares of the votes on each unit, (units, values); equal where it has none."""
    n_units, _, n_values = votes.shape
    counts = np.bincount(votes.units * n_values + votes.said, minlength=n_units * n_values).reshape(n_units, n_values)
    total = counts.sum(1, keepdims=True)
    return np.where(total, counts / np.maximum(total, 1), 1 / n_values)


def _maximise(votes: _Votes, posterior: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    """The M step: prior (values,) and confusion (raters, true, said)."""
    _, n_raters, n_values = votes.shape
    cells = votes.raters * n_values + votes.said
    sums = [np.bincount(cells, q, n_raters * n_values) for q in posterior.T[:, votes.units]]
    counts = np.stack(sums, 1).reshape(n_raters, n_values, n_values).transpose(0, 2, 1) + smoothing
    prior = posterior[np.bincount(votes.units, minlength=len(posterior)) > 0].sum(0) + smoothing
    return prior / prior.sum(), counts / np.maximum(counts.sum(2, keepdims=True), 1e-300)


def _expect(votes: _Votes, prior: np.ndarray, confusion: np.ndarray) -> tuple[np.ndarray, float]:
    """The E step: posterior (units, values), and the log likelihood of all ratings."""
    logs = np.log(np.maximum(confusion, 1e-300)).transpose(0, 2, 1).reshape(-1, len(prior))  # (rater × said, true)
    cells = votes.raters * len(prior) + votes.said
    joint = np.stack([np.bincount(votes.units, column[cells], votes.shape[0]) for column in logs.T], 1) + np.log(prior)
    top = joint.max(1, keepdims=True)
    weight = np.exp(joint - top)
    total = weight.sum(1, keepdims=True)
    return weight / total, float((top + np.log(total)).sum())


def _reliability(votes: _Votes, posterior: np.ndarray) -> tuple[Interval, ...]:
    """Of each rater, how often they said the true value: the mean of q_i = P(what they said of unit i is true).

    Wilson's interval for as many units as their ratings are worth: knowing q_i and not the truth, n ratings carry the
    information of n_eff = Σ (q_i − a)² / (a (1 − a)) known ones (Meilijson's scores (q_i − a) / (a (1 − a)) squared
    and summed), a being the mean. All others' parameters are taken as known.
    """
    right = posterior[votes.units, votes.said]
    n, first, second = (np.bincount(votes.raters, x, votes.shape[1]) for x in (np.ones(len(right)), right, right**2))
    return tuple(_worth(*map(float, sums)) for sums in zip(n, first, second, strict=True))


def _worth(n: float, first: float, second: float) -> Interval:
    if not n:
        return undefined("rated nothing")
    share = min(first / n, 1.0)
    known = (second - n * share * share) / (share * (1 - share)) if 1e-9 < share < 1 - 1e-9 else n
    if known < 1:
        return Interval(share, None, None, int(n), "the truth of what they rated is too unsure for an interval")
    return Interval(share, *wilson_bounds(share, min(known, n)), int(n))
