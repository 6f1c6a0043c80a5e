"""Who judged, and do they agree?"""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import project_for
from annotate.models import Dispute
from annotate.services.agreement import refresh
from annotate.services.tally import count_some
from inspector import people
from inspector.numbers import download

SECONDS = 0.2  # that a page spends on what is not worked out yet; the rest is done in the background
PAGE = 50


@require_safe
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    """How far people agree, question by question, with machines beside them."""
    project = project_for(request.user, slug, "review")
    count_some(project=project)
    left = refresh(project=project, seconds=SECONDS)
    rows = people.questions(project)
    context = {"project": project, "rows": rows, "left": left, "sentence": people.agreement_sentence(rows)}
    context["figure"] = people.agreement_figure(rows) if rows else None
    if answer := download(request, "agreement", rows and {"sentence": context["sentence"], "questions": rows}):
        return answer
    context |= {"waiting": project.judgements.filter(tallied=False).count(), "machines": any(r.machines for r in rows)}
    context["ratings"] = any("icc" in row.people for row in rows)
    template = "inspector/agreement.html#table" if request.htmx else "inspector/agreement.html"
    return render(request, template, context)


@require_safe
def disputes(request: HttpRequest, slug: str) -> HttpResponse:
    """The tasks that people disagree about in one question, the worst first."""
    project = project_for(request.user, slug, "review")
    labels = people.named(project.schema)
    question = request.GET.get("question", "preference")
    if question not in labels:
        raise Http404("This project asks no such question.")
    rows = Dispute.objects.filter(project=project, question=question).select_related("task__item", "task__tally")
    rows = rows.order_by("-share", "task_id")
    if "format" in request.GET:
        return download(request, f"disputes-{question}", {"question": labels[question], "tasks": _disputed(rows)})
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"project": project, "page": page, "question": question, "label": labels[question], "labels": labels}
    return render(request, "inspector/disputes.html", context)


def _disputed(rows: QuerySet[Dispute]) -> list[dict]:
    """All of them, where the page shows a few at a time."""
    return [
        {"task": row.task_id, "item": row.task.item_id, "share": row.share, "people": row.task.tally.raters}
        for row in rows
    ]


@require_safe
def raters(request: HttpRequest, slug: str) -> HttpResponse:
    """One line for each rater; of two that are chosen, Cohen's κ."""
    project = project_for(request.user, slug, "review")
    count_some(project=project)
    rows = people.raters_of(project)
    names = {row.who: row.name for row in rows}
    pair = request.GET.get("first", ""), request.GET.get("second", "")
    kappa = people.cohen_of(project, *pair) if set(pair) <= set(names) and pair[0] != pair[1] else None
    context = {"project": project, "rows": rows, "names": names, "first": pair[0], "second": pair[1], "kappa": kappa}
    context["drawn"] = people.DRAWN
    if rows:
        context |= {"sentence": people.raters_sentence(rows), "figure": people.raters_figure(rows)}
    compared = {"first": names[pair[0]], "second": names[pair[1]], "cohen": kappa} if kappa else {}
    numbers = {"sentence": context["sentence"], "raters": rows, "two": compared} if rows else {}
    if answer := download(request, "raters", numbers):
        return answer
    template = "inspector/raters.html#kappa" if request.htmx else "inspector/raters.html"
    return render(request, template, context)
