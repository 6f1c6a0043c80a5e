"""The life of a job, without a broker: claimed once, run, cancelled, reaped, retried; a zombie writes nothing."""

import time
from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from celery import current_app
from django.core.exceptions import ValidationError
from django.db import OperationalError as DatabaseBusy
from django.db import connections
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from annotate.models import Event
from worker.jobs import JOBS
from worker.models import Job
from worker.models.job import JobState
from worker.progress import Progress
from worker.services.claim import Cancelled, LostClaim, beat
from worker.services.job import ATTEMPTS, HERE, _nudge_again, _take_up, cancel, claim, launch, reap, retry, run_now


@pytest.fixture(autouse=True)
def _bodies(monkeypatch):
    monkeypatch.setitem(JOBS, "train", "tests.worker.bodies")


@pytest.fixture
def sent(monkeypatch):
    """What was sent to the broker."""
    messages = []
    monkeypatch.setattr(
        current_app._get_current_object(), "send_task", lambda name, **options: messages.append((name, options))
    )
    return messages


def job_of(project, **params):
    return launch(project=project, kind="train", params={"do": "count"} | params)


def age(job, **fields):
    """As if its heart had stopped long ago."""
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1), **fields)


def states(job):
    return [event.data["state"] for event in job.events.filter(kind="state")]


def test_a_launch_nudges_the_queue_when_it_commits(project, alice, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = launch(project=project, kind="train", params={}, actor=alice, queue="gpu")
        assert sent == []
    assert sent == [("worker.run", {"args": [job.pk], "queue": "gpu", "retry": False})]
    assert Event.objects.get(kind="job.launched").actor == alice


def test_a_launch_survives_a_dead_broker(project, monkeypatch, django_capture_on_commit_callbacks):
    def refused(*_, **__):
        raise OperationalError("connection refused")

    monkeypatch.setattr(current_app._get_current_object(), "send_task", refused)
    with django_capture_on_commit_callbacks(execute=True):
        job = job_of(project)
    assert Job.objects.get(pk=job.pk).state == JobState.QUEUED


def test_a_job_runs_and_tells_its_story(project):
    job = run_now(job_of(project))
    assert (job.state, job.result, job.claim) == (JobState.DONE, {"counted": 3}, "")
    assert states(job) == ["queued", "running", "done"]
    assert [e.data["loss"] for e in job.events.filter(kind="metric")] == [1, 0.5, pytest.approx(1 / 3)]
    assert [e.number for e in job.events.all()] == list(range(1, job.events.count() + 1))


def test_delivered_twice_it_runs_once(project):
    job = job_of(project, do="write")
    run_now(job)
    run_now(job)
    assert (Event.objects.filter(kind="test.wrote").count(), job.attempt) == (1, 1)


@pytest.mark.parametrize(
    ("error", "cause"), [("ValueError", "line 3: no prompt"), ("OSError", "OSError: line 3: no prompt")]
)
def test_a_failure_says_its_cause_in_one_line_and_what_to_do(project, error, cause):
    job = run_now(job_of(project, do="fail", error=error))
    assert (job.state, job.error) == (JobState.FAILED, cause)
    assert job.advice


def test_a_queued_job_is_cancelled_at_once_and_never_runs(project, alice):
    job = cancel(job=job_of(project), actor=alice)
    assert job.state == JobState.CANCELLED
    assert run_now(job).attempt == 0


def test_a_running_job_hears_of_its_cancel_at_its_next_report(project):
    job = claim(job_of(project).pk)
    assert cancel(job=job).state == JobState.RUNNING
    with pytest.raises(Cancelled):
        Progress(job).report("count", 1, 2)


def test_a_cancel_before_the_end_wins_over_the_results(project):
    job = claim(job_of(project).pk)
    cancel(job=job)
    with pytest.raises(Cancelled):
        Progress(job).finish(lambda: {"row": Event.objects.create(kind="test.wrote", subject="x").pk})
    assert not Event.objects.filter(kind="test.wrote").exists()


def test_cancelling_an_ended_job_changes_nothing(project):
    job = run_now(job_of(project))
    assert cancel(job=job).state == JobState.DONE
    assert not Event.objects.filter(kind="job.cancelled").exists()


def test_a_stopped_heart_is_taken_up_and_the_zombie_writes_nothing(project):
    zombie = claim(job_of(project).pk)
    Progress(zombie).report("count", 1, 2)
    age(zombie)
    assert reap() == {"dead": 1, "lost": 0}
    heir, late = claim(zombie.pk), Progress(zombie)
    assert (heir.stage, heir.done, heir.total) == ("", 0, 0)
    for write in (
        lambda: late.report("count", 1, 2),
        lambda: late.log("still here"),
        lambda: late.finish(lambda: {"row": Event.objects.create(kind="test.wrote", subject="x").pk}),
        lambda: late.give_up(JobState.FAILED, error="mine"),
    ):
        with pytest.raises(LostClaim):
            write()
    assert not Event.objects.filter(kind="test.wrote").exists()
    Progress(heir).finish(dict)
    assert (Job.objects.get(pk=heir.pk).state, heir.attempt) == (JobState.DONE, 2)


def test_a_beating_heart_is_left_alone(project):
    claim(job_of(project).pk)
    assert reap() == {"dead": 0, "lost": 0}


def test_a_heart_that_beats_after_the_reaper_looked_is_left_alone(project):
    job = claim(job_of(project).pk)
    assert not _take_up(job, time.monotonic())
    job.refresh_from_db()
    assert job.state == JobState.RUNNING


def test_of_two_reapers_one_nudges(project, sent):
    job = job_of(project)
    age(job)
    assert [_nudge_again(job), _nudge_again(job)] == [True, False]
    assert len(sent) == 1


def test_a_job_that_kills_its_workers_fails_with_advice(project):
    job = job_of(project)
    for _ in range(ATTEMPTS):
        age(claim(job.pk))
        reap()
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FAILED, "The worker died 3 times while it ran this job.")
    assert "emory" in job.advice


