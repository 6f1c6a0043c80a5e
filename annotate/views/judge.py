"""The rater's desk: the next task, its page, and what the page sends while somebody works on it."""

from uuid import uuid4

from django.core.exceptions import BadRequest, ValidationError
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotate.access import admit, project_for
from annotate.formats.rows import json_object
from annotate.models import Assignment, Judgement, Membership, Project, SchemaVersion
from annotate.models.task import AssignmentKind, AssignmentState
from annotate.prepared import Prepared, no_index
from annotate.services import draft as drafts
from annotate.services import lease as leases
from annotate.services.flag import flag_task
from annotate.services.judgement import revise, submit_and_lease, submit_judgement
from annotate.services.known import is_told
from annotate.services.lease import Conflict
from annotate.services.queue import Queue, lease_next, why_nothing
from annotate.views.guidelines import pane_of
from annotate.views.judging_page import ahead_of, page_of
from annotate.views.review import after
from annotate.views.so_far import left_for, so_far

_ROLE = Membership.objects.filter(project=OuterRef("task__project"))
_NEWEST = SchemaVersion.objects.filter(project=OuterRef("task__project")).order_by("-number")
MINE = Prepared(
    lambda slug, rater, pk: (
        Assignment.objects.alias(whose=no_index("rater_id"))
        .filter(pk=pk, whose=rater, task__project__slug=slug)
        .select_related("task__item", "task__project")
        .annotate(role=Subquery(_ROLE.filter(user=rater).values("role")))
        .annotate(schema_number=Subquery(_NEWEST.values("number")[:1]), schema=Subquery(_NEWEST.values("body")[:1]))
    ),
    slug=str,
    rater=int,
    pk=int,
)


@require_safe
def next_task(request: HttpRequest, slug: str) -> HttpResponse:
    """Lease a task and go to its page; without one, say why."""
    project = project_for(request.user, slug, "judge")
    if assignment := lease_next(project=project, user=request.user):
        return redirect("annotate:judge", slug, assignment.pk)
    skipped = Assignment.objects.filter(task__project=project, rater=request.user, state=AssignmentState.SKIPPED)
    skipped = skipped.exclude(kind=AssignmentKind.ADJUDICATION)
    found = {"why": why_nothing(project, request.user), "skipped": skipped.order_by("-pk").first()}
    return render(request, "annotate/judge_empty.html", {"project": project} | found | so_far(request.user, project))


