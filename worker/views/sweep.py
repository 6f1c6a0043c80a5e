"""Sweeps: the list, a new one, its comparison table, and its end before its time."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import project_for
from worker.models import Sweep
from worker.models.job import ENDED
from worker.recipe_form import formulas
from worker.recipes import OPTIONS
from worker.services import sweep as sweeps
from worker.sweep_form import SweepForm
from worker.views.training import recipe_form

PAGE = 50


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    counts = {"runs": Count("jobs"), "over": Count("jobs", filter=Q(jobs__state__in=ENDED))}
    counted = project.sweeps.select_related("created_by").annotate(**counts).order_by("-pk")
    page = Paginator(counted, PAGE).get_page(request.GET.get("page"))
    return render(request, "worker/sweeps.html", {"project": project, "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """htmx asks for the form alone, or for the number of runs that it makes."""
    project = project_for(request.user, slug, "manage")
    form = recipe_form(request, project, SweepForm)
    if form.is_valid() and request.method == "POST":
        try:
            sweep = sweeps.start_sweep(project=project, actor=request.user, **form.launch)
            return redirect("worker:sweep", slug, sweep.pk)
        except ValidationError as error:
            form.add_error(None, error)
    context = {"project": project, "form": form, "most": sweeps.MOST}
    if request.htmx:
        part = "runs" if request.htmx.target == "runs" else "changed"
        return render(request, f"worker/sweep_new.html#{part}", context | {"oob": True})
    context["formulas"] = formulas()
    return render(request, "worker/sweep_new.html", context, status=422 if request.method == "POST" else 200)


@require_safe
def detail(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    sweep = get_object_or_404(Sweep.objects.select_related("snapshot", "created_by"), project=project, pk=pk)
    rows = sweeps.table(sweep)
    context = {
        "project": project,
        "sweep": sweep,
        "rows": rows,
        "labels": [OPTIONS[name].label if name in OPTIONS else "Trainer" for name in sweep.grid],
        "live": any(not row.job.ended for row in rows),
        "best": next((row for row in rows if row.best), None),
        "measured": sum(row.accuracy.get("value") is not None for row in rows),
    }
    return render(request, "worker/sweep.html#table" if request.htmx else "worker/sweep.html", context)


@require_POST
def cancel(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    sweep = get_object_or_404(Sweep, project=project, pk=pk)
    count = sweeps.cancel_sweep(sweep=sweep, actor=request.user)
    messages.success(request, f"{count} job{'' if count == 1 else 's'} of the sweep cancelled.")
    return redirect("worker:sweep", slug, pk)
