"""Do people and model mean the same words? And what to ask the raters again."""

from collections.abc import Mapping

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Response
from annotate.models.item import Split
from annotate.services.again import ASKED, ask_again, last_asked, take_back
from inspector.marks import page
from inspector.marks import words as marks_words
from inspector.marks.beside import beside
from inspector.marks.lists import LISTED, LISTS, shown
from inspector.marks.look import PROMPTS, TRUTHS, Look
from inspector.marks.page import WAYS
from inspector.numbers import download
from worker.models import Version
from worker.models.version import PREFERENCE
from worker.services.explain import explain_marked, explaining, last_explained, stop_explaining


@require_safe
def marks(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    version = _version(request, slug, number)
    there = page.there(version)
    look = _look(version, request.GET, there)
    found = _found(look, there)
    if answer := download(request, f"marks-v{number}", _numbers(look, found)):
        return answer
    context = {"project": version.project, "version": version, "look": look, "ways": _ways(look, there)}
    context |= {"link": _chosen(look)}
    context |= {"truths": TRUTHS, "prompts": PROMPTS, "planted": _has_planted(version), "listed": LISTED} | found
    return render(request, f"inspector/marks.html{'#report' if request.htmx else ''}", context)


@require_POST
def explain(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Let a worker explain everything that people looked at, by the method that was chosen."""
    version = _version(request, slug, number)
    look = _look(version, request.POST, set())
    heads = version.heads if request.POST.get("heads") == "all" else [look.head]
    explain_marked(version=version, methods=[look.method], heads=heads, actor=request.user)
    return redirect(_address(look))


@require_POST
def stop(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    version = _version(request, slug, number)
    stop_explaining(version=version, actor=request.user)
    return redirect(_address(_look(version, request.POST, set())))


@require_POST
def send(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Ask raters again about the responses that were chosen in one of the lists."""
    version = _version(request, slug, number, "manage")
    look, which = _look(version, request.POST, set()), request.POST.get("list", "")
    if which not in LISTS:
        messages.error(request, "Choose what to send in one of the lists.")
        return redirect(_address(look))
    chosen = request.POST.getlist("every" if "all" in request.POST else "response")
    why = f"{which} by v{number}, {look.head}"
    try:
        event = ask_again(project=version.project, responses=_numbered(chosen), why=why, actor=request.user)
        messages.success(request, marks_words.sent(event.data))
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect(f"{_address(look)}#{which}")


@require_POST
def undo(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Take back the last sending."""
    version = _version(request, slug, number, "manage")
    chosen = _numbered([request.POST.get("event", "")])
    event = version.project.events.filter(kind=ASKED, pk__in=chosen).first()
    try:
        told = take_back(event=event, actor=request.user) if event else None
        messages.success(request, marks_words.taken_back(told) if told else "There is nothing to undo.")
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect(_address(_look(version, request.POST, set())))


def _version(request: HttpRequest, slug: str, number: int, right: str = "research") -> Version:
    project = project_for(request.user, slug, right)
    version = get_object_or_404(Version, project=project, number=number)
    version.project = project  # with the reader's rights
    return version


def _look(version: Version, asked: Mapping[str, str], there: set[tuple[str, str]]) -> Look:
    """What was asked for; the usual method is the first by which the head was explained."""
    head = _one_of(asked, "head", version.heads, PREFERENCE)
    known = [key for key in WAYS if (head, key) in there]
    held_out = version.project.items.filter(split=Split.TEST).exists()
    return Look(
        version,
        head,
        _one_of(asked, "method", WAYS, known[0] if known else "exact"),
        _one_of(asked, "truth", TRUTHS, "people"),
        _one_of(asked, "prompts", PROMPTS, "held-out" if held_out else "all"),
    )


def _one_of(asked: Mapping[str, str], name: str, known, usual: str) -> str:
    value = asked.get(name) or usual
    if value not in known and value != usual:
        raise Http404(f"No such {name}.")
    return value


def _numbered(texts: list[str]) -> set[int]:
    """Row ids; what is none is passed by."""
    return {int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19}


def _address(look: Look) -> str:
    here = reverse("inspector:marks", args=[look.version.project.slug, look.version.number])
    return f"{here}?{look.query}"


def _ways(look: Look, there: set[tuple[str, str]]) -> dict[str, str]:
    return {key: way.name + ("" if (look.head, key) in there else " (to be made)") for key, way in WAYS.items()}


def _has_planted(version: Version) -> bool:
    return Response.objects.filter(item__project=version.project_id, metadata__has_key="flaws").exists()


def _found(look: Look, there: set[tuple[str, str]]) -> dict:
    """The report, or what is in its way."""
    if job := explaining(look.version):
        return {"job": job}
    report = page.report(look) if (look.head, look.method) in there else None
    if not (report and report["explained"]):
        last = last_explained(look.version)
        return {"looked": len(look.marks), "last": last, "why": _why(look, last)}
    event = last_asked(look.version.project)
    found = {"report": report, "lists": shown(look, report), "beside": beside(look, report)}
    return found | {"sent": event, "sent_words": event and marks_words.sent(event.data)}


def _why(look: Look, last) -> str:
    """Why the last job could not do what is asked for; "" where it was not asked to."""
    left_out = last.result.get("left_out", []) if last else []
    return next((one["why"] for one in left_out if (one["head"], one["method"]) == (look.head, look.method)), "")


def _chosen(look: Look) -> dict[str, str]:
    return {name: getattr(look, name) for name in ("head", "method", "truth", "prompts")}


def _numbers(look: Look, found: dict) -> dict:
    if "report" not in found:
        return {}
    numbers = {name: value for name, value in found["report"].items() if name not in ("each", "figure", *LISTS)}
    return _chosen(look) | numbers | found["lists"] | {"versions": found["beside"]}
