"""Tests of slices against scipy, statsmodels' textbook values and brute force."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest, false_discovery_control, fisher_exact

from inspector.slices.scripts import script_of
from inspector.stats import slices


@pytest.mark.parametrize("table", [(3, 1, 1, 3), (0, 5, 8, 2), (10, 0, 50, 40), (700, 300, 1300, 700), (0, 1, 0, 3)])
def test_fisher_is_scipys(table):
    a, b, c, d = table
    assert slices.fisher(*table) == pytest.approx(fisher_exact([[a, b], [c, d]]).pvalue, rel=1e-6)


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (1, 0), (8, 2), (2, 8), (5, 5), (130, 100)])
def test_mcnemar_is_the_exact_binomial_test(won, lost):
    exact = binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert slices.mcnemar(won, lost) == pytest.approx(exact, rel=1e-9)


def test_mcnemar_counts_all_ways_that_the_differing_prompts_could_have_gone():
    ways = list(itertools.product((0, 1), repeat=9))
    extreme = sum(abs(sum(way) - 4.5) >= abs(7 - 4.5) for way in ways)
    assert slices.mcnemar(7, 2) == pytest.approx(extreme / len(ways))


def test_mcnemar_of_fifty_thousand_prompts_has_a_number():
    assert 0 < slices.mcnemar(25_100, 24_900) < 1
    assert slices.mcnemar(50_000, 0) == 0


def test_benjamini_and_hochberg_is_scipys_and_leaves_out_what_was_not_tested():
    p = [0.01, 0.04, 0.03, 0.005, 0.5]
    found = slices.benjamini_hochberg([*p[:2], None, *p[2:]])
    assert found[2] is None
    assert [one for one in found if one is not None] == pytest.approx(list(false_discovery_control(p)))


def test_a_weak_slice_is_found_and_one_prompt_alone_proves_nothing():
    credit, which = np.tile([1.0, 1.0, 1.0, 0.0], 100), np.arange(400)
    weak = np.arange(400) >= 300
    credit[weak] = np.tile([1.0, 0.0], 50)
    assert slices.differs(credit, which, weak) < 1e-4
    few = np.where(weak, which % 10, which)  # the slice is of ten prompts, each all right or all wrong
    assert slices.differs(credit, few, weak) > 1000 * slices.differs(credit, which, weak)
    assert slices.differs(credit, np.where(weak, which % 4, which), weak) is None
    assert slices.differs(credit, which, np.ones(400, dtype=bool)) is None


def test_under_no_difference_one_slice_in_twenty_is_below_a_twentieth():
    rng, found = np.random.default_rng(0), []
    for _ in range(400):
        credit = (rng.random(200) < 0.7).astype(float)
        found.append(slices.differs(credit, np.arange(200), rng.random(200) < 0.5))
    assert np.mean(np.array(found) < 0.05) < 0.06


def test_two_versions_differ_by_their_prompts():
    new, old = np.array([1.0, 1, 0, 1, 1, 1]), np.array([0.0, 0, 1, 1, 1, 0.5])
    which = np.array([0, 0, 1, 2, 3, 4])
    every, first = slices.against(new, old, which, [np.ones(6, bool), which == 0])
    assert (every["won"], every["lost"]) == (2, 1)
    assert every["difference"].value == pytest.approx(1.5 / 6)
    assert every["difference"].low < 0 < every["difference"].high
    assert (first["won"], first["difference"].value, first["p"]) == (1, 1.0, 1.0)


def test_versions_told_together_are_those_told_one_by_one():
    rng, which = np.random.default_rng(5), np.repeat(np.arange(30), 3)
    old, first, second = (rng.integers(0, 2, 90).astype(float) for _ in range(3))
    second[:12] = np.nan  # four prompts were not scored
    one, other = slices.gains([(new - old, ~np.isnan(new)) for new in (first, second)], which)
    assert one == slices.against(first, old, which, [np.ones(90, dtype=bool)])[0]
    known = ~np.isnan(second)
    alone = slices.against(second[known], old[known], which[known] - 4, [np.ones(78, dtype=bool)])[0]
    assert {k: v for k, v in other.items() if k != "difference"} == {k: alone[k] for k in ("won", "lost", "p")}
    assert other["difference"].value == pytest.approx(alone["difference"].value)
    assert other["difference"].low == pytest.approx(alone["difference"].low, abs=0.05)


def test_an_empty_slice_compares_nothing():
    found = slices.against(np.ones(3), np.zeros(3), np.arange(3), [np.zeros(3, bool)])[0]
    assert (found["p"], found["difference"].why) == (None, "there is no pair to compare on")


def test_accuracy_is_wilsons():
    found = slices.accuracy(np.array([1.0, 0.5, 0.0, 1.0, np.nan]))
    z = 1.959963984540054
    centre, n = (0.625 + z * z / 8) / (1 + z * z / 4), 4
    half = z / (1 + z * z / n) * math.sqrt(0.625 * 0.375 / n + z * z / (4 * n * n))
    assert (found.value, found.low, found.high) == pytest.approx((0.625, centre - half, centre + half))


def test_buckets_are_equally_full_and_keep_equals_together():
    place, ends = slices.buckets(np.array([1, 1, 1, 1, 5, 6, 7, 8]))
    assert place.tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert ends == [(1, 1), (5, 6), (7, 8)]
    assert slices.buckets(np.array([3, 3]))[1] == [(3, 3)]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Where is it?", "Latin script"), ("Où est l'été ?", "Latin script"), ("Где это?", "Cyrillic script"),
        ("それは何ですか", "Japanese"), ("这是什么", "Chinese characters"), ("무엇입니까", "Korean"),
        ("ما هذا", "Arabic script"), ("1 + 1 = 2", "no letters"), ("", "no letters"),
    ],
)  # fmt: skip
def test_the_script_of_a_text_is_that_of_its_letters(text, script):
    assert script_of(text) == script
