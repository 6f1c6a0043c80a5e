"""Is it just length?"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from inspector.figures import MOST_POINTS, length_figure
from inspector.reports import accuracies, length_report
from worker.models import Version


@require_safe
def length(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    report = length_report(version)
    if request.htmx and report:  # the page that waited for scores
        return HttpResponseClientRefresh()
    figure = length_figure(report) if report else None
    context = {"project": project, "version": version, "report": report, "figure": figure, "most": MOST_POINTS}
    if report:
        context |= {"sides": (report.model, report.people), "accuracies": accuracies(report)}
    return render(request, "inspector/length.html", context)
