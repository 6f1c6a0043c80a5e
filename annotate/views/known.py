"""Tasks whose answer is known: gold, the qualification set and worked examples, and how raters did on them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import project_for
from annotate.agreement import wilson
from annotate.models import Judgement, KnownAnswer, Project
from annotate.models.task import TaskKind
from annotate.project_forms import KnownForm
from annotate.services.known import GRADED, add_known, retire_known
from annotate.text import prose
from annotate.views.judging_page import MARK, names_of
from annotate.views.told import verdict

KINDS = {
    TaskKind.GOLD: "Gold: hidden among the tasks",
    TaskKind.QUALIFICATION: "Qualification set: a new rater begins with it",
    TaskKind.EXAMPLE: "Worked examples: shown beside the guidelines",
}
ANSWER = (
    "outcome", "ranking", "strength", "ratings", "steps", "safety", "omissions", "turns", "principles", "checked",
)  # fmt: skip


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """The three lists, each row with how many raters got it right: few may mean that the answer is wrong."""
    project = project_for(request.user, slug, "manage")
    rows = [_row(known) for known in _with_counts(project)]
    groups = [(kind, title, [row for row in rows if row["kind"] == kind]) for kind, title in KINDS.items()]
    members = project.memberships.filter(user__is_machine=False, role="annotator").select_related("user")
    context = {"project": project, "groups": groups, "members": members.order_by("user__username")}
    return render(request, "annotate/known.html", context | {"any": bool(rows)})


def _with_counts(project: Project) -> list[KnownAnswer]:
    """With `n` and `hits`: graded judgements that count, and those that were right."""
    graded = Q(task__judgements__superseded=False, task__judgements__withdrawn_at=None)
    graded &= Q(task__judgements__kind__in=GRADED, task__judgements__right__isnull=False)
    rows = KnownAnswer.objects.filter(task__project=project).select_related("task__item", "created_by")
    counts = {"n": Count("task__judgements", graded)}
    counts["hits"] = Count("task__judgements", graded & Q(task__judgements__right=True))
    return list(rows.prefetch_related("task__responses").annotate(**counts).order_by("-active", "pk"))


def _row(known: KnownAnswer) -> dict:
    task, answer = known.task, known.answer
    order = sorted(response.pk for response in task.responses.all())
    names = dict(zip(order, names_of(len(order)), strict=True))
    stated = Judgement(outcome=answer["outcome"], ranking=answer.get("ranking", []), strength=answer.get("strength"))
    share = wilson(known.hits, known.n) if known.n else None
    return {
        "known": known,
        "kind": task.kind,
        "verdict": verdict(stated, names),
        "more": [name for name in ("spans", "ratings", "steps", "safety") if answer.get(name)],
        "explanation": prose(known.explanation) if known.explanation else "",
        "share": share,
        "suspect": share is not None and share.high < 0.5,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Make a stored judgement's answer the known one of its responses."""
    project = project_for(request.user, slug, "manage")
    judgement = get_object_or_404(Judgement.objects.select_related("task__item"), project=project, pk=pk)
    form = KnownForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _made(request, project, judgement, form):
        return redirect("annotate:known", slug)
    names = dict(zip(judgement.shown_order, names_of(len(judgement.shown_order)), strict=True))
    context = {"project": project, "judgement": judgement, "form": form, "verdict": verdict(judgement, names)}
    return render(request, "annotate/known_add.html", context, status=422 if form.errors else 200)


def _made(request: HttpRequest, project: Project, judgement: Judgement, form: KnownForm) -> bool:
    try:
        add_known(
            project=project, task_or_responses=judgement.task, answer=answer_of(judgement), actor=request.user,
            **form.cleaned_data,
        )  # fmt: skip
    except ValidationError as error:
        form.add_error(None, " ".join(error.messages))
        return False
    messages.success(request, "The known answer is kept.")
    return True


def answer_of(judgement: Judgement) -> dict:
    """What the judgement says, as a rater would send it; what is empty is left out, and so is not graded."""
    said = {name: getattr(judgement, name) for name in ANSWER}
    said["spans"] = list(judgement.spans.values(*MARK))
    if judgement.outcome != "ranking":
        said["ranking"] = []
    reason = {"reason": judgement.reason} if judgement.outcome == "cannot_judge" else {}
    return {name: value for name, value in said.items() if value not in (None, [], {}, "")} | reason


@require_POST
def retire(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    retire_known(known=get_object_or_404(KnownAnswer, task__project=project, pk=pk), actor=request.user)
    messages.success(request, "It is served no more; what was answered stays graded.")
    return redirect("annotate:known", slug)
