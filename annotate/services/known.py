"""Tasks whose answer is known: gold, the qualification set, and examples for the guidelines."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotate.grading import grade
from annotate.models import Assignment, Judgement, KnownAnswer, Membership, Project, Response, Task, User
from annotate.models.task import AssignmentKind, AssignmentState, TaskKind
from annotate.schema import Schema
from annotate.services.answer import Shown, check_answer, read_answer
from annotate.services.event import record
from annotate.services.hidden import had_by, known_tasks
from annotate.services.task import task_key

KINDS = (TaskKind.GOLD, TaskKind.QUALIFICATION, TaskKind.EXAMPLE)
GRADED = (AssignmentKind.GOLD, AssignmentKind.QUALIFICATION)
ANSWER = ("outcome", "ranking", "strength", "ratings", "steps", "safety")  # what grading reads, and the spans


# ---- Making


@transaction.atomic
def add_known(
    *,
    project: Project,
    task_or_responses: Task | Sequence[Response],
    kind: str,
    answer: dict,
    explanation: str = "",
    title: str = "",
    actor: User | None = None,
) -> KnownAnswer:
    """A task of its own kind with these responses and this answer; of one that exists already, the new answer.

    People are no longer asked about the same responses in the usual way. What was answered is graded again.
    Raises ValidationError naming the field.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    responses = _responses(project, task_or_responses)
    if kind not in KINDS:
        raise ValidationError({"kind": f"One of {', '.join(KINDS)}."})
    values = {"answer": _checked(project, responses, answer), "explanation": explanation, "title": title}
    task = _task(project, responses, kind)
    known, new = KnownAnswer.objects.update_or_create(
        task=task, defaults={**values, "active": True}, create_defaults={**values, "created_by": actor}
    )
    _regrade(known, project.schema)
    record(kind="known.added" if new else "known.changed", subject=task, project=project, actor=actor, of=kind)
    return known


@transaction.atomic
def retire_known(*, known: KnownAnswer, actor: User | None = None) -> None:
    """Serve it no more; what was answered stays graded."""
    if KnownAnswer.objects.filter(pk=known.pk, active=True).update(active=False):
        record(kind="known.retired", subject=known.task, project=known.task.project, actor=actor)


def _responses(project: Project, given: Task | Sequence[Response]) -> list[Response]:
    responses = list(given.responses.select_related("item") if isinstance(given, Task) else given)
    items = {response.item_id for response in responses}
    if len(items) != 1 or responses[0].item.project_id != project.pk:
        raise ValidationError({"task": "Choose responses of one item of this project."})
    return responses


def _checked(project: Project, responses: Sequence[Response], answer: dict) -> dict:
    item = responses[0].item
    hashes = {"prompt": item.prompt_sha256, **{str(one.pk): one.sha256 for one in responses}}
    steps, roles = {one.pk: len(one.steps) for one in responses}, [turn["role"] for turn in item.turns]
    shown = Shown({one.pk: one.text for one in responses}, hashes, steps, roles)
    clean = check_answer(read_answer(answer), shown, project.schema, complete=False)
    return {"outcome": clean.outcome} | clean.model_dump(mode="json", exclude_defaults=True)


def _task(project: Project, responses: Sequence[Response], kind: str) -> Task:
    ids = [one.pk for one in responses]
    task, new = Task.objects.get_or_create(
        project=project,
        key=task_key(ids, kind),
        defaults={"item": responses[0].item, "kind": kind, "slots": 0, "open_slots": 0, "reason": kind},
    )
    if new:
        task.responses.set(ids)
    same = project.tasks.filter(key=task_key(ids))
    same.update(slots=F("slots") - F("open_slots"), open_slots=0)
    return task


# ---- Grading


def right_of(assignment: Assignment, said: dict, schema: Schema) -> bool | None:
    """Was the answer right in all that the known one says? None where no answer is known."""
    known = KnownAnswer.objects.filter(task=assignment.task_id).first() if assignment.kind in GRADED else None
    return known and all(grade(said, known.answer, schema).values())


def is_told(project: Project, assignment: Assignment) -> bool:
    """Does the rater see the known answer after their own?"""
    hidden = assignment.kind == AssignmentKind.GOLD
    return assignment.kind == AssignmentKind.QUALIFICATION or (hidden and project.gold_feedback)


def said_in(judgement: Judgement) -> dict:
    """What a stored judgement says, as grading reads it."""
    marks = list(judgement.spans.values("response", "start", "end", "category"))
    return {name: getattr(judgement, name) for name in ANSWER} | {"spans": marks}


def _regrade(known: KnownAnswer, schema: Schema) -> None:
    for row in Judgement.objects.current().filter(task=known.task, kind__in=GRADED):
        row.right = all(grade(said_in(row), known.answer, schema).values())
        row.save(update_fields=["right"])


# ---- Qualification


def next_qualification(project: Project, user: User) -> Task | None:
    """The first task of the qualification set that the person has not had."""
    tasks = known_tasks(project, TaskKind.QUALIFICATION)
    had = had_by(user, tasks) if tasks else set()
    left = next((pk for pk in tasks if pk not in had), None)
    return left and Task.objects.get(pk=left)


@transaction.atomic
def settle_qualification(*, member: Membership) -> bool:
    """Once the whole set was answered or skipped: did they pass?"""
    share = right_share(member)
    member.qualified = share >= member.project.pass_share
    member.save(update_fields=["qualified"])
    verdict = "passed" if member.qualified else "failed"
    record(kind=f"qualification.{verdict}", subject=member, project=member.project, actor=member.user, share=share)
    return member.qualified


def right_share(member: Membership) -> float:
    """Share of the qualification set that the member got right; one that was skipped is not."""
    tasks = known_tasks(member.project, TaskKind.QUALIFICATION)
    own = Judgement.objects.current().filter(task__in=tasks, rater=member.user_id, kind=AssignmentKind.QUALIFICATION)
    return own.filter(right=True).count() / len(tasks) if tasks else 1.0


@transaction.atomic
def reset_qualification(*, member: Membership, actor: User | None = None) -> None:
    """Let the member try again from the start; what they answered stays on record, withdrawn."""
    project = member.project
    old = Judgement.objects.filter(project=project, rater=member.user_id, kind=AssignmentKind.QUALIFICATION)
    old.filter(withdrawn_at=None).update(withdrawn_at=timezone.now(), superseded=True)
    Assignment.objects.filter(task__project=project, rater=member.user_id, kind=AssignmentKind.QUALIFICATION).update(
        state=AssignmentState.EXPIRED, draft={}, draft_revision=F("draft_revision") + 1
    )
    Membership.objects.filter(pk=member.pk).update(qualified=None)
    record(kind="qualification.reset", subject=member, project=project, actor=actor, user=member.user_id)
