"""A training that did not end well, once more: from its last checkpoint, or with less memory."""

import re

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.models import User
from worker.models import Job
from worker.models.job import JobKind, JobState
from worker.services.job import repeat
from worker.store import artifacts

RUNNING = "running"
# What the names of errors and our own sentences say when memory was short.
SHORT = ("OutOfMemoryError", "MemoryError", "out of memory", "can't allocate memory", "The worker died")
BUDGET = {"cpu": 4096, "gpu": 16384}  # padded tokens of one step where a recipe names none: batching.TRAIN_TOKENS
LEAST_BUDGET = 64
TRIED = re.compile(r"token_budget of (\d{1,9})\b")  # finetune.py names what it tried


def work_folder(job: Job) -> str:
    """Where in the artifact store a training keeps what it can go on from: its own folder, or that of the job it goes
    on from."""
    return f"{RUNNING}/job{job.params.get('resume', job.pk)}"


def can_resume(job: Job) -> bool:
    """Whether it stopped after its first checkpoint."""
    return _stopped_tuning(job) and any(artifacts().listdir(work_folder(job)))


@transaction.atomic
def resume(*, job: Job, actor: User | None = None) -> Job:
    """A new job that goes on from the last checkpoint; one at a time may."""
    Job.objects.select_for_update(no_key=True).get(pk=job.pk)
    if not can_resume(job):
        raise ValidationError("There is no checkpoint to go on from: retry it from the start.")
    root = job.params.get("resume", job.pk)
    going = job.project.jobs.unfinished().filter(kind=JobKind.TRAIN, params__resume=root).first()
    if going:
        raise ValidationError(f"Job {going.pk} goes on from its checkpoint already.")
    return repeat(job=job, params=job.params | {"resume": root}, actor=actor)


def lighter_budget(job: Job) -> int | None:
    """Half the tokens of one step, for a tuning that ran out of memory; None where that is not what happened."""
    if not (_stopped_tuning(job) and job.state == JobState.FAILED and any(sign in job.error for sign in SHORT)):
        return None
    half = _budget(job) // 2
    return half if half >= LEAST_BUDGET else None


def _budget(job: Job) -> int:
    """The one that was too large: as the failure names it, as the recipe says, or the device's own."""
    if named := TRIED.search(job.error):
        return int(named[1])
    return job.params["recipe"].get("tuning", {}).get("token_budget") or BUDGET.get(job.queue, BUDGET["cpu"])


def lighten(*, job: Job, actor: User | None = None) -> Job:
    """The same training from its start with half the token budget."""
    budget = lighter_budget(job)
    if budget is None:
        raise ValidationError("Only a tuning that ran out of memory is launched again with a smaller token budget.")
    recipe = job.params["recipe"]
    recipe = recipe | {"tuning": recipe.get("tuning", {}) | {"token_budget": budget}}
    params = {name: value for name, value in job.params.items() if name != "resume"}
    return repeat(job=job, params=params | {"recipe": recipe}, actor=actor)


def _stopped_tuning(job: Job) -> bool:
    """A training that moved the backbone's weights and did not come to its end."""
    tuned = job.kind == JobKind.TRAIN and job.params.get("recipe", {}).get("name") in ("lora", "full")
    return tuned and job.state in (JobState.FAILED, JobState.CANCELLED)
