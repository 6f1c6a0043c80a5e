"""What a job page is told: thinned curves, intervals, nothing missed."""

import pytest

from worker.models import JobEvent
from worker.payload import MOST, evenly, events_after
from worker.services.claim import append_events
from worker.services.job import launch


@pytest.fixture
def job(project):
    return launch(project=project, kind="train", params={})


def add(job, points):
    start = job.events.count() + 1
    rows = (JobEvent(job=job, number=start + n, kind="metric", data=data) for n, data in enumerate(points))
    JobEvent.objects.bulk_create(rows, batch_size=5000)


def test_numbers_are_taken_at_equal_distances_with_both_ends():
    assert evenly([1, 2, 3], 3) == [1, 2, 3]
    assert evenly(list(range(101)), 5) == [0, 25, 50, 75, 100]
    taken = evenly(list(range(100_000)), MOST)
    assert (len(set(taken)), taken[0], taken[-1]) == (MOST, 0, 99_999)


def test_a_hundred_thousand_points_ship_a_thousand_per_curve_and_every_line(job):
    add(job, ({"loss": 1.0, "step": n} for n in range(100_000)))
    append_events(job.pk, [("log", {"text": "the end"})])
    events = events_after(job, 0)
    points = [event for event in events if event["kind"] == "metric"]
    assert (len(points), points[0]["step"], points[-1]["step"]) == (MOST, 0, 99_999)
    assert [event["text"] for event in events if event["kind"] != "metric"] == ["queued", "the end"]
    assert [event["number"] for event in events] == sorted(event["number"] for event in events)


def test_a_rare_curve_keeps_all_its_points(job):
    rows = ({"loss": 1.0, "step": n} | ({"held_out_accuracy": 0.6} if n % 500 == 7 else {}) for n in range(3000))
    add(job, rows)
    points = [event for event in events_after(job, 0) if event["kind"] == "metric"]
    assert sum("held_out_accuracy" in point for point in points) == 6
    assert MOST <= len(points) <= MOST + 6


def test_a_held_out_accuracy_has_wilsons_interval(job):
    add(job, [{"step": 1, "held_out_accuracy": 0.5, "held_out_pairs": 10}, {"step": 2, "held_out_accuracy": 0.5}])
    told, without = events_after(job, 1)
    assert (told["low"], told["high"]) == (pytest.approx(0.2366, abs=5e-5), pytest.approx(0.7634, abs=5e-5))
    assert "low" not in without
