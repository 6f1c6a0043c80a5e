"""Against scipy, against a plain bootstrap, and where nothing can be said."""

import numpy as np
import pytest
from scipy import stats

from annotate.agreement import bootstrap
from inspector.stats.correlation import blocked, codes, correlate, holm, redrawn


def drawn(prompts=150, each=4, seed=0):
    """x, y and z share what their prompt asks for; y follows x a little and z a lot."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.normal(0, 1, prompts), each)
    x, z = (level + rng.normal(size=prompts * each) for _ in range(2))
    y = level + 0.3 * x + 1.0 * z + rng.normal(size=prompts * each)
    return x, y, z, np.repeat(np.arange(prompts), each)


def test_values_are_scipys_and_the_partial_one_is_that_of_residuals():
    x, y, z, which = drawn()
    found = correlate({"x": x, "z": z}, y, which, control=z)
    assert found["x"].plain.r.value == pytest.approx(stats.pearsonr(x, y).statistic)
    left = [v - np.polyval(np.polyfit(z, v, 1), z) for v in (x, y)]
    assert found["x"].partial.r.value == pytest.approx(stats.pearsonr(*left).statistic)
    assert found["z"].partial.r.why == "nothing is left of it at equal length"


def test_within_prompts_what_they_ask_for_is_taken_out():
    x, y, z, which = drawn()
    found = correlate({"x": x}, y, which, control=z, within=True)["x"]
    own = [v - np.repeat(v.reshape(-1, 4).mean(1), 4) for v in (x, y, z)]
    assert found.plain.r.value == pytest.approx(stats.pearsonr(own[0], own[1]).statistic)
    left = [v - np.polyval(np.polyfit(own[2], v, 1), own[2]) for v in own[:2]]
    assert found.partial.r.value == pytest.approx(stats.pearsonr(*left).statistic)


def test_the_interval_is_that_of_a_plain_bootstrap_of_prompts():
    x, y, _, which = drawn()
    found = correlate({"x": x}, y, which)["x"].plain.r
    theirs = bootstrap(lambda a, b: np.corrcoef(a, b)[0, 1], x, y, groups=which)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_the_p_value_of_independent_rows_is_fishers():
    rng = np.random.default_rng(3)
    x = rng.normal(size=800)
    y = 0.06 * x + rng.normal(size=800)
    found = correlate({"x": x}, y, np.arange(800))["x"].plain
    assert found.p == pytest.approx(stats.pearsonr(x, y).pvalue, rel=0.3)


def test_without_an_effect_one_p_in_twenty_is_below_a_twentieth():
    rng, small = np.random.default_rng(4), 0
    for _ in range(200):
        level = np.repeat(rng.normal(size=40), 3)
        x, y = np.repeat(rng.normal(size=40), 3), level + rng.normal(size=120)
        small += correlate({"x": x}, y, np.repeat(np.arange(40), 3))["x"].plain.p < 0.05
    assert 4 <= small <= 24  # 10 expected


def test_redraws_hold_as_many_prompts_as_there_are():
    found = redrawn(np.stack([np.ones(30), np.arange(30.0)], 1), draws=120)
    assert found.shape == (120, 2)
    assert set(found[:, 0]) == {30.0}
    assert found[:, 1].std() == pytest.approx(np.sqrt(30) * np.arange(30).std(), rel=0.2)


def test_many_prompts_in_blocks_have_the_interval_that_they_have_one_by_one(monkeypatch):
    x, y, _, which = drawn(prompts=3000, each=2)
    blocks = correlate({"x": x}, y, which)["x"].plain
    monkeypatch.setattr("inspector.stats.correlation.BLOCKS", 10**6)
    alone = correlate({"x": x}, y, which)["x"].plain
    assert blocks.r.value == pytest.approx(alone.r.value)
    assert blocks.r.high - blocks.r.low == pytest.approx(alone.r.high - alone.r.low, rel=0.1)


def test_blocks_keep_prompts_whole_and_hold_as_many():
    found = blocked(np.repeat(np.arange(6000), 2))
    assert (found[::2] == found[1::2]).all()
    assert set(np.bincount(found)) == {6}


@pytest.mark.parametrize(
    ("p", "corrected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.5, None, 0.6], [1.0, None, 1.0]),
        ([], []),
        ([0.02], [0.02]),
    ],
)
def test_holm(p, corrected):
    assert holm(p) == pytest.approx(corrected) if None not in p else holm(p) == corrected


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [([1, 1, 1], [1, 2, 3], "thing is constant"), ([1, 2, 3], [4, 4, 4], "score is"), ([1, 2], [1, 2], "fewer than")],
)
def test_what_has_no_correlation_says_why(x, y, why):
    assert why in correlate({"x": x}, y, codes(range(len(x))))["x"].plain.r.why


def test_few_prompts_give_a_value_without_an_interval():
    found = correlate({"x": [1, 2, 3, 5]}, [1, 3, 2, 4], codes("aabb"))["x"].plain
    assert found.r.value == pytest.approx(stats.pearsonr([1, 2, 3, 5], [1, 3, 2, 4]).statistic)
    assert (found.r.low, found.p) == (None, None)


def test_prompts_with_one_response_say_nothing_within():
    x, y = [1.0, 2, 3, 50], [2.0, 1, 4, -90]
    found = correlate({"x": x}, y, codes("aaab"), within=True)["x"].plain.r
    assert found.value == pytest.approx(np.corrcoef(x[:3], y[:3])[0, 1])
    assert "no prompt has two" in correlate({"x": x}, y, codes("abcd"), within=True)["x"].plain.r.why