def test_a_dead_job_whose_cancel_was_asked_for_is_cancelled(project):
    job = claim(job_of(project).pk)
    cancel(job=job)
    age(job)
    reap()
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


def test_a_lost_nudge_is_sent_again_once(project, sent):
    age(job_of(project))
    assert [reap(), reap()] == [{"dead": 0, "lost": 1}, {"dead": 0, "lost": 0}]
    assert [name for name, _ in sent] == ["worker.run"]


def test_a_job_left_by_a_dead_command_goes_to_the_workers(project, sent):
    job = launch(project=project, kind="train", params={}, queue=HERE)
    age(job)
    reap()
    assert sent[0][1]["queue"] == "cpu"


def test_retrying_makes_a_new_job_and_keeps_the_old(project, alice):
    failed = run_now(job_of(project, do="fail", error="OSError"))
    again = retry(job=failed, actor=alice)
    assert (again.params, again.state, failed.state) == (failed.params, JobState.QUEUED, JobState.FAILED)
    with pytest.raises(ValidationError):
        retry(job=again)


def test_reports_are_thinned_but_no_metric_is(project, django_assert_max_num_queries):
    job = claim(job_of(project).pk)
    progress = Progress(job)
    progress.report("fit", 0, 500)
    with django_assert_max_num_queries(400):
        for step in range(500):
            progress.report("fit", step, 500, {"loss": float("nan"), "step": step})
    progress.finish(dict)
    points = [event.data for event in job.events.filter(kind="metric")]
    assert [point["step"] for point in points] == list(range(500))
    assert points[0]["loss"] is None


def test_a_busy_database_delays_a_report_and_loses_no_event(project, monkeypatch):
    progress = Progress(claim(job_of(project).pk))

    def busy(*_, **__):
        raise DatabaseBusy("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr("worker.progress.beat", busy)
        progress.log("first")
    progress.log("second")
    assert [event.data["text"] for event in progress.job.events.filter(kind="log")] == ["first", "second"]


def test_a_reaper_that_waited_for_the_database_spares_the_job(project, monkeypatch):
    job = claim(job_of(project).pk)
    age(job)
    monkeypatch.setattr("worker.services.job.PATIENCE", -1)
    assert reap()["dead"] == 0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_was_set_leaves_no_job_stuck(project, hours):
    """Its last beat is an hour old, or an hour ahead: either way nothing was heard of it since."""
    dead, alive = claim(job_of(project).pk), claim(job_of(project).pk)
    Job.objects.filter(pk=dead.pk).update(heartbeat_at=timezone.now() + timedelta(hours=hours))
    beat(alive)
    assert reap() == {"dead": 1, "lost": 0}
    assert Job.objects.get(pk=dead.pk).state == JobState.QUEUED
    Job.objects.update(heartbeat_at=timezone.now() + timedelta(hours=hours))
    assert reap()["lost"] == 1


@pytest.mark.parametrize("error", [RedisError("gone"), ConnectionResetError("gone")])
def test_a_broker_that_hangs_up_breaks_no_launch(project, monkeypatch, error, django_capture_on_commit_callbacks):
    monkeypatch.setattr(current_app._get_current_object(), "send_task", Mock(side_effect=error))
    with django_capture_on_commit_callbacks(execute=True):
        job = job_of(project)
    assert job.state == JobState.QUEUED


def test_a_job_whose_database_went_away_is_no_failure(project, monkeypatch):
    """It stays as it is, for the reaper; an error of a database that is there is the job's own."""
    job, own = job_of(project, do="busy"), job_of(project, do="busy")
    with monkeypatch.context() as away:
        away.setattr(connections["default"], "is_usable", lambda: False)
        away.setattr(connections["default"], "close", lambda: None)
        assert run_now(job).state == JobState.RUNNING
    age(job)
    assert reap()["dead"] == 1
    assert run_now(own).state == JobState.FAILED


def test_a_version_that_may_be_stored_keeps_its_file(project, settings, monkeypatch):
    """The answer to COMMIT got lost: the row is there or not. A run that fails by itself leaves nothing."""
    from worker.jobs import train

    settings.ARTIFACT_DIR.mkdir()
    monkeypatch.setattr(train, "_version", lambda job, *_: SimpleNamespace(metrics={"pair_accuracy": {"value": None}}))
    monkeypatch.setattr(train.checkpoint, "save", lambda model, path: path.write_text("weights"))
    monkeypatch.setattr(train, "prove", lambda *_: None)
    data, job = SimpleNamespace(examples=[]), claim(job_of(project).pk)
    for error, kept in ((ValueError, 0), (DatabaseBusy, 1)):
        progress = Mock(finish=Mock(side_effect=error))
        with pytest.raises(error):
            train.publish(job, None, None, data, Mock(), progress)
        assert len(list(settings.ARTIFACT_DIR.glob("job*"))) == kept


def test_a_full_disk_is_told_with_what_to_do(project):
    job = run_now(job_of(project, do="fail", error="OSError", text="[Errno 28] No space left on device"))
    assert "make room" in job.advice
