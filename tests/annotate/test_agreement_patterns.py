"""A histogram of tasks says what the table says, and its interval is the one from redrawing rows."""

import json

import krippendorff
import numpy as np
import pytest

from annotate import agreement
from annotate.agreement import Tasks, aligned, bootstrap, cohen, confusion, histogram, summary, tally

LEVELS = ("nominal", "ordinal", "interval")


@pytest.fixture
def cases(human_data):
    return {case["name"]: case for case in json.loads((human_data / "agreement_reference_cases.json").read_text())}


def gappy(seed, units=200, raters=4, values=5):
    """Raters who agree more than chance, a fifth of the ratings missing."""
    rng = np.random.default_rng(seed)
    ratings = np.clip(rng.integers(1, values + 1, (units, 1)) + rng.integers(-1, 2, (units, raters)), 1, values) * 1.0
    ratings[rng.random(ratings.shape) < 0.2] = np.nan
    return ratings


def counted(ratings):
    return tally([[None if np.isnan(x) else x for x in unit] for unit in ratings])


@pytest.mark.data
@pytest.mark.parametrize("level", LEVELS)
def test_krippendorffs_own_example(cases, level):
    case = cases["krippendorff_2011_4x12"]
    values, counts = tally(list(zip(*case["data"], strict=True)))
    found = summary(histogram(counts), level, values, draws=50)
    assert found["alpha"].value == pytest.approx(case["expected"][f"alpha_{level}"], abs=1e-6)
    assert (found["alpha"].n, found["fleiss"].value) == (11, None)
    assert "same number of raters" in found["fleiss"].why


@pytest.mark.data
def test_fleiss_own_diagnoses_and_the_textbook_table(cases):
    _, diagnoses = tally(cases["fleiss_1971_diagnoses"]["data"])
    textbook = cases["fleiss_wikipedia_10x5"]
    for counts, kappa in ((diagnoses, 0.430245), (np.array(textbook["data"]), textbook["expected"]["fleiss_kappa"])):
        assert summary(histogram(counts), draws=50)["fleiss"].value == pytest.approx(kappa, abs=1e-6)


@pytest.mark.data
def test_cohens_kappa_of_the_textbook_confusion(cases):
    kappa = cohen(cases["cohen_2x2"]["data"])
    assert (kappa.value, kappa.n) == (pytest.approx(0.4), 50)
    assert kappa.low < 0.4 < kappa.high


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("level", LEVELS)
def test_random_gappy_tables_agree_with_the_krippendorff_package(seed, level):
    ratings = gappy(seed, values=3 + seed)
    values, counts = counted(ratings)
    theirs = krippendorff.alpha(reliability_data=ratings.T, level_of_measurement=level)
    assert summary(histogram(counts), level, values, draws=2)["alpha"].value == pytest.approx(theirs, abs=1e-12)


def test_values_far_from_each_other_and_from_zero_keep_their_digits():
    ratings = np.where(np.isnan(gappy(1)), np.nan, 1e6 + 0.1 * gappy(1) ** 3)
    values, counts = counted(ratings)
    theirs = krippendorff.alpha(reliability_data=ratings.T, level_of_measurement="interval")
    assert agreement.krippendorff_alpha(counts, values, "interval") == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_the_interval_is_that_of_redrawn_rows(level):
    values, counts = counted(gappy(7, units=300))
    counts = counts[counts.sum(1) > 1]
    rows = bootstrap(lambda table: agreement.krippendorff_alpha(table, values, level), counts, draws=1500)
    ours = summary(histogram(counts), level, values, draws=4000)["alpha"]
    assert ours.value == pytest.approx(rows.value, abs=1e-12)
    width = rows.high - rows.low  # a percentile of 1,500 draws has a standard error of .1 of the width / 4
    assert (ours.low, ours.high) == (pytest.approx(rows.low, abs=width / 10), pytest.approx(rows.high, abs=width / 10))


def test_fleiss_and_percent_have_the_intervals_of_redrawn_rows():
    counts = np.random.default_rng(2).multinomial(3, [0.6, 0.3, 0.1], 200)
    ours = summary(histogram(counts), draws=4000)
    fleiss = bootstrap(agreement.fleiss_kappa, counts, draws=1500)
    percent = bootstrap(lambda table: agreement.percent_agreement(table).value, counts, draws=1500)
    for theirs, mine in ((fleiss, ours["fleiss"]), (percent, ours["percent"])):
        width = theirs.high - theirs.low
        assert mine.value == pytest.approx(theirs.value)
        assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=width / 10)


