"""Versions: found, measured, promoted, archived."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from annotate.api.auth import project_for_token
from annotate.api.paging import Page, Paging, page_of
from annotate.models import Project
from worker.api.schemas import Number, VersionDetailOut, VersionOut
from worker.models import Version
from worker.models.version import VersionQuerySet, VersionState
from worker.services import version as versions
from worker.services.lineage import change_of, raters_of
from worker.services.standing import standings
from worker.words import in_words

router = Router(tags=["versions"])
VERSIONS = "/projects/{slug:slug}/versions"
ONE = VERSIONS + "/{int:number}"


def versions_of(project: Project) -> VersionQuerySet:
    """With what is told of each."""
    return project.versions.select_related("snapshot", "parent")


def version_of(project: Project, number: int) -> Version:
    """One of the project's, by its number; its project has the caller's rights."""
    version = get_object_or_404(versions_of(project), number=number)
    version.project = project
    return version


@router.get(VERSIONS, response=Page[VersionOut], operation_id="list_versions")
def list_versions(request: HttpRequest, slug: str, paging: Query[Paging], state: VersionState | None = None) -> dict:
    """Versions of the project, the newest first."""
    rows = versions_of(project_for_token(request, slug, "research"))
    return page_of(rows.filter(state=state) if state else rows, paging, newest=True)


@router.get(ONE, response=VersionDetailOut, operation_id="get_version")
def get_version(request: HttpRequest, slug: str, number: Number) -> Version:
    """One version with its metrics and their intervals, what it was made from, and how it stands on suites."""
    version = version_of(project_for_token(request, slug, "research"), number)
    version.words = in_words(version.metrics)
    version.lineage = _lineage(version)
    version.standing = _standing(version)
    return version


def _lineage(version: Version) -> dict:
    raters = raters_of(version)
    sums = {name: sum(rater[name] for rater in raters) for name in ("train", "test", "withdrawn")}
    change = change_of(version) or {"added": None, "removed": None}
    return {"counts": version.snapshot.counts, "raters": len(raters)} | sums | change


def _standing(version: Version) -> list[dict]:
    suites = {suite.pk: suite for suite in version.project.suites.order_by("name")}
    return [
        {"suite": pk, "name": suites[pk].name, **vars(row)}
        for pk, rows in standings(version.project, suites.values()).items()
        for row in rows
        if row.version.pk == version.pk
    ]


@router.post(f"{ONE}/promote", response=VersionOut, operation_id="promote_version")
def promote_version(request: HttpRequest, slug: str, number: Number) -> Version:
    """Put a version into use. The one before is archived; a scorer that follows loads this one."""
    project = project_for_token(request, slug, "manage")
    return versions.promote(version=version_of(project, number), actor=request.user)


@router.post(f"{ONE}/archive", response=VersionOut, operation_id="archive_version")
def archive_version(request: HttpRequest, slug: str, number: Number) -> Version:
    """Put a version away. Its scores and its file stay."""
    project = project_for_token(request, slug, "manage")
    return versions.archive(version=version_of(project, number), actor=request.user)
