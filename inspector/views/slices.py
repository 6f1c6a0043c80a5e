"""How good, where?"""

import math

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from annotate.models import Item
from inspector.numbers import download
from inspector.slices import page
from inspector.slices.page import DRAWN, GUESSES, HEADS, Look
from worker.models import Suite, SuitePair, SuiteQuestion, Version

PAGE, HELD_OUT = 25, "held-out"


@require_safe
def slices(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Accuracy by slice of what ?on= names, beside version ?against=; the failing pairs of ?slice=."""
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    version.project = project
    look = Look(version, _suite(request, version))
    report, other = page.report(look), _other(request, version)
    told = page.against(look, other) if other and report else {}
    for row in report.get("slices", []):
        row["against"] = told.get("slices", {}).get(row["key"])
    if answer := download(request, f"slices-v{number}", report and report | {"against": told.get("whole")}):
        return answer
    if request.htmx and request.htmx.target != "report":  # the page that waited for scores
        return HttpResponseClientRefresh() if report else HttpResponse(status=204)
    context = {"project": project, "version": version, "look": look, "report": report, "other": other, "told": told}
    context |= _choices(version) | {
        "guesses": GUESSES,
        "heads": HEADS,
        "drawn": DRAWN,
        "scored": version.scores.exists(),
    }
    if report:
        context |= _failing(request, look, report)
    return render(request, f"inspector/slices.html{'#report' if request.htmx else ''}", context)


def _suite(request: HttpRequest, version: Version) -> Suite | None:
    asked = request.GET.get("on") or HELD_OUT
    return None if asked == HELD_OUT else get_object_or_404(Suite, project=version.project, pk=_number(asked))


def _other(request: HttpRequest, version: Version) -> Version | None:
    asked = request.GET.get("against")
    if not asked:
        return None
    return get_object_or_404(version.project.versions.exclude(pk=version.pk), number=_number(asked))


def _number(text: str) -> int:
    """A number, or 404."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Http404("No such suite or version.")
    return int(text)


def _choices(version: Version) -> dict:
    suites = {HELD_OUT: "held-out prompts"} | {
        str(pk): name for pk, name in version.project.suites.order_by("name").values_list("pk", "name")
    }
    others = version.project.versions.exclude(pk=version.pk).values_list("number", flat=True)
    return {"suites": suites, "others": list(others), "held_out": HELD_OUT}


def _failing(request: HttpRequest, look: Look, report: dict) -> dict:
    """One page of the failing pairs of the chosen slice, with their texts."""
    key = request.GET.get("slice", "")
    if key and not any(row["key"] == key for row in report["slices"]):
        raise Http404("No such slice.")
    found = page.failed(look, key)
    shown = Paginator(range(len(found.margin)), PAGE).get_page(request.GET.get("page"))
    margins = [float(found.margin[n]) for n in shown]
    keys = [found.keys[n].tolist() for n in shown]
    texts = _of_suite(keys) if look.suite else _of_items(keys)
    rows = [
        {"margin": margin, "p": _sigmoid(margin / look.version.temperature), **text}
        for margin, text in zip(margins, texts, strict=True)
    ]
    return {"chosen": key, "page": shown, "rows": rows}


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(min(700.0, -x)))


def _of_items(keys: list[list[int]]) -> list[dict]:
    items = Item.objects.in_bulk({item for item, *_ in keys})
    return [{"item": items[item], "chosen": chosen, "rejected": rejected} for item, chosen, rejected in keys]


def _of_suite(keys: list[list[int]]) -> list[dict]:
    pairs = SuitePair.objects.in_bulk({pk for question, pk, _ in keys if not question})
    asked = SuiteQuestion.objects.prefetch_related("answers").in_bulk({pk for question, pk, _ in keys if question})
    return [{"question": asked[pk]} if question else {"pair": pairs[pk]} for question, pk, _ in keys]
