"""Comparing versions: closed forms, brute force, and how often chance alone would promote."""

import math
from itertools import product

import numpy as np
import pytest

from worker.compare import LEAST, Verdict, drift, holds, paired, sign_test, weighted


def spread(n):
    return [f"prompt {i}" for i in range(n)]


def test_the_difference_of_two_accuracies():
    found = paired([1, 1, 0, 0.5], [1, 0, 0, 0], spread(4))
    assert (found.new.value, found.old.value) == (0.625, 0.25)
    assert found.difference.value == pytest.approx(0.375)
    assert (found.won, found.lost, found.prompts) == (2, 0, 4)


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (5, 1), (3, 3), (0, 7)])
def test_the_sign_test_is_the_count_of_all_coin_rows(won, lost):
    n = won + lost
    rows = [sum(row) for row in product((0, 1), repeat=n)]
    tail = sum(min(heads, n - heads) <= min(won, lost) for heads in rows) / len(rows)
    assert sign_test(won, lost) == pytest.approx(tail)


def test_the_interval_is_that_of_redrawn_prompts():
    rng = np.random.default_rng(1)
    new, old = (rng.random((2, 400)) < [[0.8], [0.7]]).astype(float)
    found = paired(new, old, spread(400))
    half = 1.96 * (new - old).std() / np.sqrt(400)  # of a mean, where each prompt has one pair
    assert found.difference.low == pytest.approx(found.difference.value - half, abs=0.01)
    assert found.difference.high == pytest.approx(found.difference.value + half, abs=0.01)


def test_pairs_of_one_prompt_count_once():
    new, old = [1, 1, 0, 1, 1, 0, 1, 0] * 5, [0, 1, 0, 1, 1, 1, 0, 0] * 5
    alone = paired(new, old, spread(40))
    doubled = paired(new * 10, old * 10, spread(40) * 10)
    assert doubled.difference.low == pytest.approx(alone.difference.low, abs=1e-12)
    assert doubled.p_value == alone.p_value


def test_where_nothing_differs_the_interval_is_what_may_be_unseen():
    found = paired([1.0] * 30, [1.0] * 30, spread(30))
    unseen = -found.difference.low
    assert (1 - unseen) ** 30 == pytest.approx(0.025)
    assert not holds(found, "better")
    assert holds(found, "not_worse", 0.15)
    assert not holds(found, "not_worse", 0.05)


def test_better_wants_the_interval_and_the_exact_test():
    few = paired([1, 1, 1, 1], [0, 0, 0, 1], spread(4))  # 3 won, 0 lost: p = .25
    assert not holds(few, "better")
    many = paired([1.0] * 12 + [1.0] * 8, [0.0] * 12 + [1.0] * 8, spread(20))
    assert holds(many, "better")
    assert not holds(many, "never")


def test_without_pairs_nothing_is_promoted():
    nothing = paired([], [], [])
    assert nothing.difference.value is None
    assert not any(holds(nothing, rule, 1.0) for rule in ("better", "not_worse", "never"))


def test_chance_alone_promotes_rarely():
    rng = np.random.default_rng(3)
    draws = rng.random((60, 2, 100)) < 0.7
    promoted = sum(holds(paired(new, old, spread(100)), "better") for new, old in draws.astype(float))
    assert promoted <= 4  # 2.5 % of 60 are 1.5


# ---- Drift


def said(right, first=0, probability=1.0):
    return [Verdict(f"p{first + n}", value, probability) for n, value in enumerate(right)]


def test_too_few_prompts_tell_nothing():
    found = drift(said([0.0] * (LEAST - 1)), said([1.0] * 100, 500))
    assert found.value is None
    assert "19 of 20 prompts" in found.why


def test_worse_new_verdicts_are_drift_and_equal_ones_are_not():
    held = said([1, 1, 1, 0] * 25, 500)
    assert drift(said([1, 0, 0, 0] * 10), held).high < 0
    same = drift(said([1, 1, 1, 0] * 10), held)
    assert same.low < 0 < same.high


def test_it_is_looked_at_when_the_prompts_have_doubled():
    held = said([1.0] * 100, 500)
    at_twenty = drift(said([1.0] * 20), held)
    assert drift(said([1.0] * 20 + [0.0] * 19), held) == at_twenty
    assert drift(said([1.0] * 20 + [0.0] * 20), held).value == pytest.approx(-0.5)


def test_hard_tasks_that_were_chosen_are_no_drift():
    """20 hard ones asked for certain and half wrong, 20 drawn with probability 1/20 and a tenth wrong."""
    held, chosen = said([1.0] * 9 + [0.0], 500) * 10, said([1, 0] * 10)
    drawn = said(([1.0] * 9 + [0.0]) * 2, 100, 0.05)
    assert drift([v for pair in zip(chosen, drawn, strict=True) for v in pair], held).high > 0
    assert drift([Verdict(v.prompt, v.right) for v in chosen + drawn], held).value == pytest.approx(-0.2)


def test_weighted_is_hajek_and_kish():
    right, worth = weighted([Verdict("a", 1, 1.0), Verdict("b", 0, 0.5)])
    assert right / worth == pytest.approx(1 / 3)
    assert worth == pytest.approx(9 / 5)
    assert weighted(said([1, 0, 1, 1])) == (3.0, 4.0)
    assert weighted([]) == (0.0, 0)


def test_the_sign_test_of_many_prompts_is_that_of_whole_numbers():
    exact = 2 * sum(math.comb(1100, k) for k in range(501)) / 2**1100
    assert sign_test(600, 500) == pytest.approx(exact, rel=1e-9)
