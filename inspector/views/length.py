"""Is it just length?"""

from collections.abc import Mapping

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from inspector import gain
from inspector.length import DRAWN, Look, report
from inspector.numbers import download
from worker.models import Version


@require_safe
def length(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    version.project = project
    scores = Look(version).scores
    look = Look(version, _one_of(request.GET, "score", scores, "raw"))
    context = {"project": project, "version": version, "look": look, "scores": scores, "most": DRAWN}
    shown = _shown(look, request.GET) if version.scores.exists() else {}
    if answer := download(request, f"length-v{number}", shown and _numbers(shown)):
        return answer
    if not shown:
        return render(request, "inspector/length.html", context)
    if request.htmx and request.htmx.target != "report":  # the page that waited for scores
        return HttpResponseClientRefresh()
    return render(request, f"inspector/length.html{'#report' if request.htmx else ''}", context | shown)


def _shown(look: Look, asked: Mapping[str, str]) -> dict:
    found = report(look)
    sides = gain.sides(look.version, found["sources"])
    old, new = (_one_of(asked, name, sides, side) for name, side in _usual(look.version))
    return {"report": found, "sides": sides, "old": old, "new": new, "told": gain.report(look, old, new)}


def _numbers(shown: dict) -> dict:
    return shown["report"] | {"old": shown["old"], "new": shown["new"], "gain": shown["told"]}


def _usual(version: Version) -> tuple[tuple[str, str], ...]:
    """Old is a response at random, new is what this version chooses."""
    return ("old", gain.EVERY), ("new", f"v{version.number}")


def _one_of(asked: Mapping[str, str], name: str, known: Mapping[str, str], usual: str) -> str:
    value = asked.get(name) or usual
    if value not in known and value != usual:
        raise Http404(f"No such {name}.")
    return value
