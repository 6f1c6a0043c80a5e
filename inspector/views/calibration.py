"""How sure is it, and is it right where it is sure?"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from inspector.calibration import page
from inspector.numbers import download
from worker.models import Version
from worker.models.job import JobKind
from worker.services.noise import RESPONSES, measure_noise, measuring, stop_measuring

PARTS = ("report", "noise")


@require_safe
def calibration(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """?t=stored|fitted|1, the temperature to look through."""
    version = _version(request, slug, number)
    t = request.GET.get("t") or "stored"
    if t not in page.TEMPERATURES:
        raise Http404("The temperature is stored, fitted or 1.")
    part = request.htmx.target if request.htmx and request.htmx.target in PARTS else ""
    if request.htmx and not part and version.scores.exists():  # the page that waited for scores
        return HttpResponseClientRefresh()
    context = _context(version, t, part)
    if answer := download(request, f"calibration-v{number}", context.get("report") or {}):
        return answer
    return render(request, _template(part), context)


@require_POST
def launch(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Let a worker measure what bfloat16 does, unless one does."""
    version = _version(request, slug, number)
    asked = request.POST.get("responses", "")
    if asked not in map(str, RESPONSES):
        part, wrong = "noise" if request.htmx else "", f"The number of responses is {' or '.join(map(str, RESPONSES))}."
        return render(request, _template(part), _context(version, "stored", part) | {"wrong": wrong}, status=422)
    measure_noise(version=version, responses=int(asked), actor=request.user)
    return _after(request, version)


@require_POST
def stop(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Ask the measuring job to stop."""
    version = _version(request, slug, number)
    stop_measuring(version=version, actor=request.user)
    return _after(request, version)


def _version(request: HttpRequest, slug: str, number: int) -> Version:
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    version.project = project  # with the reader's rights
    return version


def _after(request: HttpRequest, version: Version) -> HttpResponse:
    if not request.htmx:
        return redirect("inspector:calibration", version.project.slug, version.number)
    return render(request, _template("noise"), _context(version, "stored", "noise"))


def _template(part: str) -> str:
    return f"inspector/calibration.html{'#' if part else ''}{part}"


def _context(version: Version, t: str, part: str) -> dict:
    context = {"project": version.project, "version": version, "t": t, "temperatures": page.TEMPERATURES}
    if part != "noise" and version.scores.exists():
        context |= {"report": page.report(version, t)}
    if part != "report":
        last = version.project.jobs.filter(kind=JobKind.NOISE, params__version=version.pk).first()
        context |= {"rounding": page.rounding(version), "measuring": measuring(version), "last": last}
    return context | {"sizes": RESPONSES}
