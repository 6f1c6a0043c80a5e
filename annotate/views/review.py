"""Cases: what raters flagged or disagree about, read blind, and decided by a judgement of its own."""

from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotate import text
from annotate.access import project_for
from annotate.models import Assignment, Case, Dispute, Judgement, Project, Task
from annotate.models.judgement import Source
from annotate.models.review import CaseState
from annotate.models.task import AssignmentKind, TaskQuerySet
from annotate.schema import Schema
from annotate.services import review as desk
from annotate.services.review import case_order, shuffled
from annotate.views.comment import thread_of
from annotate.views.judging_page import MARK, coloured, names_of, page_of
from annotate.views.told import name_of, told

PAGE = 50
KINDS = {"flagged": "flagged by a rater", "disagreement": "raters disagree"}


# ---- The queue


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "review")
    every = project.tasks.for_review()
    counts = dict(every.order_by().values_list("state").annotate(n=Count("pk")))
    asked = _asked(request, project)
    page = Paginator(_chosen(every, asked, request).select_related("item", "case", "tally"), PAGE)
    context = {"project": project, "page": page.get_page(request.GET.get("page")), "choices": _choices(project)}
    context |= asked | {"states": [(state, counts.get(state, 0)) for state in CaseState.values]}
    context["waiting"] = project.judgements.filter(tallied=False).count()
    return render(request, f"annotate/review.html{'#rows' if request.htmx else ''}", context)


def _choices(project: Project) -> dict:
    """What may be asked for: {parameter: {value: words}}. Names are for those who may know them."""
    schema = project.schema
    questions = {"preference": "the preference"}
    questions |= {f"category:{one.key}": one.label for one in schema.categories}
    questions |= {f"criterion:{one.key}": one.label for one in schema.criteria}
    raters = project.memberships.order_by("user__username").values_list("user", "user__username")
    people = {str(pk): name for pk, name in raters} if "research" in project.rights else {}
    return {"state": dict(CaseState.choices), "kind": KINDS, "about": questions, "rater": people, "mine": {"out": ""}}


def _asked(request: HttpRequest, project: Project) -> dict[str, str]:
    """The filters, from allow-lists; whatever else was sent is no filter."""
    sent = {name: (request.GET.get(name, ""), allowed) for name, allowed in _choices(project).items()}
    asked = {name: value if value in allowed else "" for name, (value, allowed) in sent.items()}
    return asked | {"state": asked["state"] or CaseState.OPEN}


def _chosen(tasks: TaskQuerySet, asked: dict[str, str], request: HttpRequest) -> TaskQuerySet:
    tasks = tasks.filter(state=asked["state"])
    said = Judgement.objects.counted().filter(task=OuterRef("pk"))
    if asked["kind"]:
        tasks = tasks.filter(flagged=True) if asked["kind"] == "flagged" else tasks.filter(apart__gt=0)
    if asked["about"]:
        tasks = tasks.filter(Exists(Dispute.objects.filter(task=OuterRef("pk"), question=asked["about"], share__gt=0)))
    if asked["rater"]:
        tasks = tasks.filter(Exists(said.filter(rater=int(asked["rater"]))))
    return tasks.exclude(Exists(said.filter(rater=request.user))) if asked["mine"] else tasks


# ---- One case


@require_safe
def case(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "review")
    return _page(request, project, _task(request, project, pk))


def _task(request: HttpRequest, project: Project, pk: int) -> Task:
    """Refused while the reviewer is to judge it: others' answers would be read first."""
    tasks = Task.objects.select_related("item", "case__judgement", "project")
    task = get_object_or_404(tasks, project=project, pk=pk)
    if request.user.assignments.being_judged().filter(task=task).exists():
        raise PermissionDenied("You are judging this task yourself. Submit or skip it, and then see what others said.")
    return task


def _page(request: HttpRequest, project: Project, task: Task, revealed: bool = False) -> HttpResponse:
    order, found = case_order(task), getattr(task, "case", None)
    names = dict(zip(order, names_of(len(order)), strict=True))
    responses = {response.pk: response for response in task.responses.all()}
    schema = project.schema
    said = answers_to(task, names, schema, revealed)
    if said:
        desk.read_answers(tasks=[task], user=request.user)
    decision = found and found.judgement
    marks = [_painted(one) for one in said]
    data = {"categories": coloured(schema), "raters": marks, "raws": {pk: responses[pk].text for pk in order}}
    context = {
        "project": project, "task": task, "case": found, "said": said, "data": data, "revealed": revealed,
        "state": found.state if found else CaseState.OPEN,
        "turns": [(turn["role"], text.render(turn["content"])) for turn in task.item.turns],
        "passages": [(p.get("title", ""), text.render(p["text"])) for p in task.item.context],
        "responses": [(pk, names[pk], text.render(responses[pk].text)) for pk in order],
        "decision": decision and told(decision, names, "the decision", schema),
        "own": any(one["row"].rater_id == request.user.pk for one in said),
        "comments": thread_of(task, request.user),
    }  # fmt: skip
    return render(request, "annotate/case.html", context)


