"""Known answers: textbook tables, published values on real ratings, and an independent implementation."""

import json
from functools import partial

import krippendorff
import numpy as np
import pytest
from scipy import stats

from annotate import agreement
from annotate.agreement import Undefined, auroc, bootstrap, pair_accuracy, percentiles, ranks, tally, wilson

FLEISS_WIKIPEDIA = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
NOBODY = None
KRIPPENDORFF_2011 = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NOBODY, NOBODY, NOBODY],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NOBODY, 3],
    [NOBODY, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NOBODY],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NOBODY],
]


def test_wilson_against_the_closed_form():
    assert wilson(70, 100).as_dict() == pytest.approx(
        {"value": 0.7, "low": 0.604151, "high": 0.781051, "n": 100}, abs=1e-6
    )


def test_wilson_at_the_edges_keeps_its_value_inside():
    none, all_ = wilson(0, 10), wilson(10, 10)
    assert (none.value, none.low, all_.value, all_.high) == (0.0, 0.0, 1.0, 1.0)
    assert none.high == pytest.approx(0.277533, abs=1e-6)
    assert all_.low == pytest.approx(0.722467, abs=1e-6)


def test_wilson_of_nothing_says_why():
    assert wilson(0, 0).value is None
    assert wilson(0, 0).as_dict()["why"]


def test_wilson_refuses_more_successes_than_trials():
    with pytest.raises(ValueError, match="11 successes among 10"):
        wilson(11, 10)


def test_cohen_kappa_of_the_textbook_table():
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert agreement.cohen_kappa(first, second) == pytest.approx(0.4)


def test_fleiss_kappa_of_the_textbook_table():
    assert agreement.fleiss_kappa(np.array(FLEISS_WIKIPEDIA)) == pytest.approx(0.209931, abs=1e-6)


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107)])
def test_alpha_of_krippendorffs_own_example(level, expected):
    values, counts = tally(list(zip(*KRIPPENDORFF_2011, strict=True)))
    assert agreement.krippendorff_alpha(counts, values, level) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_agrees_with_the_krippendorff_package_on_random_gappy_ratings(level):
    rng = np.random.default_rng(3)
    ratings = rng.integers(1, 6, (60, 4)).astype(float)
    ratings[:, 1] = ratings[:, 0]
    ratings[rng.random(ratings.shape) < 0.3] = np.nan
    values, counts = tally([[None if np.isnan(x) else x for x in unit] for unit in ratings])
    theirs = krippendorff.alpha(reliability_data=ratings.T, level_of_measurement=level)
    assert agreement.krippendorff_alpha(counts, values, level) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.data
def test_published_kappas_on_the_real_pairwise_judgements(human_data):
    expected = json.loads((human_data / "expected_values.json").read_text())["pandalm_testset_v1.jsonl"]
    lines = (human_data / "pandalm_testset_v1.jsonl").read_text().splitlines()
    table = [[json.loads(line)[f"annotator{i}"] for i in (1, 2, 3)] for line in lines]
    columns = list(zip(*table, strict=True))
    for pair, kappa in expected["cohen_kappa"].items():
        a, b = (columns[int(i) - 1] for i in pair.split("-"))
        assert agreement.cohen_kappa(a, b) == pytest.approx(kappa, abs=1e-6)
    _, counts = tally(table)
    assert agreement.fleiss_kappa(counts) == pytest.approx(expected["fleiss_kappa"], abs=1e-6)
    nominal = agreement.krippendorff_alpha(counts)
    assert nominal == pytest.approx(expected["krippendorff_alpha_nominal"], abs=1e-6)


