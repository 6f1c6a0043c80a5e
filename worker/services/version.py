"""Versions: named, promoted, archived."""

from django.db import transaction

from annotate.models import Project, User
from annotate.services.event import record
from worker.models import Version
from worker.models.version import VersionState


def resolve(name: str) -> Version:
    """The version named "project:number" or "project:latest"; ValueError says what is wrong with the name."""
    slug, colon, number = name.rpartition(":")
    if not colon or not (number == "latest" or number.isdecimal()):
        raise ValueError(f"{name!r} does not name a version: write project:number or project:latest.")
    versions = Version.objects.select_related("project", "snapshot").filter(project__slug=slug)
    found = versions.first() if number == "latest" else versions.filter(number=int(number)).first()
    if not found:
        raise ValueError(f"There is no version {name}.")
    return found


@transaction.atomic
def promote(*, version: Version, actor: User | None = None) -> Version:
    """Make it the project's version in use; the one before is archived."""
    Project.objects.select_for_update(no_key=True).get(pk=version.project_id)  # two at once would both promote
    promoted = Version.objects.filter(project=version.project, state=VersionState.PROMOTED)
    promoted.exclude(pk=version.pk).update(state=VersionState.ARCHIVED)
    return _become(version, VersionState.PROMOTED, actor)


@transaction.atomic
def archive(*, version: Version, actor: User | None = None) -> Version:
    """Put it away; its scores and its file stay."""
    Project.objects.select_for_update(no_key=True).get(pk=version.project_id)  # in the order in which promote locks
    return _become(version, VersionState.ARCHIVED, actor)


def _become(version: Version, state: VersionState, actor: User | None) -> Version:
    Version.objects.filter(pk=version.pk).update(state=state)
    version.state = state
    record(kind=f"version.{state}", subject=version, project=version.project, actor=actor, number=version.number)
    return version