def test_units_rated_once_leave_alpha_alone_and_fleiss_undefined():
    alone = {(2, 0, 1): 20, (0, 3, 0): 30, (1, 1, 1): 9}
    plain, more = summary(alone), summary(alone | {(1, 0, 0): 400, (0, 0, 0): 3})
    assert plain["fleiss"].value is not None
    assert (more["alpha"], more["percent"]) == (plain["alpha"], plain["percent"])
    assert more["fleiss"].value is None


def test_everybody_agreeing_on_three_units_proves_little():
    found = summary({(3, 0): 2, (0, 3): 1})
    assert (found["alpha"].value, found["alpha"].low) == (1.0, None)
    assert "no interval" in found["alpha"].why
    assert found["percent"] == agreement.wilson(3, 3)


@pytest.mark.parametrize(
    ("counted", "why"),
    [({}, "no unit was rated twice"), ({(1, 0): 5}, "no unit was rated twice"), ({(3, 0): 5}, "the same answer")],
)
@pytest.mark.parametrize("level", LEVELS)
def test_an_undefined_alpha_says_why(counted, why, level):
    found = summary(counted, level, [0.1, 0.7])
    assert found["alpha"].value is None
    assert why in found["alpha"].why


@pytest.mark.parametrize("counted", [{(1, 1): -1}, {(2, -1): 1}, {(1, 1): 1, (1, 1, 1): 1}])
def test_a_histogram_that_cannot_be_is_refused(counted):
    with pytest.raises(ValueError, match="histogram"):
        summary(counted)


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="ratio"):
        summary({(1, 1): 3}, "ratio")


def test_patterns_by_value_get_their_columns_in_order():
    values, found = aligned([({5: 2, 1: 1}, 4), ({1: 3}, 2), ({3: 3}, 1), ({1: 1, 5: 2}, 6)])
    assert values == [1, 3, 5]
    assert found == {(1, 0, 2): 10, (3, 0, 0): 2, (0, 3, 0): 1}


def test_blocks_of_draws_are_all_of_them(monkeypatch):
    counts = np.random.default_rng(3).multinomial(3, [0.6, 0.3, 0.1], 90)
    whole = summary(histogram(counts), draws=333)
    monkeypatch.setattr(agreement.patterns, "CELLS", 50)
    assert summary(histogram(counts), draws=333) == whole


@pytest.mark.data
def test_pandalms_published_kappas_from_confusion_matrices(human_data):
    rows = [json.loads(line) for line in (human_data / "pandalm_testset_v1.jsonl").read_text().splitlines()]
    for pair, published in {(1, 2): 0.85, (1, 3): 0.88, (2, 3): 0.86}.items():
        values, cells = confusion(*([row[f"annotator{i}"] for row in rows] for i in pair))
        kappa = cohen(cells)
        assert values == [0, 1, 2]
        assert kappa.value == pytest.approx(published, abs=0.005)
        assert 0 < kappa.value - kappa.low < 0.04
        assert 0 < kappa.high - kappa.value < 0.04


def test_cohens_interval_is_fleiss_cohen_and_everitts():
    cells = np.array([[200, 50], [100, 150]])
    p = cells / 500
    rows, columns = p.sum(1), p.sum(0)
    observed, chance = np.trace(p), rows @ columns
    theta = sum(p[i, j] * (rows[j] + columns[i]) ** 2 for i in range(2) for j in range(2))
    own = sum(p[i, i] * (1 - (rows[i] + columns[i]) * 0.6) ** 2 for i in range(2))
    others = 0.36 * (theta - sum(p[i, i] * (rows[i] + columns[i]) ** 2 for i in range(2)))
    assert observed == pytest.approx(0.7)
    assert chance == pytest.approx(0.5)
    error = np.sqrt((own + others - (0.4 - chance * 0.6) ** 2) / 500) / (1 - chance)
    kappa = cohen(cells, draws=4000)
    assert (kappa.high - kappa.low) / 3.92 == pytest.approx(error, rel=0.06)


@pytest.mark.parametrize(
    ("cells", "why"), [([[0, 0], [0, 0]], "no unit was rated by both"), ([[5, 0], [0, 0]], "the same answer")]
)
def test_an_undefined_kappa_says_why(cells, why):
    assert why in cohen(cells).why
    assert cohen(cells).value is None


