"""How sure a version is, from rows: a planted temperature is found, and everything is said beside its baseline."""

import json

import numpy as np
import pytest

from inspector.calibration.page import report, rounding
from inspector.calibration.words import calibrated
from tests.inspector.held_out import drawn, give, make_pairs, say
from worker.models import Version
from worker.services.noise import NOISE
from worker.services.summary import keep

pytestmark = pytest.mark.django_db
TAU = 2.0


@pytest.fixture
def pairs(project):
    return make_pairs(project, 400)


@pytest.fixture
def margins():
    return np.random.default_rng(1).normal(0, 2 * TAU, 400)


@pytest.fixture
def world(project, version, pairs, margins):
    """Verdicts follow σ(Δ / 2), two raters on the first 200 pairs; the version says σ(Δ)."""
    give(version, pairs, margins)
    say(project, pairs, drawn(margins, TAU))
    said = drawn(margins[:200], TAU, seed=1)
    said[::20] = 0.5
    say(project, pairs[:200], said, "Charlie")
    return version


def test_the_planted_temperature_is_found_and_the_version_is_too_sure(world):
    found = report(world)
    assert found["fitted"].low < TAU < found["fitted"].high
    assert (found["verdicts"], found["tied"], found["prompts"]) == (600, 10, 400)
    assert found["ece"].value > found["floor"]["p95"]
    assert "too sure" in found["sentence"]
    assert "sure too often" in found["temperature_words"]


def test_through_the_fitted_temperature_it_is_calibrated(world):
    stored, fitted, none = (report(world, t) for t in ("stored", "fitted", "1"))
    assert fitted["temperature"] == pytest.approx(fitted["fitted"].value)
    assert fitted["ece"].value < fitted["floor"]["p95"]
    assert "No sign" in fitted["sentence"]
    assert fitted["nll"].value < stored["nll"].value == none["nll"].value
    assert fitted["selective"] == stored["selective"]  # the order does not change


def test_loss_lies_between_what_people_leave_and_a_coin(world):
    found = report(world, "fitted")
    assert found["agreement"].n == 190
    assert found["agreed"].low < found["nll"].value < found["coin"]
    assert "Raters agree in" in found["loss_words"]


def test_its_confidence_is_worth_something_and_the_longer_response_is_nothing(world):
    found = report(world)["selective"]
    assert found["area"].high < found["chance"]
    assert found["best"] < found["area"].low
    assert found["longer_area"].low < 0.5 < found["longer_area"].high
    assert found["rows"][0]["model"].value > found["rows"][-1]["model"].value == found["accuracy"].value
    assert "worth something" in found["sentence"]


def test_prompts_that_were_trained_on_are_left_out(project, version):
    pairs = make_pairs(project, 30, split="train")
    give(version, pairs, np.ones(30))
    say(project, pairs, np.ones(30))
    found = report(version)
    assert found["verdicts"] == 0
    assert "Nobody has judged a held-out pair" in found["sentence"]


def test_members_that_differ_where_they_err(project, version, pairs, margins):
    Version.objects.update(heads=["preference", "member:0", "member:1", "disagreement"])
    version.refresh_from_db()
    said = np.where(np.arange(400) % 4 == 0, 1 - (margins > 0), margins > 0)  # each fourth is wrong
    apart = np.where(np.arange(400) % 4 == 0, 5.0, 0.5) + np.random.default_rng(0).random(400)
    give(version, pairs, margins)
    for head, values in (("member:0", margins + apart), ("member:1", margins - apart)):
        give(version, pairs, values, head)
    say(project, pairs, said)
    found = report(version)["members"]
    assert [part["wrong"].value for part in found["parts"]][::4] == [0.0, 1.0]
    own, _, margin = (one["area"] for one in found["areas"])
    assert own.value == 1.0
    assert margin.low < 0.5 < margin.high
    assert "2 members differ most, the ensemble errs in 100.0 %" in found["sentence"]


def test_members_are_not_spoken_of_before_they_are_scored(world):
    world.heads = ["preference", "member:0", "member:1"]
    assert report(world)["members"] is None


def test_ties_are_counted(project, version, pairs):
    margins = np.ones(400)
    margins[:100] = 0.0
    give(version, pairs, margins)
    found = report(version)["ties"]
    assert (found["exact"].value, found["exact"].n, found["whole"]) == (0.25, 400, True)


def test_rounding_stands_beside_all_margins(version, pairs):
    give(version, pairs, np.where(np.arange(400) < 40, 1e-3, 1.0))
    assert rounding(version) is None
    rng, items = np.random.default_rng(0), [n // 2 for n in range(200)]
    exact = [1.0, 0.0] * 100
    rounded = (np.array(exact) + rng.normal(0, 0.01, 200)).tolist()
    keep(
        version=version,
        name=NOISE,
        made_of="f",
        values={"items": items, "exact": exact, "rounded": rounded, "device": "CPU"},
    )
    found = rounding(version)
    assert found["sd"].low < 0.01 < found["sd"].high
    assert (found["flipped"].value, found["small"].value) == (0.0, 0.1)
    assert "10.0 % of all margins are below" in found["sentence"]


def test_what_is_kept_is_what_was_made(world, django_assert_max_num_queries):
    first = report(world)
    with django_assert_max_num_queries(7):
        assert report(world) == first
    assert len(json.dumps(first["figure"])) + len(json.dumps(first["selective"]["figure"])) < 50_000


def test_a_modest_model_is_told_from_a_boastful_one(world):
    found = report(world)
    found |= {"confidence": found["right"], "right": found["confidence"]}
    assert "more often than it says" in calibrated(found)
