"""Metrics against hand-worked values and brute force."""

import math

import numpy as np
import pytest

from annotate.agreement import pair_accuracy
from worker.jobs.metrics import (
    attribute_metrics,
    auroc_interval,
    baselines,
    metrics_of,
    nll,
    pearson,
    repeat_agreement,
    segment_metrics,
)
from worker.rm.types import Comparison, Dataset, Example, HeldOut
from worker.words import in_words

RNG = np.random.default_rng(7)


def test_accuracy_counts_a_zero_margin_as_half():
    found = pair_accuracy(np.array([2.0, -1.0, 0.5, 0.0]), np.array([1.0, 0.0, 0.0, 1.0]))
    assert (found.value, found.n) == (2.5 / 4, 4)
    assert found.low < 2.5 / 4 < found.high


def test_baselines_by_hand():
    held = HeldOut(
        np.zeros(5), np.array([1, 0, 1, 1, 0.5]), np.array([0, 0, 1, 2, 0]), np.array([1, 2, 2, 3, 3]), {}, {}
    )
    train = [Comparison(0, 1, 0.0), Comparison(0, 2, 0.0), Comparison(1, 2, 1.0)]
    found = baselines(train, held, np.array([10, 5, 20, 20]))
    assert found["always_first"]["value"] == 0.75  # the tie is left out
    assert found["longer_wins"]["value"] == (1 + 1 + 0 + 0.5) / 4
    assert found["majority"]["value"] == 0.25


def test_repeat_agreement_compares_verdicts_on_the_same_pair_whatever_the_order_shown():
    same = [Comparison(0, 1, 1.0), Comparison(1, 0, 0.0), Comparison(0, 1, 0.0), Comparison(0, 1, 0.5)]
    assert (repeat_agreement(same).value, repeat_agreement(same).n) == (1 / 3, 3)
    assert repeat_agreement(same[:2]).value == 1
    assert repeat_agreement([Comparison(0, 1, 1.0), Comparison(0, 2, 1.0)]).value is None


def test_metrics_know_the_temperature_all_verdicts_and_what_is_suspicious():
    """Two verdicts on one pair, one in each part; two wrong margins of five prove nothing, none right of ten does."""
    data = Dataset([Example(n, n, (("user", "Q"),), n) for n in "ab"], [Comparison(0, 1, 1.0)], [Comparison(0, 1, 0.0)])

    def metrics(margins: list[float], temperature: float) -> dict:
        pairs = np.zeros(len(margins), int)
        return metrics_of(
            data, HeldOut(np.array(margins), np.ones(len(margins)), pairs, pairs + 1, {}, {}), temperature
        )

    some, none = metrics([2, 2, -2, -2, -2], 2.0), metrics([-2] * 10, 2.0)
    assert some["swapped_check"] == {"value": pytest.approx(0.6), "suspicious": False}
    assert none["swapped_check"] == {"value": 1.0, "suspicious": True}
    assert none["nll"] == pytest.approx(math.log(1 + math.e))
    assert none["ceiling"]["n"] == 1


def test_nll_of_no_opinion_is_ln_2_and_of_a_soft_label_its_cross_entropy():
    assert nll(np.zeros(3), np.array([0, 0.5, 1])) == pytest.approx(math.log(2))
    q = 1 / (1 + math.exp(-1.5))
    assert nll(np.array([1.5]), np.array([0.8])) == pytest.approx(-0.8 * math.log(q) - 0.2 * math.log(1 - q))
    assert nll(np.array([]), np.array([])) is None


def test_auroc_is_the_chance_that_a_positive_scores_higher():
    scores, positive = RNG.integers(0, 9, 60).astype(float), RNG.random(60) < 0.4
    pairs = [(up > down) + 0.5 * (up == down) for up in scores[positive] for down in scores[~positive]]
    assert auroc_interval(scores, positive).value == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("scores", [[1.0, 3.0, 2.0, 4.0], [1.0, 2.0, 3.0, 4.0]])
def test_auroc_interval_solves_newcombes_equation(scores):
    """With m = n = 2, N is 1; the second case is perfect and still has a width."""
    found = auroc_interval(np.array(scores), np.array([False, False, True, True]))
    theta = found.low
    variance = theta * (1 - theta) * (1 + (1 - theta) / (2 - theta) + theta / (1 + theta)) / 4
    assert found.value - theta == pytest.approx(1.959963984540054 * math.sqrt(variance))
    assert found.low < found.value <= found.high <= 1


def test_auroc_of_one_label_is_undefined():
    assert auroc_interval(np.ones(3), np.ones(3, bool)).value is None


def test_segment_metrics_by_hand():
    found = segment_metrics(np.array([1.0, 1.0, -1.0, -1.0]), np.array([1, 0, 1, 0]))
    assert (found["f1"], found["all_error_f1"], found["n"], found["positive"]) == (0.5, pytest.approx(2 / 3), 4, 2)
    assert segment_metrics(np.array([-1.0]), np.array([1]))["f1"] == 0.0


def test_pearson_with_fishers_interval():
    x = RNG.normal(size=50)
    y = x + RNG.normal(size=50)
    found = pearson(x, y)
    assert found.value == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert math.atanh(found.high) - math.atanh(found.value) == pytest.approx(1.959963984540054 / math.sqrt(47))
    assert pearson(np.ones(9), x[:9]).value is None
    assert attribute_metrics(np.array([1.0, 2.0]), np.array([2.0, 4.0]))["mae"] == 1.5


def share(value, low, high):
    return {"value": value, "low": low, "high": high, "n": 200}


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [
        (share(0.5, 0.4, 0.6), "does not beat the rule that the longer response wins (55.0 %)"),
        (share(0.6, 0.5, 0.7), "by 5.0 points, which may be chance"),
        (share(0.7, 0.6, 0.8), "by 15.0 points, and the interval lies above it"),
    ],
)
def test_the_words_are_no_louder_than_the_numbers(accuracy, said):
    metrics = {"pair_accuracy": accuracy, "baselines": {"longer_wins": share(0.55, 0.5, 0.6)}}
    assert said in in_words(metrics)[1]


def test_warnings_are_said():
    metrics = {"pair_accuracy": share(0.3, 0.2, 0.4), "swapped_check": {"suspicious": True}, "truncated": 3}
    words = " ".join(in_words(metrics))
    assert "turned round" in words
    assert "3 responses were longer" in words
    assert in_words({}) == ["No held-out pair was decided, so nothing is known about its accuracy."]
