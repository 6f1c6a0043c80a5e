"""Versions: the leaderboard, one version in words and tables, promote, archive, score, average."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Project
from worker.models import Version
from worker.models.job import JobKind
from worker.models.version import PREFERENCE
from worker.recipes import combining, in_groups
from worker.services import version as versions
from worker.services.average import averageable, combinable, members_of, start_average, start_ensemble
from worker.services.job import launch
from worker.words import checks, in_words

PAGE = 50


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    rows = project.versions.select_related("snapshot")
    if request.htmx:  # the project page asks for the newest one
        return render(request, "worker/versions.html#newest", {"project": project, "version": rows.first()})
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    training = project.jobs.unfinished().filter(kind=JobKind.TRAIN)
    context = {"project": project, "page": page, "training": training}
    if "manage" in project.rights:
        context |= {"averageable": averageable(project), "combinable": combinable(project)}
    return render(request, "worker/versions.html", context)


@require_safe
def detail(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    version = _version(project, number)
    context = {
        "project": project,
        "version": version,
        "metrics": version.metrics,
        "words": in_words(version.metrics),
        "checks": checks(version.metrics),
        "recipe": in_groups(version.recipe),
        "members": members_of(version),
        "combining": combining(version.recipe),
        "scored": version.scores.filter(head=PREFERENCE).count(),
        "scoring": version.scoring,
        "planted": project.events.filter(kind="world.written").values_list("data", flat=True).first(),
    }
    return render(request, "worker/version.html", context)


def _version(project: Project, number: int) -> Version:
    rows = Version.objects.select_related("snapshot", "parent", "trained_by__created_by")
    version = get_object_or_404(rows, project=project, number=number)
    version.project = project  # with the reader's rights
    return version


@require_POST
def promote(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    versions.promote(version=_version(project, number), actor=request.user)
    messages.success(request, f"Version {number} is promoted.")
    return redirect("worker:version", slug, number)


@require_POST
def archive(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    versions.archive(version=_version(project, number), actor=request.user)
    messages.success(request, f"Version {number} is archived.")
    return redirect("worker:version", slug, number)


@require_POST
def score(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    version = _version(project, number)
    params = {"version": version.pk}
    job = version.scoring or launch(project=project, kind=JobKind.SCORE, params=params, actor=request.user)
    return redirect("worker:job", slug, job.pk)


@require_POST
def average(request: HttpRequest, slug: str) -> HttpResponse:
    """The mean of the weights of the versions whose numbers are sent, or with a rule their ensemble, as a job."""
    project = project_for(request.user, slug, "manage")
    numbers = [n for n in request.POST.getlist("version") if n.isascii() and n.isdecimal() and len(n) < 10]
    try:
        chosen = project.versions.filter(number__in=map(int, numbers)).select_related("trained_by")
        if rule := request.POST.get("rule"):
            job = start_ensemble(versions=chosen, rule=rule, actor=request.user)
        else:
            job = start_average(versions=chosen, actor=request.user)
        return redirect("worker:job", slug, job.pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("worker:versions", slug)
