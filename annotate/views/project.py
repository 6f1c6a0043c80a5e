"""The list of my projects, one project's overview, and its settings."""

from copy import copy

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import RIGHTS, project_for
from annotate.forms import ProjectForm, SchemaForm, SettingsForm
from annotate.models import Project, Role, Task, User
from annotate.schema import Schema
from annotate.schema_text import write_schema
from annotate.services.project import change_schema, change_settings, create_project
from annotate.text import prose


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    projects = list(Project.objects.visible_to(request.user).with_progress())
    roles = dict(request.user.memberships.values_list("project", "role"))
    tasks = Task.objects.filter(project__in=projects).left_for(request.user)
    left = dict(tasks.values("project").annotate(n=Count("pk")).values_list("project", "n"))
    for project in projects:
        project.role = Role.ADMIN if request.user.is_superuser else roles[project.pk]
        project.rights, project.left = RIGHTS[project.role], left.get(project.pk, 0)
        project.filled = project.wanted - project.still_open
    return render(request, "annotate/home.html", {"projects": projects})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    if not request.user.is_superuser:
        raise PermissionDenied("Only a superuser makes projects.")
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = create_project(**form.cleaned_data, actor=request.user)
        except IntegrityError:  # the short name was taken meanwhile: now the form says so
            return new(request)
        messages.success(request, "The project is made. Say here what raters are asked, then bring in items.")
        return redirect("annotate:settings", project.slug)
    return render(request, "annotate/new_project.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "see")
    totals = Project.objects.filter(pk=project.pk).with_progress()
    context = {
        "project": project,
        "left": project.tasks.left_for(request.user).count() if "judge" in project.rights else 0,
        "guidelines": prose(project.guidelines),
        "members": project.memberships.count(),
        **totals.values("items_total", "judged", "wanted", "still_open").get(),
    }
    return render(request, "annotate/project.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Two forms and a preview; the button that was pressed says which (`part`)."""
    project = project_for(request.user, slug, "manage")
    part = request.POST.get("part", "")
    if part == "preview":
        return render(
            request, "annotate/settings.html#preview", {"guidelines": prose(request.POST.get("guidelines", ""))}
        )
    general = SettingsForm(request.POST if part == "general" else None, instance=copy(project))
    schema = SchemaForm(request.POST if part == "schema" else None, initial={"body": write_schema(project.schema)})
    if general.is_valid():
        change_settings(project=project, actor=request.user, **general.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("annotate:settings", slug)
    if schema.is_valid():
        messages.success(request, _store(project, schema.cleaned_data["body"], request.user))
        return redirect("annotate:settings", slug)
    status = 200 if request.method != "POST" else 422
    context = {"project": project, "general": general, "schema": schema, "guidelines": prose(project.guidelines)}
    return render(request, "annotate/settings.html", context, status=status)


def _store(project: Project, schema: Schema, actor: User) -> str:
    if schema == project.schema:
        return "The schema is as it was."
    return f"Saved as schema version {change_schema(project=project, schema=schema, actor=actor).number}."
