"""What a job page is told, by the socket and by polling alike."""

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import timezone

from worker.models import Job
from worker.models.job import JobState


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
    """The job's events past number `after`, in order; a state is a line of the log as well."""
    rows = job.events.filter(number__gt=after)
    return [{"number": e.number, "kind": e.kind, "text": e.data.get("state", ""), **e.data} for e in rows]


def job_payload(job: Job, after: int) -> dict:
    """{"last": newest number, "events": past `after`, "status_html": rendered, "ended": bool}

    Whoever asks again with `after` = `last` misses nothing and gets nothing twice.
    """
    ended = job.ended  # read before the events: when it is true, no event can follow
    events = events_after(job, after)
    return {
        "last": events[-1]["number"] if events else after,
        "events": events,
        "status_html": render_to_string("worker/job.html#status", {"job": job, "pace": pace(job)}),
        "ended": ended,
    }
