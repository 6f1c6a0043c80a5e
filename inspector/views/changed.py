"""What changed from one version to another?"""

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from annotate.models import Response
from inspector.changed import page
from inspector.numbers import download
from worker.models import Version

PAGE = 20
PARTS = ("report", "flips")


@require_safe
def changed(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """?against= another version's number, its parent otherwise; &kind= and &page= of the pairs that turned."""
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version.objects.select_related("snapshot"), project=project, number=number)
    version.project = project
    known = page.others(version)
    against = _against(request.GET.get("against", ""), version, known)
    context = {"project": project, "version": version, "others": known, "against": against, "kinds": page.KINDS}
    if against is None:
        return download(request, f"changed-v{number}", {}) or render(request, "inspector/changed.html", context)
    part = request.htmx.target if request.htmx and request.htmx.target in PARTS else ""
    report = page.report(version, against)
    if request.htmx and not part and report["scores"]:  # the page that waited for scores
        return HttpResponseClientRefresh()
    if answer := download(request, f"changed-v{number}-v{against.number}", report):
        return answer
    context |= {"report": report, "found": report["scores"], "link": {"against": against.number}}
    context |= _flips(request, report["scores"])
    return render(request, f"inspector/changed.html{'#' if part else ''}{part}", context)


def _against(asked: str, version: Version, known: list[Version]) -> Version | None:
    if not asked:
        return page.usual(version, known)
    found = next((one for one in known if str(one.number) == asked), None)
    if found is None:
        raise Http404("No such version to hold it against.")
    return found


def _flips(request: HttpRequest, found: dict | None) -> dict:
    """One page of the pairs that turned, with their texts."""
    kind = request.GET.get("kind") or "all"
    if kind not in page.KINDS:
        raise Http404("No such kind of pairs.")
    rows = [row for row in found["flips"]["rows"] if kind in ("all", row["kind"])] if found else []
    rows = rows[: page.LISTED]
    shown = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return {"kind": kind, "page": shown, "rows": _texts(shown), "listed": len(rows)}


def _texts(shown: Page) -> list[dict]:
    ids = [row[side] for row in shown for side in ("now", "before")]
    responses = Response.objects.filter(pk__in=ids).select_related("item").in_bulk()
    return [
        row
        | {"prompt": responses[row["now"]].item.prompt, "texts": [responses[row[s]].text for s in ("now", "before")]}
        for row in shown
        if row["now"] in responses and row["before"] in responses
    ]