@pytest.mark.data
@pytest.mark.parametrize("criterion", ["RE", "CH", "EM", "SU", "EG", "CX"])
def test_published_alphas_on_the_real_story_ratings(human_data, criterion):
    expected = json.loads((human_data / "expected_values.json").read_text())["hanna_ratings_metrics.jsonl"]
    lines = (human_data / "hanna_ratings_metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    values, counts = tally([[row[f"Human {i} {criterion}"] for i in (1, 2, 3)] for row in rows])
    for level in ("ordinal", "interval"):
        published = expected["per_criterion"][criterion][f"alpha_{level}"]
        ours = agreement.krippendorff_alpha(counts, values, level)
        assert ours == pytest.approx(published, abs=1e-6)


def test_percent_agreement_counts_pairs_of_raters_within_units():
    _, counts = tally([["a", "a", "b"], ["a", "a", None], ["b", None, None]])
    share = agreement.percent_agreement(counts)
    assert (share.value, share.n) == (pytest.approx((1 / 3 + 1) / 2), 2)


@pytest.mark.parametrize(
    ("statistic", "why"),
    [
        (lambda: agreement.cohen_kappa(["a", "a"], ["a", "a"]), "the same answer"),
        (lambda: agreement.cohen_kappa([], []), "no unit"),
        (lambda: agreement.fleiss_kappa(np.array([[2, 0], [1, 0]])), "same number of raters"),
        (lambda: agreement.krippendorff_alpha(np.array([[1, 0], [0, 1]])), "rated twice"),
        (lambda: agreement.krippendorff_alpha(np.array([[2, 0], [3, 0]])), "the same answer"),
    ],
)
def test_what_has_no_value_says_why(statistic, why):
    with pytest.raises(Undefined, match=why):
        statistic()


def test_bootstrap_of_a_mean_matches_the_normal_interval():
    x = np.random.default_rng(1).normal(5, 2, 400)
    interval = bootstrap(np.mean, x, draws=2000)
    half = 1.96 * x.std(ddof=1) / 20
    assert interval.value == pytest.approx(x.mean())
    assert (interval.low, interval.high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.04)


def test_bootstrap_over_groups_is_wider_where_rows_repeat_their_group():
    x = np.repeat(np.random.default_rng(2).normal(size=30), 10)
    alone, grouped = bootstrap(np.mean, x), bootstrap(np.mean, x, groups=np.repeat(np.arange(30), 10))
    ratio = (grouped.high - grouped.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.15)


def test_bootstrap_reports_an_undefined_statistic():
    interval = bootstrap(partial(agreement.krippendorff_alpha), np.array([[2, 0], [2, 0]]))
    assert (interval.value, interval.n) == (None, 2)
    assert "same answer" in interval.why


@pytest.mark.parametrize(("missing", "bounded"), [(49, True), (51, False)])
def test_draws_without_a_value_are_left_out_up_to_half(missing, bounded):
    drawn = np.append(np.full(missing, np.nan), np.linspace(0, 1, 100 - missing))
    interval = percentiles(0.5, drawn, 7)
    assert interval.value == 0.5
    assert ((interval.low, interval.high) == pytest.approx((0.025, 0.975))) if bounded else "too few" in interval.why


@pytest.mark.parametrize(
    ("spread", "accuracy", "agree"),
    [(1, 0.675, 0.587), (1.5, 0.734, 0.647), (2, 0.778, 0.698), (3, 0.836, 0.770)],
)
def test_ceilings_of_normal_margins(spread, accuracy, agree):
    assert agreement.margin_ceilings(spread) == pytest.approx((accuracy, agree), abs=1e-3)
    assert agreement.best_accuracy(agree) == pytest.approx(accuracy, abs=1.5e-3)


def test_the_ceiling_runs_from_chance_to_certainty():
    assert agreement.best_accuracy(0.4) == 0.5
    assert agreement.best_accuracy(1.0) == 1.0
    limit = agreement.ceiling(wilson(65, 100))
    assert limit.value == pytest.approx(0.737, abs=2e-3)
    assert limit.low < limit.value < limit.high


def test_accuracy_leaves_undecided_pairs_out_and_halves_a_zero_margin():
    found = pair_accuracy([2.0, -1.0, 0.0, 3.0, 5.0], [1, 1, 1, 0.2, 0.5])
    assert (found.value, found.n) == (pytest.approx(1.5 / 4), 4)


def test_accuracy_without_a_decided_pair_says_why():
    assert "no pair" in pair_accuracy([1.0], [0.5]).why


def test_auroc_is_the_share_of_ordered_pairs():
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 5, 60), rng.random(60) < 0.4
    up, down = scores[labels][:, None], scores[~labels][None, :]
    assert auroc(scores, labels) == pytest.approx(((up > down) + 0.5 * (up == down)).mean())


def test_auroc_of_one_class_is_undefined():
    with pytest.raises(Undefined, match="empty"):
        auroc([1, 2], [True, True])


def test_ranks_share_their_mean():
    values = np.random.default_rng(1).integers(0, 9, 50)
    assert ranks(values) == pytest.approx(stats.rankdata(values))
