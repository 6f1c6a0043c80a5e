"""What a version's metrics say, made from its held-out predictions. Every share has its 95 % interval.

pair_accuracy   share of decided held-out comparisons whose margin has the label's sign; a zero margin counts half
weighted_accuracy  the same with each comparison counted by the inverse of the probability that its task was chosen
                with: what the accuracy would be had all tasks been asked (Hájek 1971)
baselines       always_first: the response shown first · longer_wins: the longer text, half for equal lengths ·
                majority: the side that the training labels prefer more often
ceiling         best accuracy on one rater's labels that the agreement between raters allows (agreement.ceiling);
                null where no pair was judged twice
nll             mean of −[p ln σ(m/T) + (1−p) ln σ(−m/T)] over all held-out comparisons, ties with p = ½
swapped_check   accuracy against the swapped labels, which must be 1 − accuracy; `suspicious` when the whole interval
                of the accuracy lies under ½: labels or order were turned round somewhere
leakage         prompts, and pairs of the same two texts, that are held out and trained on; both must be 0
step0_loss      (from the trainer) Bradley–Terry before the first step, which must be ln 2
segments        AUROC of the segment logit against the spans, with Newcombe's interval (Stat. Med. 2006);
                F1 at logit 0 beside F1 of calling everything an error, 2π/(1+π) for the share π of errors
attributes      Pearson r between predicted and mean rating, with Fisher's interval, and the mean absolute error
steps           AUROC of P(the step is not wrong) against the labels
quantiles       share of held-out mean ratings below each predicted quantile, with Wilson's interval
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from annotate.agreement import Z95, Interval, Undefined, auroc, ceiling, credits, pair_accuracy, undefined, wilson
from annotate.agreement.intervals import wilson_bounds
from worker.rm.types import Comparison, Dataset, HeldOut


def metrics_of(data: Dataset, held: HeldOut, temperature: float) -> dict:
    """The part of Version.metrics that comes from held-out predictions."""
    lengths = np.array([len(example.response) for example in data.examples])
    found = preference_metrics(held, data.train, data.test, lengths, temperature, [*data.train, *data.test])
    return found | {
        "leakage": leakage(data),
        "segments": {name: segment_metrics(*pair) for name, pair in held.segments.items()},
        "attributes": {name: attribute_metrics(*pair) for name, pair in held.attributes.items()},
        "steps": step_metrics(*held.steps) if held.steps else None,
        "quantiles": {level: quantile_metrics(*pair) for level, pair in held.quantiles.items()},
    }


def finite(value: object) -> object:
    """The same for JSON, which has no NaN and no infinity: null in their place, however deep they stand."""
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def preference_metrics(
    held: HeldOut,
    train: Sequence[Comparison],
    test: Sequence[Comparison],
    lengths: np.ndarray,
    temperature: float,
    repeats: Sequence[Comparison],
) -> dict:
    """All that is said of margins on `test`, whose comparisons are those of `held`, one for one.

    `train` says which side is preferred more often, `repeats` how far raters agree; `lengths` are of all examples.
    """
    accuracy = pair_accuracy(held.margins, held.p)
    agreed = ceiling(repeat_agreement(repeats))
    return {
        "pair_accuracy": accuracy.as_dict(),
        "weighted_accuracy": weighted_accuracy(held, np.array([one.probability for one in test])).as_dict(),
        "baselines": baselines(train, held, lengths),
        "ceiling": agreed.as_dict() if agreed.value is not None else None,
        "nll": nll(held.margins / temperature, held.p),
        "swapped_check": _swapped_check(held, accuracy),
        "comparisons": len(held.p),
        "tied": int((held.p == 0.5).sum()),
    }


def weighted_accuracy(held: HeldOut, probability: np.ndarray) -> Interval:
    """Σ c/π / Σ 1/π over decided comparisons, c being 1 right, ½ even, 0 wrong, π (pairs,) the chance to be asked.

    Wilson's interval for (Σ 1/π)² / Σ 1/π² observations (Kish); with equal chances it is pair_accuracy.
    """
    credit, weight = credits(held.margins, held.p), 1 / probability[held.p != 0.5]
    if not len(credit):
        return undefined("people decided no pair")
    share = float((weight * credit).sum() / weight.sum())
    return Interval(share, *wilson_bounds(share, float(weight.sum() ** 2 / (weight**2).sum())), len(credit))


def leakage(data: Dataset) -> dict[str, int]:
    """Prompts, and pairs of the same two texts whatever the prompt, that are compared in both parts."""
    found = []
    for part in (data.train, data.test):
        both = [(data.examples[one.first], data.examples[one.second]) for one in part]
        found.append(({a.group for a, _ in both}, {frozenset((a.response, b.response)) for a, b in both}))
    (prompts, texts), (held_prompts, held_texts) = found
    return {"prompts": len(prompts & held_prompts), "identical_pairs": len(texts & held_texts)}


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


def _swapped_check(held: HeldOut, accuracy: Interval) -> dict:
    swapped = pair_accuracy(held.margins, 1 - held.p).value
    return {"value": swapped, "suspicious": swapped is not None and accuracy.high < 0.5}


def step_metrics(chance: np.ndarray, label: np.ndarray) -> dict:
    """AUROC of the chance of not being wrong (steps,) against labels from −1 to 1, of which negative ones are wrong."""
    return {"auroc": auroc_interval(chance, label >= 0).as_dict(), "n": len(label), "wrong": int((label < 0).sum())}


def quantile_metrics(predicted: np.ndarray, rating: np.ndarray) -> dict:
    """The share of ratings (n,) under their predicted quantile, half where they are equal."""
    return wilson(float(((rating < predicted) + 0.5 * (rating == predicted)).sum()), len(rating)).as_dict()


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
