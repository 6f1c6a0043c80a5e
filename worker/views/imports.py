"""Items in by the browser: an upload becomes a job."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotate.access import project_for
from worker.forms import ImportForm
from worker.models.job import JobKind
from worker.services.upload import start_import


@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if form.is_bound and form.is_valid():
        job = start_import(project=project, actor=request.user, **form.cleaned_data)
        return redirect("worker:job", slug, job.pk)
    context = {"project": project, "form": form, "limit": settings.UPLOAD_MAX_BYTES}
    context["recent"] = project.jobs.filter(kind=JobKind.IMPORT).select_related("created_by")[:5]
    return render(request, "worker/import.html", context, status=422 if form.errors else 200)
