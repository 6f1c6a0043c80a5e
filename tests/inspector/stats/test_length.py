import json
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from inspector.stats.length import by_bucket, correlations, longer_wins, split_accuracy


def test_correlations_agree_with_scipy_and_fishers_interval_on_independent_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    y = 0.5 * x + rng.normal(size=600)
    found = correlations(x, y, np.arange(600))
    theirs = stats.pearsonr(x, y)
    assert found.pearson.value == pytest.approx(theirs.statistic)
    low, high = theirs.confidence_interval()
    assert (found.pearson.low, found.pearson.high) == pytest.approx((low, high), abs=0.01)
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, y).statistic)


def test_within_prompt_correlation_sees_through_prompts_that_want_long_answers():
    rng = np.random.default_rng(1)
    level = np.repeat(rng.normal(0, 5, 200), 4)
    x, y = level + rng.normal(size=800), level + rng.normal(size=800)
    found = correlations(x, y, np.repeat(np.arange(200), 4))
    assert found.pearson.low > 0.9
    assert found.within.low < 0 < found.within.high


def test_within_prompt_correlation_is_pearson_of_centred_values():
    x, y, prompts = [1, 2, 3, 10, 12, 5], [2, 1, 4, 0, 3, 9], ["a", "a", "a", "b", "b", "c"]
    cx, cy = [-1, 0, 1, -1, 1], [-1 / 3, -4 / 3, 5 / 3, -1.5, 1.5]
    assert correlations(x, y, prompts).within.value == pytest.approx(np.corrcoef(cx, cy)[0, 1])


@pytest.mark.parametrize(
    ("x", "y", "prompts", "why"),
    [
        ([5, 5, 5, 5], [1, 2, 3, 4], [1, 1, 2, 2], "length is constant"),
        ([1, 2, 3, 4], [7, 7, 7, 7], [1, 1, 2, 2], "score is constant"),
        ([1, 2], [1, 2], [1, 1], "fewer than three"),
        ([], [], [], "fewer than three"),
    ],
)
def test_constant_input_has_no_correlation_and_says_why(x, y, prompts, why):
    found = correlations(x, y, prompts).pearson
    assert found.value is None
    assert why in found.why


def test_within_prompt_needs_a_prompt_with_two_responses_that_differ():
    assert "two scored responses" in correlations([1, 2, 3], [1, 2, 3], [1, 2, 3]).within.why
    assert "constant" in correlations([1, 1, 3, 3], [1, 2, 3, 4], [1, 1, 2, 2]).within.why


def test_longer_wins_counts_equal_lengths_half():
    found = longer_wins([3, 1, 2, 9], [1, 3, 2, 1], [1, 1, 0, 0.5])
    assert (found.wins, found.equal, found.share.n) == (1, 1, 3)
    assert found.share.value == pytest.approx(0.5)
    assert longer_wins([1], [2], [0.5]).share.value is None


def test_accuracy_is_split_by_what_people_chose():
    found = split_accuracy([1, 1, -1, 2], [1, 0, 0, 1], [9, 9, 1, 1], [1, 1, 9, 9])
    assert (found.longer_chosen.value, found.longer_chosen.n) == (1.0, 2)
    assert (found.shorter_chosen.value, found.shorter_chosen.n) == (0.5, 2)
    assert "no shorter" in split_accuracy([1], [1], [9], [1]).shorter_chosen.why


def test_buckets_hold_every_row_their_means_and_their_correlations():
    x, prompts = np.arange(100.0), np.arange(100) // 2
    y = np.where(x < 50, x, 100 - x)
    buckets = by_bucket(x, y, prompts, 2)
    assert [(b.low, b.high, b.mean.n) for b in buckets] == [(0, 49, 50), (50, 99, 50)]
    assert [b.mean.value for b in buckets] == pytest.approx([24.5, 25.5])
    assert [b.r.value for b in buckets] == pytest.approx([1, -1])
    assert by_bucket([], [], []) == []
    assert "length is constant" in by_bucket([4, 4, 4], [1, 2, 3], [1, 2, 3])[0].r.why


@pytest.mark.data
def test_real_answers_show_no_length_bias_in_people(human_data):
    """Longer wins 50.5 %, within-prompt correlation of words with net wins +.040."""
    questions = json.loads((human_data / "qa_feedback_dev.json").read_text())
    first, second, verdict, lengths, net, prompts = [], [], [], [], [], []
    for number, question in enumerate(questions):
        words = [len(question[f"prediction {i}"].split()) for i in (1, 2, 3, 4)]
        wins = np.zeros(4)
        for (i, j), said in zip(combinations(range(4), 2), question["preference"], strict=True):
            p = {1: 1.0, 2: 0.0, 0: 0.5}[said]
            wins[i], wins[j] = wins[i] + 2 * p - 1, wins[j] + 1 - 2 * p
            first.append(words[i]), second.append(words[j]), verdict.append(p)
        lengths += words
        net += list(wins)
        prompts += [number] * 4
    found = longer_wins(first, second, verdict)
    assert found.wins / found.share.n == pytest.approx(0.505, abs=5e-4)
    assert found.share.value == pytest.approx(0.513, abs=5e-4)
    assert correlations(lengths, net, prompts).within.value == pytest.approx(0.040, abs=5e-4)
