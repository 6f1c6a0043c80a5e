"""What a job page is told, by the socket and by polling alike."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from annotate.agreement.intervals import wilson_bounds
from worker.models import Job
from worker.models.job import JobState
from worker.services.queue import waiting

MOST = 1000  # points of the curves that are sent at once


@dataclass(frozen=True)
class Pace:
    """Of the current stage of a running job; None where it cannot be said yet."""

    percent: float | None
    rate: str  # steps per second or per minute; "" when not known
    seconds_left: float | None


def pace(job: Job) -> Pace:
    """How far the stage is, how fast it goes, and how long it would take at the speed it had so far."""
    if not job.total:
        return Pace(None, "", None)
    percent = min(100.0, 100 * job.done / job.total)
    if job.state != JobState.RUNNING or not job.stage_started_at or not job.done:
        return Pace(percent, "", None)
    rate = job.done / max((timezone.now() - job.stage_started_at).total_seconds(), 1e-3)
    said = f"{rate:,.1f} per second" if rate >= 1 else f"{60 * rate:.1f} per minute"
    return Pace(percent, said, max(0, job.total - job.done) / rate)


def after_in(text: str) -> int:
    """The N of ?after=N; anything that is not a number asks for everything."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def events_after(job: Job, after: int) -> list[dict]:
    """The job's events past number `after`, in order; a state is a line of the log as well. Long curves are thinned."""
    rows = job.events.filter(number__gt=after)
    points = rows.filter(kind="metric")
    if points.count() > MOST:
        rows = rows.filter(~Q(kind="metric") | Q(number__in=_thinned(points)))
    return [{"number": e.number, "kind": e.kind, "text": e.data.get("state", ""), **_told(e.data)} for e in rows]


def _thinned(points: QuerySet) -> set[int]:
    """Numbers of MOST of them, the first and the last among these, and of as many evaluations, which are rare."""
    evaluations = points.filter(data__has_key="held_out_accuracy")
    return {n for rows in (points, evaluations) for n in evenly(list(rows.values_list("number", flat=True)), MOST)}


def evenly(numbers: list[int], most: int) -> list[int]:
    """All of them, or `most` at equal distances from the first to the last."""
    if len(numbers) <= most:
        return numbers
    return [numbers[n * (len(numbers) - 1) // (most - 1)] for n in range(most)]


def _told(data: dict) -> dict:
    """A share of held-out pairs gets Wilson's interval, as low and high."""
    share, n = data.get("held_out_accuracy"), data.get("held_out_pairs")
    if share is None or not n:
        return data
    low, high = wilson_bounds(share, n)
    return data | {"low": low, "high": high}


def status(job: Job) -> dict:
    """What the status part of the page is rendered from."""
    return {"job": job, "pace": pace(job), "waiting": waiting(job)}


def job_payload(job: Job, after: int) -> dict:
    """{"last": newest number, "events": past `after`, "status_html": rendered, "ended": bool}

    Whoever asks again with `after` = `last` misses nothing and gets nothing twice.
    """
    ended = job.ended  # read before the events: when it is true, no event can follow
    events = events_after(job, after)
    return {
        "last": events[-1]["number"] if events else after,
        "events": events,
        "status_html": render_to_string("worker/job.html#status", status(job)),
        "ended": ended,
    }
