"""What a version's metrics say, made from its held-out predictions. Every share has its 95 % interval.

pair_accuracy   share of decided held-out comparisons whose margin has the label's sign; a zero margin counts half
baselines       always_first: the response shown first · longer_wins: the longer text, half for equal lengths ·
                majority: the side that the training labels prefer more often
ceiling         best accuracy on one rater's labels that the agreement between raters allows (agreement.ceiling);
                null where no pair was judged twice
nll             mean of −[p ln σ(m/T) + (1−p) ln σ(−m/T)] over all held-out comparisons, ties with p = ½
segments        AUROC of the segment logit against the spans, with Newcombe's interval (Stat. Med. 2006);
                F1 at logit 0 beside F1 of calling everything an error, 2π/(1+π) for the share π of errors
attributes      Pearson r between predicted and mean rating, with Fisher's interval, and the mean absolute error
swapped_check   accuracy against the swapped labels; `suspicious` when the whole interval of the accuracy lies
                under ½, which means that labels or order were turned round somewhere
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from annotate.agreement import Z95, Interval, Undefined, auroc, ceiling, pair_accuracy, undefined, wilson
from worker.rm.types import Comparison, Dataset, HeldOut


def metrics_of(data: Dataset, held: HeldOut, temperature: float) -> dict:
    """The part of Version.metrics that comes from held-out predictions."""
    accuracy = pair_accuracy(held.margins, held.p)
    lengths = np.array([len(example.response) for example in data.examples])
    return {
        "pair_accuracy": accuracy.as_dict(),
        "baselines": baselines(data.train, held, lengths),
        "ceiling": _or_none(ceiling(repeat_agreement([*data.train, *data.test]))),
        "nll": nll(held.margins / temperature, held.p),
        "swapped_check": _swapped_check(accuracy),
        "segments": {name: segment_metrics(*pair) for name, pair in held.segments.items()},
        "attributes": {name: attribute_metrics(*pair) for name, pair in held.attributes.items()},
    }


def baselines(train: Sequence[Comparison], held: HeldOut, lengths: np.ndarray) -> dict[str, dict]:
    """What accuracy can be had without reading; `lengths` is (examples,) in characters."""
    towards_first = sum(c.p > 0.5 for c in train) >= sum(c.p < 0.5 for c in train)
    guesses = {
        "always_first": np.ones(len(held.p)),
        "longer_wins": lengths[held.first] - lengths[held.second],
        "majority": np.full(len(held.p), 1.0 if towards_first else -1.0),
    }
    return {name: pair_accuracy(margins, held.p).as_dict() for name, margins in guesses.items()}


def repeat_agreement(comparisons: Iterable[Comparison]) -> Interval:
    """How often two decided verdicts on the same pair agree, over all such couples of verdicts."""
    votes: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for c in comparisons:
        if c.p != 0.5:
            low_wins = (c.p > 0.5) == (c.first < c.second)
            votes[min(c.first, c.second), max(c.first, c.second)][low_wins] += 1
    same = sum(math.comb(a, 2) + math.comb(b, 2) for a, b in votes.values())
    total = sum(math.comb(a + b, 2) for a, b in votes.values())
    return wilson(same, total, "no pair was judged twice")


def nll(margins: np.ndarray, p: np.ndarray) -> float | None:
    """Mean negative log-likelihood of soft labels under σ(margin), in nats."""
    if not len(p):
        return None
    return float(np.mean(p * np.logaddexp(0, -margins) + (1 - p) * np.logaddexp(0, margins)))


def _swapped_check(accuracy: Interval) -> dict:
    if accuracy.value is None:
        return {"value": None, "suspicious": False}
    return {"value": 1 - accuracy.value, "suspicious": accuracy.high < 0.5}


def segment_metrics(logits: np.ndarray, labels: np.ndarray) -> dict:
    """AUROC and F1 of one category over held-out segments, beside F1 of calling all of them errors."""
    positive = labels > 0.5
    called = logits > 0
    hits = int((called & positive).sum())
    share = float(positive.mean()) if len(positive) else 0.0
    return {
        "auroc": auroc_interval(logits, positive).as_dict(),
        "f1": 2 * hits / (int(called.sum()) + int(positive.sum())) if hits else 0.0,
        "all_error_f1": 2 * share / (1 + share),
        "n": len(labels),
        "positive": int(positive.sum()),
    }


def auroc_interval(scores: np.ndarray, positive: np.ndarray) -> Interval:
    """AUROC with Newcombe's interval (method 5).

    The bounds are the θ with |A − θ| = z·√V(θ), so the interval has a width even at A = 1;
    V(θ) = θ(1−θ)·[1 + N·((1−θ)/(2−θ) + θ/(1+θ))] / (m·n), N = (m+n)/2 − 1, is Hanley & McNeil's variance.
    """
    try:
        area = auroc(scores, positive)
    except Undefined:
        return undefined("all segments have the same label", len(scores))
    up, down = int(positive.sum()), int((~positive).sum())
    return Interval(area, _bound(area, 0.0, up, down), _bound(area, 1.0, up, down), len(scores))


def _bound(area: float, edge: float, up: int, down: int) -> float:
    """By bisection: the θ between the area and the edge that is just not too far away."""
    near, far = area, edge
    for _ in range(50):
        theta = (near + far) / 2
        spread = 1 + ((up + down) / 2 - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        reach = Z95 * math.sqrt(theta * (1 - theta) * spread / (up * down))
        near, far = (theta, far) if abs(area - theta) < reach else (near, theta)
    return near


def attribute_metrics(predicted: np.ndarray, rating: np.ndarray) -> dict:
    """Correlation and mean absolute error of one criterion over held-out responses."""
    error = float(np.abs(predicted - rating).mean()) if len(rating) else None
    return pearson(predicted, rating).as_dict() | {"mae": error}


def pearson(x: np.ndarray, y: np.ndarray) -> Interval:
    """r with Fisher's interval, tanh(artanh r ± z/√(n−3))."""
    n = len(x)
    if n < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return undefined("fewer than four, or all alike", n)
    r = float(np.corrcoef(x, y)[0, 1])
    z, half = math.atanh(min(max(r, -0.999999), 0.999999)), Z95 / math.sqrt(n - 3)
    return Interval(r, math.tanh(z - half), math.tanh(z + half), n)


def _or_none(interval: Interval) -> Mapping | None:
    return interval.as_dict() if interval.value is not None else None
