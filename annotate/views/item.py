"""Browsing the items, their responses and what was said of them. For those who may review: annotators stay blind."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotate.access import project_for
from annotate.models import Item, Judgement
from annotate.models.item import Split
from annotate.models.judgement import Outcome
from annotate.schema import STRENGTHS
from annotate.text import render as html

PAGE = 50


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "review")
    words, split = request.GET.get("q", "").strip(), request.GET.get("split", "")
    rows = project.items.order_by("pk")
    if words:
        rows = rows.holding(words)
    if split in Split.values:
        rows = rows.filter(split=split)
    page = Paginator(rows.with_counts(), PAGE).get_page(request.GET.get("page"))
    context = {"project": project, "page": page, "q": words, "split": split, "splits": Split.values}
    template = "annotate/items.html#rows" if request.htmx else "annotate/items.html"
    return render(request, template, context)


@require_safe
def detail(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "review")
    item = get_object_or_404(Item, project=project, pk=pk)
    responses = list(item.responses.all())
    numbers = {response.pk: response.index + 1 for response in responses}
    judgements = item.judgements.current().select_related("rater").prefetch_related("spans").order_by("pk")
    context = {
        "project": project,
        "item": item,
        "turns": [(turn["role"], html(turn["content"])) for turn in item.turns],
        "passages": [(passage.get("title", ""), html(passage["text"])) for passage in item.context],
        "responses": [(response, html(response.text)) for response in responses],
        "judgements": [_told(judgement, numbers) for judgement in judgements],
        "before": project.items.filter(pk__lt=pk).order_by("-pk").values_list("pk", flat=True).first(),
        "after": project.items.filter(pk__gt=pk).order_by("pk").values_list("pk", flat=True).first(),
    }
    return render(request, "annotate/item.html", context)


def _told(judgement: Judgement, numbers: dict[int, int]) -> dict:
    """A judgement for a reader: responses by their number on the page."""
    labels = {str(pk): number for pk, number in numbers.items()}
    return {
        "row": judgement,
        "who": judgement.rater.username if judgement.rater else judgement.rater_name or "a nameless rater",
        "verdict": verdict(judgement, numbers),
        "shown": [numbers.get(pk) for pk in judgement.shown_order],
        "spans": [(numbers.get(span.response_id), span) for span in judgement.spans.all()],
        "omissions": [(numbers.get(one["response"]), one) for one in judgement.omissions],
        "checked": [numbers.get(pk) for pk in judgement.checked],
        "ratings": [(labels.get(key), values) for key, values in judgement.ratings.items()],
        "safety": [(labels.get(key), values) for key, values in judgement.safety.items() if values],
        "corrections": [(labels.get(key), text) for key, text in judgement.corrections.items()],
    }


def verdict(judgement: Judgement, numbers: dict[int, int]) -> str:
    """The outcome in words: "2 much better than 1"; numbers are those of the responses on the page."""
    if judgement.outcome != Outcome.RANKING:
        return judgement.get_outcome_display().lower()
    groups = [" = ".join(str(numbers.get(pk)) for pk in group) for group in judgement.ranking]
    if len(groups) < 2:
        return "alone"
    return f" {STRENGTHS.get(judgement.strength, 'better')} than ".join(groups)
