"""Jobs: the list, one job live, its events, cancel and retry."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from worker.models import Job
from worker.payload import after_in, events_after, job_payload, pace
from worker.services import job as jobs

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
    job = get_object_or_404(Job.objects.select_related("version", "created_by"), project=project, pk=pk)
    events = events_after(job, 0)
    context = {
        "project": project,
        "job": job,
        "pace": pace(job),
        "last": events[-1]["number"] if events else 0,
        "logs": [event for event in events if event["kind"] != "metric"],
        "metrics": [event for event in events if event["kind"] == "metric"],
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
    project = project_for(request.user, slug, "manage")
    job = get_object_or_404(Job, project=project, pk=pk)
    try:
        pk = jobs.retry(job=job, actor=request.user).pk
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect("worker:job", slug, pk)
