"""Metrics against hand-worked values and brute force."""

import math
from dataclasses import replace

import numpy as np
import pytest

from annotate.agreement import pair_accuracy
from worker.jobs.metrics import (
    attribute_metrics,
    auroc_interval,
    baselines,
    finite,
    leakage,
    metrics_of,
    nll,
    pearson,
    preference_metrics,
    quantile_metrics,
    repeat_agreement,
    segment_metrics,
    step_metrics,
    weighted_accuracy,
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
        held = HeldOut(np.array(margins), np.ones(len(margins)), pairs, pairs + 1, {}, {})
        return metrics_of(replace(data, test=data.test * len(margins)), held, temperature)

    some, none = metrics([2, 2, -2, -2, -2], 2.0), metrics([-2] * 10, 2.0)
    assert some["swapped_check"] == {"value": pytest.approx(0.6), "suspicious": False}
    assert none["swapped_check"] == {"value": 1.0, "suspicious": True}
    assert none["nll"] == pytest.approx(math.log(1 + math.e))
    assert none["ceiling"]["n"] == 10 + 45  # with the training verdict, and among themselves


def held(margins, p):
    zeros = np.zeros(len(p), int)
    return HeldOut(np.array(margins, float), np.array(p, float), zeros, zeros + 1, {}, {})


def test_a_pair_seldom_asked_counts_for_those_that_were_not():
    """Right on one asked with probability ¼, wrong on one asked for certain; the tie says nothing."""
    found = weighted_accuracy(held([1, -1, 1], [1, 1, 0.5]), np.array([0.25, 1.0, 0.1]))
    assert (found.value, found.n) == (4 / 5, 2)
    assert found.low < 4 / 5 < found.high


def test_with_equal_chances_the_weighted_accuracy_is_the_accuracy():
    margins, p = RNG.normal(size=60), RNG.integers(0, 2, 60)
    assert weighted_accuracy(held(margins, p), np.full(60, 0.2)).as_dict() == pytest.approx(
        pair_accuracy(margins, p).as_dict()
    )


def test_the_weighted_accuracy_undoes_a_selection_of_hard_pairs():
    """Hard pairs, on which the model guesses, are asked four times as often; all tasks have .75 right on average."""
    hard = RNG.random(40_000) < 0.5
    asked = RNG.random(40_000) < np.where(hard, 0.8, 0.2)
    right = np.where(hard, RNG.random(40_000) < 0.5, 1)[asked]
    found = weighted_accuracy(held(2 * right - 1, np.ones(asked.sum())), np.where(hard, 0.8, 0.2)[asked])
    assert found.low < 0.75 < found.high
    assert abs(right.mean() - 0.75) > 0.1
    assert found.high - found.low < 0.05


def test_nothing_decided_has_no_accuracy_of_any_kind():
    found = preference_metrics(held([1.0], [0.5]), [], [Comparison(0, 1, 0.5)], np.ones(2), 1.0, [])
    names = ("pair_accuracy", "weighted_accuracy", "swapped_check")
    assert [found[name]["value"] for name in names] == [None] * 3
    assert (found["ceiling"], found["tied"], found["comparisons"]) == (None, 1, 1)


@pytest.mark.parametrize("zeros", [0, 3])
def test_accuracy_with_swapped_labels_is_the_rest(zeros):
    margins, p = np.append(RNG.normal(size=40), [0.0] * zeros), RNG.integers(0, 2, 40 + zeros)
    said = [Comparison(0, 1, 1.0)] * len(p)
    found = preference_metrics(held(margins, p), said, said, np.ones(2), 1.0, said)
    assert found["swapped_check"]["value"] == pytest.approx(1 - found["pair_accuracy"]["value"])


def test_prompts_and_pairs_of_texts_in_both_parts_are_counted():
    texts = [("x", "a"), ("x", "b"), ("y", "b"), ("y", "a"), ("z", "c"), ("z", "d")]
    examples = [Example(str(n), group, (("user", group),), text) for n, (group, text) in enumerate(texts)]
    clean = Dataset(examples, [Comparison(0, 1, 1.0)], [Comparison(4, 5, 1.0)])
    assert leakage(clean) == {"prompts": 0, "identical_pairs": 0}
    assert leakage(replace(clean, test=[Comparison(2, 3, 1.0)])) == {"prompts": 0, "identical_pairs": 1}
    assert leakage(replace(clean, test=[Comparison(1, 0, 1.0)])) == {"prompts": 1, "identical_pairs": 1}


def test_steps_and_quantiles_by_hand():
    steps = step_metrics(np.array([0.9, 0.2, 0.8, 0.1]), np.array([1.0, -1.0, 0.0, -0.5]))
    assert (steps["auroc"]["value"], steps["wrong"], steps["n"]) == (1.0, 2, 4)
    assert quantile_metrics(np.array([2.0, 2.0, 2.0, 2.0]), np.array([1.0, 2.0, 3.0, 4.0]))["value"] == 1.5 / 4
    assert quantile_metrics(np.array([]), np.array([]))["value"] is None


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
    metrics = {
        "pair_accuracy": share(0.3, 0.2, 0.4),
        "swapped_check": {"suspicious": True},
        "truncated": 3,
        "read_alike": 2,
    }
    words = " ".join(in_words(metrics))
    assert "turned round" in words
    assert "3 responses were longer" in words
    assert "2 compared pairs differ in their texts and not in what the model reads" in words
    assert in_words({}) == ["No held-out pair was decided, so nothing is known about its accuracy."]


def test_what_is_no_number_is_null_however_deep_it_stands():
    found = finite({"step0_loss": math.nan, "loss": [0.5, math.inf], "gate": {"share": {"helpful": math.nan}}, "n": 3})
    assert found == {"step0_loss": None, "loss": [0.5, None], "gate": {"share": {"helpful": None}}, "n": 3}