def test_a_confusion_matrix_is_square():
    with pytest.raises(ValueError, match="square"):
        cohen([[1, 2, 3], [4, 5, 6]])


# ---- Tasks that give several units


def doubled(counts):
    """Each unit twice: what a task says of its second response is what it says of the first."""
    return histogram(np.vstack([counts, counts])), Tasks([{tuple(map(int, row)): 2} for row in counts])


def test_saying_everything_twice_makes_nothing_surer():
    counts = np.random.default_rng(4).multinomial(3, [0.6, 0.3, 0.1], 150)
    once, (twice, tasks) = summary(histogram(counts), draws=4000), doubled(counts)
    together, apart = summary(twice, draws=4000, tasks=tasks), summary(twice, draws=4000)
    for name in ("percent", "fleiss"):
        width = once[name].high - once[name].low
        assert together[name].value == pytest.approx(once[name].value)
        bounds = together[name].low, together[name].high
        assert bounds == pytest.approx((once[name].low, once[name].high), abs=width / 15)
        assert apart[name].high - apart[name].low == pytest.approx(width / 2**0.5, rel=0.1)  # too narrow
    assert together["percent"].n == 300


def test_the_interval_of_a_share_is_that_of_its_tasks():
    counts = np.array([[2, 0]] * 120 + [[1, 1]] * 80)
    found = summary(doubled(counts)[0], tasks=doubled(counts)[1], draws=4000)["percent"]
    error = (0.6 * 0.4 / 200) ** 0.5  # of 200 tasks, not of 400 units
    assert (found.high - found.low) / 3.92 == pytest.approx(error, rel=0.05)


def test_it_is_the_interval_of_redrawn_tasks():
    rng = np.random.default_rng(9)
    levels = rng.integers(1, 6, (120, 1, 1)) + rng.integers(-1, 2, (120, 3, 4))  # tasks, units, raters
    values, counts = tally(np.clip(levels, 1, 5).reshape(360, 4).tolist())
    tasks = Tasks([histogram(of_task) for of_task in counts.reshape(120, 3, -1)])
    rows = bootstrap(
        lambda table: agreement.krippendorff_alpha(table, values, "interval"),
        counts, groups=np.repeat(np.arange(120), 3), draws=1500,
    )  # fmt: skip
    ours = summary(histogram(counts), "interval", values, draws=4000, tasks=tasks)["alpha"]
    assert ours.value == pytest.approx(rows.value)
    assert (ours.low, ours.high) == pytest.approx((rows.low, rows.high), abs=(rows.high - rows.low) / 10)


def test_some_of_the_tasks_tell_how_sure_all_are():
    counts = np.random.default_rng(6).multinomial(3, [0.6, 0.3, 0.1], 2000)
    every, tasks = doubled(counts)
    whole = summary(every, tasks=tasks)["alpha"]
    some = summary(every, tasks=Tasks(tasks.held[:500], share=0.25))["alpha"]
    assert some.value == whole.value
    assert some.high - some.low == pytest.approx(whole.high - whole.low, rel=0.15)


def test_three_tasks_that_agree_prove_no_more_by_saying_it_twice():
    found = summary({(3, 0): 4, (0, 3): 2}, tasks=Tasks([{(3, 0): 2}, {(3, 0): 2}, {(0, 3): 2}]))
    assert (found["percent"].low, found["percent"].high) == (agreement.wilson(3, 3).low, 1.0)


def test_a_task_that_gives_one_unit_is_a_unit():
    counts = np.random.default_rng(8).multinomial(3, [0.5, 0.5], 90)
    alone = Tasks([{tuple(map(int, row)): 1} for row in counts[:10]], share=1 / 9)
    assert summary(histogram(counts), tasks=alone) == summary(histogram(counts))


def test_cohens_kappa_of_tasks_that_say_everything_twice():
    cells = np.array([[20, 5], [10, 15]])
    tasks = Tasks([{cell: 2} for cell in np.ndindex(2, 2) for _ in range(cells[cell])])
    once, twice = cohen(cells, draws=4000), cohen(2 * cells, draws=4000, tasks=tasks)
    assert twice.value == pytest.approx(once.value)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=(once.high - once.low) / 15)
    assert twice.n == 100