@never_cache  # "back" must not bring a page whose key has stored an answer
@require_safe
def judge(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The judging page; of a task that was answered, the page to change that answer."""
    assignment = _own(request, slug, pk)
    project = assignment.task.project
    if assignment.kind == AssignmentKind.ADJUDICATION:
        return redirect("annotate:decision", slug, pk)
    lost = not leases.heartbeat(assignment=assignment)
    current = Judgement.objects.current().filter(assignment=assignment).first()
    context = page_of(project, assignment, current, key=uuid4().hex)
    context |= {"project": project, "assignment": assignment, "lost": lost, "revising": current}
    context |= pane_of(project, request.user) | so_far(request.user, project, before=current)
    return render(request, "annotate/judge.html", context)


@never_cache
@require_safe
def ahead(request: HttpRequest, slug: str) -> HttpResponse:
    """The task that this rater likely comes to next, as JSON, taking no slot; 204 without one.

    It is theirs when a submit or a skip answers with the same `task` and `shown_order`.
    """
    project = project_for(request.user, slug, "judge")
    found = _ahead(Queue(project, request.user))
    return JsonResponse(found) if found else HttpResponse(status=204)


@require_POST
def submit(request: HttpRequest, slug: str, pk: int) -> JsonResponse:
    """Store the answer; the page then goes to `feedback` or `next`. 422 names wrong fields, 409 says who was first."""
    assignment, body = _own(request, slug, pk), body_of(request)
    project = assignment.task.project
    queue, told = Queue(project, request.user), is_told(project, assignment)
    decides = assignment.kind == AssignmentKind.ADJUDICATION
    try:
        lease = _submitted(assignment, body, queue, goes_on=not told and not decides)
    except ValidationError as error:
        return JsonResponse({"errors": error.message_dict}, status=422)
    except Conflict as error:
        return _newer(assignment, error)
    if decides:
        return JsonResponse({"next": after(project, assignment)})
    if told:
        return JsonResponse(_onward(project) | {"feedback": reverse("annotate:feedback", args=[slug, pk])})
    return JsonResponse(_served(queue, body, lease))


def _submitted(assignment: Assignment, body: dict, queue: Queue, goes_on: bool) -> Assignment | None:
    """Store what was sent; the lease of the next task where that can be had in one go."""
    # Keys with a colon are our own: nobody takes that of a model's answer, or of a file's row, before it comes.
    key, flag = text_in(body, "key").replace(":", "-"), text_in(body, "flag")
    sent = {"answer": body.get("answer"), "idempotency_key": key, "revision": _revision(body)}
    sent |= {"active_ms": whole(body.get("active_ms", 0)), "assignment": assignment}
    if body.get("revises") is not None:
        old = get_object_or_404(Judgement, assignment=assignment, pk=whole(body["revises"]))
        revise(judgement=old, user=queue.user, flag=flag, **{k: v for k, v in sent.items() if k != "assignment"})
    elif goes_on and body.get("lease") is True and assignment.state == AssignmentState.LEASED and not flag.strip():
        return submit_and_lease(queue=queue, ahead=_seen(body), **sent)
    else:
        submit_judgement(user=queue.user, flag=flag, **sent)
    return None


@require_POST
def draft(request: HttpRequest, slug: str, pk: int) -> JsonResponse:
    """Keep unfinished work under its revision number; 409 with the newer draft when another tab has saved one."""
    assignment, body = _own(request, slug, pk), body_of(request)
    if not isinstance(body.get("draft"), dict) or not isinstance(body["draft"].get("answer"), dict):
        raise BadRequest("A draft is an object with an answer.")
    revision = whole(body.get("revision"), below=2**31 - 1)
    try:
        revision = drafts.save_draft(assignment=assignment, draft=body["draft"], revision=revision)
    except Conflict as error:
        return _newer(assignment, error)
    held = leases.heartbeat(assignment=assignment)
    return JsonResponse({"revision": revision, "held": held, "at": timezone.now()})


@require_POST
def skip(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give the task back, with a reason if there is one, and go on; `flag` is a note to the reviewers.

    A page that sends JSON is answered as by `submit`, a form is led to the next task.
    """
    assignment, plain = _own(request, slug, pk), request.content_type != "application/json"
    body = request.POST.dict() if plain else body_of(request)
    reason, flag = text_in(body, "reason"), text_in(body, "flag")
    try:
        leases.skip(assignment=assignment, user=request.user, reason=reason)
        if flag.strip():
            flag_task(assignment=assignment, user=request.user, note=flag)
    except Conflict as error:
        return _refused(error, plain)
    if plain:
        return redirect("annotate:next", slug)
    return JsonResponse(_served(Queue(assignment.task.project, request.user), body))


@require_POST
def unskip(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a skipped task back and go to it; 409 when it is too late."""
    assignment, plain = _own(request, slug, pk), request.content_type != "application/json"
    try:
        leases.unskip(assignment=assignment, user=request.user)
    except Conflict as error:
        return _refused(error, plain)
    page = reverse("annotate:judge", args=[slug, pk])
    return redirect(page) if plain else JsonResponse({"next": page})


@require_POST
def flag(request: HttpRequest, slug: str, pk: int) -> JsonResponse:
    """Put the task before the reviewers and go on with it."""
    assignment, body = _own(request, slug, pk), body_of(request)
    try:
        flag_task(assignment=assignment, user=request.user, note=text_in(body, "note"))
    except ValidationError as error:
        return JsonResponse({"errors": error.message_dict}, status=422)
    return JsonResponse({"flagged": True})


@require_POST
def heartbeat(request: HttpRequest, slug: str, pk: int) -> JsonResponse:
    """The rater is still at work: extend the lease, or say that it is gone."""
    return JsonResponse({"held": leases.heartbeat(assignment=_own(request, slug, pk))})


# ---- What the answers say


def _seen(body: dict) -> list[int]:
    """The responses that the page has fetched ahead: of equal tasks the lease is on theirs."""
    seen = body.get("ahead")
    return seen if isinstance(seen, list) and all(isinstance(pk, int) for pk in seen) else []


def _served(queue: Queue, body: dict, lease: Assignment | None = None) -> dict:
    """Where to go; if the page asks for it, with a lease, the task ahead of that, and how many are `left`."""
    if lease is None and body.get("lease") is True:
        queue = Queue(queue.project, queue.user)  # what was known of the rater may have changed
        lease = queue.lease(_seen(body))
    elif lease and queue.member and queue.member.late:
        leases.expire_leases()
    found = lease and _ahead(queue)
    left = {"left": left_for(queue.user, queue.project)} if body.get("left") is True else {}
    return _onward(queue.project, lease) | ({"ahead": found} if found else {}) | left


def _ahead(queue: Queue) -> dict | None:
    """What a page needs to show the task after that at hand; None when nothing will come."""
    seen = queue.peek()
    return seen and {"task": _sign(seen), "shown_order": seen.shown_order} | ahead_of(queue.project, seen)


def _onward(project: Project, lease: Assignment | None = None) -> dict:
    """Where to go, and what was leased there, so that a page fetched ahead can stand there at once."""
    if not lease:
        return {"next": reverse("annotate:next", args=[project.slug])}
    return {
        "next": reverse("annotate:judge", args=[project.slug, lease.pk]),
        "assignment": lease.pk,
        "task": _sign(lease),
        "shown_order": lease.shown_order,
        "key": uuid4().hex,
        "revision": lease.draft_revision,
    }


def _sign(assignment: Assignment) -> str:
    """What stands for a task before its rater; ids go up in the queue, and would tell a gold task by its place."""
    return salted_hmac("annotate.task", f"{assignment.task_id}:{assignment.rater_id}").hexdigest()[:20]


def _newer(assignment: Assignment, error: Conflict) -> JsonResponse:
    """409 with the newest draft, if there is one, so that the page can bring both together."""
    now = Assignment.objects.values("draft_revision", "draft").get(pk=assignment.pk)
    newer = {"draft": now["draft"]} if now["draft"] else {}
    return JsonResponse({"error": str(error), "revision": now["draft_revision"]} | newer, status=409)


def _refused(error: Conflict, plain: bool) -> HttpResponse:
    if plain:
        return HttpResponse(str(error), status=409, content_type="text/plain")
    return JsonResponse({"error": str(error)}, status=409)


def _own(request: HttpRequest, slug: str, pk: int) -> Assignment:
    """The rater's assignment in the project, entered to judge; 404 and 403 as of `project_for`."""
    mine = MINE.first(slug=slug, rater=request.user.pk, pk=pk)
    if mine is None:
        project_for(request.user, slug, "judge")
        raise Http404("No such assignment of yours.")
    project = admit(request.user, mine.task.project, mine.role, "judge")
    if mine.kind == AssignmentKind.ADJUDICATION and "decide" not in project.rights:
        raise Http404("No such assignment of yours.")  # who was a reviewer once decides no more
    project.newest = SchemaVersion(project=project, number=mine.schema_number, body=mine.schema)
    mine.rater = request.user
    return mine


# ---- What was sent


def body_of(request: HttpRequest) -> dict:
    """The JSON object that was sent."""
    try:
        return json_object(request.body.decode())
    except (ValueError, RawPostDataException):  # the latter: sent as a form of several parts
        raise BadRequest("The body is not a JSON object that can be stored.") from None


def text_in(body: dict, name: str) -> str:
    """A text that can be stored; "" when it was not sent."""
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise BadRequest("A text is needed.")
    return value.replace("\0", "")  # PostgreSQL stores no NUL


def _revision(body: dict) -> int | None:
    return None if body.get("revision") is None else whole(body["revision"])


def whole(value: object, below: int = 2**53) -> int:
    """The value, when it is a whole number from 0."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise BadRequest("A whole number is needed.")
    return value
