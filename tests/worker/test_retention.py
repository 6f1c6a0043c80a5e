"""What is over its time is swept, by name and number of days; nothing else is, and judgements never."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from annotate.models import Assignment, Event, IdempotencyKey, Judgement, Project, User
from annotate.services.event import record
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from config.checks import KEPT, refusals
from tests.inspector.making import judge, make_item
from worker import tasks
from worker.models import Delivery, JobEvent
from worker.services.claim import claim, end
from worker.services.job import launch
from worker.services.retention import DAYS, WORDS, sweep
from worker.services.webhook import create_webhook

ALL = dict.fromkeys(DAYS, 10)


@pytest.fixture
def old(project, bob, alice):
    """One thing of each kind, now; `later` days on, all are old."""
    item = make_item(project, "why?", "a", "b")
    judge(make_item(project, "what?", "a", "b"), [], outcome="tie", rater=bob)
    make_tasks(project=project, items=[item])
    lease = lease_next(project=project, user=bob)
    Assignment.objects.filter(pk=lease.pk).update(state="expired", draft={"note": "half"}, expires_at=timezone.now())
    job = launch(project=project, kind="import", params={})
    end(claim(job.pk), "done", events=[("log", {"text": "a line"}), ("metric", {"loss": 1})])
    create_webhook(project=project, url="https://example.org/", kinds=["job.done"], actor=alice)
    Delivery.objects.update(state="delivered", next_at=None)
    Session.objects.create(session_key="k", session_data="", expire_date=timezone.now())
    record(kind="account.signed_in", subject=bob, actor=bob, address="192.0.2.1")
    IdempotencyKey.objects.create(user=bob, key="k", sha256="x", body="{}")
    return project


def later(**passed):
    return timezone.now() + timedelta(**passed)


def test_each_thing_has_words():
    assert set(WORDS) == set(DAYS)


def test_what_is_old_goes_and_what_is_not_stays(old, settings):
    settings.RETENTION = ALL
    events = Event.objects.count()
    assert set(sweep(now=later(days=9)).values()) == {0}
    found = sweep(now=later(days=11))
    assert found == dict.fromkeys(DAYS, 1) | {"job_logs": 2}
    assert Assignment.objects.get().draft == {}
    assert set(JobEvent.objects.values_list("kind", flat=True)) == {"state"}
    assert not any(model.objects.exists() for model in (Delivery, Session, IdempotencyKey))
    assert Event.objects.get(kind="account.signed_in").data == {"erased": True}
    assert Event.objects.count() == events  # the ledger only grows
    assert Judgement.objects.count() == 1
    assert set(sweep(now=later(days=11)).values()) == {0}


def test_without_a_number_it_is_kept_for_ever(old, settings):
    settings.RETENTION = dict.fromkeys(DAYS, 0)
    assert sweep(now=later(days=10_000)) == {}


def test_by_default_nothing_that_people_made_goes(old, settings):
    settings.RETENTION = {}
    assert set(sweep(now=later(days=10_000))) == {"deliveries", "sessions", "answers_to_programs"}
    assert Assignment.objects.get().draft


def test_a_dry_run_counts_and_touches_nothing(old, settings):
    settings.RETENTION = ALL
    found = sweep(now=later(days=11), dry=True)
    assert found == sweep(now=later(days=11))


def test_work_that_is_going_on_is_never_swept(old, settings, bob):
    settings.RETENTION = ALL
    Assignment.objects.update(state="leased")
    Delivery.objects.update(state="waiting")
    running = launch(project=Project.objects.get(), kind="import", params={})
    claim(running.pk)
    found = sweep(now=later(days=11))
    assert (found["drafts"], found["deliveries"]) == (0, 0)
    assert running.events.exists()


def test_many_rows_are_swept_some_at_a_time(old, settings, monkeypatch):
    settings.RETENTION = ALL
    monkeypatch.setattr("worker.services.retention.MOST", 1)
    assert sweep(now=later(days=11))["job_logs"] == 2


@pytest.mark.parametrize("said", ["judgements=1", "drafts=-1", "drafts=soon", "drafts", "drafts=1,x=2"])
def test_another_name_or_no_number_is_refused_at_the_start(said):
    assert tuple(DAYS) == KEPT
    assert len(refusals({"RETENTION": said})) == 1 + len(refusals({}))
    assert refusals({"RETENTION": "drafts=90,sessions=0"}) == refusals({})


def test_the_beat_sweeps(old, settings):
    settings.RETENTION = {}
    Delivery.objects.update(asked_at=timezone.now() - timedelta(days=31))
    tasks.sweep()
    assert not Delivery.objects.exists()
    assert User.objects.exists()


@pytest.mark.parametrize(
    ("said", "hours", "kept"),
    [({}, 23, 1), ({}, 25, 0), ({"answers_to_programs": 3}, 71, 1), ({"answers_to_programs": 0}, 9999, 1)],
)
def test_the_beat_keeps_answers_to_programs_as_long_as_is_set(old, settings, said, hours, kept):
    settings.RETENTION = said
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=hours))
    tasks.sweep()
    assert IdempotencyKey.objects.count() == kept
