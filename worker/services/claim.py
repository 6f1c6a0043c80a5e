"""A claim on a job: taken by compare-and-set, shown by beats, given up with the end.

Every write of a running job is conditional on its claim token. A worker that was paused, reaped and replaced
finds its token gone (LostClaim) and writes nothing. Updating the row first also locks it, so that events are
numbered without gaps by however many threads and processes.
"""

import secrets
from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils import timezone

from worker.models import Job, JobEvent
from worker.models.job import JobQuerySet, JobState
from worker.services.node import name_of_process
from worker.services.nudge import wake_sockets, wake_webhooks_of

EventData = tuple[str, dict]  # kind (log, metric, state) and data


class LostClaim(Exception):
    """Somebody else has the job now, or it ended: stop, and write nothing."""


class Cancelled(Exception):
    """Somebody asked to cancel the job."""


def append_events(job_id: int, events: Sequence[EventData]) -> None:
    """Number and store events; the caller's transaction has already written (so locked) the job's row."""
    last = JobEvent.objects.filter(job_id=job_id).aggregate(last=Max("number"))["last"] or 0
    JobEvent.objects.bulk_create(
        JobEvent(job_id=job_id, number=number, kind=kind, data=data)
        for number, (kind, data) in enumerate(events, last + 1)
    )
    transaction.on_commit(partial(wake_sockets, job_id))
    if any(kind == "state" for kind, _ in events):
        transaction.on_commit(partial(wake_webhooks_of, job_id), robust=True)  # it asks the database


def held(job: Job) -> JobQuerySet:
    """The row, as long as this claim on it is in force."""
    return Job.objects.filter(pk=job.pk, claim=job.claim, state=JobState.RUNNING)


@transaction.atomic
def claim(job_id: int) -> Job | None:
    """Take a queued job; None when it is not queued (any more): delivered twice, it runs once."""
    taken = Job.objects.filter(pk=job_id, state=JobState.QUEUED).update(
        state=JobState.RUNNING,
        claim=secrets.token_hex(16),
        worker=name_of_process(),
        attempt=F("attempt") + 1,
        heartbeat_at=Now(),
        started_at=timezone.now(),
        stage="",
        done=0,
        total=0,
    )
    if not taken:
        return None
    job = Job.objects.select_related("project", "created_by").get(pk=job_id)
    append_events(job_id, [("state", {"state": job.state, "attempt": job.attempt})])
    return job


@transaction.atomic
def beat(job: Job, events: Sequence[EventData] = (), **fields: object) -> bool:
    """Show that the job is alive, with its progress; says whether a cancel was asked for. May raise LostClaim."""
    if not held(job).update(heartbeat_at=Now(), **fields):
        raise LostClaim(job)
    if events or fields:
        append_events(job.pk, events)
    return held(job).exclude(cancel_requested_at=None).exists()


@transaction.atomic
def end(job: Job, state: str, events: Sequence[EventData] = (), **fields: object) -> None:
    """Give the claim up with a final state; raises LostClaim if it is not ours to end."""
    if not held(job).update(state=state, claim="", finished_at=timezone.now(), **fields):
        raise LostClaim(job)
    append_events(job.pk, [*events, ("state", {"state": state})])
