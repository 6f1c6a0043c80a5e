"""Closed forms, brute force over all subsets, and exact values on real stories with human gold."""

import json
from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest

from annotate.agreement import Undefined
from inspector.stats.drift import best_of_n, drift, fit, kl, peaks, steps, top_weights

GRID = [1, 2, 3, 4, 6, 8, 10]


def test_kl_and_distance_of_best_of_n():
    n = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1000, 1024, 4096, 12500, 60000]
    table = [0, 0.1931, 0.6363, 1.2044, 1.8351, 2.4970, 3.1745, 3.8598, 4.5491, 5.9088, 5.9324, 7.3180, 8.4336, 10.0021]
    assert kl(n) == pytest.approx(table, abs=5e-5)
    assert np.sqrt(kl([2, 64, 60000])) == pytest.approx([0.4395, 1.7817, 3.1626], abs=5e-5)


def test_the_estimator_equals_the_mean_over_all_subsets():
    rng = np.random.default_rng(0)
    proxy, gold = rng.normal(size=(2, 8))
    for n in range(1, 9):
        brute = np.mean([gold[max(chosen, key=lambda i: proxy[i])] for chosen in combinations(range(8), n)])
        assert best_of_n(proxy, gold, [n])[0] == pytest.approx(brute, abs=1e-12)


def test_tied_proxies_are_averaged_over_their_orders():
    proxy, gold = [1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 0.0, 1.0], np.arange(8.0) ** 2
    for n in range(1, 9):
        brute = np.mean([_mean_of_top(proxy, gold, chosen) for chosen in combinations(range(8), n)])
        assert best_of_n(proxy, gold, [n])[0] == pytest.approx(brute, abs=1e-12)


def _mean_of_top(proxy, gold, chosen):
    top = max(proxy[i] for i in chosen)
    return np.mean([gold[i] for i in chosen if proxy[i] == top])


@pytest.mark.parametrize(("candidates", "n"), [(8, 1), (8, 8), (64, 17), (12600, 12500)])
def test_the_weights_sum_to_one(candidates, n):
    assert top_weights(candidates, n).sum() == pytest.approx(1, abs=1e-10)


def test_more_than_all_candidates_cannot_be_drawn():
    with pytest.raises(ValueError, match="best of 9"):
        best_of_n(np.arange(8), np.arange(8), [9])


def test_expected_maximum_of_normals():
    from scipy.stats import norm

    quantiles = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    table = [0, 0.5642, 1.0294, 1.4236, 1.7660, 2.0697, 2.3437]
    assert best_of_n(quantiles, quantiles, [1, 2, 4, 8, 16, 32, 64]) == pytest.approx(table, abs=2e-4)


def test_regressional_goodhart_follows_its_closed_form_and_is_not_called_a_turn():
    """gold X ~ N(0,1), proxy X + Z, Var Z = 1: gold E_max/√2, proxy E_max·√2, for ever rising."""
    rng = np.random.default_rng(5)
    pool = [(x + z, x) for x, z in rng.normal(size=(400, 2, 256))]
    result = drift(pool)
    assert result.gold.raw[-1] == pytest.approx(2.8269 / np.sqrt(2), abs=0.09)
    assert result.proxy.raw[-1] == pytest.approx(2.8269 * np.sqrt(2), abs=0.09)
    assert result.best_n == 256
    assert all(form.peak.value is None and "no peak" in form.peak.why for form in result.fits)


def test_extremal_goodhart_turns_over_where_it_should():
    """gold q − .6 max(z−1, 0)², proxy q + z + .5e: the exact curve tops out at n = 256."""
    rng = np.random.default_rng(7)
    pool = []
    for q, z, e in rng.normal(size=(300, 3, 3000)):
        pool.append((q + z + 0.5 * e, q - 0.6 * np.maximum(z - 1, 0) ** 2))
    result = drift(pool)
    exact = [0.343, 0.603, 0.796, 0.935, 1.030, 1.089, 1.118, 1.121, 1.105, 1.077]
    measured = [result.gold.raw[list(result.ns).index(2**k)] for k in range(1, 11)]
    assert np.array(measured) - result.gold.raw[0] == pytest.approx(exact, abs=0.15)
    assert 48 <= result.best_n <= 1024
    assert result.fits[0].peak.value == pytest.approx(2.07, abs=0.2)


@pytest.mark.parametrize("form", ["bon", "rl"])
def test_a_curve_of_the_form_gives_its_own_coefficients_back(form):
    d = np.sqrt(kl(steps(1024)))
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = d * d if form == "bon" else np.where(d > 0, d * np.log(d), 0)
    gain = 1.2 * d - 0.5 * turn
    curve = type("Curve", (), {"mean": gain, "draws": np.repeat(gain[None], 10, axis=0)})
    fitted = fit(form, d, curve)
    assert (fitted.alpha.value, fitted.beta.value) == pytest.approx((1.2, 0.5))
    assert fitted.rmse == pytest.approx(0, abs=1e-12)
    assert fitted.at(d) == pytest.approx(gain)


def test_peaks_of_both_forms():
    assert peaks("bon", np.array([[1.0, 0.25], [1.0, -0.1]])) == pytest.approx([2.0, np.inf])
    assert peaks("rl", np.array([[1.0, 0.5], [1.0, 0.0]])) == pytest.approx([np.e, np.inf])


def test_flat_and_single_candidates_say_why():
    with pytest.raises(Undefined, match="same score"):
        drift([([1, 1, 1], [1, 2, 3])])
    with pytest.raises(Undefined, match="same gold"):
        drift([([1, 2, 3], [1, 1, 1])])
    with pytest.raises(Undefined, match="two scored candidates"):
        drift([([1], [1])])
    with pytest.raises(Undefined, match="two scored candidates"):
        drift([])


def test_two_candidates_give_a_curve_but_no_fit():
    result = drift([([1, 2], [1, 2]), ([1, 2], [2, 1])])
    assert list(result.ns) == [1, 2]
    assert result.fits[0].alpha.value is None


@pytest.mark.data
def test_exact_values_on_stories_with_human_gold(human_data):
    expected = json.loads((human_data / "expected_values.json").read_text())["hanna_ratings_metrics.jsonl"]
    stories = defaultdict(list)
    for line in (human_data / "hanna_ratings_metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["Model"] != "Human":
            stories[row["_prompt_id"]].append(row)
    criteria = ("Relevance", "Coherence", "Empathy", "Surprise", "Engagement", "Complexity")
    golds = {prompt: [np.mean([row[c] for c in criteria]) for row in rows] for prompt, rows in stories.items()}
    for proxy, answer in expected["best_of_n_gold"]["table"].items():
        values = {p: golds[p] if proxy == "oracle(gold)" else [r[proxy] for r in rows] for p, rows in stories.items()}
        ours = np.mean([best_of_n(values[p], golds[p], GRID, ties="order") for p in stories], axis=0)
        assert ours == pytest.approx(answer["n=1,2,3,4,6,8,10"], abs=1e-6), proxy
