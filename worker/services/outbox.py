"""From the ledgers to the webhooks: what happened becomes one delivery for each webhook that wants it.

Nothing is written on the hot path: this reads the ledgers afterwards, by id. PostgreSQL hands ids out before a
transaction commits, so a row may turn up below one that was read already. Therefore the cursor follows late: `mark` is
the last id that was seen at `marked_at`, and whoever holds an id below it had begun by then. Once all who wrote then
have ended, everything up to the mark has been read. Until then the rows are read again, and the unique constraint
refuses doubles.
"""

import itertools
from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from django.db.models import Max, Model
from django.utils import timezone

from annotate.models import Event
from worker.models import Delivery, JobEvent, Outbox, Webhook
from worker.models.webhook import JUDGEMENTS

LEDGERS: dict[str, type[Model]] = {"event": Event, "job": JobEvent}
TOLD = ("judgement", "judgements", "old", "source")  # of an Event's data; whose it was, and why, stays here
WRITING = """
SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
AND backend_xid IS NOT NULL AND xact_start <= %s)
"""


def collect() -> int:
    """Make the deliveries of all that happened since; returns how many. Safe to run anywhere, any number at once."""
    hooks = list(Webhook.objects.filter(enabled=True).select_related("project"))
    return sum(_read(ledger, hooks) for ledger in LEDGERS) if hooks else 0


def last_ids() -> dict[str, int]:
    """The cursors of a webhook that is to hear of what happens from now on."""
    return {f"{ledger}_cursor": _last(ledger) for ledger in LEDGERS}


def _read(ledger: str, hooks: list[Webhook]) -> int:
    outbox, _ = Outbox.objects.get_or_create(ledger=ledger)
    settled = not _written_since(outbox.marked_at)  # asked before reading: what has ended by now is seen below
    start = max(outbox.cursor, min(_cursor(hook, ledger) for hook in hooks))
    made = _store(_deliveries(ledger, hooks, start))
    if settled:
        mark = _last(ledger)
        moved = {"cursor": max(start, outbox.mark), "mark": mark, "marked_at": _now()}
        Outbox.objects.filter(pk=outbox.pk, cursor=outbox.cursor, mark=outbox.mark).update(**moved)
    return made


def _deliveries(ledger: str, hooks: list[Webhook], start: int) -> Iterator[Delivery]:
    read, now = {"event": _events, "job": _job_events}[ledger], timezone.now()
    for pk, project, kind, told in read(start, {hook.project_id for hook in hooks}):
        source = f"{ledger}-{pk}"
        for hook in hooks:
            if hook.project_id == project and kind in hook.kinds and _cursor(hook, ledger) < pk:
                payload = {"id": source, "kind": kind, "project": hook.project.slug} | told
                yield Delivery(webhook=hook, source=source, kind=kind, payload=payload, next_at=now, asked_at=now)


Row = tuple[int, int, str, dict]  # id, project, kind, what is told of it


def _events(start: int, projects: set[int]) -> Iterator[Row]:
    rows = Event.objects.filter(pk__gt=start, project__in=projects, kind__in=JUDGEMENTS).order_by("pk")
    for row in rows.iterator(500):
        told = {name: row.data[name] for name in TOLD if name in row.data}
        noun, _, pk = row.subject.partition(":")
        own = {"judgement": int(pk)} if noun == "judgement" else {}
        yield row.pk, row.project_id, row.kind, {"at": row.created_at.isoformat()} | own | told


def _job_events(start: int, projects: set[int]) -> Iterator[Row]:
    rows = JobEvent.objects.filter(pk__gt=start, kind="state", job__project__in=projects).order_by("pk")
    fields = ("pk", "job__project", "data", "created_at", "job", "job__kind")
    for pk, project, data, at, job, kind in rows.values_list(*fields).iterator(chunk_size=500):
        told = {"at": at.isoformat(), "job": job, "job_kind": kind}
        yield pk, project, f"job.{data['state']}", told


def _store(deliveries: Iterator[Delivery]) -> int:
    """What is there already is passed by, also if somebody else stores it at this moment."""
    made = 0
    while chunk := list(itertools.islice(deliveries, 500)):
        known = Delivery.objects.filter(source__in={one.source for one in chunk})
        there = set(known.values_list("webhook", "source"))
        new = [one for one in chunk if (one.webhook_id, one.source) not in there]
        Delivery.objects.bulk_create(new, ignore_conflicts=True)
        made += len(new)
    return made


def _cursor(hook: Webhook, ledger: str) -> int:
    return getattr(hook, f"{ledger}_cursor")


def _last(ledger: str) -> int:
    return LEDGERS[ledger].objects.aggregate(last=Max("pk"))["last"] or 0


def _written_since(moment: datetime | None) -> bool:
    """Whether a transaction that was open then, and writes, is open still. SQLite has one writer: ids are in order."""
    if moment is None or connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(WRITING, [moment])
        return cursor.fetchone()[0]


def _now() -> datetime:
    """By the clock of the database, which also says when a transaction began."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
