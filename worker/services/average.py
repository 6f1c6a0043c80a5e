"""Several versions as one, launched: the mean of their weights, or an ensemble of their scores."""

from collections import defaultdict
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from pydantic import ValidationError as InvalidExtras

from annotate.models import Project, User
from worker.models import Job, Version
from worker.models.job import JobKind
from worker.models.version import VersionState
from worker.rm.recipe import Extras
from worker.services.job import launch

LEAST, MOST = 2, 16
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
    for version in _plain(project).exclude(recipe__name="heads")[:SHOWN]:
        groups.setdefault(_kind(version), []).append(version)
    return [group for group in groups.values() if len(group) >= LEAST]


def start_ensemble(
    *, versions: Sequence[Version], rule: str, actor: User | None = None, queue: str = "cpu", **weights: float
) -> Job:
    """A job that makes versions of one snapshot, of any trainers, score together by the rule: mean, wco, uwo, quantile.

    `weights` may hold uwo_weight and quantile, see rm.recipe.Extras. ValidationError where they cannot be together.
    """
    chosen = sorted({version.pk for version in versions})
    if not LEAST <= len(chosen) <= MOST:
        raise ValidationError(f"Choose {LEAST} to {MOST} versions for an ensemble.")
    if len({version.snapshot_id for version in versions}) > 1:
        raise ValidationError("Versions of different snapshots have no held-out pairs in common: choose those of one.")
    if any(version.transforms for version in versions):
        raise ValidationError("A transformed version cannot be a member: choose the one that it was made from.")
    if Version.objects.of_several().filter(pk__in=chosen).exists():
        raise ValidationError("An ensemble of versions cannot be a member of another: choose its members.")
    try:
        extras = Extras(members=len(chosen), combine=rule, **weights)
    except InvalidExtras as error:
        raise ValidationError([f"{one['loc'][0]}: {one['msg']}" for one in error.errors()]) from None
    params = {"versions": chosen, "rule": rule, "uwo_weight": extras.uwo_weight, "quantile": extras.quantile}
    return launch(project=versions[0].project, kind=JobKind.AVERAGE, params=params, actor=actor, queue=queue)


def combinable(project: Project) -> list[list[Version]]:
    """The project's versions that could be an ensemble with each other, at least two at a time, newest first."""
    groups: dict[int, list[Version]] = defaultdict(list)
    for version in _plain(project).select_related("snapshot")[:SHOWN]:
        groups[version.snapshot_id].append(version)
    return [group for group in groups.values() if len(group) >= LEAST]


def members_of(version: Version) -> list[Version]:
    """What an ensemble of versions, transformed or not, was made of; of any other version none."""
    alike = version.project.versions.of_several().filter(file=version.file, trained_by__isnull=False)
    made = alike.select_related("trained_by").first()
    chosen = made.trained_by.params["versions"] if made else []
    return list(version.project.versions.filter(pk__in=chosen).order_by("number"))


def _plain(project: Project) -> QuerySet:
    """In use, not transformed, and a model of its own."""
    rows = project.versions.exclude(state=VersionState.ARCHIVED).exclude(pk__in=project.versions.of_several())
    return rows.filter(transforms=[]).defer("metrics")


def _kind(version: Version) -> tuple:
    """Equal where weights mean the same; whether they had one start is seen when they are read."""
    return (version.backbone, version.encode_hash, version.recipe["name"], *version.heads)
