"""The mean of versions' weights, launched."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError

from annotate.models import Project, User
from worker.models import Job, Version
from worker.models.job import JobKind
from worker.models.version import VersionState
from worker.services.job import launch

LEAST = 2
SHOWN = 50


def start_average(*, versions: Sequence[Version], actor: User | None = None, queue: str = "cpu") -> Job:
    """A job that averages fine-tunes of one start; ValidationError where they cannot be of one."""
    if len({version.pk for version in versions}) < LEAST:
        raise ValidationError("Choose at least two versions to average.")
    if len({version.project_id for version in versions}) > 1:
        raise ValidationError("Versions of one project alone can be averaged.")
    if len({_kind(one) for one in versions}) > 1:
        raise ValidationError("Only versions of one trainer, backbone, encoding and the same heads can be averaged.")
    if versions[0].recipe["name"] == "heads":
        raise ValidationError("Heads have no weights of a backbone to average: choose versions of lora or full.")
    params = {"versions": sorted(version.pk for version in versions)}
    return launch(project=versions[0].project, kind=JobKind.AVERAGE, params=params, actor=actor, queue=queue)


def averageable(project: Project) -> list[list[Version]]:
    """The project's fine-tunes that could be averaged with each other, at least two at a time, newest first."""
    groups: dict[tuple, list[Version]] = {}
    tuned = project.versions.exclude(state=VersionState.ARCHIVED).exclude(recipe__name="heads").defer("metrics")
    for version in tuned.filter(transforms=[])[:SHOWN]:
        groups.setdefault(_kind(version), []).append(version)
    return [group for group in groups.values() if len(group) >= LEAST]


def _kind(version: Version) -> tuple:
    """Equal where weights mean the same; whether they had one start is seen when they are read."""
    return (version.backbone, version.encode_hash, version.recipe["name"], *version.heads)
