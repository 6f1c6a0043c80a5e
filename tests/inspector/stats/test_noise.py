"""What rounding does, on scores rounded by hand."""

import numpy as np
import pytest

from inspector.stats import noise


def test_three_responses_by_hand():
    item, exact, rounded = np.array([1, 1, 1]), np.array([1.0, 1.1, 2.0]), np.array([1.2, 1.0, 2.0])
    found = noise.noise(item, exact, rounded)
    assert found.sd.value == pytest.approx(np.std([0.2, -0.1, 0.0]))
    assert found.largest == pytest.approx(0.2)
    assert (found.pairs, found.flipped.value) == (3, pytest.approx(1 / 3))
    assert found.margin == pytest.approx(np.sqrt((0.3**2 + 0.1**2 + 0.2**2) / 3))


def test_margins_of_independent_rounding_move_by_root_two():
    rng = np.random.default_rng(0)
    exact = rng.normal(size=2000)
    found = noise.noise(np.arange(2000) // 2, exact, exact + rng.normal(0, 0.1, 2000))
    assert found.sd.low < 0.1 < found.sd.high
    assert found.margin == pytest.approx(0.1 * np.sqrt(2), rel=0.06)
    assert found.floor == pytest.approx(1.96 * found.margin, rel=1e-3)


def test_items_of_one_response_have_no_pair():
    found = noise.noise(np.arange(6), np.arange(6.0), np.arange(6.0))
    assert (found.pairs, found.margin, found.flipped.why) == (0, 0.0, "no pair had a winner")


def test_pairs_are_all_pairs_of_one_item():
    item = np.array([3, 1, 3, 1, 3])
    first, second, whole = noise.within(item)
    assert whole
    found = {tuple(sorted(pair)) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    assert found == {(0, 2), (0, 4), (2, 4), (1, 3)}


def test_of_too_many_pairs_neighbours_are_taken():
    first, second, whole = noise.within(np.zeros(10, int), most=20)
    assert not whole
    assert set(second - first) == {1, 2}
    assert [len(part) for part in noise.within(np.zeros(0, int))[:2]] == [0, 0]


def test_small_margins():
    margins = np.array([0.0, 0.1, -0.1, 3.0])
    assert [noise.small(margins, floor).value for floor in (0.0, 0.1, 9.0)] == [0.25, 0.75, 1.0]
    assert noise.small(margins[:0], 0.0).value is None
