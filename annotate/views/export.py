"""Judgements out: the page on which to choose, and the file, streamed."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import project_for
from annotate.forms import ExportForm
from annotate.services.exported import export_for

TYPES = {"jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet"}


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    context = {"project": project, "form": ExportForm(), "items": project.items.exists()}
    return render(request, "annotate/export.html", context)


@require_safe
def file(request: HttpRequest, slug: str) -> HttpResponse:
    """?format=reward&container=jsonl&sources=human&rows=pair&after=ITEM: a download that begins at once."""
    project = project_for(request.user, slug, "research")
    form = ExportForm(request.GET)
    if not form.is_valid():
        context = {"project": project, "form": form, "items": project.items.exists()}
        return render(request, "annotate/export.html", context, status=422)
    export = form.export()
    name = f"{project.slug}-{export.format}.{export.container}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    chunks = export_for(project=project, export=export, actor=request.user)
    return StreamingHttpResponse(chunks, content_type=TYPES[export.container], headers=headers)
