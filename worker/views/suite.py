"""Suites: frozen pairs, and how the versions stand on them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Project
from worker.models import Suite
from worker.models.job import JobKind
from worker.round_form import FreezeForm, SuiteForm
from worker.services.standing import leaderboard, measure, measure_each
from worker.services.suite import freeze_held_out, import_suite, trained_on


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    return _page(request, project, SuiteForm(), FreezeForm())


def _page(request: HttpRequest, project: Project, form: SuiteForm, freeze: FreezeForm) -> HttpResponse:
    rows = list(project.suites.select_related("created_by").order_by("name").annotate(total=Count("pairs")))
    asked = dict(project.suites.values_list("pk").annotate(Count("questions")))
    for suite in rows:
        suite.asked = asked[suite.pk]
    context = {"project": project, "suites": rows, "form": form, "freeze": freeze}
    return render(request, "worker/suites.html", context, status=422 if form.errors or freeze.errors else 200)


@require_POST
def import_pairs(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    form = SuiteForm(request.POST, request.FILES)
    suite = form.is_valid() and _made(form, import_suite, project=project, actor=request.user, **form.cleaned_data)
    return redirect("worker:suite", slug, suite.pk) if suite else _page(request, project, form, FreezeForm())


@require_POST
def freeze(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    form = FreezeForm(request.POST)
    suite = form.is_valid() and _made(form, freeze_held_out, project=project, actor=request.user, **form.cleaned_data)
    return redirect("worker:suite", slug, suite.pk) if suite else _page(request, project, SuiteForm(), form)


def _made(form: Form, make: object, **values: object) -> Suite | None:
    try:
        return make(**values)
    except ValidationError as error:
        form.add_error(None, error)
        return None


@require_safe
def detail(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    suite = get_object_or_404(Suite.objects.select_related("created_by"), project=project, pk=pk)
    board = leaderboard(suite)
    rows = (suite.pairs, suite.questions)
    categories, prompts = (
        set().union(*(one.values_list(name, flat=True).distinct() for one in rows))
        for name in ("category", "prompt_sha256")
    )
    categories = sorted(categories)
    measured = {row.version.pk for row in board}
    context = {
        "project": project,
        "suite": suite,
        "pairs": suite.pairs.count(),
        "questions": suite.questions.count(),
        "prompts": len(prompts),
        "categories": categories if len(categories) > 1 else [],
        "board": [(row, [row.categories.get(name) for name in categories]) for row in board],
        "trained_on": trained_on(suite),
        "frozen": project.events.filter(kind="suite.frozen", subject=f"suite:{pk}").first(),
        "others": project.versions.exclude(pk__in=measured),
        "running": project.jobs.unfinished().filter(kind=JobKind.EVALUATE, params__suite=pk).first(),
    }
    return render(request, "worker/suite.html", context)


@require_POST
def run(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Measure the versions whose numbers are sent."""
    project = project_for(request.user, slug, "manage")
    suite = get_object_or_404(Suite, project=project, pk=pk)
    numbers = [n for n in request.POST.getlist("version") if n.isascii() and n.isdecimal() and len(n) < 10]
    versions = list(project.versions.filter(number__in=map(int, numbers)))
    if not versions:
        messages.error(request, "Choose the versions to measure.")
        return redirect("worker:suite", slug, pk)
    job = measure(suite=suite, versions=versions, actor=request.user)
    return redirect("worker:job", slug, job.pk)


@require_POST
def each(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """on=1: measure every new version by itself; on=0: only those that are asked for."""
    project = project_for(request.user, slug, "manage")
    suite = get_object_or_404(Suite, project=project, pk=pk)
    if request.POST.get("on") in ("0", "1"):
        measure_each(suite=suite, on=request.POST["on"] == "1", actor=request.user)
    else:
        messages.error(request, "Say whether every new version is to be measured: 1 or 0.")
    return redirect("worker:suite", slug, pk)
