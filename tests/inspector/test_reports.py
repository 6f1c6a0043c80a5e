import json

import numpy as np
import pytest

from inspector import rows
from inspector.figures import drift_figure, plain
from inspector.reports import drift_report, drift_rows
from tests.inspector.making import judge, make_pool, make_version, score

pytestmark = pytest.mark.django_db


def test_a_pair_is_the_weighted_mean_of_the_current_judgements_of_people(project, oder):
    a, b = oder.responses.all()
    judge(oder, [[a], [b]])
    judge(oder, [[b], [a]], weight=0.5)
    judge(oder, [[b], [a]], superseded=True)
    judge(oder, [[b], [a]], source="machine")
    judge(oder, [[a, b]], outcome="tie")
    (pair,) = rows.judged_pairs(project)
    assert (pair.first, pair.second, pair.judgements) == (a.pk, b.pk, 3)
    assert pair.p == pytest.approx((1 + 0.5 * 0 + 0.5) / 2.5)
    assert pair.chosen == a.pk


def test_scores_of_another_version_are_not_read(project, version, oder):
    score(make_version(project, 2), dict.fromkeys(oder.responses.all(), 1.0))
    assert rows.scores(version) == {}


def extremal(prompts=40):
    rng = np.random.default_rng(1)
    drawn = rng.normal(size=(prompts, 64, 3))
    return {
        f"p{i}": [(float(q + 2 * z), float(q - 2 * max(z - 0.5, 0) ** 2)) for q, z, _ in one]
        for i, one in enumerate(drawn)
    }


def regressional(prompts=40):
    drawn = np.random.default_rng(2).normal(size=(prompts, 64, 2))
    return {f"p{i}": [(float(q + z), float(q)) for q, z in one] for i, one in enumerate(drawn)}


def test_a_turn_is_told_with_what_it_costs(project, version):
    report = drift_report(version, make_pool(project, version, extremal()))
    assert report.sentence.startswith("Gold turns over")
    assert report.drift.fall.high < 0


def test_regressional_goodhart_is_not_told_as_a_turn(project, version):
    report = drift_report(version, make_pool(project, version, regressional()))
    assert not report.sentence.startswith("Gold turns over")
    assert "peak d*" not in json.dumps(drift_figure(report.drift, "d"))


def test_an_unscored_pool_and_a_flat_model_say_why(project, version):
    unscored = drift_report(make_version(project, 2), make_pool(project, version, {"p": [(1.0, 1.0)]}))
    assert not unscored.scored
    flat = drift_report(version, make_pool(project, version, {"p": [(1.0, 1.0), (1.0, 2.0)]}))
    assert flat.scored
    assert "same score" in flat.why


def test_the_figure_of_drift_is_plain_json_in_both_axes(project, version):
    found = drift_report(version, make_pool(project, version, extremal())).drift
    by_d, by_kl = (drift_figure(found, axis) for axis in ("d", "kl"))
    json.dumps(by_d, allow_nan=False)
    gold_d, gold_kl = (next(t for t in f["data"] if t.get("name") == "gold") for f in (by_d, by_kl))
    assert gold_kl["x"] == pytest.approx([x * x for x in gold_d["x"]])
    assert gold_d["y"] == gold_kl["y"] == list(found.gold.mean)
    assert len(by_d["layout"].get("shapes", [])) == 1
    assert by_d["layout"]["template"] == {}


def test_the_table_of_drift_has_a_row_per_n(project, version):
    found = drift_report(version, make_pool(project, version, extremal())).drift
    table = drift_rows(found)
    assert [point.n for point in table] == [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
    assert table[0].gold.value == 0.0


def test_plain_values_hold_no_array_and_no_nan():
    mixed = {"a": np.array([1.0, np.nan]), "b": (np.float32(2.0), np.int64(3)), "c": float("inf"), "d": "x"}
    assert plain(mixed) == {"a": [1.0, None], "b": [2.0, 3], "c": None, "d": "x"}
