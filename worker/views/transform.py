"""Another version of the same model, whose score is transformed."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from annotate.access import project_for
from worker.models import Version
from worker.rm.transforms import FORMULAS
from worker.score_forms import TransformForm
from worker.services.transform import transform_version


@require_http_methods(["GET", "HEAD", "POST"])
def transform(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    version = get_object_or_404(Version, project=project, number=number)
    version.project = project
    form = TransformForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = transform_version(version=version, transforms=form.transforms(), actor=request.user)
            messages.success(request, f"Version {made.number} gives version {version.number}'s score, transformed.")
            return redirect("worker:version", slug, made.number)
        except ValidationError as error:
            form.add_error(None, error)
    context = {"project": project, "version": version, "form": form, "formulas": FORMULAS.values()}
    return render(request, "worker/transform.html", context, status=422 if form.errors else 200)
