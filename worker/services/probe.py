"""Work that the surface page asks for: counting what responses look like, and probing a version with changed ones."""

from django.db import transaction

from annotate.models import Project, User
from worker.models import Job, Version
from worker.models.job import JobKind
from worker.services.job import cancel, launch
from worker.swaps import SWAPS

LABELS = {name: swap.label for name, swap in SWAPS.items()}


def counting(project: Project) -> Job | None:
    """The job that counts the responses' surface now, or is about to."""
    return project.jobs.unfinished().filter(kind=JobKind.SURFACE).first()


def probing(version: Version) -> Job | None:
    """The job that probes the version now, or is about to."""
    return version.project.jobs.unfinished().filter(kind=JobKind.PROBE, params__version=version.pk).first()


@transaction.atomic
def count_surface(*, project: Project, actor: User | None = None) -> Job:
    """The waiting job, or a new one."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # two at once would launch two
    return counting(project) or launch(project=project, kind=JobKind.SURFACE, params={}, actor=actor)


@transaction.atomic
def probe(*, version: Version, prompts: int, actor: User | None = None) -> Job:
    """The waiting job, or a new one on so many prompts."""
    Project.objects.select_for_update(no_key=True).get(pk=version.project_id)
    params = {"version": version.pk, "prompts": prompts}
    return probing(version) or launch(project=version.project, kind=JobKind.PROBE, params=params, actor=actor)


def stop_probing(*, version: Version, actor: User | None = None) -> Job | None:
    """The job that was asked to stop; None where none runs."""
    job = probing(version)
    return cancel(job=job, actor=actor) if job else None
