"""Jobs without end, claims that nobody holds, logs with gaps."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet
from django.utils import timezone

from worker.models import Job, JobEvent
from worker.models.job import ENDED, JobState
from worker.services.job import reap
from worker.services.upload import READERS
from worker.store import uploads
from worker.upkeep.doctor.fault import Check, Fault, parts

SLACK = 4  # as often as the reaper would have come by


def _limit() -> datetime:
    return timezone.now() - timedelta(seconds=SLACK * settings.JOB_STALE_SECONDS)


def _stuck() -> Iterator[Fault]:
    rows = Job.objects.unfinished().filter(Q(heartbeat_at__lt=_limit()) | Q(heartbeat_at=None)).order_by("pk")
    for job in rows.defer("params", "result").iterator():
        beat = f"since {job.heartbeat_at:%Y-%m-%d %H:%M}" if job.heartbeat_at else "at any time"
        says = "its worker has shown no life" if job.state == JobState.RUNNING else "no worker has taken it up"
        yield Fault(f"job {job.pk}", f"is {job.state}, and {says} {beat}", job.pk)


def _take_up(keys: Sequence[int]) -> int:
    """As the reaper does: into the queue again, or to its end where it was cancelled or has died too often."""
    Job.objects.filter(pk__in=keys, heartbeat_at=None).update(heartbeat_at=_limit())
    return sum(reap().values())


def _unended() -> QuerySet[Job]:
    claimed = Q(state__in=ENDED) & (Q(finished_at=None) | ~Q(claim=""))
    return Job.objects.filter(
        claimed | (Q(state=JobState.QUEUED) & ~Q(claim="")) | (Q(state=JobState.RUNNING, claim=""))
    )


def _claims() -> Iterator[Fault]:
    for pk, state, finished in _unended().values_list("pk", "state", "finished_at").order_by("pk").iterator():
        says = "holds no claim" if state == JobState.RUNNING else "still holds a claim"
        yield Fault(f"job {pk}", f"is {state} and {says if finished or state not in ENDED else 'has no end'}", pk)


@transaction.atomic
def _let_go(keys: Sequence[int]) -> int:
    """Ended ones end when they were heard of last; a running one without a claim goes back into the queue."""
    done = 0
    for part in parts(keys):
        rows = _unended().filter(pk__in=part)
        lost = rows.filter(state=JobState.RUNNING)
        done += lost.update(state=JobState.QUEUED, heartbeat_at=_limit())
        ended = rows.filter(state__in=ENDED, finished_at=None)
        done += ended.update(finished_at=F("heartbeat_at"), claim="")
        done += rows.exclude(claim="").update(claim="")
    return done


def _logs() -> Iterator[Fault]:
    counted = JobEvent.objects.order_by().values("job").annotate(n=Count("pk"), last=Max("number"))
    for job, n, last in counted.exclude(n=F("last")).values_list("job", "n", "last").iterator():
        yield Fault(f"job {job}", f"has {n} events, the last of which is number {last}")


def _uploads() -> Iterator[Fault]:
    for job in Job.objects.unfinished().filter(kind__in=READERS).order_by("pk").iterator():
        name = job.params.get("file", "")
        if not name or not uploads().exists(name):
            yield Fault(f"job {job.pk}", "waits to read an upload that is gone")


CHECKS = (
    Check(
        "stuck", "Somebody waits for work that nobody does.",
        "See that a worker runs that listens to its queue, then run manage.py doctor --repair.", _stuck, _take_up,
    ),
    Check(
        "claims", "A job's row says two things about who has it.", "Run manage.py doctor --repair.", _claims, _let_go,
    ),
    Check(
        "logs", "Pages that follow the job miss something.",
        "What is missing was deleted by hand; the result of the job stands.", _logs,
    ),
    Check("uploads", "The job will fail when it begins.", "Cancel it, and upload the file again.", _uploads),
)  # fmt: skip
