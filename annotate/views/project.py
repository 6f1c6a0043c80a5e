"""The list of my projects, one project's overview, and its settings."""

from collections import Counter
from copy import copy

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import RIGHTS, project_for
from annotate.forms import ProjectForm
from annotate.models import Assignment, Project, Role, Task, User
from annotate.models.task import AssignmentKind, AssignmentState
from annotate.project_forms import SettingsForm
from annotate.services.project import change_settings, create_project
from annotate.text import prose
from annotate.views.guidelines import pane_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    projects = list(Project.objects.visible_to(request.user).with_progress())
    roles = dict(request.user.memberships.values_list("project", "role"))
    tasks = Task.objects.filter(project__in=projects).left_for(request.user)
    left = Counter(dict(tasks.values("project").annotate(n=Count("pk")).values_list("project", "n")))
    left.update(_on_desk(request.user).values_list("task__project", flat=True))
    for project in projects:
        project.role = Role.ADMIN if request.user.is_superuser else roles[project.pk]
        project.rights, project.left = RIGHTS[project.role], left[project.pk]
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
        "left": _left(project, request.user) if "judge" in project.rights else 0,
        "guidelines": prose(project.guidelines),
        "members": project.memberships.count(),
        **totals.values("items_total", "judged", "wanted", "still_open").get(),
        **pane_of(project, request.user),
    }
    return render(request, "annotate/project.html", context)


def _left(project: Project, user: User) -> int:
    """Tasks the user may be given yet, and the one on their desk."""
    return project.tasks.left_for(user).count() + _on_desk(user).filter(task__project=project).count()


def _on_desk(user: User) -> QuerySet[Assignment]:
    held = Assignment.objects.filter(rater=user, state=AssignmentState.LEASED)
    return held.exclude(kind=AssignmentKind.ADJUDICATION)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    form = SettingsForm(request.POST or None, instance=copy(project))
    if request.method == "POST" and form.is_valid():
        change_settings(project=project, actor=request.user, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("annotate:settings", slug)
    context = {"project": project, "form": form}
    return render(request, "annotate/settings.html", context, status=422 if form.errors else 200)
