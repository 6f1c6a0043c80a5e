"""Sweeps: all combinations on one snapshot, each a job; what fails alone; what is called best."""

import json
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from tests.inspector.making import make_version
from worker.jobs import JOBS
from worker.models import Job, Snapshot, Sweep
from worker.models.job import JobState
from worker.recipes import recipe_of
from worker.rm.recipe import Recipe
from worker.services.job import retry, run_now
from worker.services.sweep import MOST, best_of, cancel_sweep, points, start_sweep, table

LORA = recipe_of({"name": "lora", "tuning.epochs": "3"})
GRID = {"tuning.learning_rate": ["1e-5", "3e-5"], "tuning.lora_rank": ["4", "8", "16"]}


def start(project, recipe=LORA, grid=GRID):
    return start_sweep(project=project, recipe=recipe, grid=grid, backbone="minilm", queue="gpu")


def finish(job, number, value, low, high):
    version = make_version(job.project, number)
    version.metrics = {"pair_accuracy": {"value": value, "low": low, "high": high, "n": 50}, "nll": 0.5}
    version.save()
    Job.objects.filter(pk=job.pk).update(state=JobState.DONE, version=version)


def test_points_are_all_combinations_the_last_value_fastest():
    told = [(p.tuning.learning_rate, p.tuning.lora_rank, p.tuning.epochs) for p in points(LORA, GRID)]
    assert told == [(1e-5, 4, 3), (1e-5, 8, 3), (1e-5, 16, 3), (3e-5, 4, 3), (3e-5, 8, 3), (3e-5, 16, 3)]


@pytest.mark.parametrize(
    ("recipe", "grid", "said"),
    [
        (LORA, {}, "at least one value"),
        (LORA, {"tuning.alchemy": ["1"]}, "no single value 'tuning.alchemy'"),
        (LORA, {"heads.l2": ["1"]}, "no single value"),
        (LORA, {"tuning.epochs": []}, "Name at least one value"),
        (LORA, {"tuning.epochs": ["1", "1"]}, "stands there twice"),
        (LORA, {"tuning.learning_rate": ["1e-5", "0.00001"]}, "mean the same"),
        (LORA, {"tuning.learning_rate": ["1e-5", "nan"]}, "tuning.learning_rate"),
        (LORA, {"tuning.epochs": ["1", "many"]}, "valid integer"),
        (LORA, {"preference.objective": ["alchemy"]}, "There is no objective"),
        (Recipe(), {"tuning.epochs": ["1", "2"]}, "change nothing with trainer heads"),
        (LORA, {"tuning.seed": [str(n) for n in range(MOST + 1)]}, f"65 runs; a sweep has at most {MOST}"),
    ],
)
def test_a_senseless_grid_is_refused_in_words(recipe, grid, said):
    with pytest.raises(ValidationError, match=said):
        points(recipe, grid)


def test_each_point_is_a_job_on_one_snapshot(judged):
    sweep = start(judged)
    jobs = list(sweep.jobs.order_by("pk"))
    assert len(jobs) == 6
    assert {(job.params["snapshot"], job.queue, job.kind) for job in jobs} == {(sweep.snapshot_id, "gpu", "train")}
    assert [Recipe.model_validate(job.params["recipe"]) for job in jobs] == points(LORA, GRID)
    assert sweep.grid == {"tuning.learning_rate": [1e-5, 3e-5], "tuning.lora_rank": [4, 8, 16]}
    assert jobs[0].params["tokens"] % 3 == 0


def test_too_little_to_learn_from_leaves_nothing_behind(project):
    with pytest.raises(ValidationError, match="At least 8"):
        start(project)
    assert not any(model.objects.exists() for model in (Sweep, Snapshot, Job))


def test_a_point_that_fails_does_not_stop_the_rest(judged, monkeypatch):
    monkeypatch.setitem(JOBS, "train", "tests.worker.bodies")
    sweep = start(judged, grid={"tuning.lora_rank": ["4", "8"]})
    first, second = sweep.jobs.order_by("pk")
    Job.objects.filter(pk=first.pk).update(params=first.params | {"do": "fail", "error": "OSError"})
    Job.objects.filter(pk=second.pk).update(params=second.params | {"do": "count"})
    assert [run_now(job).state for job in (first, second)] == [JobState.FAILED, JobState.DONE]
    assert [row.job.state for row in table(sweep)] == [JobState.FAILED, JobState.DONE]


def test_cancelling_ends_what_is_left(judged):
    sweep = start(judged)
    finish(sweep.jobs.first(), 1, 0.7, 0.6, 0.8)
    assert cancel_sweep(sweep=sweep) == 5
    assert cancel_sweep(sweep=sweep) == 0
    assert sorted(sweep.jobs.values_list("state", flat=True)) == ["cancelled"] * 5 + ["done"]


def test_a_retried_point_takes_the_place_of_the_failed_one(judged):
    sweep = start(judged)
    failed = sweep.jobs.order_by("pk").first()
    Job.objects.filter(pk=failed.pk).update(state=JobState.FAILED)
    failed.refresh_from_db()
    again = retry(job=failed)
    rows = table(sweep)
    assert len(rows) == 6
    assert again.pk in {row.job.pk for row in rows}
    assert failed.pk not in {row.job.pk for row in rows}


def test_the_table_is_led_by_the_most_accurate(judged):
    sweep = start(judged)
    low, high = sweep.jobs.order_by("pk")[1:3]
    finish(low, 1, 0.6, 0.5, 0.65)
    finish(high, 2, 0.9, 0.8, 0.95)
    rows = table(sweep)
    assert [(row.job.pk, row.best) for row in rows[:2]] == [(high.pk, True), (low.pk, False)]
    assert (rows[0].values, rows[0].metrics["nll"]) == ([1e-5, 16], 0.5)
    assert [row.best for row in rows[2:]] == [False] * 4


@pytest.mark.parametrize(
    ("intervals", "best"),
    [
        ({1: (0.9, 0.8, 0.95), 2: (0.6, 0.5, 0.7)}, 1),
        ({1: (0.9, 0.8, 0.95), 2: (0.8, 0.7, 0.85)}, None),
        ({1: (0.9, 0.8, 0.95)}, None),
        ({1: (0.9, 0.8, 0.95), 2: (None, None, None)}, None),
        ({}, None),
    ],
)
def test_best_is_what_stands_apart(intervals, best):
    assert best_of({k: dict(zip(("value", "low", "high"), v, strict=True)) for k, v in intervals.items()}) == best


def test_the_command_tries_each_value(judged):
    out = StringIO()
    grid = ["--grid", "tuning.learning_rate=1e-5,3e-5", "--grid", "preference.objective=davidson,rao_kupper"]
    call_command("sweep", "answers", "--recipe", "lora", *grid, "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["runs"][0]["values"] == {
        "tuning.learning_rate": 1e-5, "preference.objective": "davidson",
    }  # fmt: skip
    assert (len(told["runs"]), told["snapshot"]) == (4, Snapshot.objects.get().sha256)


def test_points_of_a_recipe_that_is_written_differently_today_are_shown_still(judged):
    sweep = start(judged)
    job = sweep.jobs.order_by("pk").first()
    Job.objects.filter(pk=job.pk).update(params=job.params | {"recipe": job.params["recipe"] | {"gone": 1}})
    assert sorted(row.values for row in table(sweep)) == [[a, b] for a in (1e-5, 3e-5) for b in (4, 8, 16)]
