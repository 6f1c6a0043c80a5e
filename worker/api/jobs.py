"""Jobs: found, watched, launched, cancelled, and launched once more."""

import threading
import time
from collections.abc import Callable
from typing import Annotated

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router
from ninja.errors import HttpError

from annotate.api.auth import project_for_token
from annotate.api.paging import Id, Page, Paging, page_of
from annotate.models import Project
from worker.api.schemas import EventsOut, JobOut, TrainIn
from worker.models import Job
from worker.models.job import JobKind, JobQuerySet, JobState
from worker.services import job as jobs
from worker.services import repeat as repeats
from worker.services.training import asked, start_training

router = Router(tags=["jobs"])
JOBS = "/projects/{slug:slug}/jobs"
ONE = JOBS + "/{int:job}"
After = Annotated[int, Field(ge=0, le=2**31 - 1)]
Wait = Annotated[float, Field(ge=0, le=25, description="Seconds, fewer than proxies wait before they hang up.")]
MOST = 1000  # events of one answer
# A request that waits holds a thread of its web process: at most half of them wait, others are answered at once.
WAITING = threading.BoundedSemaphore(settings.WEB_THREADS // 2)


def jobs_of(project: Project) -> JobQuerySet:
    """With what is told of each."""
    return project.jobs.select_related("version", "created_by")


def job_of(project: Project, pk: int) -> Job:
    """One of the project's; another project's is not found."""
    return get_object_or_404(jobs_of(project), pk=pk)


@router.get(JOBS, response=Page[JobOut], operation_id="list_jobs")
def list_jobs(
    request: HttpRequest, slug: str, paging: Query[Paging], kind: JobKind | None = None, state: JobState | None = None
) -> dict:
    """Jobs of the project, the newest first."""
    project = project_for_token(request, slug, "research")
    wanted = {name: value for name, value in (("kind", kind), ("state", state)) if value}
    return page_of(jobs_of(project).filter(**wanted), paging, newest=True)


@router.get(ONE, response=JobOut, operation_id="get_job")
def get_job(request: HttpRequest, slug: str, job: Id) -> Job:
    """One job: how far it is, and how it ended."""
    return job_of(project_for_token(request, slug, "research"), job)


@router.get(f"{ONE}/events", response=EventsOut, operation_id="watch_job")
def watch_job(request: HttpRequest, slug: str, job: Id, after: After = 0, wait: Wait = 0.0) -> dict:
    """Watch a job: what happened past event number `after`. Where that is nothing yet, the answer comes with the next
    event, or after `wait` seconds."""
    project = project_for_token(request, slug, "research")
    found = job_of(project, job)
    told = _events(found, after)
    if wait and not (told["events"] or told["ended"]) and WAITING.acquire(blocking=False):
        try:
            told = _wait(found, after, time.monotonic() + wait)
        finally:
            WAITING.release()
    return told


def _wait(job: Job, after: int, until: float) -> dict:
    while time.monotonic() < until:
        time.sleep(settings.SOCKET_LOOK_SECONDS)
        job = job_of(job.project, job.pk)
        told = _events(job, after)
        if told["events"] or told["ended"]:
            break
    return told


def _events(job: Job, after: int) -> dict:
    ended = job.ended  # read before the events: when it is true, no event can follow
    rows = list(job.events.filter(number__gt=after)[: MOST + 1])
    shown = rows[:MOST]
    last = shown[-1].number if shown else after
    return {"events": shown, "last": last, "ended": ended and len(rows) <= MOST, "job": job}


@router.post("/projects/{slug:slug}/train", response={202: JobOut}, operation_id="train")
def train(request: HttpRequest, slug: str, body: TrainIn) -> tuple[int, Job]:
    """Train a version on the judgements as they are now. What is wrong in the recipe is said under its dotted name."""
    project = project_for_token(request, slug, "manage")
    wanted = asked(project=project, trainer=body.trainer, overrides=body.overrides, backbone=body.backbone)
    return 202, start_training(project=project, actor=request.user, queue=body.queue, **wanted)


@router.post(f"{ONE}/cancel", response=JobOut, operation_id="cancel_job")
def cancel_job(request: HttpRequest, slug: str, job: Id) -> Job:
    """Ask a job to stop: a queued one ends at once, a running one as soon as it looks, an ended one stays as it is."""
    project = project_for_token(request, slug, "manage")
    return jobs.cancel(job=job_of(project, job), actor=request.user)


@router.post(f"{ONE}/retry", response={202: JobOut}, operation_id="retry_job")
def retry_job(request: HttpRequest, slug: str, job: Id) -> tuple[int, Job]:
    """Launch a job again from its start, as a new one. Only of a failed or cancelled one; 409 otherwise."""
    return 202, _again(request, slug, job, jobs.retry)


@router.post(f"{ONE}/resume", response={202: JobOut}, operation_id="resume_job")
def resume_job(request: HttpRequest, slug: str, job: Id) -> tuple[int, Job]:
    """Go on from the last checkpoint of a fine-tuning, as a new job. 409 where it left no checkpoint."""
    return 202, _again(request, slug, job, repeats.resume)


@router.post(f"{ONE}/lighter", response={202: JobOut}, operation_id="lighten_job")
def lighten_job(request: HttpRequest, slug: str, job: Id) -> tuple[int, Job]:
    """Launch a fine-tuning that ran out of memory again, with half its token budget. 409 where that is not so."""
    return 202, _again(request, slug, job, repeats.lighten)


def _again(request: HttpRequest, slug: str, pk: int, service: Callable[..., Job]) -> Job:
    project = project_for_token(request, slug, "manage")
    job = job_of(project, pk)
    try:
        return service(job=job, actor=request.user)
    except ValidationError as error:  # of the job's state, not of what was sent
        raise HttpError(409, " ".join(error.messages)) from None
