"""All versions on all suites."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import project_for
from annotate.models import Project
from inspector import leaderboard as page
from inspector.numbers import download
from worker.models import Suite
from worker.models.job import JobKind


@require_safe
def leaderboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Best first by ?sort=, on all suites or on ?suite= with its parts."""
    project = project_for(request.user, slug, "research")
    suites = list(project.suites.order_by("name"))
    for one in suites:
        one.project = project
    suite, sort = _suite(request, suites), request.GET.get("sort", "")
    found = page.report(project, suites, suite, sort) if suites else {}
    if answer := download(request, "leaderboard", found):
        return answer
    context = {"project": project, "suites": suites, "suite": suite, "report": found, "sort": sort, "drawn": page.DRAWN}
    context["link"] = {"suite": suite.pk} if suite else {}
    context |= {"rows": page.cells(found), "missing": _missing(project, suite, found)} if found else {}
    context["versions"] = project.versions.exists()
    context["running"] = project.jobs.unfinished().filter(kind=JobKind.EVALUATE).count()
    return render(request, "inspector/leaderboard.html", context)


def _suite(request: HttpRequest, suites: list[Suite]) -> Suite | None:
    """The one asked for; the only one there is; None for all of them."""
    asked = request.GET.get("suite")
    if not asked:
        return suites[0] if len(suites) == 1 else None
    found = next((one for one in suites if str(one.pk) == asked), None)
    if found is None:
        raise Http404("This project has no such suite.")
    return found


def _missing(project: Project, suite: Suite | None, found: dict) -> list[int]:
    """Versions that the suite was not measured with."""
    if suite is None:
        return []
    measured = [row["number"] for row in found["rows"]]
    return list(project.versions.exclude(number__in=measured).values_list("number", flat=True))
