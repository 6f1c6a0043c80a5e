"""Backbones that reward models can be built on, and a form to register one."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotate.access import project_for
from worker.backbone_form import BackboneForm
from worker.models import Backbone
from worker.models.job import JobKind, JobState
from worker.services.backbone import register


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    form = BackboneForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            job = register(project=project, actor=request.user, **form.cleaned_data)
            return redirect("worker:job", slug, job.pk)
        except ValidationError as error:
            form.add_error(None, error)
    jobs = project.jobs.filter(kind=JobKind.BACKBONE)
    context = {
        "project": project,
        "form": form,
        "backbones": Backbone.objects.select_related("registered_by"),
        "waiting": jobs.unfinished(),
        "failed": jobs.filter(state=JobState.FAILED)[:3],
    }
    template = "worker/backbones.html#rows" if request.htmx else "worker/backbones.html"
    return render(request, template, context, status=422 if form.errors else 200)
