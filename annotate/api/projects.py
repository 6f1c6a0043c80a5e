"""Projects: which there are, how far they are, and what raters are asked in them."""

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from annotate.api.auth import allow, project_for_token
from annotate.api.paging import Page, Paging, page_of
from annotate.models import Project, Role, SchemaVersion

router = Router(tags=["projects"])


class ProjectOut(Schema):
    slug: str
    name: str
    role: str
    paused: bool


class ProgressOut(Schema):
    items: int = Field(alias="items_total")
    judged: int = Field(description="Current judgements of people.")
    wanted: int = Field(description="Judgements wanted of all tasks together.")
    open: int = Field(alias="still_open", description="Of those, how many nobody has made or is making.")


class GuidelinesOut(Schema):
    number: int = Field(alias="guidelines_number", description="Version; 0: none were written yet.")
    body: str = Field(alias="guidelines", description="Markdown.")


class SchemaOut(Schema):
    number: int
    body: dict


@router.get("/projects", response=Page[ProjectOut], operation_id="list_projects")
def list_projects(request: HttpRequest, paging: Query[Paging]) -> dict:
    """The projects that the token opens."""
    token = allow(request, "see")
    rows = Project.objects.visible_to(token.user)
    page = page_of(rows.filter(pk=token.project_id) if token.project_id else rows, paging)
    roles = dict(token.user.memberships.values_list("project", "role"))
    for project in page["items"]:
        project.role = Role.ADMIN if token.user.is_superuser else roles[project.pk]
    return page


@router.get("/projects/{slug:slug}", response=ProjectOut, operation_id="get_project")
def get_project(request: HttpRequest, slug: str) -> Project:
    """One project, and the role of the token's owner in it."""
    return project_for_token(request, slug, "see")


@router.get("/projects/{slug:slug}/progress", response=ProgressOut, operation_id="get_progress")
def get_progress(request: HttpRequest, slug: str) -> Project:
    """How many items there are, and how much of what is wanted of them is judged."""
    project = project_for_token(request, slug, "see")
    return Project.objects.with_progress().get(pk=project.pk)


@router.get("/projects/{slug:slug}/guidelines", response=GuidelinesOut, operation_id="get_guidelines")
def get_guidelines(request: HttpRequest, slug: str) -> Project:
    """What raters are to go by, in its newest version."""
    return project_for_token(request, slug, "see")


@router.get("/projects/{slug:slug}/schema", response=SchemaOut, operation_id="get_schema")
def get_schema(request: HttpRequest, slug: str) -> SchemaVersion:
    """What raters are asked, in its newest version."""
    return project_for_token(request, slug, "see").schema_version
