"""Closed forms, brute force over all subsets, and exact values on real stories with human gold."""

import json
from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest

from annotate.agreement import Undefined
from inspector.stats.bon import best_of_n, kl, steps, top_weights, tops
from inspector.stats.drift import drift
from inspector.stats.gao import fit, peak, peaks

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


def test_a_pool_with_ties_and_unequal_sizes_is_its_prompts_one_by_one():
    rng = np.random.default_rng(3)
    sizes = np.array([4, 6, 4, 5])
    proxy, gold = rng.integers(0, 3, 19).astype(float), rng.normal(size=19)
    starts = np.cumsum(sizes) - sizes
    found = tops(proxy, [gold, proxy], sizes, [1, 2, 4])
    for prompt, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        one = slice(start, start + size)
        assert found[0, prompt] == pytest.approx(best_of_n(proxy[one], gold[one], [1, 2, 4]), abs=1e-12)
        assert found[1, prompt] == pytest.approx(best_of_n(proxy[one], proxy[one], [1, 2, 4]), abs=1e-12)


def test_regressional_goodhart_follows_its_closed_form_and_is_not_called_a_turn():
    """gold X ~ N(0,1), proxy X + Z, Var Z = 1: gold E_max/√2, proxy E_max·√2, for ever rising."""
    x, z = np.random.default_rng(5).normal(size=(2, 400 * 256))
    result = drift(np.full(400, 256), x + z, x)
    assert result.gold.raw[-1] == pytest.approx(2.8269 / np.sqrt(2), abs=0.09)
    assert result.proxy.raw[-1] == pytest.approx(2.8269 * np.sqrt(2), abs=0.09)
    assert (result.points[result.best], result.kind, result.turned, result.alarm) == (256, "regressional", False, None)
    assert result.rate.low < 1 / np.sqrt(2) < result.rate.high
    assert all(form.peak.value is None and "no peak" in form.peak.why for form in result.fits)


def extremal(prompts, candidates, seed):
    q, z, e = np.random.default_rng(seed).normal(size=(3, prompts * candidates))
    return drift(np.full(prompts, candidates), q + z + 0.5 * e, q - 0.6 * np.maximum(z - 1, 0) ** 2)


def test_extremal_goodhart_turns_over_where_it_should():
    """gold q − .6 max(z−1, 0)², proxy q + z + .5e: the exact curve tops out at n = 256."""
    result = extremal(300, 3000, 7)
    exact = [0.343, 0.603, 0.796, 0.935, 1.030, 1.089, 1.118, 1.121, 1.105, 1.077]
    measured = [result.gold.raw[list(result.points).index(2**k)] for k in range(1, 11)]
    assert np.array(measured) - result.gold.raw[0] == pytest.approx(exact, abs=0.15)
    assert 48 <= result.points[result.best] <= 1024
    assert result.fits[0].peak.value == pytest.approx(2.07, abs=0.2)
    assert result.rate.value * result.spreads[1] == pytest.approx(0.9 / 1.5, abs=0.03)  # cov / sd of the proxy


def test_the_alarm_comes_before_the_turn_and_the_turn_is_told_from_noise():
    result = extremal(100, 12500, 1)
    assert result.kind == "extremal"
    assert 64 <= result.points[result.best] <= 1024
    assert result.peak.low <= 256 <= (result.peak.high or np.inf)
    assert result.fall.high < 0
    assert result.points[result.alarm] < result.points[result.best]
    assert result.fits[0].rmse > 0.02  # the form does not hold; its residuals bow
    assert result.fits[0].residuals[1:].mean() == pytest.approx(0, abs=0.05)


def test_noise_alone_is_seldom_called_a_turn():
    """Gold that has nothing to do with the proxy wavers around 0: at most some 5 % of such pools may be claimed."""
    claims = 0
    for seed in range(60):
        proxy, gold = np.random.default_rng(seed).normal(size=(2, 40 * 16))
        claims += drift(np.full(40, 16), proxy, gold).turned
    assert claims <= 7


