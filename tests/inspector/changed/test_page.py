"""Two versions from rows: who agrees with people, which pairs turned, what came to the data and to the recipe."""

import json

import numpy as np
import pytest

from inspector.changed.page import Look, others, report, usual
from inspector.changed.words import recipe
from tests.inspector.held_out import drawn, give, make_pairs, say
from tests.inspector.making import make_version
from worker.models import Snapshot, SnapshotRow, Version
from worker.services.changes import data_changes, recipe_changes

pytestmark = pytest.mark.django_db
N = 100


@pytest.fixture
def pairs(project):
    return make_pairs(project, N)


@pytest.fixture
def newer(project, version):
    return make_version(project, 2)


@pytest.fixture
def world(project, version, newer, pairs):
    """People prefer the first; the old version is right on the first 60 pairs, the new one on the last 80."""
    places = np.arange(N)
    give(version, pairs, np.where(places < 60, 1.0, -1.0) * (1 + places / N))
    give(newer, pairs, np.where(places >= 20, 2.0, -2.0) * (1 + places / N))
    say(project, pairs, np.where(places == 99, 0.5, 1.0))
    return newer


def test_the_matrix_and_the_paired_test(world):
    found = report(world)["scores"]
    cells = found["matrices"][0]
    assert [round(99 * cells[name].value) for name in ("both", "new", "old", "neither", "tied")] == [40, 39, 20, 0, 0]
    assert (found["paired"]["won"], found["paired"]["lost"], found["paired"]["prompts"]) == (39, 20, 99)
    assert found["same"].value == pytest.approx(0.4)
    assert "+19.2 points" in found["sentence"]
    assert "It is better." in found["sentence"]


def test_pairs_that_turned_come_by_the_size_of_the_change(world, pairs):
    flips = report(world)["scores"]["flips"]
    assert flips["counts"] == {"all": 60, "better": 39, "worse": 20, "unjudged": 1}
    first = flips["rows"][0]
    assert (first["kind"], first["now"], first["before"]) == ("unjudged", *pairs[99].tolist())
    assert (first["new"], first["old"]) == pytest.approx((3.98, -1.99))
    changes = [row["new"] - row["old"] for row in flips["rows"]]
    assert changes == sorted(changes, reverse=True)
    worst = next(row for row in flips["rows"] if row["kind"] == "worse")
    assert (worst["now"], worst["before"]) == (pairs[19, 1], pairs[19, 0])


def test_margins_are_told_in_log_odds(world):
    Version.objects.filter(pk=world.pk).update(temperature=2.0)
    world.refresh_from_db()
    assert report(world)["scores"]["flips"]["rows"][0]["new"] == pytest.approx(1.99)


def test_a_wider_scale_is_seen_and_changes_no_order(project, version, newer, pairs):
    margins = np.random.default_rng(0).normal(size=N)
    give(version, pairs, margins)
    give(newer, pairs, 3 * margins)
    say(project, pairs, drawn(margins))
    found = report(newer)["scores"]
    assert found["scale"]["slope"].value == pytest.approx(3)
    assert found["scale"]["spread"].value == pytest.approx(3)
    assert found["order"]["spearman"].value == pytest.approx(1)
    assert found["same"].value == 1
    assert found["flip_words"] == "No pair has turned."
    assert "No sure difference" in found["sentence"]


def test_only_responses_that_both_scored_are_compared(project, version, newer, pairs):
    give(version, pairs[:50], np.ones(50))
    give(newer, pairs[20:], np.arange(80.0) - 3.5)
    look = Look(newer, version)
    assert look.known.columns.response.tolist() == pairs[20:50].ravel().tolist()
    assert look.known.old.tolist() == [1.0, 0.0] * 30
    assert look.known.columns.which.max() == 29


def test_without_scores_in_common_what_they_were_made_from_is_still_told(version, newer, pairs):
    give(version, pairs[:10], np.ones(10))
    assert report(newer)["scores"] is None
    give(newer, pairs[50:], np.ones(50))
    found = report(newer)
    assert found["scores"] is None
    assert found["data_words"] == "Both were made from the same judgements."


def test_what_is_kept_is_what_was_made(world, django_assert_max_num_queries):
    first = report(world)
    with django_assert_max_num_queries(9):
        assert report(world) == first
    assert len(json.dumps(first["scores"]["figure"])) < 300_000


def test_it_is_held_against_its_parent_or_the_number_before(project, version, newer):
    third = make_version(project, 3)
    assert usual(third, others(third)) == newer
    assert usual(version, others(version)) == third
    third.parent = version
    assert usual(third, others(third)) == version
    assert usual(version, []) is None


@pytest.fixture
def frozen(project, version, newer, pairs):
    """Two judgements of Bob's went, one of them withdrawn; three of Charlie's came, one held out."""
    say(project, pairs[:4], np.ones(4), "Bob")
    say(project, pairs[:3], np.ones(3), "Charlie")
    rows = list(project.judgements.order_by("pk"))
    old = version.snapshot
    SnapshotRow.objects.bulk_create(SnapshotRow(snapshot=old, judgement=one, split="train") for one in rows[:4])
    new = Snapshot.objects.create(project=project, sha256="1" * 64, counts={"used": 5, "dropped": {"withdrawn": 1}})
    SnapshotRow.objects.bulk_create(
        SnapshotRow(snapshot=new, judgement=one, split="test" if one == rows[6] else "train") for one in rows[2:]
    )
    project.judgements.filter(pk=rows[0].pk).update(withdrawn_at="2026-01-01T00:00Z")
    Version.objects.filter(pk=newer.pk).update(snapshot=new)
    newer.refresh_from_db()


def test_judgements_that_came_and_went_by_rater(version, newer, frozen):
    found = data_changes(version, newer)
    assert found["totals"]["came"] == {"judgements": 3, "train": 2, "test": 1, "prompts": 3}
    assert found["totals"]["went"]["judgements"] == 2
    assert (found["came"]["rater"], found["went"]["rater"]) == (
        [{"name": "Charlie", "n": 3}],
        [{"name": "Bob", "n": 2}],
    )
    assert found["came"]["source"] == [{"name": "simulated", "n": 3}]
    assert found["gone"] == {"withdrawn": 1, "revised": 0, "neither": 1}
    assert {"name": "dropped: withdrawn", "old": 0, "new": 1} in found["counts"]


def test_the_data_in_words(newer, frozen):
    words = report(newer)["data_words"]
    assert words.startswith("3 judgements on 3 prompts came, 1 of them held out, by Charlie (3); 2 went (1 withdrawn")


def test_settings_that_differ(version, newer):
    assert recipe_changes(version, newer) == []
    newer.recipe = {"name": "heads", "extras": {"members": 5, "combine": "wco"}}
    newer.backbone = "other"
    found = {row["name"]: (row["old"], row["new"]) for row in recipe_changes(version, newer)}
    assert (found["Backbone"], found["Ensemble"]) == (("minilm", "other"), ("1", "5"))
    assert found["Of its members"] == ("–", "wco")
    assert recipe(recipe_changes(version, newer)).startswith("4 settings differ: Backbone")
