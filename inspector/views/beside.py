"""Raters and model together: whose biases did it take over?"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from annotate.services.tally import count_some
from inspector.beside.page import report
from inspector.length import Look
from inspector.numbers import download
from worker.models import Version


@require_safe
def beside(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version.objects.select_related("snapshot"), project=project, number=number)
    version.project = project
    count_some(project=project)
    found = report(Look(version)) if version.scores.exists() else {}
    if answer := download(request, f"raters-v{number}", found):
        return answer
    if request.htmx and found:  # the page that waited for scores
        return HttpResponseClientRefresh()
    context = {"project": project, "version": version, "report": found}
    return render(request, "inspector/beside.html", context)
