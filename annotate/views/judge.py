"""The rater's desk: the next task, its page, and what the page sends while somebody works on it."""

from uuid import uuid4

from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.formats.rows import json_object
from annotate.models import Assignment, Judgement, Project
from annotate.services import task as desk
from annotate.services.judgement import revise, submit_judgement
from annotate.views.judging_page import page_of


@require_safe
def next_task(request: HttpRequest, slug: str) -> HttpResponse:
    """Lease a task and go to its page; without one, say why."""
    project = project_for(request.user, slug, "judge")
    if assignment := desk.lease_next(project=project, user=request.user):
        return redirect("annotate:judge", slug, assignment.pk)
    why = {"empty": not project.tasks.exists(), "others": project.tasks.open().exists()}
    return render(request, "annotate/judge_empty.html", {"project": project} | why | _so_far(request, project))


@require_safe
def judge(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The judging page; of a task that was answered, the page to change that answer."""
    project = project_for(request.user, slug, "judge")
    assignment = _mine(request, project, pk)
    lost = not desk.heartbeat(assignment=assignment)
    current = Judgement.objects.current().filter(assignment=assignment).first()
    context = page_of(project, assignment, current, key=uuid4().hex)
    context |= {"project": project, "assignment": assignment, "lost": lost, "revising": current}
    return render(request, "annotate/judge.html", context | _so_far(request, project, before=current))


@require_POST
def submit(request: HttpRequest, slug: str, pk: int) -> JsonResponse:
    """Store the answer; the page then goes to `next`. 422 names the wrong fields, 409 says who was first."""
    project = project_for(request.user, slug, "judge")
    assignment, body = _mine(request, project, pk), _json(request)
    sent = {"answer": body.get("answer"), "idempotency_key": str(body.get("key", ""))}
    sent |= {"user": request.user, "active_ms": _whole(body.get("active_ms", 0))}
    try:
        if body.get("revises") is None:
            submit_judgement(assignment=assignment, **sent)
        else:
            old = get_object_or_404(Judgement, assignment=assignment, pk=_whole(body["revises"]))
            revise(judgement=old, **sent)
    except ValidationError as error:
        return JsonResponse({"errors": error.message_dict}, status=422)
    except desk.Conflict as error:
        return JsonResponse({"error": str(error)}, status=409)
    return JsonResponse({"next": reverse("annotate:next", args=[slug])})


@require_POST
def draft(request: HttpRequest, slug: str, pk: int) -> JsonResponse:
    """Keep unfinished work under its revision number; 409 when another tab has saved newer work."""
    project = project_for(request.user, slug, "judge")
    assignment, body = _mine(request, project, pk), _json(request)
    if not isinstance(body.get("draft"), dict) or not isinstance(body["draft"].get("answer"), dict):
        raise BadRequest("A draft is an object with an answer.")
    try:
        revision = desk.save_draft(
            assignment=assignment, draft=body["draft"], revision=_whole(body.get("revision"), below=2**31 - 1)
        )
    except desk.Conflict as error:
        newest = Assignment.objects.values_list("draft_revision", flat=True).get(pk=pk)
        return JsonResponse({"error": str(error), "revision": newest}, status=409)
    held = desk.heartbeat(assignment=assignment)
    return JsonResponse({"revision": revision, "held": held, "at": timezone.now()})


@require_POST
def skip(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give the task back, with a reason if there is one, and go on."""
    project = project_for(request.user, slug, "judge")
    try:
        desk.skip(assignment=_mine(request, project, pk), user=request.user, reason=_words(request, "reason"))
    except desk.Conflict as error:
        return HttpResponse(str(error), status=409, content_type="text/plain")
    return redirect("annotate:next", slug)


@require_POST
def heartbeat(request: HttpRequest, slug: str, pk: int) -> JsonResponse:
    """The rater is still at work: extend the lease, or say that it is gone."""
    project = project_for(request.user, slug, "judge")
    return JsonResponse({"held": desk.heartbeat(assignment=_mine(request, project, pk))})


def _mine(request: HttpRequest, project: Project, pk: int) -> Assignment:
    mine = Assignment.objects.filter(task__project=project, rater=request.user)
    return get_object_or_404(mine.select_related("task__item"), pk=pk)


def _so_far(request: HttpRequest, project: Project, before: Judgement | None = None) -> dict:
    """Progress of the rater, and their answer before this one."""
    own = Judgement.objects.current().filter(project=project, rater=request.user, assignment__isnull=False)
    earlier = own.filter(pk__lt=before.pk) if before else own
    return {
        "done_today": own.filter(created_at__gte=timezone.localtime().replace(hour=0, minute=0, second=0)).count(),
        "left": project.tasks.left_for(request.user).count(),
        "last": earlier.order_by("-pk").values_list("assignment", flat=True).first(),
    }


def _json(request: HttpRequest) -> dict:
    try:
        return json_object(request.body.decode())
    except (ValueError, RawPostDataException):  # the latter: sent as a form of several parts
        raise BadRequest("The body is not a JSON object that can be stored.") from None


def _words(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "")  # PostgreSQL stores no NUL


def _whole(value: object, below: int = 2**53) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise BadRequest("A whole number is needed.")
    return value
