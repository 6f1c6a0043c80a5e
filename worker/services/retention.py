"""How long things are kept: each for a number of days from RETENTION, 0 for ever; then a beat sweeps it.

Judgements, and the ledger of who did what, have no number: they are what the project is made of. What is said in the
ledger about where people signed in from can be blanked.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from annotate.models import Assignment, Event, IdempotencyKey
from annotate.models.task import AssignmentState
from worker.models import Delivery, JobEvent
from worker.models.job import ENDED
from worker.models.webhook import DeliveryState

DAYS = {"drafts": 0, "job_logs": 0, "deliveries": 30, "sessions": 1, "sign_ins": 0, "answers_to_programs": 1}
WORDS = {
    "drafts": "unfinished answers to tasks that went back",
    "job_logs": "lines and metric points of jobs that have ended",
    "deliveries": "messages to webhooks that have arrived or were given up",
    "sessions": "sessions that have run out",
    "sign_ins": "where people signed in from (that they did stays)",
    "answers_to_programs": "answers kept in case a program asks twice",
}
MOST = 20_000  # rows at a time, so that nobody waits for a long transaction


def kept_for() -> list[tuple[str, int]]:
    """(what, days), 0 is for ever."""
    return [(WORDS[name], days) for name, days in _days().items()]


def _days() -> dict[str, int]:
    return DAYS | settings.RETENTION


def sweep(now: datetime | None = None, dry: bool = False) -> dict[str, int]:
    """Sweep what is over its time; returns how many rows by name. `dry` counts alone."""
    now, found = now or timezone.now(), {}
    for name, days in _days().items():
        if days:
            rows = OLD[name](now - timedelta(days=days))
            found[name] = rows.count() if dry else _swept(rows, SWEEP.get(name, _delete))
    return found


def _swept(rows: QuerySet, how: Callable[[QuerySet], object]) -> int:
    count = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:MOST]):
        for start in range(0, len(ids), 500):
            how(rows.model._default_manager.filter(pk__in=ids[start : start + 500]))
        count += len(ids)
    return count


def _delete(rows: QuerySet) -> None:
    rows.delete()


def _old_drafts(before: datetime) -> QuerySet:
    over = (AssignmentState.EXPIRED, AssignmentState.SKIPPED)
    return Assignment.objects.filter(state__in=over, expires_at__lt=before).exclude(draft={})


def _old_logs(before: datetime) -> QuerySet:
    """That a job began and ended stays."""
    return JobEvent.objects.filter(job__state__in=ENDED, job__finished_at__lt=before).exclude(kind="state")


def _old_deliveries(before: datetime) -> QuerySet:
    return Delivery.objects.filter(asked_at__lt=before).exclude(state=DeliveryState.WAITING)


def _old_sign_ins(before: datetime) -> QuerySet:
    return (
        Event.objects.of_kind("account").filter(created_at__lt=before).exclude(data={}).exclude(data={"erased": True})
    )


OLD: dict[str, Callable[[datetime], QuerySet]] = {
    "drafts": _old_drafts,
    "job_logs": _old_logs,
    "deliveries": _old_deliveries,
    "sessions": lambda before: Session.objects.filter(expire_date__lt=before),
    "sign_ins": _old_sign_ins,
    "answers_to_programs": lambda before: IdempotencyKey.objects.filter(created_at__lt=before),
}
SWEEP: dict[str, Callable[[QuerySet], object]] = {
    "drafts": lambda rows: rows.update(draft={}),
    "sign_ins": lambda rows: rows.blank(),
}
