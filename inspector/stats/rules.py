"""One score of several members': mean, worst (WCO), mean − λ·variance (UWO). PURE numpy.

Coste et al., Reward model ensembles help mitigate overoptimization, arXiv 2310.02743 eq. 3–5.
"""

import numpy as np

RULES = {"mean": "mean of the members", "wco": "worst member (WCO)", "uwo": "mean − λ·variance (UWO)"}


def combine(members: np.ndarray, rule: str, uwo_weight: float) -> np.ndarray:
    """(n,) of the scores (K, n) of K members; the variance is that of the population, as in the paper."""
    if rule == "wco":
        return members.min(0)
    mean = members.mean(0)
    return mean - uwo_weight * members.var(0) if rule == "uwo" else mean
