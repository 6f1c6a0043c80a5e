"""Explaining every response that people looked at, which the page of marks asks for."""

from collections.abc import Sequence

from django.db import transaction

from annotate.models import Project, User
from worker.models import Job, Version
from worker.models.job import JobKind, JobQuerySet
from worker.services.job import cancel, launch


def explaining(version: Version) -> Job | None:
    """The job that explains what people looked at now, or is about to."""
    return _jobs(version).unfinished().first()


def last_explained(version: Version) -> Job | None:
    """The newest such job, however it ended."""
    return _jobs(version).first()


@transaction.atomic
def explain_marked(*, version: Version, methods: Sequence[str], heads: Sequence[str], actor: User | None = None) -> Job:
    """The waiting job, or a new one for all responses in which somebody marked something or found nothing to mark."""
    Project.objects.select_for_update(no_key=True).get(pk=version.project_id)  # two at once would launch two
    params = {"version": version.pk, "marked": True, "methods": list(methods), "heads": list(heads)}
    launched = {"project": version.project, "kind": JobKind.ATTRIBUTE, "params": params, "actor": actor}
    return explaining(version) or launch(**launched)


def stop_explaining(*, version: Version, actor: User | None = None) -> Job | None:
    """The job that was asked to stop; None where none runs."""
    job = explaining(version)
    return cancel(job=job, actor=actor) if job else None


def _jobs(version: Version) -> JobQuerySet:
    return version.project.jobs.filter(kind=JobKind.ATTRIBUTE, params__version=version.pk, params__marked=True)
