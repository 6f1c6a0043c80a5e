"""Columns of a pool and rollouts → curves and the words that say them; the real stories with human gold."""

import io
import json

import numpy as np
import pytest

from inspector.drift import page as drift
from inspector.drift import pools
from inspector.drift.figures import NAMES, drift_figure, residuals_figure, side_figure
from inspector.drift.words import left_over
from tests.inspector.making import make_pool, make_version
from worker.models import Pool
from worker.services.columns import keep_columns
from worker.services.policy_run import import_run
from worker.services.pool import import_table

pytestmark = pytest.mark.django_db
CRITERIA = ["Relevance", "Coherence", "Empathy", "Surprise", "Engagement", "Complexity"]
OWN, GOLD = "head:preference", "metric:gold"


PROMPTS = 200


def columns_pool(project, version, **columns):
    """A pool of 64 candidates a prompt, with an extremal gold and these columns of the version."""
    pool = Pool.objects.create(project=project, name=f"columns {project.pools.count()}", sizes=[64] * PROMPTS)
    quality, trick = np.random.default_rng(1).normal(size=(2, pool.size))
    proxy = quality + trick
    keep_columns(pool=pool, columns={"gold": quality - 2 * np.maximum(trick - 1, 0) ** 2, "length": -proxy})
    keep_columns(pool=pool, version=version, columns={"preference": proxy, **columns})
    return pool


@pytest.fixture
def pool(project, version):
    return columns_pool(project, version)


def test_a_turn_is_told_with_its_place_its_interval_and_what_it_costs(version, pool):
    report = drift.of_pool(pool, version, OWN, GOLD)
    assert report.sentence.startswith("Gold turns over: it is highest at best of ")
    assert "95 %: best of " in report.sentence
    assert "and then loses" in report.sentence
    assert "over 200 prompts" in report.sentence
    assert report.alarm.startswith("Alarm from best of ")
    assert "surely below 90 % of what noise in the proxy alone would leave" in report.alarm
    assert "(extremal)" in report.kind


def test_regressional_goodhart_is_not_told_as_a_turn(project, version):
    drawn = np.random.default_rng(2).normal(size=(40, 64, 2))
    given = {f"p{i}": [(float(q + z), float(q)) for q, z in one] for i, one in enumerate(drawn)}
    report = drift.of_pool(make_pool(project, version, given), version, OWN, GOLD)
    assert report.sentence.startswith("No peak within the range")
    assert report.alarm.startswith("No alarm")
    assert "(regressional)" in report.kind
    assert '"peak"' not in json.dumps(drift_figure(report.drift, "d", report.unit))


def test_a_flat_model_says_why(project, version):
    flat = make_pool(project, version, {"p": [(1.0, 1.0), (1.0, 2.0)]})
    assert "same score" in drift.of_pool(flat, version, OWN, GOLD).why


def test_a_proxy_that_knows_nothing_is_not_said_to_help(project, version):
    drawn = np.random.default_rng(3).normal(size=(40, 16, 2))
    pool = make_pool(project, version, {f"p{i}": [(float(a), float(b)) for a, b in one] for i, one in enumerate(drawn)})
    assert "not sure that the proxy says anything" in drift.of_pool(pool, version, OWN, GOLD).kind


def test_few_prompts_are_said_to_be_few(project, version):
    pool = make_pool(project, version, {"p": [(1.0, 1.0), (2.0, 2.0), (3.0, 0.0)]})
    assert "1 prompt is too few" in drift.of_pool(pool, version, OWN, GOLD).sentence


def test_any_column_can_be_proxy_and_another_version_gold(project, version, pool):
    second = make_version(project, 2)
    keep_columns(pool=pool, version=second, columns={"preference": np.arange(pool.size, dtype=float)})
    assert pools.proxies(pool, version) == {OWN: "version 1: preference", "metric:length": "length"}
    known = pools.golds(pool, version)
    assert list(known) == [GOLD, "metric:length", "version:2"]
    assert drift.of_pool(pool, version, "metric:length", GOLD).drift.kind == "reversed"
    stronger = drift.of_pool(pool, version, OWN, "version:2")
    assert stronger.drift.gold.raw[0] == pytest.approx((pool.size - 1) / 2)


def ensemble():
    rng = np.random.default_rng(0)
    members = {f"member:{n}": rng.normal(size=PROMPTS * 64) for n in range(3)}
    return members | {"disagreement": np.stack(list(members.values())).std(0)}


def test_each_rule_is_worked_out_from_the_stored_members(project, version):
    members = ensemble()
    pool, table = columns_pool(project, version, **members), np.stack(list(members.values())[:3])
    version.recipe = {"extras": {"uwo_weight": 0.25}}
    assert pools.values(pool, version, "rule:wco") == pytest.approx(table.min(0))
    assert pools.values(pool, version, "rule:uwo") == pytest.approx(table.mean(0) - 0.25 * table.var(0))
    rows = drift.side_by_side(pool, version, GOLD)
    assert [row.name for row in rows] == ["version 1: " + name for name in (
        "preference", "mean of the members", "worst member (WCO)", "mean − λ·variance (UWO)")]  # fmt: skip
    assert rows[0].drift.turned
    assert len(side_figure([(row.name, row.drift) for row in rows])["data"]) == 4


