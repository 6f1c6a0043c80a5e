"""The model beside people on length: from rows, kept, and made again when the rows change."""

import json

import numpy as np
import pytest

from annotate.agreement import Interval
from inspector import gain
from inspector.figures import length_figure
from inspector.length import DRAWN, Look, report
from tests.inspector.making import judge, make_item, make_version, score
from worker.models import Score, Summary

pytestmark = pytest.mark.django_db


@pytest.fixture
def forty(project, version):
    """Each prompt has a long answer of reward 1 and a short one of 0; people prefer either as often."""
    rng, made = np.random.default_rng(0), []
    for number in range(40):
        long, short = "word " * int(rng.integers(20, 60)), "word " * int(rng.integers(3, 15))
        item = make_item(project, f"question {number}", long + str(number), short + str(number))
        a, b = item.responses.all()
        score(version, {a: 1.0 + rng.normal(0, 0.1), b: 0.0})
        judge(item, [[a], [b]] if number % 2 else [[b], [a]], rater_name="Bob" if number % 4 < 2 else "Charlie")
        made.append((a, b))
    return made


def test_the_model_stands_beside_people_on_the_same_pairs(version, forty):
    found = report(Look(version))
    model, people = found["sides"]
    assert (model["longer"].value, people["longer"].value) == (1.0, pytest.approx(0.5))
    assert model["correlations"][2].value > 0.8
    assert people["correlations"][2].low < 0 < people["correlations"][2].high
    assert "longer response in 100 %" in found["sentence"]
    assert "more than people do" in found["sentence"]
    assert "at equal gold" in found["effects"]  # the answers came with one


def test_each_rater_stands_beside_the_model(version, forty):
    bob, charlie = sorted(report(Look(version))["raters"], key=lambda row: row["name"])
    assert (bob["name"], bob["longer"].n, bob["longer"].value) == ("Bob", 20, 0.5)
    assert (charlie["model_longer"].value, charlie["accuracy"].value) == (1.0, 0.5)


def test_calibration_takes_the_curve_out(version, forty):
    raw, calibrated = (report(Look(version, score)) for score in ("raw", "calibrated"))
    assert raw["sides"][0]["correlations"][0].value > 0.8
    assert abs(calibrated["sides"][0]["correlations"][0].value) < 0.15
    assert calibrated["sides"][0]["longer"].value < 0.8
    assert calibrated["sides"][1]["longer"] == raw["sides"][1]["longer"]


def test_the_length_head_of_odin_is_added_and_left_out_again(version, forty):
    """The score is right by lot; the second head alone has what goes with length."""
    version.scores.all().delete()
    assert "both" not in Look(version).scores
    score(version, {response: float((n + k) % 2) for n, pair in enumerate(forty) for k, response in enumerate(pair)})
    score(version, {r: float(len(r.text.split())) for pair in forty for r in pair}, head="length")
    assert Look(version).scores["both"] == "with its length head"
    debiased, both = (report(Look(version, score))["sides"][0] for score in ("raw", "both"))
    assert (debiased["longer"].value, both["longer"].value) == (0.5, 1.0)
    assert abs(debiased["correlations"][0].value) < 0.2
    assert both["correlations"][0].value > 0.99
    assert both["effect"].value == pytest.approx(20, rel=0.1)  # tokens are words here


def test_a_transformed_score_is_not_added_to_a_head(version, forty):
    score(version, {a: 1.0 for a, _ in forty}, head="length")
    version.transforms = [{"name": "standardise"}]
    assert "both" not in Look(version).scores


def test_what_is_kept_is_what_was_made_and_new_rows_make_it_anew(version, forty, django_assert_max_num_queries):
    first = report(Look(version))
    with django_assert_max_num_queries(3):
        assert report(Look(version)) == first
    judge(forty[0][0].item, [[forty[0][0]], [forty[0][1]]], rater_name="Dana")
    assert len(report(Look(version))["raters"]) == 3
    assert Summary.objects.count() == 1


