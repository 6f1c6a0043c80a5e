"""Jobs: launched, run, cancelled, reaped, retried. See claim.py for what a running job may write."""

import gc
import logging
import sys
import time
from functools import partial
from importlib import import_module

from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from annotate.models import Project, User
from annotate.services.event import record
from worker.jobs import JOBS
from worker.models import Job
from worker.models.job import JobState
from worker.progress import Echo, Progress, beating
from worker.services.claim import Cancelled, LostClaim, append_events, claim, held
from worker.services.nudge import HERE, wake_worker

log = logging.getLogger(__name__)
ATTEMPTS = 3
PATIENCE = 2.0  # seconds
ADVICE = {
    "MemoryError": "The machine ran out of memory: use a smaller backbone or fewer rows, or a larger machine.",
    "OutOfMemoryError": "The accelerator ran out of memory: halve the token budget, or use a smaller backbone.",
    "FileNotFoundError": "A file the job needs is gone: give it again.",
    "ValueError": "Correct the input that the message names, then launch the job again.",
    "ValidationError": "Correct the input that the message names, then launch the job again.",
}
OTHERWISE = "The worker's log has the whole traceback. If the cause was passing, retry."


@transaction.atomic
def launch(
    *, project: Project, kind: str, params: dict, actor: User | None = None, queue: str = "cpu", **made_from: object
) -> Job:
    """A queued job; the workers hear of it when the transaction commits. `params` is plain JSON.

    `made_from`: origin, the job it repeats; sweep, which it is a point of.
    """
    fields = {"project": project, "kind": kind, "params": params, "queue": queue, "created_by": actor} | made_from
    job = Job.objects.create(heartbeat_at=Now(), **fields)
    append_events(job.pk, [("state", {"state": job.state})])
    record(kind="job.launched", subject=job, project=project, actor=actor, job_kind=kind)
    transaction.on_commit(partial(wake_worker, job))
    return job


def run_now(job: Job, echo: Echo | None = None) -> Job:
    """Claim and run the job in this process; how it ended is in the returned row, nothing is raised.

    A job that is not queued is left alone. `echo` hears the progress.
    """
    if claimed := claim(job.pk):
        _run(claimed, echo)
    job.refresh_from_db()
    return job


def _run(job: Job, echo: Echo | None) -> None:
    progress, modules = Progress(job, echo), len(sys.modules)
    with beating(progress):
        try:
            result = import_module(JOBS[job.kind]).run(job, progress)
            if not progress.finished:
                progress.finish(lambda: result)
        except LostClaim:
            log.warning("%s was taken by another worker or ended; this run wrote nothing.", job)
        except (Cancelled, KeyboardInterrupt):
            _give_up(progress, JobState.CANCELLED)
        except Exception as error:
            if _database_left(error):
                log.warning("%s lost the database, and is taken up again: %s", job, error)
            else:
                log.exception("%s failed", job)
                _give_up(progress, JobState.FAILED, error=_cause(error), advice=_advice(error))
    if len(sys.modules) > modules:
        _settle()


def _database_left(error: Exception) -> bool:
    """The job is not at fault. Nobody knows what was stored last: the row, which the reaper looks at, tells."""
    if isinstance(error, OperationalError | InterfaceError) and not connection.is_usable():
        connection.close()
        return True
    return False


def _settle() -> None:
    """What was imported, torch above all, stays for good: to walk through it with each collection would take a sixth of
    a training."""
    gc.collect()
    gc.freeze()


def _give_up(progress: Progress, state: str, **fields: str) -> None:
    try:
        progress.give_up(state, **fields)
    except LostClaim:
        log.warning("%s was taken by another worker or ended; this run wrote nothing.", progress.job)


def _cause(error: Exception) -> str:
    """One short line: our own errors speak for themselves, others are named."""
    text = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
    own = isinstance(error, ValueError | ValidationError)
    return (text if own and text else f"{type(error).__name__}: {text}").split("\n")[0][:500]


