"""Why this score? Both responses of a pair with what each token added."""

from collections.abc import Mapping

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Item, Project
from inspector import heatmap as page
from worker.models import Version
from worker.models.job import JobKind
from worker.models.version import PREFERENCE
from worker.services.job import launch


@require_safe
def heatmap(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    if request.htmx and not request.htmx.boosted:
        choice = _choice(project, version, request.GET)
        return render(request, "inspector/heatmap.html#map", _map(project, version, choice))
    pairs = page.judged(version)
    choice = _choice(project, version, request.GET, pairs)
    context = _list(project, version, request.GET, pairs, choice)
    if choice:
        chosen = {"responses": choice.item.responses.all(), "chosen_pair": [("a", choice.a), ("b", choice.b)]}
        context |= _map(project, version, choice) | chosen
    return render(request, "inspector/heatmap.html", {"project": project, "version": version, **context})


@require_POST
def explain(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Ask a worker for what is missing, unless it was asked already and has not ended."""
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    choice = _choice(project, version, request.POST)
    context = _map(project, version, choice)
    if context["map"] is None and (context["job"] is None or context["failed"]):
        params = page.wanted(version, choice)
        job = launch(project=project, kind=JobKind.ATTRIBUTE, params=params, actor=request.user)
        context |= {"job": job, "failed": False}
    if request.htmx:
        return render(request, "inspector/heatmap.html#map", context)
    return redirect(f"{reverse('inspector:heatmap', args=[slug, number])}?{choice.query}")


def _choice(
    project: Project, version: Version, asked: Mapping[str, str], pairs: list[page.Judged] | None = None
) -> page.Choice | None:
    """What was asked for. Without an item the most surprising pair; None in a project without one to show."""
    head, method = asked.get("head") or PREFERENCE, asked.get("method") or "exact"
    if head not in version.heads or method not in page.METHODS:
        raise Http404("No such head or method.")
    items = Item.objects.filter(project=project)
    item = get_object_or_404(items, pk=_number(asked, "item")) if asked.get("item") else _first(items, pairs)
    if item is None:
        return None
    responses = {response.pk: response for response in item.responses.all()}
    a, b = _pair(item, list(responses), asked, pairs or [])
    if not {a, b} <= responses.keys():
        raise Http404("No such response of this item.")
    return page.Choice(item, responses[a], responses[b], head, method)


def _first(items: QuerySet[Item], pairs: list[page.Judged] | None) -> Item | None:
    if pairs is None:
        raise Http404("Name an item.")
    if pairs:
        return items.get(pk=pairs[0].pair.item)
    return items.filter(responses__index=1).order_by("pk").first()


def _pair(item: Item, responses: list[int], asked: Mapping[str, str], pairs: list[page.Judged]) -> tuple[int, int]:
    """The responses asked for; those missing from the item's most surprising pair, or its first two."""
    known = next(([one.pair.first, one.pair.second] for one in pairs if one.pair.item == item.pk), responses)
    if not responses:
        raise Http404("This item has no response.")
    a = _number(asked, "a") if asked.get("a") else known[0]
    b = _number(asked, "b") if asked.get("b") else next((r for r in [*known, *responses] if r != a), a)
    return a, b


def _number(asked: Mapping[str, str], name: str) -> int:
    """A row id, or 404."""
    text = asked[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404(f"{name} is a number.")
    return int(text)


def _map(project: Project, version: Version, choice: page.Choice) -> dict:
    job = page.last_job(version, choice)
    return {
        "project": project,
        "version": version,
        "choice": choice,
        "map": page.paint(version, choice),
        "job": job,
        "failed": job is not None and job.ended,  # without a map: ask before trying again
        "methods": page.METHODS,
        "segment": choice.head.startswith("segment:"),
    }


def _list(
    project: Project, version: Version, asked: Mapping[str, str], pairs: list[page.Judged], choice: page.Choice | None
) -> dict:
    """The pairs beside the map, and which come before and after the chosen one."""
    words, others = asked.get("q", "").strip(), []
    if words:
        found = project.items.holding(words)
        keys = set(found.values_list("pk", flat=True))
        pairs = [one for one in pairs if one.pair.item in keys]
        others = found.exclude(pk__in={one.pair.item for one in pairs}).order_by("pk")[: page.LISTED]
    return {"q": words, "others": others, "scored": version.scores.exists(), **page.around(pairs, choice)}
