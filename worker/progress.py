"""What a running job tells: its place, its metrics and its log; and what it is told: stop."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from worker.models import Job
from worker.models.job import JobState
from worker.services.claim import Cancelled, EventData, LostClaim, beat, end

logger = logging.getLogger(__name__)
WRITE_SECONDS = 0.25
Echo = Callable[[str, int, int, Mapping[str, float]], None]


class Progress:
    """The hands of a job body. Its methods raise Cancelled or LostClaim, which the body lets through.

    report() may be called as often as liked: the row is written at most about four times a second, and every
    metric point becomes an event. `echo` hears every report as well.
    """

    def __init__(self, job: Job, echo: Echo | None = None) -> None:
        self.job = job
        self.echo = echo
        self.finished = False
        self._stop: Exception | None = None
        self._storing = False
        self._events: list[EventData] = []
        self._place: dict = {"stage": "", "done": 0, "total": 0}
        self._written = 0.0
        self._lock = threading.RLock()

    def report(self, stage: str, done: int, total: int, metrics: Mapping[str, float] | None = None) -> None:
        """`done` of `total` steps of a stage; metrics (loss, accuracy, step …) are points of the live curve."""
        if self.echo:
            self.echo(stage, done, total, metrics or {})
        with self._lock:
            new_stage = stage != self._place["stage"]
            if new_stage:
                self._place["stage_started_at"] = timezone.now()
                self._events.append(("log", {"text": stage}))
            self._place |= {"stage": stage[:60], "done": max(0, done), "total": max(0, total)}
            if metrics:
                self._events.append(("metric", {"stage": stage, **_finite(metrics)}))
            self._write(now=new_stage)

    def log(self, text: str) -> None:
        """One line for the reader of the job page."""
        with self._lock:
            self._events.append(("log", {"text": text}))
            self._write(now=True)

    def finish(self, store: Callable[[], dict]) -> dict:
        """Run `store` (which writes the result rows) and end the job in one transaction; returns its result.

        Reports made inside `store` are not written: nobody could see them before the commit.
        """
        self._storing = True
        with self._lock, transaction.atomic():
            result = store()
            if beat(self.job):
                raise Cancelled
            end(self.job, JobState.DONE, self._drain(), result=result, **self._place)
        self.finished = True
        return result

    def give_up(self, state: str, **fields: object) -> None:
        """End as failed or cancelled; events not yet written go with it."""
        with self._lock:
            end(self.job, state, self._drain(), **fields)

    def stop(self, reason: Exception) -> None:
        """Called by the heart: the next report raises the reason."""
        self._stop = reason

    def _write(self, *, now: bool) -> None:
        if self._stop:
            raise self._stop
        if self._storing or not (now or time.monotonic() - self._written >= WRITE_SECONDS):
            return
        events = list(self._events)
        try:
            cancelled = beat(self.job, events, **self._place)
        except (
            OperationalError,
            InterfaceError,
        ) as error:  # busy or away: the next report carries these too
            logger.warning("%s could not report: %s", self.job, error)
            connection.close_if_unusable_or_obsolete()
            return
        del self._events[: len(events)]
        self._written = time.monotonic()
        if cancelled:
            raise Cancelled

    def _drain(self) -> list[EventData]:
        events, self._events = self._events, []
        return events


def _finite(metrics: Mapping[str, float]) -> dict:
    """JSON has no NaN: a metric that is not a number is stored as null."""
    return {name: float(value) if math.isfinite(value) else None for name, value in metrics.items()}


@contextmanager
def beating(progress: Progress) -> Iterator[None]:
    """A thread that beats while the body is in a long call, and hears of a cancel or of a lost claim."""
    over = threading.Event()
    heart = threading.Thread(target=_beat_until, args=(progress, over), daemon=True, name="heart")
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def _beat_until(progress: Progress, over: threading.Event) -> None:
    while not over.wait(settings.JOB_HEARTBEAT_SECONDS):
        try:
            if beat(progress.job):
                progress.stop(Cancelled())
        except LostClaim as lost:
            progress.stop(lost)
        except (DatabaseError, InterfaceError) as error:  # it is busy or restarting: the next beat may get through
            logger.warning("%s missed a beat: %s", progress.job, error)
            connection.close()
    connection.close()
