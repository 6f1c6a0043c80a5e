"""Items in by the browser: an upload becomes a job."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from annotate.access import project_for
from annotate.models import Project
from worker.forms import ImportForm
from worker.models import Job
from worker.models.job import JobKind, JobState
from worker.services.upload import import_checked, start_import


@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Upload a file to import it or to check it; import one that was checked; ?checked=JOB shows the report on one."""
    project = project_for(request.user, slug, "manage")
    if "checked" in request.POST:
        return _import_checked(request, project)
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if form.is_bound and form.is_valid():
        check = "check" in request.POST
        job = start_import(project=project, actor=request.user, check=check, **form.cleaned_data)
        return redirect("worker:job", slug, job.pk)
    context = {"project": project, "form": form, "limit": settings.UPLOAD_MAX_BYTES}
    context["recent"] = project.jobs.filter(kind=JobKind.IMPORT).select_related("created_by")[:5]
    context["check"] = _check(project, request.GET["checked"]) if "checked" in request.GET else None
    return render(request, "worker/import.html", context, status=422 if form.errors else 200)


def _check(project: Project, pk: str) -> Job:
    checks = project.jobs.filter(kind=JobKind.IMPORT, state=JobState.DONE, params__check=True)
    return get_object_or_404(checks, pk=pk if pk.isascii() and pk.isdecimal() and len(pk) < 19 else 0)


def _import_checked(request: HttpRequest, project: Project) -> HttpResponse:
    job = import_checked(check=_check(project, request.POST["checked"]), actor=request.user)
    if job is None:
        messages.error(request, "That file is imported already or was deleted since; upload it again.")
        return redirect("worker:import", project.slug)
    return redirect("worker:job", project.slug, job.pk)
