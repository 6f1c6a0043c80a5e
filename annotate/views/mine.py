"""What the rater said before: a list to search, each opens to be changed."""

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import project_for
from annotate.models import Item, Judgement
from annotate.views.judging_page import names_of
from annotate.views.told import verdict

PAGE = 30


@require_safe
def mine(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest first; nobody else's."""
    project = project_for(request.user, slug, "judge")
    words = request.GET.get("q", "").replace("\0", "").strip()[:200]
    rows = Judgement.objects.current().filter(project=project, rater=request.user, assignment__isnull=False)
    if words:
        items = Item.objects.filter(project=project).holding(words)
        rows = rows.filter(Q(rationale__icontains=words) | Q(item__in=items))
    page = Paginator(rows.select_related("item").order_by("-pk"), PAGE).get_page(request.GET.get("page"))
    page.object_list = [{"row": row, "verdict": _verdict(row)} for row in page]
    template = "annotate/mine.html#rows" if request.htmx else "annotate/mine.html"
    return render(request, template, {"project": project, "page": page, "q": words})


def _verdict(judgement: Judgement) -> str:
    """With the responses named as they were shown."""
    return verdict(judgement, dict(zip(judgement.shown_order, names_of(len(judgement.shown_order)), strict=True)))
