"""All that is known of a version on one page, to print or to keep."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from annotate.access import project_for
from inspector.numbers import download
from inspector.report import page
from worker.models import Version


@require_safe
def report(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    rows = Version.objects.select_related("snapshot", "parent", "trained_by__created_by")
    version = get_object_or_404(rows, project=project, number=number)
    version.project = project
    sections = page.sections(version)
    if answer := download(request, f"report-v{number}", page.numbers(version, sections)):
        return answer
    context = {"project": project, "version": version, "sections": sections, "about": page.about(version)}
    context |= {"software": page.software(), "limits": page.limits(version), "now": timezone.now()}
    return render(request, "inspector/report.html", context | {"scored": len(sections) > 1})
