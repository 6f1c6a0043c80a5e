"""Flips by hand, and against a plain bootstrap of items."""

import numpy as np
import pytest

from annotate.agreement import bootstrap, wilson
from inspector.stats.flips import Probed, flips, probed_of


def test_by_hand():
    probed = [
        Probed(1, 1.0, 3.0, (2.0, 5.0)),  # wins one that it lost
        Probed(1, 4.0, 1.5, (2.0, 4.0)),  # loses one that it won; an equal one counts for nothing
        Probed(2, 0.0, 0.0, (1.0,)),
    ]
    found = flips(probed)
    assert found.change.value == pytest.approx((2 - 2.5 + 0) / 3)
    assert found.raised.value == pytest.approx(1 / 3)
    assert (found.flipped.value, found.flipped.n) == (2 / 4, 4)
    assert (found.won.value, found.won.n) == (1 / 3, 3)
    assert (found.lost.value, found.lost.n) == (1.0, 1)


def some(items=60, seed=0):
    rng = np.random.default_rng(seed)
    scores = {n: (n // 3, float(value)) for n, value in enumerate(rng.normal(size=3 * items))}
    return scores, {n: value + 0.4 + rng.normal(0, 0.3) for n, (_, value) in scores.items()}


def test_intervals_are_those_of_a_plain_bootstrap_of_items():
    probed = probed_of(*some())
    found, groups = flips(probed), [one.item for one in probed]
    theirs = bootstrap(np.mean, [one.after - one.before for one in probed], groups=groups)
    assert found.change.value == pytest.approx(theirs.value)
    assert (found.change.low, found.change.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert found.won.value > 0.1
    assert found.flipped.low < found.flipped.value < found.flipped.high


def test_each_response_is_held_against_the_others_of_its_item():
    scores = {1: (7, 0.5), 2: (7, 1.0), 3: (7, 2.0), 4: (8, 9.0)}
    assert probed_of(scores, {2: 3.0, 4: 8.0}) == [Probed(7, 1.0, 3.0, (0.5, 2.0)), Probed(8, 9.0, 8.0, ())]


def test_where_nothing_flips_wilson_over_items_stands_in():
    found = flips([Probed(n, 1.0, 1.1, (0.0,)) for n in range(20)])
    assert (found.flipped.value, found.flipped.high) == (0.0, wilson(0, 20).high)


def test_nothing_drawn_says_so():
    assert "changes no response" in flips([]).change.why
    assert "no pair had a winner" in flips([Probed(1, 0.0, 1.0, ())]).flipped.why
