import json

import numpy as np
import pytest

from inspector import rows
from inspector.figures import drift_figure, evenly, length_figure, plain
from inspector.reports import drift_report, drift_rows, length_report
from tests.inspector.making import judge, make_item, make_pool, make_version, score

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


def test_length_holds_the_model_beside_people_on_the_same_pairs(project, version):
    rng = np.random.default_rng(0)
    for number in range(40):
        long, short = "word " * int(rng.integers(20, 60)), "word " * int(rng.integers(3, 15))
        item = make_item(project, f"question {number}", long + str(number), short + str(number))
        a, b = item.responses.all()
        score(version, {a: 1.0 + rng.normal(0, 0.1), b: 0.0})
        judge(item, [[a], [b]] if number % 2 else [[b], [a]])
    report = length_report(version)
    assert report.model.longer.share.value == 1.0
    assert report.people.longer.share.value == pytest.approx(0.5)
    assert report.model.correlations.within.value > 0.8
    assert report.people.correlations.within.low < 0 < report.people.correlations.within.high
    assert "longer response in 100 %" in report.sentence
    assert "more than people do" in report.sentence


def test_accuracies_are_of_held_out_prompts_alone(project, version, oder, other):
    for item, split in ((oder, "test"), (other, "train")):
        first, second = item.responses.all()[:2]
        score(version, {first: 1.0, second: 2.0})
        judge(item, [[second], [first]])
        item.split = split
        item.save()
    report = length_report(version)
    assert (report.accuracy.value, report.accuracy.n) == (1.0, 1)
    assert (report.split.longer_chosen.value, report.split.shorter_chosen.value) == (1.0, None)


def test_without_judgements_the_sentence_says_what_is_missing(version, oder):
    score(version, dict.fromkeys(oder.responses.all(), 1.0))
    report = length_report(version)
    assert "no pair was decided" in report.sentence
    assert report.model.correlations.pearson.why


def test_without_scores_there_is_no_length_report(version, oder):
    assert length_report(version) is None


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


def test_the_figure_of_length_has_a_point_per_response(project, version, oder):
    score(version, {r: float(n) for n, r in enumerate(oder.responses.all())})
    figure = length_figure(length_report(version))
    points = figure["data"][0]
    assert (points["y"], points["customdata"]) == ([0.0, 1.0], [oder.pk, oder.pk])
    json.dumps(figure, allow_nan=False)


def test_many_points_are_thinned_evenly():
    assert evenly(3, 10) == [0, 1, 2]
    assert evenly(1001, 11) == list(range(0, 1001, 100))


def test_plain_values_hold_no_array_and_no_nan():
    mixed = {"a": np.array([1.0, np.nan]), "b": (np.float32(2.0), np.int64(3)), "c": float("inf"), "d": "x"}
    assert plain(mixed) == {"a": [1.0, None], "b": [2.0, 3], "c": None, "d": "x"}
