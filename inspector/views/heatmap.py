"""Why this score? Texts with what each token, stretch or layer added, and what if a text were another."""

from dataclasses import replace

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from annotate.access import project_for
from inspector.heatmap import compare, edits
from inspector.heatmap.asked import ask, asked, stop, under_way
from inspector.heatmap.choice import CUTS, GROUPS, MODES, Choice
from inspector.heatmap.page import paint
from inspector.heatmap.pairs import LISTED, Pairs, around, judged
from inspector.numbers import download
from inspector.views.chosen import chosen
from worker.explain import METHODS
from worker.models import Version
from worker.services import edit as whatif_service


@require_safe
def heatmap(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    version = _version(request, slug, number)
    if request.htmx and not request.htmx.boosted:
        return _looked(request, version, chosen(version, request.GET))
    pairs = judged(version)
    choice = chosen(version, request.GET, pairs)
    if "format" in request.GET:
        name = f"heatmap-v{number}-item-{choice.item.pk}" if choice else "heatmap"
        return download(request, name, _numbers(version, choice) if choice else {})
    return _page(request, version, pairs, choice)


@require_POST
def explain(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Ask a worker for what is missing, unless it was asked already and has not ended."""
    version = _version(request, slug, number)
    choice = chosen(version, request.POST)
    methods = [key for key in request.POST.getlist("methods") if key in METHODS]
    ask(version=version, choice=choice, methods=methods or [choice.method], actor=request.user)
    return _answer(request, version, choice)


@require_POST
def explain_stop(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Ask the jobs that explain these texts to stop."""
    version = _version(request, slug, number)
    choice = chosen(version, request.POST)
    stop(version=version, choice=choice, actor=request.user)
    return _answer(request, version, choice)


@require_POST
def whatif(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Ask for the scores of a response as somebody would have it; leads to it beside the response as it is."""
    version = _version(request, slug, number)
    choice = chosen(version, request.POST)
    text = request.POST.get("text", "")
    try:
        if not text.strip():
            raise ValidationError("The text is empty: write what the response should be.")
        own = {"version": version, "response": choice.a, "text": text}
        edit = whatif_service.ask(**own, head=choice.head, methods=[choice.method], actor=request.user)
    except ValidationError as error:
        return _page(request, version, judged(version), choice, {"wrong": " ".join(error.messages), "written": text})
    where = choice.query_of(choice.item.pk, choice.a.pk, choice.b.pk, edit.pk)
    return redirect(f"{reverse('inspector:heatmap', args=[slug, number])}?{where}")


def _version(request: HttpRequest, slug: str, number: int) -> Version:
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    version.project = project  # with the reader's rights
    return version


def _answer(request: HttpRequest, version: Version, choice: Choice) -> HttpResponse:
    if request.htmx:
        return render(request, "inspector/heatmap.html#map", _map(version, choice))
    return redirect(f"{reverse('inspector:heatmap', args=[version.project.slug, version.number])}?{choice.query}")


def _looked(request: HttpRequest, version: Version, choice: Choice) -> HttpResponse:
    """While a worker explains, only what it does now; the whole map once there is something new in it."""
    context = _map(version, choice)
    if request.htmx.target and request.htmx.target == context["waiting_id"]:
        return render(request, "inspector/heatmap/_progress.html", context)
    answer = render(request, "inspector/heatmap.html#map", context)
    return reswap(retarget(answer, "#map"), "outerHTML")


def _map(version: Version, choice: Choice) -> dict:
    states = asked(version, choice)
    shown = paint(version, choice, states)
    waiting = under_way(states)
    there = sum(one.there for one in states.values())
    context = {
        "project": version.project,
        "version": version,
        "choice": choice,
        "link": QueryDict(choice.query).dict(),
        "map": shown,
        "asked": states[choice.method],
        "methods": list(states.values()),
        "waiting": waiting,
        "waiting_id": f"waiting-{there}-{len(waiting)}-{sum(one.waiting for one in states.values())}",
        "segment": choice.head.startswith("segment:"),
        "others_there": [
            (one.method.name, replace(choice, method=one.key).query) for one in states.values() if one.there
        ],
        "edits": edits.edits(version, choice),
    }
    if choice.edit:
        context |= {"changes": edits.changes(version, choice), "undo": edits.undo(choice, context["edits"])}
    return context | (_beside(shown) if shown and shown.several else {})


def _beside(shown: compare.Map) -> dict:
    between = compare.between(shown)
    return {"table": compare.table(shown), "between": between, "agree": compare.sentence(between)}


def _numbers(version: Version, choice: Choice) -> dict:
    shown = paint(version, choice, asked(version, choice))
    if shown is None:
        raise Http404("Nothing is explained here yet: open the page first.")
    return compare.numbers(shown)


def _page(
    request: HttpRequest, version: Version, pairs: Pairs, choice: Choice | None, told: dict | None = None
) -> HttpResponse:
    context = {"project": version.project, "version": version, **_list(version, request.GET, pairs, choice)}
    if choice:
        sides = [("a", choice.a)] if choice.mode == "one" else [("a", choice.a), ("b", choice.b)]
        context |= {"responses": choice.item.responses.all(), "chosen_pair": sides}
        context |= {"modes": MODES, "groups": GROUPS, "cuts": CUTS, **_map(version, choice)}
    return render(request, "inspector/heatmap.html", context | (told or {}), status=422 if told else 200)


def _list(version: Version, sent: dict, pairs: Pairs, choice: Choice | None) -> dict:
    """The pairs beside the map, and which come before and after the chosen one."""
    words, others = sent.get("q", "").strip(), []
    if words:
        found = version.project.items.holding(words)
        pairs = pairs.of(found.values_list("pk", flat=True))
        others = found.exclude(pk__in=pairs.items).order_by("pk")[:LISTED]
        others = [(item, choice.query_of(item.pk) if choice else f"item={item.pk}") for item in others]
    return {"q": words, "others": others, "scored": version.scores.exists(), **around(pairs, choice)}
