"""The queue for programs, and for models that judge: lease, heartbeat, draft, submit, skip.

A task tells what a person sees of it and no more: never who wrote a response, why it is served or what others said.
"""

import hashlib
import json

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Router, Schema
from pydantic import AwareDatetime, ConfigDict

from annotate.api.auth import project_for_token
from annotate.api.items import passages
from annotate.api.paging import Id
from annotate.models import Assignment, Project
from annotate.models.task import AssignmentKind
from annotate.services import lease as leases
from annotate.services.draft import save_draft
from annotate.services.judgement import responses_in, shown_of, submit_judgement
from annotate.services.machine import machine_next
from annotate.services.queue import lease_next, why_nothing

router = Router(tags=["tasks"])


class ShownOut(Schema):
    id: int
    text: str
    steps: list[dict]


class AnswerOut(Schema):
    texts_sha256: dict[str, str]
    schema_version: int


class TaskOut(Schema):
    assignment: int
    expires_at: AwareDatetime
    guidelines: str
    asked: dict = Field(description="The schema of the project: what is asked.")
    turns: list[dict]
    context: list[dict]
    responses: list[ShownOut] = Field(description="In the order in which to read them.")
    answer: AnswerOut = Field(description="What an answer must hold of the exact texts: add the rest to it.")
    draft: dict
    draft_revision: int


class LeaseOut(Schema):
    task: TaskOut | None
    why: str = Field(
        description="Without a task: paused, failed (the qualification), today or whole (a quota is full), empty, "
        "others (have tasks on their desks that may come back), mine (the owner has had what is unfinished), "
        "reserved (for others) or done."
    )


class Body(Schema):
    """What is sent; a name with a slip in it is refused."""

    model_config = ConfigDict(extra="forbid")


class SubmitIn(Body):
    answer: dict = Field(description="`answer` of the task with `outcome` and all that was said.")
    active_ms: int = Field(0, ge=0, le=2**31 - 1)
    flag: str = Field("", max_length=500, description="A note that puts the task before the reviewers.")


class SkipIn(Body):
    reason: str = Field("", max_length=200)


class DraftIn(Body):
    answer: dict
    revision: int = Field(ge=0, lt=2**31 - 1, description="`draft_revision` of the task, or as the last draft told.")


class HeldOut(Schema):
    held: bool = Field(description="False: the time ran out and the last place was taken.")


class DraftOut(HeldOut):
    revision: int


class SubmittedOut(Schema):
    judgement: int


class SkippedOut(Schema):
    skipped: bool


@router.post("/projects/{slug:slug}/tasks/lease", response=LeaseOut, operation_id="lease_task")
def lease_task(request: HttpRequest, slug: str) -> dict:
    """The task on the desk, else the next one; a model is given another one at each call."""
    project, user = project_for_token(request, slug, "judge"), request.auth.user
    lease = (machine_next if user.is_machine else lease_next)(project=project, user=user)
    if lease:
        return {"task": _told(project, lease), "why": ""}
    return {"task": None, "why": why_nothing(project, user)}


@router.get("/projects/{slug:slug}/tasks/{int:pk}", response=TaskOut, operation_id="get_task")
def get_task(request: HttpRequest, slug: str, pk: Id) -> dict:
    """A task that was leased before, by the id of its assignment."""
    mine = _own(request, slug, pk)
    return _told(mine.task.project, mine)


@router.post("/projects/{slug:slug}/tasks/{int:pk}/heartbeat", response=HeldOut, operation_id="heartbeat")
def heartbeat(request: HttpRequest, slug: str, pk: Id) -> dict:
    """Still at work: the lease begins anew."""
    return {"held": leases.heartbeat(assignment=_own(request, slug, pk))}


@router.put("/projects/{slug:slug}/tasks/{int:pk}/draft", response=DraftOut, operation_id="save_draft")
def put_draft(request: HttpRequest, slug: str, pk: Id, sent: DraftIn) -> dict:
    """Keep unfinished work, also for the judging page; 409 when newer work was saved elsewhere."""
    mine = _own(request, slug, pk)
    revision = save_draft(assignment=mine, draft={"answer": sent.answer}, revision=sent.revision)
    return {"revision": revision, "held": leases.heartbeat(assignment=mine)}


@router.post("/projects/{slug:slug}/tasks/{int:pk}/submit", response=SubmittedOut, operation_id="submit_task")
def submit(request: HttpRequest, slug: str, pk: Id, sent: SubmitIn) -> dict:
    """Store the answer once: the same again is the same judgement, another one is 409."""
    mine = _own(request, slug, pk)
    digest = hashlib.sha256(json.dumps(sent.answer, sort_keys=True).encode()).hexdigest()
    stored = submit_judgement(
        assignment=mine,
        user=request.auth.user,
        answer=sent.answer,
        idempotency_key=f"api:{mine.pk}:{digest[:32]}",
        active_ms=sent.active_ms,
        flag=sent.flag,
    )
    return {"judgement": stored.pk}


@router.post("/projects/{slug:slug}/tasks/{int:pk}/skip", response=SkippedOut, operation_id="skip_task")
def skip(request: HttpRequest, slug: str, pk: Id, sent: SkipIn) -> dict:
    """Give the task back; it is not given to this rater again."""
    leases.skip(assignment=_own(request, slug, pk), user=request.auth.user, reason=sent.reason)
    return {"skipped": True}


def _own(request: HttpRequest, slug: str, pk: int) -> Assignment:
    """The assignment of the token's owner. Decisions of reviewers are made on their page, where the case stands."""
    project = project_for_token(request, slug, "judge")
    mine = Assignment.objects.filter(task__project=project, rater=request.auth.user)
    mine = mine.exclude(kind=AssignmentKind.ADJUDICATION).select_related("task__item", "task__project")
    return get_object_or_404(mine, pk=pk)


def _told(project: Project, mine: Assignment) -> dict:
    version, item, responses = project.schema_version, mine.task.item, responses_in(mine)
    return {
        "assignment": mine.pk,
        "expires_at": mine.expires_at,
        "guidelines": project.guidelines,
        "asked": version.body,
        "turns": item.turns,
        "context": passages(item),
        "responses": [{"id": one.pk, "text": one.text, "steps": one.steps} for one in responses],
        "answer": {"texts_sha256": dict(shown_of(item, responses).sha256), "schema_version": version.number},
        "draft": mine.draft.get("answer", {}),
        "draft_revision": mine.draft_revision,
    }
