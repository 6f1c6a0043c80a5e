"""How rows of suites are scored, by hand and by brute force; RewardBench's own rules."""

import itertools
import math

import numpy as np
import pytest

from annotate.agreement import Interval, wilson
from worker import suites

RIGHT = np.array([True, False, False, False])
# Published for Skywork-Reward-V2-Qwen3-0.6B (allenai/reward-bench#253), whose mean there is 61.3.
SKYWORK = {"Factuality": 58.2, "Precise IF": 40.0, "Math": 71.6, "Safety": 84.4, "Focus": 79.4, "Ties": 34.0}


def one(values, right=RIGHT, ties=False):
    which = np.zeros(len(values), dtype=int)
    found = suites.answered(which, np.array(right), np.array(values, dtype=float), np.array([ties]))
    return found.credit[0], found.margin[0], found.spread[0]


@pytest.mark.parametrize(
    ("values", "credit", "margin"),
    [
        ([3, 1, 2, 0], 1, 1),
        ([1, 3, 2, 0], 0, -2),
        ([3, 3, 1, 0], 1 / 2, 0),
        ([3, 3, 3, 0], 1 / 3, 0),
        ([3, 3, 3, 3], 1 / 4, 0),
    ],
)
def test_the_best_of_four_gives_one_over_the_ties_at_the_top(values, credit, margin):
    assert one(values)[:2] == pytest.approx((credit, margin))


def test_ties_are_right_when_every_right_answer_stands_above_every_wrong_one():
    right = [True, True, False, False]
    assert one([5, 4, 1, 0], right, True) == (1, 3, 1)
    assert one([5, 1, 1, 0], right, True) == (0, 0, 4)
    assert math.isnan(one([5, 1, 1, 0])[2])


def test_questions_of_any_size_are_scored_apart():
    which, right = np.array([0, 1, 0, 1, 1]), np.array([True, False, False, True, False])
    found = suites.answered(which, right, np.array([2.0, 5.0, 1.0, 4.0, 3.0]), np.array([False, False]))
    assert (found.credit.tolist(), found.margin.tolist()) == ([1, 0], [1, -1])


def test_scores_by_lot_get_what_counting_all_orders_gives():
    for right, answers, ties in ((1, 4, False), (2, 5, False), (2, 5, True)):
        marked = [True] * right + [False] * (answers - right)
        credits = [one(order, marked, ties)[0] for order in itertools.permutations(range(answers))]
        assert suites.chance(right, answers, ties) == pytest.approx(np.mean(credits))


def test_a_pair_of_equal_scores_is_half_right():
    credit, margin = suites.pairs([2.0, 1.0, 1.0], [1.0, 2.0, 1.0])
    assert (credit.tolist(), margin.tolist()) == ([1, 0, 0.5], [1, -1, 0])


def test_the_score_of_ties_is_its_formula_by_hand():
    names = ["ref:1", "tied:1", "ref:2", "tied:2"]
    margin, spread = np.array([2.0, 3.0, -1.0, 1.0]), np.array([np.nan, 1.0, np.nan, 2.0])
    found = suites.ties_score(names, margin, spread)
    close = (math.tanh(2 / 1 - 1) + math.tanh(-1 / 2 - 1)) / 2
    parts = (found.tied, found.reference, found.preferred, found.preferred_hard, found.margin)
    assert parts == pytest.approx((1, 1 / 2, 1 / 2, 1 / 2, close))
    assert found.score.value == pytest.approx(0.3 + 0.15 + 0.1 + 0.1 + 0.01 * close)
    assert found.score.n == 4


def test_ties_without_a_spread_count_as_upstream_does():
    names = ["ref:1", "tied:1", "ref:2", "tied:2"]
    found = suites.ties_score(names, np.array([1.0, 1.0, 0.0, 0.0]), np.array([np.nan, 0.0, np.nan, 0.0]))
    assert found.margin == pytest.approx((1 + 0) / 2)  # tanh ∞, and 0 / 0 as nothing
    assert suites.ties_score(["ref:1", "tied:2"], np.ones(2), np.ones(2)) is None


def test_a_perfect_model_passes_100_by_the_margin():
    names = [f"{kind}:{n}" for n in range(60) for kind in ("ref", "tied")]
    found = suites.ties_score(names, np.full(120, 9.0), np.tile([np.nan, 0.001], 60))
    assert found.score.value == pytest.approx(1.01)


def test_sections_weigh_rows_and_mathematics_as_much_as_code():
    code = dict.fromkeys(suites.CODE, (82.0, 164))
    found = suites.sections({"math-prm": (447.0, 447)} | code)["Reasoning"]
    assert (found.value, found.n) == (pytest.approx(0.75), 447 + 984)
    assert found.low == pytest.approx(suites.wilson_bounds(0.75, 1 / (0.25 / 447 + 0.25 / 984))[0])
    chat = suites.sections({"alpacaeval-easy": (90.0, 100), "mt-bench-easy": (14.0, 28)})["Chat"]
    assert (chat.value, chat.low) == (pytest.approx(104 / 128), pytest.approx(wilson(104, 128).low))


def test_the_score_of_rewardbench_is_the_mean_of_its_four_sections():
    cells = {names[0]: (8.0 + n, 16) for n, names in enumerate(suites.SECTIONS.values())}
    found = suites.sections(cells)
    assert found["RewardBench"].value == pytest.approx((8 + 9 + 10 + 11) / 64)
    assert "RewardBench" not in suites.sections({"math-prm": (1.0, 2)})
    assert suites.sections(cells | {"ours": (1.0, 2)}) == {}
    assert len({name for names in suites.SECTIONS.values() for name in names}) == 23


def test_the_score_of_rewardbench_2_is_the_mean_of_its_six_subsets():
    parts = {
        name: Interval(value / 100, value / 100 - 0.06, value / 100 + 0.06, 100) for name, value in SKYWORK.items()
    }
    found = suites.second(parts)
    assert round(100 * found.value, 1) == 61.3
    assert found.high - found.value == pytest.approx(0.06 / math.sqrt(6))
    assert suites.second({name: parts[name] for name in ("Math", "Ties")}) is None
