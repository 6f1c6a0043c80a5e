"""Measuring what bfloat16 does to a version's scores, as the page of calibration asks for."""

from django.db import transaction

from annotate.models import Project, User
from worker.models import Job, Version
from worker.models.job import JobKind
from worker.services.job import cancel, launch

NOISE = "noise"  # the summary's name
RESPONSES = (100, 500)


def measuring(version: Version) -> Job | None:
    """The job that measures it now, or is about to."""
    return version.project.jobs.unfinished().filter(kind=JobKind.NOISE, params__version=version.pk).first()


@transaction.atomic
def measure_noise(*, version: Version, responses: int, actor: User | None = None) -> Job:
    """The waiting job, or a new one on so many responses."""
    Project.objects.select_for_update(no_key=True).get(pk=version.project_id)  # two at once would launch two
    params = {"version": version.pk, "responses": responses}
    return measuring(version) or launch(project=version.project, kind=JobKind.NOISE, params=params, actor=actor)


def stop_measuring(*, version: Version, actor: User | None = None) -> Job | None:
    """The job that was asked to stop; None where none runs."""
    job = measuring(version)
    return cancel(job=job, actor=actor) if job else None
