"""What the whole house is doing, as plain numbers: read from the database, so that every process tells the same."""

from datetime import timedelta

from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.utils import timezone

from annotate.models import Assignment, Judgement, Task
from annotate.models.task import AssignmentState
from worker.models import Job, Node
from worker.models.job import ENDED

BUCKETS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)  # seconds that jobs took
TOOK = F("finished_at") - F("started_at")


def queues() -> QuerySet:
    """Of each queue and state of unfinished jobs: how many there are, and since when the oldest is waiting."""
    return (
        Job.objects.unfinished().order_by().values("queue", "state").annotate(n=Count("pk"), oldest=Min("created_at"))
    )


def job_times() -> QuerySet:
    """Of each kind and end: how many jobs, their seconds in all, and how many took at most each of BUCKETS."""
    within = {f"le_{most}": Count("pk", filter=Q(took__lte=timedelta(seconds=most))) for most in BUCKETS}
    ended = Job.objects.filter(state__in=ENDED, started_at__isnull=False, finished_at__isnull=False)
    return (
        ended.order_by().alias(took=TOOK).values("kind", "state").annotate(n=Count("pk"), seconds=Sum("took"), **within)
    )


def judgements() -> QuerySet:
    """How many judgements there are, superseded ones too, by source."""
    return Judgement.objects.order_by().values("source").annotate(n=Count("pk"))


def leases() -> dict[str, int]:
    """Leases in force, and those that ran out and were not taken back yet."""
    now, leased = timezone.now(), Assignment.objects.filter(state=AssignmentState.LEASED)
    live, late = Count("pk", filter=Q(expires_at__gt=now)), Count("pk", filter=Q(expires_at__lte=now))
    return leased.aggregate(live=live, late=late)


def open_slots() -> int:
    """Judgements that are wanted and that nobody is working on."""
    return Task.objects.open().aggregate(n=Sum("open_slots"))["n"] or 0


def nodes() -> QuerySet:
    """Every worker process that was seen within a day."""
    return Node.objects.all()
