"""The queue for models: JSON, by bearer token, `docs/machine_raters.md`. Cookies mean nothing here."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from annotate.models import Assignment, Project, SchemaVersion, Token
from annotate.services.judgement import responses_in, shown_of, submit_judgement
from annotate.services.lease import Conflict
from annotate.services.lease import skip as skip_task
from annotate.services.machine import machine_next
from annotate.services.token import token_used
from annotate.views.judge import body_of, text_in, whole


def by_token(view: Callable) -> Callable:
    """The view with the token in place of a signed-in person; 401 without one that is good. It sets no cookies,
    and no browser sends its header by itself, so it needs no protection against forged requests."""

    @wraps(view)
    def checked(request: HttpRequest, **arguments: int) -> JsonResponse:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        token = token_used(secret.strip()) if scheme.lower() == "bearer" and secret else None
        if token is None:
            refusal = {"error": "A token that is not revoked is needed: Authorization: Bearer …"}
            return JsonResponse(refusal, status=401, headers={"WWW-Authenticate": "Bearer"})
        try:
            return view(request, token, **arguments)
        except BadRequest as error:
            return JsonResponse({"error": str(error)}, status=400)
        except ValidationError as error:
            return JsonResponse({"errors": error.message_dict}, status=422)
        except Conflict as error:
            return JsonResponse({"error": str(error)}, status=409)

    return login_not_required(csrf_exempt(require_POST(checked)))


@by_token
def next_task(request: HttpRequest, token: Token) -> JsonResponse:
    """Lease a task; {"assignment": null} when there is none."""
    lease = machine_next(project=token.project, user=token.user)
    if lease is None:
        return JsonResponse({"assignment": None, "paused": token.project.paused})
    return JsonResponse(_task(token.project, lease))


@by_token
def submit(request: HttpRequest, token: Token, pk: int) -> JsonResponse:
    """Store the answer once; sent again, it is the same judgement."""
    assignment, body = _own(token, pk), body_of(request)
    judgement = submit_judgement(
        assignment=assignment,
        user=token.user,
        answer=body.get("answer"),
        idempotency_key=f"machine:{assignment.pk}",
        active_ms=whole(body.get("active_ms", 0)),
        flag=text_in(body, "flag"),
    )
    return JsonResponse({"judgement": judgement.pk})


@by_token
def skip(request: HttpRequest, token: Token, pk: int) -> JsonResponse:
    """The model does not judge this task; it is not given to it again."""
    skip_task(assignment=_own(token, pk), user=token.user, reason=text_in(body_of(request), "reason"))
    return JsonResponse({"skipped": True})


def _own(token: Token, pk: int) -> Assignment:
    mine = Assignment.objects.filter(task__project=token.project_id, rater=token.user_id)
    return get_object_or_404(mine.select_related("task__item", "task__project"), pk=pk)


def _task(project: Project, lease: Assignment) -> dict:
    """What a person sees of it, and no more."""
    version, item = SchemaVersion.objects.filter(project=project).latest("number"), lease.task.item
    responses = responses_in(lease)
    return {
        "assignment": lease.pk,
        "expires_at": lease.expires_at,
        "guidelines": project.guidelines,
        "schema": version.body,
        "turns": item.turns,
        "context": [{"title": p.get("title", ""), "text": p["text"]} for p in item.context],
        "responses": [{"id": one.pk, "text": one.text, "steps": one.steps} for one in responses],
        "answer": {"texts_sha256": dict(shown_of(item, responses).sha256), "schema_version": version.number},
    }
