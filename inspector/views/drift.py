"""Where does it leave the gold?"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from inspector.figures import NAMES, drift_figure
from inspector.reports import drift_report, drift_rows
from worker.models import Pool, Version

AXES = {"d": "d = √KL", "kl": "KL"}


@require_safe
def drift(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    pools, axis = list(project.pools.order_by("name", "pk")), request.GET.get("x", "d")
    if axis not in AXES:
        raise Http404("The axis is d or kl.")
    context = {"project": project, "version": version, "pools": pools, "axis": axis, "axes": AXES, "names": NAMES}
    if pool := _chosen(pools, request.GET.get("pool")):
        report = drift_report(version, pool)
        if request.htmx and report.scored:  # the page that waited for scores
            return HttpResponseClientRefresh()
        context |= {"report": report}
        if report.drift:
            points = drift_rows(report.drift)
            context |= {"figure": drift_figure(report.drift, axis), "points": points, "reach": points[-1].d}
    return render(request, "inspector/drift.html", context)


def _chosen(pools: list[Pool], asked: str | None) -> Pool | None:
    """The pool asked for, or the first; None in a project without pools."""
    if asked is None:
        return pools[0] if pools else None
    for pool in pools:
        if str(pool.pk) == asked:
            return pool
    raise Http404("No such pool.")
