"""ICC against the published tables, and its F quantile against scipy's."""

import json

import numpy as np
import pytest
from scipy import stats

from annotate.agreement import icc, tally
from annotate.agreement.intraclass import f_quantile

SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


@pytest.mark.parametrize(
    ("average", "value", "low", "high"), [(False, 0.165742, -0.133, 0.723), (True, 0.442797, -0.884, 0.912)]
)
def test_shrout_and_fleiss_own_table(average, value, low, high):
    values, counts = tally(SHROUT_FLEISS)  # the bounds are those that R's psych::ICC prints
    found = icc(counts, values, average=average)
    assert found.value == pytest.approx(value, abs=1e-6)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))
    assert found.n == 6


@pytest.mark.data
@pytest.mark.parametrize("criterion", ["RE", "CH", "EM", "SU", "EG", "CX"])
def test_hannas_published_icc(human_data, criterion):
    expected = json.loads((human_data / "expected_values.json").read_text())["hanna_ratings_metrics.jsonl"]
    rows = [json.loads(line) for line in (human_data / "hanna_ratings_metrics.jsonl").read_text().splitlines()]
    values, counts = tally([[row[f"Human {i} {criterion}"] for i in (1, 2, 3)] for row in rows])
    published = expected["per_criterion"][criterion]
    one, mean = icc(counts, values), icc(counts, values, average=True)
    assert one.value == pytest.approx(published["published_ICC1"], abs=1e-6)
    assert mean.value == pytest.approx(published["published_ICC1k"], abs=1e-6)
    assert one.low < one.value < one.high


def test_a_histogram_says_what_its_rows_say():
    counts = np.random.default_rng(0).multinomial(3, [0.2, 0.5, 0.3], 80)
    patterns, units = np.unique(counts, axis=0, return_counts=True)
    assert icc(patterns, [1, 2, 5], units).as_dict() == pytest.approx(icc(counts, [1, 2, 5]).as_dict())
    more = np.append(patterns, [[1, 0, 0]], 0)  # a pattern that no unit shows any more
    assert icc(more, [1, 2, 5], np.append(units, 0)) == icc(patterns, [1, 2, 5], units)


@pytest.mark.parametrize(("df1", "df2"), [(1, 1), (5, 18), (18, 5), (1055, 2112), (99_999, 200_000), (2, 7)])
@pytest.mark.parametrize("q", [0.025, 0.5, 0.975])
def test_f_quantiles_are_scipys(q, df1, df2):
    assert f_quantile(q, df1, df2) == pytest.approx(stats.f.ppf(q, df1, df2), rel=1e-8)


def test_the_interval_covers_the_truth_nineteen_times_in_twenty():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(300):
        ratings = np.round(rng.normal(0, 1, (25, 1)) + rng.normal(0, 1, (25, 3)), 6)  # ICC(1) = ½
        values, counts = tally(ratings.tolist())
        found = icc(counts, values)
        hits += found.low <= 0.5 <= found.high
    assert 0.95 - 4 * np.sqrt(0.95 * 0.05 / 300) <= hits / 300 <= 1


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ([[2, 0], [1, 0]], "same number of raters"),
        ([], "same number of raters"),
        ([[2, 0]], "two units"),
        ([[2, 0], [2, 0]], "the same answer"),
        ([[1, 1], [1, 1]], "the same mean"),
    ],
)
def test_an_undefined_correlation_says_why(counts, why):
    found = icc(np.array(counts).reshape(-1, 2), [0.1, 0.7])
    assert found.value is None
    assert why in found.why


def test_raters_who_never_differ_have_no_interval():
    found = icc(np.array([[3, 0], [0, 3], [3, 0]]), [0.1, 0.7])
    assert (found.value, found.low) == (1.0, None)
    assert "never differ" in found.why
