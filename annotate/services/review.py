"""Cases: what reviewers make of a task that was flagged, or on which raters disagree."""

from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from annotate.models import Assignment, Case, Judgement, Task, User
from annotate.models.review import CaseState
from annotate.models.task import AssignmentKind, AssignmentState
from annotate.services.event import record
from annotate.services.lease import Conflict, expire_leases

CASE, KNOWN, READ = "case", "known answer", "read"  # what a decision is for, or that none was begun: Assignment.reason


def shuffled(rows: list, key: str, of: object) -> list:
    """The rows in an order that is always the same, and that nobody without the site's secret can work out."""
    return sorted(rows, key=lambda row: salted_hmac("annotate.review", f"{key}:{of(row)}").digest())


def case_order(task: Task) -> list[int]:
    """Response ids from left to right, for everybody who reviews the task: nothing is told by the place."""
    return shuffled(list(task.responses.order_by("pk").values_list("pk", flat=True)), f"task {task.pk}", of=int)


def read_answers(*, tasks: Iterable[Task], user: User) -> None:
    """They see what others answered: they are served these tasks no more, and what they lost or skipped stays so."""
    now = timezone.now()
    expire_leases(now=now)  # a lease of their own that has run out would still take an answer
    rows = [
        Assignment(
            task=task, rater=user, kind=AssignmentKind.ADJUDICATION, reason=READ, state=AssignmentState.SKIPPED,
            shown_order=[], holds_slot=False, leased_at=now, expires_at=now,
        )
        for task in tasks
    ]  # fmt: skip
    Assignment.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def begin_decision(*, task: Task, user: User, purpose: str = CASE) -> Assignment:
    """The reviewer's own assignment, which takes no slot; the one begun before, if there is one."""
    now = timezone.now()
    lease = {"leased_at": now, "expires_at": now + timedelta(days=365), "shown_order": case_order(task)}
    lease |= {"state": AssignmentState.LEASED, "reason": purpose, "holds_slot": False}
    whose = {"task": task, "rater": user, "kind": AssignmentKind.ADJUDICATION}
    mine, new = Assignment.objects.get_or_create(**whose, defaults=lease)
    if not new and mine.reason == READ:
        mine, new = Assignment.objects.update_or_create(**whose, defaults=lease)[0], True
    if mine.reason != purpose:
        mine.reason = purpose
        mine.save(update_fields=["reason"])
    if new:
        record(kind="case.opened", subject=task, project=task.project, actor=user, purpose=purpose)
    return mine


@transaction.atomic
def settle(*, judgement: Judgement) -> Case | None:
    """A decision was stored or revised: the case is closed by it. None where it was asked for as a known answer.

    Raises Conflict where somebody else closed the case meanwhile.
    """
    if judgement.assignment.reason == KNOWN:
        # Of a case that it had decided, it stays the decision.
        Case.objects.filter(judgement=judgement.supersedes_id).exclude(judgement=None).update(judgement=judgement)
        return None
    case = _locked(judgement.task)
    if case.state != CaseState.OPEN and case.judgement_id != (judgement.supersedes_id or 0):
        raise Conflict("Another reviewer closed this case meanwhile. Open it again to decide anew; your work is kept.")
    if case.judgement_id and case.judgement_id != judgement.supersedes_id:
        _withdraw(case.judgement)  # the task was flagged again after it: this decision takes its place
    case.judgement = judgement
    _close(case, CaseState.DECIDED, judgement.rater)
    record(
        kind="case.decided", subject=case, project=case.project, actor=judgement.rater, judgement=judgement.pk,
        task=case.task_id,
    )  # fmt: skip
    return case


@transaction.atomic
def dismiss(*, task: Task, reason: str, actor: User) -> Case:
    """Nothing is to be decided here. ValidationError without a reason, and where the case is closed already."""
    reason = reason.replace("\0", "").strip()
    if not reason or len(reason) > 500:
        raise ValidationError("Say why, in 500 characters at most.")
    case = _locked(task)
    if case.state != CaseState.OPEN:
        raise ValidationError("This case was closed meanwhile.")
    case.reason = reason
    _close(case, CaseState.DISMISSED, actor)
    record(kind="case.dismissed", subject=case, project=case.project, actor=actor, reason=reason, task=task.pk)
    return case


@transaction.atomic
def reopen(*, task: Task, actor: User) -> Case:
    """Undo: the case is open again, and a decision is withdrawn, but kept. ValidationError if it is open already."""
    case = _locked(task)
    if case.state == CaseState.OPEN:
        raise ValidationError("This case is open already.")
    was, withdrawn = case.state, case.judgement_id
    if case.judgement:
        _withdraw(case.judgement)
    case.state, case.judgement, case.reason, case.closed_by, case.closed_at = CaseState.OPEN, None, "", None, None
    case.save()
    record(
        kind="case.reopened", subject=case, project=case.project, actor=actor, was=was, judgement=withdrawn,
        task=task.pk,
    )  # fmt: skip
    return case


@transaction.atomic
def reveal(*, case: Case, actor: User) -> None:
    """An admin looks at the names behind a closed case; that they did is kept. ValidationError while it is open."""
    if case.state == CaseState.OPEN:
        raise ValidationError("Names are shown when the case is closed, so that they decide nothing.")
    record(kind="case.revealed", subject=case, project=case.project, actor=actor, task=case.task_id)


def _locked(task: Task) -> Case:
    """The task's case, made if there is none; two reviewers come one after the other."""
    Case.objects.get_or_create(task=task, defaults={"project": task.project})
    # Without its judgement: PostgreSQL, once it has waited, joins the row as it is now with what it saw before.
    return Case.objects.select_for_update(of=("self",)).select_related("project").get(task=task)


def _close(case: Case, state: str, actor: User) -> None:
    case.state, case.closed_by, case.closed_at = state, actor, timezone.now()
    case.save()


def _withdraw(judgement: Judgement) -> None:
    """The row stays as it was made; another may now be made in its place."""
    Judgement.objects.filter(pk=judgement.pk).update(withdrawn_at=timezone.now(), superseded=True)
    again = Assignment.objects.filter(pk=judgement.assignment_id)
    again.update(state=AssignmentState.LEASED, submitted_at=None)