def test_accuracies_are_of_held_out_prompts_alone(version, oder, other):
    for item, split in ((oder, "test"), (other, "train")):
        first, second = item.responses.all()[:2]
        score(version, {first: 1.0, second: 2.0})
        judge(item, [[second], [first]])
        item.split = split
        item.save()
    rows = report(Look(version))["accuracies"]
    assert (rows[0]["accuracy"].value, rows[0]["accuracy"].n) == (1.0, 1)
    assert [row["accuracy"].value for row in rows[1:3]] == [1.0, None]


def test_without_judgements_the_sentence_says_what_is_missing(version, oder):
    score(version, dict.fromkeys(oder.responses.all(), 1.0))
    found = report(Look(version))
    assert "no pair was decided" in found["sentence"]
    assert found["sides"][0]["correlations"][0].why
    assert found["raters"] == []


def test_machines_and_responses_without_a_score_are_left_out(version, oder, other):
    a, b = oder.responses.all()
    score(version, {a: 1.0, b: 0.0})
    judge(oder, [[a], [b]], source="machine")
    judge(other, [[other.responses.first()], [other.responses.last()]])
    assert report(Look(version))["sides"][1]["longer"].n == 0


def test_votes_on_one_pair_are_weighed_and_made_one(version, oder):
    a, b = oder.responses.all()
    score(version, {a: 0.0, b: 1.0})
    for ranking, weight in (([[a], [b]], 1.0), ([[b], [a]], 0.4), ([[b], [a]], 0.4)):
        judge(oder, ranking, weight=weight)
    people = report(Look(version))["sides"][1]
    assert (people["longer"].n, people["longer"].value) == (1, 0.0)  # a, the shorter, by 1 to .8


def test_the_gain_of_choosing_and_its_length(version, forty):
    told = gain.report(Look(version), "every", "v1")
    assert told["gain"]["total"].value == pytest.approx(0.5, abs=0.05)
    assert told["gain"]["tokens"][0] < told["gain"]["tokens"][1]
    assert "% of the gain comes with length" in told["sentence"]


def test_sides_are_versions_people_and_sources(project, version, forty):
    other = make_version(project, 2)
    score(other, {b: 1.0 for _, b in forty} | {a: 0.0 for a, _ in forty})
    look = Look(version)
    assert list(gain.sides(version, report(look)["sources"])) == [
        "every", "people", "v1", "v2", "from source-0", "from source-1",
    ]  # fmt: skip
    assert gain.report(look, "v2", "v1")["gain"]["total"].value == pytest.approx(1, abs=0.05)
    written = gain.report(look, "from source-1", "from source-0")
    assert written["gain"]["total"] == gain.report(look, "v2", "v1")["gain"]["total"]
    assert gain.report(look, "people", "v1")["gain"]["total"].value == pytest.approx(0.5, abs=0.05)


def test_another_versions_new_scores_make_the_gain_anew(project, version, forty):
    other = make_version(project, 2)
    score(other, {a: 1.0 for a, _ in forty} | {b: 0.0 for _, b in forty})
    assert gain.report(Look(version), "v2", "v1")["gain"]["total"].value == pytest.approx(0)
    Score.objects.filter(version=other).delete()
    score(other, {b: 1.0 for _, b in forty})
    assert gain.report(Look(version), "v2", "v1")["gain"]["total"].value > 0.9


def test_a_side_without_answers_is_no_gain(version, oder):
    score(version, dict.fromkeys(oder.responses.all(), 1.0))
    assert gain.report(Look(version), "people", "v1")["gain"] is None


def test_the_figure_has_a_point_per_response_and_its_payload_is_small(version, forty):
    figure = report(Look(version))["figure"]
    assert len(figure["data"][0]["y"]) == 80
    json.dumps(figure, allow_nan=False)
    many = {"tokens": [1234] * DRAWN, "rewards": [-12.3456] * DRAWN, "items": [1234567] * DRAWN}
    assert len(json.dumps(length_figure(many, None))) < 150_000


def test_the_figure_of_the_gain_has_a_point_per_bucket(version, forty):
    old, new = gain.report(Look(version), "every", "v1")["figure"]["data"]
    assert sum(old["customdata"]) == 80
    assert sum(new["customdata"]) == 40


def test_intervals_come_back_as_intervals(version, forty):
    report(Look(version))
    assert isinstance(report(Look(version))["sides"][0]["effect"], Interval)
