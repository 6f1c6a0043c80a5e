"""The length share of a gain: by hand, and recovered where it was planted."""

import numpy as np
import pytest

from inspector.stats.gain import gain


def test_by_hand():
    tokens = [5, 15, 25, 15, 25, 35, 65]
    rewards = [1.0, 2.0, 3.0, 2.5, 4.0, 9.0, 7.0]
    new = [0, 0, 0, 1, 1, 1, 1]
    found = gain(tokens, rewards, new, np.arange(7))
    first = 3 * (2.5 - 1.5)  # 0 … 19: two old, one new
    second = 3 * ((4.0 + 9.0) / 2 - 3.0)  # 20 … 39: one old, two new
    assert found.total.value == pytest.approx(22.5 / 4 - 2)
    assert found.nrg.value == pytest.approx((first + second) / 6)
    assert found.compared == 6
    assert [(b.start, b.counts) for b in found.buckets] == [(0, (2, 1)), (20, (1, 2)), (60, (0, 1))]


def planted(quality, seed=0, prompts=800):
    """New answers are 40 tokens longer and better by `quality`; 20 tokens are worth 0.5."""
    rng = np.random.default_rng(seed)
    old, new = rng.integers(20, 200, prompts), rng.integers(20, 200, prompts) + 40
    tokens = np.concatenate([old, new])
    better = np.repeat([0.0, quality], prompts)
    rewards = 0.5 * tokens / 20 + better + rng.normal(0, 0.5, 2 * prompts)
    return gain(tokens, rewards, np.repeat([False, True], prompts), np.tile(np.arange(prompts), 2))


@pytest.mark.parametrize("quality", [0.0, 1.0, 3.0])
def test_what_was_planted_is_recovered(quality):
    found = planted(quality)
    length = (found.tokens[1] - found.tokens[0]) / 20 * 0.5
    assert found.nrg.low - 0.05 <= quality <= found.nrg.high + 0.05  # within a bucket lengths differ a little
    assert found.length_share.value == pytest.approx(length / (length + quality), abs=0.06)
    assert found.length_share.low < found.length_share.value < found.length_share.high


def test_a_gain_that_may_be_nothing_has_no_share():
    rng = np.random.default_rng(1)
    found = gain(rng.integers(1, 99, 200), rng.normal(size=200), np.arange(200) % 2, np.arange(200) // 2)
    assert "not sure to differ from 0" in found.length_share.why


def test_sides_that_never_meet_say_so():
    found = gain([5] * 10 + [500] * 10, list(range(20)), [0] * 10 + [1] * 10, np.tile(np.arange(10), 2))
    assert found.nrg.why == found.length_share.why == "no bucket holds answers of both"
    assert found.total.value == 10


@pytest.mark.parametrize("new", [[0, 0], [1, 1]])
def test_one_side_alone_is_no_gain(new):
    assert gain([1, 2], [1.0, 2.0], new, np.arange(2)) is None


def test_very_long_answers_stand_in_one_bucket():
    found = gain([10, 4000, 9000, 50_000], [1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1], np.arange(4))
    assert (found.buckets[-1].end, found.buckets[-1].counts) == (None, (1, 2))