def test_a_proxy_against_the_gold_is_reversed():
    x, z = np.random.default_rng(0).normal(size=(2, 50 * 16))
    result = drift(np.full(50, 16), x + z, -x)
    assert (result.kind, result.best, result.turned) == ("reversed", 0, True)


def test_the_variance_of_the_members_is_that_of_the_candidate_chosen():
    members = np.array([[1.0, 2.0, 3.0, 1.0], [1.0, 4.0, 7.0, 1.0]])
    result = drift(np.array([2, 2]), members.mean(0), np.array([0.0, 1.0, 1.0, 0.0]), members.var(0))
    assert result.variance.mean == pytest.approx([(0 + 1 + 4 + 0) / 4, (1 + 4) / 2])


def test_few_prompts_never_make_a_turn_sure():
    result = drift(np.array([4]), np.array([1.0, 2, 3, 4]), np.array([0.0, 9, 1, 0]))
    assert (result.turned, result.alarm) == (False, None)


@pytest.mark.parametrize("form", ["bon", "rl"])
def test_a_curve_of_the_form_gives_its_own_coefficients_back(form):
    d = np.sqrt(kl(steps(1024)))
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = d * d if form == "bon" else np.where(d > 0, d * np.log(d), 0)
    gain = 1.2 * d - 0.5 * turn
    fitted = fit(form, d, gain, np.repeat(gain[None], 10, axis=0))
    assert (fitted.alpha.value, fitted.beta.value) == pytest.approx((1.2, 0.5))
    assert fitted.rmse == pytest.approx(0, abs=1e-12)
    assert fitted.at(d) == pytest.approx(gain)
    assert fitted.band(d) == pytest.approx(np.stack([gain, gain]))
    assert fitted.residuals == pytest.approx(np.zeros(len(d)), abs=1e-12)


def test_a_peak_whose_upper_bound_lies_beyond_the_range_is_open_there():
    best, redrawn = np.array([1.0, 0.25]), np.stack([np.ones(1000), np.linspace(0.05, 0.45, 1000)], axis=1)
    found = peak("bon", best, redrawn, reach=3.0)  # peaks of the redraws go from 1.11 to 10
    assert found.value == 2.0
    assert found.low == pytest.approx(1 / (2 * 0.44), abs=0.01)
    assert found.high is None
    assert peak("bon", best, redrawn, reach=20.0).high == pytest.approx(1 / (2 * 0.06), abs=0.1)


def test_a_peak_beyond_the_range_keeps_the_lower_bound_that_lies_within():
    redrawn = np.stack([np.ones(1000), np.linspace(0.05, 0.45, 1000)], axis=1)
    found = peak("bon", np.array([1.0, 0.1]), redrawn, reach=3.0)
    assert (found.value, found.high, found.why) == (None, None, "no peak within the range measured")
    assert found.low == pytest.approx(1 / (2 * 0.44), abs=0.01)


def test_a_form_that_never_turns_has_no_bound_at_all():
    found = peak("bon", np.array([1.0, -0.1]), np.tile([1.0, -0.1], (50, 1)), reach=3.0)
    assert (found.value, found.low, found.high) == (None, None, None)


def test_peaks_of_both_forms():
    assert peaks("bon", np.array([[1.0, 0.25], [1.0, -0.1]])) == pytest.approx([2.0, np.inf])
    assert peaks("rl", np.array([[1.0, 0.5], [1.0, 0.0]])) == pytest.approx([np.e, np.inf])


def test_flat_and_single_candidates_say_why():
    one, two = np.array([1.0, 2.0, 3.0]), np.ones(3)
    with pytest.raises(Undefined, match="same score"):
        drift(np.array([3]), two, one)
    with pytest.raises(Undefined, match="same gold"):
        drift(np.array([3]), one, two)
    for sizes in ([1, 1, 1], []):
        with pytest.raises(Undefined, match="two scored candidates"):
            drift(np.array(sizes, dtype=int), one, one)


def test_two_candidates_give_a_curve_but_no_fit():
    result = drift(np.array([2, 2]), np.array([1.0, 2, 1, 2]), np.array([1.0, 2, 2, 1]))
    assert list(result.points) == [1, 2]
    assert result.fits == ()


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