def answers_to(task: Task, names: dict, schema: Schema, revealed: bool = False) -> list[dict]:
    """What was said of the task, in an order that tells nobody; names only where they are revealed."""
    rows = Judgement.objects.counted().filter(task=task).select_related("rater").prefetch_related("spans")
    rows = shuffled(list(rows.order_by("pk")), f"raters of {task.pk}", of=lambda row: row.rater_id or row.rater_name)
    kind = {Source.MACHINE: "Machine"}
    blind = [f"{kind.get(row.source, 'Rater')} {n}" for n, row in enumerate(rows, 1)]
    raters = [name_of(row) for row in rows] if revealed else blind
    return [told(row, names, who, schema) for row, who in zip(rows, raters, strict=True)]


def _painted(one: dict) -> dict:
    """A rater's marks, as the page paints them."""
    spans = [{name: getattr(span, name) for name in MARK if name != "response"} for _, span in one["spans"]]
    for span, (_, row) in zip(spans, one["spans"], strict=True):
        span["response"] = row.response_id
    gaps = [gap for _, gap in one["omissions"]]
    return {"who": one["who"], "spans": spans, "omissions": gaps}


@require_POST
def dismiss(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "decide")
    return _act(request, project, pk, "The case is dismissed.", desk.dismiss, reason=request.POST.get("reason", ""))


@require_POST
def reopen(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Undo a dismissal or a decision."""
    project = project_for(request.user, slug, "decide")
    return _act(request, project, pk, "The case is open again.", desk.reopen)


def _act(request: HttpRequest, project: Project, pk: int, done: str, act: object, **sent: str) -> HttpResponse:
    try:
        act(task=_task(request, project, pk), actor=request.user, **sent)
        messages.success(request, done)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("annotate:case", project.slug, pk)


@require_POST
def reveal(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The page with names, shown now: that an admin looked is on record."""
    project = project_for(request.user, slug, "manage")
    task = _task(request, project, pk)
    try:
        desk.reveal(case=get_object_or_404(Case, task=task), actor=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("annotate:case", slug, pk)
    return _page(request, project, task, revealed=True)


# ---- The decision


@require_POST
def decide(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Begin a decision, or go on with it. As a known answer (`for=known`) it closes no case."""
    known = request.POST.get("for") == desk.KNOWN
    project = project_for(request.user, slug, "manage" if known else "decide")
    task = _task(request, project, pk)
    purpose = desk.KNOWN if known else desk.CASE
    assignment = desk.begin_decision(task=task, user=request.user, purpose=purpose)
    return redirect("annotate:decision", slug, assignment.pk)


@require_safe
def decision(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The judging page with the raters' answers beside it; for a known answer, without them."""
    project = project_for(request.user, slug, "decide")
    mine = Assignment.objects.filter(task__project=project, rater=request.user).select_related("task__item", "rater")
    assignment = get_object_or_404(mine, pk=pk)
    if assignment.kind != AssignmentKind.ADJUDICATION:
        return redirect("annotate:judge", slug, pk)
    current = Judgement.objects.current().filter(assignment=assignment).first()
    names = dict(zip(assignment.shown_order, names_of(len(assignment.shown_order)), strict=True))
    said = [] if assignment.reason == desk.KNOWN else answers_to(assignment.task, names, project.schema)
    context = page_of(project, assignment, current, key=uuid4().hex, mode="adjudicate")
    context |= {"project": project, "assignment": assignment, "revising": current, "said": said}
    return render(request, "annotate/decision.html", context)


def after(project: Project, assignment: Assignment) -> str:
    """Where a stored decision leads: to its case, or to the form of the known answer it was made for."""
    if assignment.reason != desk.KNOWN:
        return reverse("annotate:case", args=[project.slug, assignment.task_id])
    judgement = Judgement.objects.current().filter(assignment=assignment).first()
    if judgement is None:
        raise Http404("There is no decision yet.")
    return reverse("annotate:known_add", args=[project.slug, judgement.pk])