def test_the_members_variance_shares_the_axis(project, version):
    report = drift.of_pool(columns_pool(project, version, **ensemble()), version, "rule:mean", GOLD)
    drawn = drift_figure(report.drift, "kl", report.unit)
    low = [trace for trace in drawn["data"] if trace.get("yaxis") == "y2"]
    assert [trace["x"] for trace in low] == [list(report.drift.kl)] * 3
    assert drift.points(report)[0].variance.value == pytest.approx(2 / 3, abs=0.1)


def test_candidates_without_a_score_are_left_out():
    gold, proxy = np.arange(5.0), np.array([1.0, np.nan, 2.0, np.nan, np.nan])
    found = pools.whole(np.array([3, 2]), proxy, gold, proxy)
    assert (found.sizes.tolist(), found.gold.tolist()) == ([2], [0, 2])
    assert found.variance.tolist() == [1, 2]


def test_scores_are_held_against_the_last_version_that_scored_the_pool(project, version, pool):
    third = make_version(project, 3)
    assert drift.moved(pool, version) == (None, [])
    own = pools.values(pool, version, OWN)
    keep_columns(pool=pool, version=third, columns={"preference": 2 * own + 1, "attribute:x": own})
    before, found = drift.moved(pool, third)
    assert (before, [one.head for one in found]) == (version, ["preference"])
    assert found[0].spread == pytest.approx(2)
    assert found[0].corrected == 0.001


def test_the_charts_below_are_told_in_words(project, version):
    pool = columns_pool(project, version, **ensemble())
    rows = drift.side_by_side(pool, version, GOLD)
    most = max(rows, key=lambda row: row.ends[1].value)
    assert drift.beside(rows).startswith(f"At the largest n gold gains most by {most.name}: ")
    turned = [row.name for row in rows if row.drift.turned]
    assert drift.beside(rows).endswith(f"Turned: {', '.join(turned)}.")
    first = drift.of_pool(pool, version, OWN, GOLD).drift.fits
    told, near = left_over(first), min(first, key=lambda fit: fit.rmse)
    assert all(f"by {fit.rmse:.4f} sd" in told for fit in first)
    assert told.endswith(f"{NAMES[near.form]} lies nearer.")


def test_the_figure_is_plain_json_over_each_axis(version, pool):
    report = drift.of_pool(pool, version, OWN, GOLD)
    by_d, by_kl = (drift_figure(report.drift, axis, report.unit) for axis in ("d", "kl"))
    json.dumps(by_d, allow_nan=False)
    gold_d, gold_kl = (next(t for t in f["data"] if t.get("name") == "gold") for f in (by_d, by_kl))
    assert gold_kl["x"] == pytest.approx([x * x for x in gold_d["x"]])
    assert gold_d["y"] == gold_kl["y"] == list(report.drift.gold.mean)
    assert [one["type"] for one in by_d["layout"]["shapes"]] == ["line", "rect", "line"]  # alarm, past the peak, peak
    assert {"fit d(α − βd)", "fit d(α − β ln d)", "gold by noise alone"} < {t.get("name") for t in by_d["data"]}
    assert residuals_figure(report.drift, "d")["data"][0]["y"] == list(report.drift.fits[0].residuals)
    assert len(json.dumps(by_d)) < 300_000


def test_the_table_has_a_row_per_n(version, pool):
    table = drift.points(drift.of_pool(pool, version, OWN, GOLD))
    assert [point.point for point in table] == [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
    assert table[0].gold.value == 0.0


def rollouts(steps=9, prompts=30):
    rng = np.random.default_rng(0)
    own = rng.normal(size=prompts)
    d = np.linspace(0, 4, steps)
    lines = ["step,kl,reward,gold,length,prompt"]
    for step, x in enumerate(d):
        lines += [
            f"{step * 50},{x * x},{x + own[p]},{x * (1 - x / 4) + own[p]},{100 + step},{p}" for p in range(prompts)
        ]
    return io.BytesIO("\n".join(lines).encode())


def test_a_policys_training_is_read_over_steps_with_its_length(project):
    report = drift.of_run(import_run(project=project, name="ppo", file=rollouts()))
    assert report.sentence.startswith("Gold turns over: it is highest at step 200")
    assert "before it turns at step 200" in report.alarm
    assert [point.length for point in drift.points(report)] == [100 + n for n in range(9)]
    assert drift_figure(report.drift, "step", report.unit)["data"][2]["x"] == [n * 50 for n in range(9)]


@pytest.mark.data
def test_stories_with_human_gold_turn_over_by_supert(project, human_data):
    expected = json.loads((human_data / "expected_values.json").read_text())["hanna_ratings_metrics.jsonl"]
    with (human_data / "hanna_ratings_metrics.jsonl").open("rb") as file:
        about = {"prompt": "_prompt_id", "gold": CRITERIA, "without": ("Model", "Human")}
        pool = import_table(project=project, name="stories", file=file, **about)
    exact = expected["best_of_n_gold"]["table"]["SUPERT-PS ¤ε"]["n=1,2,3,4,6,8,10"]
    report = drift.of_pool(pool, None, "metric:SUPERT-PS ¤ε", GOLD)
    assert [point.point for point in drift.points(report)] == [1, 2, 3, 4, 6, 8, 10]
    assert report.drift.gold.raw == pytest.approx(exact, abs=1e-6)
    where = "highest at best of 3 (KL 0.43; 95 %: best of 2 to 4), at 2.478, and then loses 0.21 sd ("
    assert report.sentence.startswith(f"Gold turns over: it is {where}")
    assert report.drift.fall.high < 0
    assert "turns at best of 3 already" in report.alarm
