"""A version's export: asked for, and downloaded."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Project
from worker.models import Version
from worker.services.export import archive_of, forms_of, note_download, start_export
from worker.views.stored import stored


@require_POST
def start(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    version, form = _asked(project, number, request.POST)
    return redirect("worker:job", slug, start_export(version=version, form=form, actor=request.user).pk)


@require_safe
def download(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """?form=adapter, or the whole model."""
    project = project_for(request.user, slug, "research")
    version, form = _asked(project, number, request.GET)
    try:
        response = stored(archive_of(version, form), f"{slug}-{number}-{form}.zip", "application/zip")
    except FileNotFoundError:
        messages.error(request, "It is not exported, or its archive was deleted since: export it again.")
        return redirect("worker:version", slug, number)
    note_download(version=version, form=form, actor=request.user)
    return response


def _asked(project: Project, number: int, sent: QueryDict) -> tuple[Version, str]:
    version = get_object_or_404(Version.objects.select_related("project"), project=project, number=number)
    form = sent.get("form", "model")
    if form not in forms_of(version):
        raise Http404("It cannot be exported as that.")
    return version, form
