"""Talk about a task, and what raters are told of what became of their judgements."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Comment, Judgement, Project, Task, User
from annotate.models.review import CaseState
from annotate.models.task import AssignmentKind
from annotate.schema import Schema
from annotate.services.comment import add_comment, delete_comment, may_delete
from annotate.views.judging_page import names_of
from annotate.views.told import told

PAGE = 20
CLOSED = (CaseState.DECIDED, CaseState.DISMISSED)


def thread_of(task: Task, user: User, names: bool = True) -> list[dict]:
    """The talk about a task; without names, the others are reviewers or raters to each other."""
    now = timezone.now()

    def author(comment: Comment) -> str:
        if comment.author_id == user.pk:
            return "you"
        return (comment.author.username if comment.author else "somebody") if names else "another person"

    return [
        {"row": comment, "who": author(comment), "mine": may_delete(comment, user, now)}
        for comment in task.comments.all()
    ]


@require_POST
def comment(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A reviewer's word on a task."""
    project = project_for(request.user, slug, "review")
    task = get_object_or_404(Task, project=project, pk=pk)
    _say(request, task)
    return redirect("annotate:case", slug, pk)


@require_POST
def delete(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One's own, within the hour."""
    project = project_for(request.user, slug, "see")
    found = get_object_or_404(Comment, project=project, pk=pk)
    try:
        delete_comment(comment=found, actor=request.user)
        messages.success(request, "The comment is taken back.")
    except ValidationError as error:
        messages.error(request, error.messages[0])
    if "review" in project.rights:
        return redirect("annotate:case", slug, found.task_id)
    return redirect("annotate:outcomes", slug)


def _say(request: HttpRequest, task: Task) -> None:
    try:
        add_comment(task=task, author=request.user, text=request.POST.get("text", ""))
    except ValidationError as error:
        messages.error(request, error.messages[0])


# ---- What raters are told


@require_safe
def outcomes(request: HttpRequest, slug: str) -> HttpResponse:
    """The rater's judgements beside what reviewers decided; nobody else's answer and no name."""
    project = project_for(request.user, slug, "judge")
    page = Paginator(_reviewed(project, request.user), PAGE).get_page(request.GET.get("page"))
    rows = [_outcome(mine, request.user, project.schema) for mine in page]
    return render(request, "annotate/outcomes.html", {"project": project, "page": page, "rows": rows})


def _reviewed(project: Project, user: User) -> QuerySet[Judgement]:
    """The rater's judgements whose case is closed, newest first; none where the project does not tell."""
    own = Judgement.objects.counted().filter(project=project, rater=user, task__case__state__in=CLOSED)
    related = ("task__item", "task__case__judgement")
    rows = own.select_related(*related).prefetch_related(
        "spans", "task__comments__author", "task__case__judgement__spans"
    )
    return rows.order_by("-task__case__closed_at", "-pk") if project.show_outcomes else own.none().order_by("pk")


def _outcome(mine: Judgement, user: User, schema: Schema) -> dict:
    """Sides are those that the rater saw."""
    names = dict(zip(mine.shown_order, names_of(len(mine.shown_order)), strict=True))
    case = mine.task.case
    return {
        "task": mine.task,
        "case": case,
        "mine": told(mine, names, "you", schema),
        "decision": case.judgement and told(case.judgement, names, "the reviewers", schema),
        "comments": thread_of(mine.task, user, names=False),
    }


@require_POST
def outcome_comment(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A rater's word on a task of their own (named by their assignment), once they see what became of it."""
    project = project_for(request.user, slug, "judge")
    own = request.user.assignments.filter(task__project=project, kind=AssignmentKind.NORMAL)
    assignment = get_object_or_404(own.select_related("task__project"), pk=pk)
    if _reviewed(project, request.user).filter(task=assignment.task).exists():
        _say(request, assignment.task)
    else:
        messages.error(request, "Nothing was decided about this task, or the project does not tell.")
    return redirect("annotate:outcomes", slug)
