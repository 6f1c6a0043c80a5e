"""Browsing the items, their responses and what was said of them. For those who may review: annotators stay blind."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Item, Project, Task, User
from annotate.models.item import ItemQuerySet, Split
from annotate.models.task import TaskKind
from annotate.project_forms import AssignForm
from annotate.services.review import read_answers
from annotate.services.task import assign_tasks, set_priority, unassign_tasks
from annotate.text import render as html
from annotate.views.told import name_of, told

PAGE = 50


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "review")
    asked = _asked(request.GET)
    page = _page(_found(project, asked), asked["q"], request.GET.get("page"))
    people = User.objects.filter(memberships__project=project, is_machine=False).order_by("username")
    context = {"project": project, "page": page, **asked, "splits": Split.values, "people": people}
    template = "annotate/items.html#rows" if request.htmx else "annotate/items.html"
    return render(request, template, context)


def _asked(sent: QueryDict) -> dict[str, str]:
    """The search: words and a split; whatever else was sent is no filter."""
    split = sent.get("split", "")
    return {"q": sent.get("q", "").strip(), "split": split if split in Split.values else ""}


def _found(project: Project, asked: dict[str, str]) -> ItemQuerySet:
    rows = project.items.order_by("pk")
    rows = rows.holding(asked["q"]) if asked["q"] else rows
    return rows.filter(split=asked["split"]) if asked["split"] else rows


def _page(rows: ItemQuerySet, words: str, number: str | None) -> Page:
    """For words every text is looked through once, not to count the items and again to show some."""
    if not words:
        return Paginator(rows.with_counts().with_tasks(), PAGE).get_page(number)
    page = Paginator(list(rows.values_list("pk", flat=True)), PAGE).get_page(number)
    page.object_list = Item.objects.filter(pk__in=page.object_list).order_by("pk").with_counts().with_tasks()
    return page


@require_POST
def assign(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the tasks of chosen items for named people, undo that, or change their priority."""
    project = project_for(request.user, slug, "manage")
    form, asked = AssignForm(request.POST, project=project), _asked(request.POST)
    if form.is_valid():
        _steer(request, project, form.cleaned_data, asked)
    else:
        messages.error(request, next(iter(form.errors.values()))[0])
    query = urlencode({name: value for name, value in asked.items() if value})
    return redirect(reverse("annotate:items", args=[slug]) + (f"?{query}" if query else ""))


def _steer(request: HttpRequest, project: Project, said: dict, asked: dict[str, str]) -> None:
    items = _found(project, asked) if said["everything"] else said["items"]
    sent = {"project": project, "actor": request.user}
    sent["tasks"] = Task.objects.filter(project=project, kind=TaskKind.NORMAL, item__in=items.order_by())
    people = list(said["people"])
    try:
        if said["act"] == "assign":
            told = f"{assign_tasks(users=people, **sent)} tasks are kept for {', '.join(p.username for p in people)}."
        elif said["act"] == "unassign":
            told = f"{unassign_tasks(users=people or None, **sent)} tasks are everybody's again."
        else:
            told = f"{set_priority(priority=said['priority'], **sent)} tasks have the priority {said['priority']}."
        messages.success(request, told)
    except ValidationError as error:
        messages.error(request, error.messages[0])


@require_safe
def detail(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "review")
    item = get_object_or_404(Item, project=project, pk=pk)
    responses = list(item.responses.all())
    numbers = {response.pk: response.index + 1 for response in responses}
    judging = request.user.assignments.being_judged().filter(task__item=item).exists()
    rows = item.judgements.current().select_related("rater", "task").prefetch_related("spans").order_by("pk")
    rows = [] if judging else list(rows)
    read_answers(tasks={row.task for row in rows}, user=request.user)
    named, schema = "research" in project.rights, project.schema  # who reviews is blind to names
    context = {
        "project": project,
        "item": item,
        "judging": judging,
        "turns": [(turn["role"], html(turn["content"])) for turn in item.turns],
        "passages": [(passage.get("title", ""), html(passage["text"])) for passage in item.context],
        "responses": [(response, html(response.text)) for response in responses],
        "judgements": [
            told(row, numbers, name_of(row) if named else f"Rater {n}", schema) for n, row in enumerate(rows, 1)
        ],
        "tasks": _tasks(item, numbers) if "manage" in project.rights else [],
        "before": project.items.filter(pk__lt=pk).order_by("-pk").values_list("pk", flat=True).first(),
        "after": project.items.filter(pk__gt=pk).order_by("pk").values_list("pk", flat=True).first(),
    }
    return render(request, "annotate/item.html", context)


def _tasks(item: Item, numbers: dict[int, int]) -> list[dict]:
    """The item's tasks, by the numbers of their responses, and whom they are kept for."""
    tasks = item.tasks.filter(kind=TaskKind.NORMAL).order_by("pk").prefetch_related("responses", "reservations__user")
    return [
        {
            "row": task,
            "shown": sorted(numbers[response.pk] for response in task.responses.all()),
            "kept": sorted(kept.user.username for kept in task.reservations.all()),
        }
        for task in tasks
    ]
