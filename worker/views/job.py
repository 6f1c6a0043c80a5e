"""Jobs: the list, one job live, its events; cancelled, and launched once more in three ways."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from pydantic import ValidationError as PydanticError

from annotate.access import project_for
from worker.models import Job
from worker.payload import after_in, events_after, job_payload, pace, status
from worker.recipes import OPTIONS, changed
from worker.rm.recipe import Recipe
from worker.services import job as jobs
from worker.services import repeat as repeats
from worker.services.repeat import can_resume, lighter_budget

PAGE = 50


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    rows = project.jobs.select_related("created_by", "version")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"project": project, "page": page, "live": project.jobs.unfinished().exists()}
    template = "worker/jobs.html#rows" if request.htmx else "worker/jobs.html"
    return render(request, template, context | {"paced": [(job, pace(job)) for job in page]})


@require_safe
def detail(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    job = get_object_or_404(
        Job.objects.select_related("version", "created_by", "origin", "sweep"), project=project, pk=pk
    )
    events = events_after(job, 0)
    context = {
        "project": project,
        **status(job),
        "last": events[-1]["number"] if events else 0,
        "logs": [event for event in events if event["kind"] != "metric"],
        "metrics": [event for event in events if event["kind"] == "metric"],
        "can_resume": can_resume(job),
        "budget": lighter_budget(job),
        "recipe": _recipe(job),
        "repeats": job.repeats.order_by("pk"),
    }
    return render(request, "worker/job.html", context)


@require_safe
def events(request: HttpRequest, slug: str, pk: int) -> JsonResponse:
    """?after=N: what the socket would send."""
    project = project_for(request.user, slug, "research")
    job = get_object_or_404(Job, project=project, pk=pk)
    return JsonResponse(job_payload(job, after_in(request.GET.get("after", ""))))


@require_POST
def cancel(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    job = get_object_or_404(Job, project=project, pk=pk)
    if job.ended:
        messages.info(request, f"The job is {job.state} already.")
    else:
        jobs.cancel(job=job, actor=request.user)
    return redirect("worker:job", slug, pk)


@require_POST
def retry(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """From its start, with the same parameters."""
    return _again(request, slug, pk, jobs.retry)


@require_POST
def resume(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """From its last checkpoint."""
    return _again(request, slug, pk, repeats.resume)


@require_POST
def lighter(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """From its start, with half the token budget."""
    return _again(request, slug, pk, repeats.lighten)


def _again(request: HttpRequest, slug: str, pk: int, service: Callable[..., Job]) -> HttpResponse:
    """The page of the new job, or the old one's with the reason why there is none."""
    project = project_for(request.user, slug, "manage")
    job = get_object_or_404(Job, project=project, pk=pk)
    try:
        pk = service(job=job, actor=request.user).pk
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect("worker:job", slug, pk)


def _recipe(job: Job) -> dict[str, object]:
    """What a training was told, by the names that people read; {} for other jobs."""
    try:
        values = changed(Recipe.model_validate(job.params["recipe"]))
    except (KeyError, PydanticError):  # no training, or one of a recipe that is written differently today
        return {}
    return {OPTIONS[name].label if name in OPTIONS else "trainer": value for name, value in values.items()}
