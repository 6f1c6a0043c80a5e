"""Launching a retrain, with what it would learn from in sight."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotate.access import project_for
from worker.forms import TrainForm
from worker.services.snapshot import missing, survey
from worker.services.training import start_training


@require_http_methods(["GET", "HEAD", "POST"])
def train(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    form = TrainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            job = start_training(project=project, actor=request.user, **form.cleaned_data)
            return redirect("worker:job", slug, job.pk)
        except ValidationError as error:
            form.add_error(None, error)
    counts = survey(project).counts
    context = {"project": project, "form": form, "counts": counts, "missing": missing(counts)}
    return render(request, "worker/train.html", context, status=422 if form.errors else 200)
