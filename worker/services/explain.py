"""Explaining every response that people looked at, which the page of marks asks for, and those that a program names."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.models import Project, Response, User
from worker.explain import METHODS
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


@transaction.atomic
def explain_responses(
    *, version: Version, responses: Sequence[int], methods: Sequence[str], head: str, actor: User | None = None
) -> Job:
    """A job that explains these responses, or the one that does or is about to; ValidationError by field."""
    Project.objects.select_for_update(no_key=True).get(pk=version.project_id)  # two at once would launch two
    ids, known = sorted(set(responses)), [method for method in METHODS if method in methods]
    _check(version, ids, methods, head)
    params = {"version": version.pk, "responses": ids, "methods": known, "heads": [head]}
    same = version.project.jobs.unfinished().filter(kind=JobKind.ATTRIBUTE, params=params)
    return same.first() or launch(project=version.project, kind=JobKind.ATTRIBUTE, params=params, actor=actor)


def _check(version: Version, ids: Sequence[int], methods: Sequence[str], head: str) -> None:
    wrong = {}
    if head not in version.heads:
        wrong["head"] = f"The version has {', '.join(version.heads)}."
    if unknown := sorted(set(methods) - set(METHODS)):
        wrong["methods"] = f"There is no {unknown[0]!r}; there are {', '.join(METHODS)}."
    own = set(Response.objects.filter(item__project=version.project_id, pk__in=ids).values_list("pk", flat=True))
    if strange := [pk for pk in ids if pk not in own]:
        wrong["responses"] = f"The project has no response {strange[0]}."
    if wrong:
        raise ValidationError(wrong)


def stop_explaining(*, version: Version, actor: User | None = None) -> Job | None:
    """The job that was asked to stop; None where none runs."""
    job = explaining(version)
    return cancel(job=job, actor=actor) if job else None


def _jobs(version: Version) -> JobQuerySet:
    return version.project.jobs.filter(kind=JobKind.ATTRIBUTE, params__version=version.pk, params__marked=True)