def _advice(error: Exception) -> str:
    if "No space left" in str(error):  # an OSError, or what safetensors makes of one
        return "The disk is full, and nothing half was kept: make room on it, then retry."
    return ADVICE.get(type(error).__name__, OTHERWISE)


@transaction.atomic
def cancel(*, job: Job, actor: User | None = None) -> Job:
    """A queued job ends at once; a running one is asked to stop; an ended one stays as it is."""
    now = timezone.now()
    queued = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
    running = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, cancel_requested_at=None)
    if queued.update(state=JobState.CANCELLED, finished_at=now, cancel_requested_at=now):
        append_events(job.pk, [("state", {"state": JobState.CANCELLED})])
    elif running.update(cancel_requested_at=now):
        append_events(job.pk, [("log", {"text": "cancel asked for"})])
    else:
        return job
    record(kind="job.cancelled", subject=job, project=job.project, actor=actor)
    job.refresh_from_db()
    return job


@transaction.atomic
def retry(*, job: Job, actor: User | None = None) -> Job:
    """A new job with the same parameters; the old one keeps its story. Only for failed and cancelled jobs."""
    if job.state not in (JobState.FAILED, JobState.CANCELLED):
        raise ValidationError("Only a failed or cancelled job can be retried.")
    params = {name: value for name, value in job.params.items() if name != "resume"}  # from its start
    return repeat(job=job, params=params, actor=actor)


def repeat(*, job: Job, params: dict, actor: User | None = None) -> Job:
    """A new job made from this one, a point of the same sweep if that was one."""
    made_from = {"origin": job, "sweep": job.sweep, "queue": _shared(job.queue)}
    return launch(project=job.project, kind=job.kind, params=params, actor=actor, **made_from)


def _shared(queue: str) -> str:
    """A queue that a worker listens to."""
    return "cpu" if queue == HERE else queue


def reap() -> dict[str, int]:
    """Take up what was left: running jobs whose heart stopped, queued jobs whose nudge got lost.

    `heartbeat_at` of a queued job is the time of its last nudge. Safe to run anywhere, any number at once.
    """
    silent = Job.objects.silent()
    dead = [_take_up(job, time.monotonic()) for job in silent.filter(state=JobState.RUNNING)]
    lost = [_nudge_again(job) for job in silent.filter(state=JobState.QUEUED)]
    return {"dead": sum(dead), "lost": sum(lost)}


@transaction.atomic
def _take_up(job: Job, asked: float) -> bool:
    """Back into the queue, unless it was cancelled or has died too often."""
    if time.monotonic() - asked > PATIENCE:
        return False  # we waited for the database to be free, so its heart may have waited, too
    now = timezone.now()
    fields: dict = {"claim": "", "heartbeat_at": Now()}
    if job.cancel_requested_at:
        fields |= {"state": JobState.CANCELLED, "finished_at": now}
    elif job.attempt >= ATTEMPTS:
        error = f"The worker died {job.attempt} times while it ran this job."
        advice = "Most often memory: look into the worker's and the system's log, then retry with less data."
        fields |= {"state": JobState.FAILED, "finished_at": now, "error": error, "advice": advice}
    else:
        fields |= {"state": JobState.QUEUED, "queue": _shared(job.queue)}
    if not held(job).silent().update(**fields):
        return False
    words = f"worker {job.worker} stopped answering"
    append_events(job.pk, [("log", {"text": words}), ("state", {"state": fields["state"]})])
    job.refresh_from_db()
    if not job.ended:
        transaction.on_commit(partial(wake_worker, job))
    return True


def _nudge_again(job: Job) -> bool:
    queued = Job.objects.silent().filter(pk=job.pk, state=JobState.QUEUED)
    job.queue = _shared(job.queue)
    if not queued.update(heartbeat_at=Now(), queue=job.queue):
        return False
    wake_worker(job)
    return True
