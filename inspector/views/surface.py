"""What else than what is said goes with the reward? And what happens when it is changed?"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from inspector import surface as page
from inspector.length import Look
from inspector.numbers import download
from worker.models import Version
from worker.models.job import JobKind
from worker.services.probe import count_surface, counting, probe, probing, stop_probing

PROMPTS = (50, 200, 1000)
PARTS = ("report", "probes")


@require_safe
def surface(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    version = _version(request, slug, number)
    part = request.htmx.target if request.htmx and request.htmx.target in PARTS else ""
    if request.htmx and not part and version.scores.exists():  # the page that waited for scores
        return HttpResponseClientRefresh()
    context = _context(version, part)
    numbers = {"features": context.get("report"), "probes": context.get("probed")}
    if answer := download(request, f"surface-v{number}", {key: one for key, one in numbers.items() if one}):
        return answer
    return render(request, _template(part), context)


@require_POST
def count(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Let a worker count what the responses look like, unless one does."""
    version = _version(request, slug, number)
    count_surface(project=version.project, actor=request.user)
    return _page(request, version, "report") if request.htmx else redirect("inspector:surface", slug, number)


@require_POST
def launch(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Let a worker probe the version on so many prompts, unless one does."""
    version = _version(request, slug, number)
    asked = request.POST.get("prompts", "")
    if asked not in map(str, PROMPTS):
        wrong = f"The number of prompts is one of {', '.join(map(str, PROMPTS))}."
        return _page(request, version, "probes" if request.htmx else "", wrong)
    probe(version=version, prompts=int(asked), actor=request.user)
    return _page(request, version, "probes") if request.htmx else redirect("inspector:surface", slug, number)


@require_POST
def stop(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Ask the probing job to stop."""
    version = _version(request, slug, number)
    stop_probing(version=version, actor=request.user)
    return _page(request, version, "probes") if request.htmx else redirect("inspector:surface", slug, number)


def _version(request: HttpRequest, slug: str, number: int) -> Version:
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    version.project = project  # with the reader's rights
    return version


def _page(request: HttpRequest, version: Version, part: str, wrong: str = "") -> HttpResponse:
    return render(request, _template(part), _context(version, part) | {"wrong": wrong}, status=422 if wrong else 200)


def _template(part: str) -> str:
    return f"inspector/surface.html{'#' if part else ''}{part}"


def _context(version: Version, part: str) -> dict:
    context = {"project": version.project, "version": version, "prompts": PROMPTS}
    if part != "probes":
        context |= _report(version)
    if part != "report":
        context |= _probes(version)
    return context


def _report(version: Version) -> dict:
    scored, newest = version.scores.exists(), page.counted(version.project)
    if not (scored and newest):
        last = version.project.jobs.filter(kind=JobKind.SURFACE).first()
        failed = last if last and last.ended and last.state != "done" else None
        return {"scored": scored, "counting": counting(version.project), "failed": failed}
    return {"scored": True, "report": page.report(Look(version), newest)}


def _probes(version: Version) -> dict:
    last = version.project.jobs.filter(kind=JobKind.PROBE, params__version=version.pk).first()
    return {"probed": page.probes(version), "probing": probing(version), "last_probe": last}
