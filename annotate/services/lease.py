"""Leases: each of a task's K slots is held by exactly one rater at a time, and is given back exactly once.

A slot is taken by compare-and-set on `Task.open_slots`. SQLite queues writers at BEGIN IMMEDIATE; PostgreSQL locks
rows. Locks are taken in one order, so that nobody waits in a circle: rater, case of a decision, assignment, task.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, QuerySet
from django.utils import timezone

from annotate.models import Assignment, Case, Judgement, Project, Task, User
from annotate.models.task import AssignmentKind, AssignmentState
from annotate.prepared import Prepared, PreparedUpdate, no_index
from annotate.services.event import record
from annotate.services.quota import quota_reached

LEASED, SUBMITTED, EXPIRED, SKIPPED = (
    AssignmentState.LEASED,
    AssignmentState.SUBMITTED,
    AssignmentState.EXPIRED,
    AssignmentState.SKIPPED,
)
SKEW = timedelta(minutes=1)  # by which the clocks of several machines may differ


def _stored_under(project: int, key: str) -> QuerySet:
    return Judgement.objects.alias(where=no_index("project_id")).filter(idempotency_key=key, where=project)


LOCK_RATER = Prepared(
    lambda rater: User.objects.select_for_update(no_key=True).filter(pk=rater).values_list("pk", flat=True), rater=int
)
LOCK_ASSIGNMENT = Prepared(
    lambda pk, project, key: (
        Assignment.objects.select_for_update().filter(pk=pk).annotate(key_used=Exists(_stored_under(project, key)))
    ),
    pk=int,
    project=int,
    key=str,
)


def on_desk(project: int, rater: int) -> QuerySet:
    """What the rater holds. A decision that a reviewer has begun is no part of the queue."""
    held = Assignment.objects.filter(rater=rater, state=LEASED, task__project=project)
    return held.exclude(kind=AssignmentKind.ADJUDICATION)


HELD = Prepared(
    lambda **whose: on_desk(**whose).select_related("task").order_by("pk")[:1],
    rater=int,
    project=int,
)
TAKE = PreparedUpdate(
    lambda task: (Task.objects.filter(pk=task, open_slots__gt=0), {"open_slots": F("open_slots") - 1}), task=int
)


def late(now: datetime) -> QuerySet:
    """Leases that have run out."""
    return Assignment.objects.filter(state=LEASED, expires_at__lte=now)


LATE = Prepared(lambda now: late(now).values_list("pk", flat=True)[:1], now=datetime)


class Conflict(Exception):
    """The act came too late: somebody else, or another tab, was first. Nothing was changed."""


def lock_rater(user_id: int) -> None:
    """What one rater does in two tabs happens one after the other."""
    LOCK_RATER(rater=user_id)


def held_by(project: Project, user: User) -> Assignment | None:
    """What is on the rater's desk."""
    return HELD.first(rater=user.pk, project=project.pk)


def lease_end(project: Project, now: datetime) -> datetime:
    return now + timedelta(minutes=project.lease_minutes)


def take_slot(task_id: int) -> bool:
    """Compare-and-set one slot of the task; False when all are taken."""
    return bool(TAKE(task=task_id))


def regain(assignment: Assignment, now: datetime) -> bool:
    """Hold again what a lost lease held; the caller has locked rater and assignment. False when it is too late: the
    slot is taken, a quota is full, or the rater has read what others answered."""
    project, rater = assignment.task.project, assignment.rater_id
    read = Assignment.objects.filter(task=assignment.task_id, rater=rater, kind=AssignmentKind.ADJUDICATION)
    if assignment.kind != AssignmentKind.ADJUDICATION and read.exists():
        return False
    hidden = assignment.kind in (AssignmentKind.GOLD, AssignmentKind.REPEAT)
    if hidden or assignment.holds_slot:  # a quota is for people, and not for the qualification
        member = project.memberships.filter(user=rater).first()
        if quota_reached(project, rater, member, now):
            return False
    return not assignment.holds_slot or take_slot(assignment.task_id)


def heartbeat(*, assignment: Assignment, now: datetime | None = None) -> bool:
    """Extend the lease; one that ran out is taken up again if its slot is still free. False when it is not."""
    now = now or timezone.now()
    held = Assignment.objects.filter(pk=assignment.pk, state=LEASED)
    if held.update(expires_at=lease_end(assignment.task.project, now)):
        return True
    current = _take_up(assignment, now, from_states=(EXPIRED,))
    return current.state in (LEASED, SUBMITTED)


@transaction.atomic
def _take_up(assignment: Assignment, now: datetime, from_states: Sequence[str]) -> Assignment:
    lock_rater(assignment.rater_id)
    current = locked(assignment)
    queued = current.kind != AssignmentKind.ADJUDICATION
    busy = queued and held_by(current.task.project, assignment.rater)  # one task at a time, also of what comes back
    if current.state in from_states and not busy and regain(current, now):
        current.state, current.expires_at = LEASED, lease_end(current.task.project, now)
        current.save(update_fields=["state", "expires_at"])
    return current


def locked(assignment: Assignment, key: str = "") -> Assignment:
    """The assignment as it is now; others wait until the transaction ends.

    `key_used`: is an answer stored under this key? To be believed only while the rater is locked.
    """
    if assignment.kind == AssignmentKind.ADJUDICATION:  # who opens a case again holds it before the decision, too
        Case.objects.select_for_update().filter(task=assignment.task_id).first()
    current = LOCK_ASSIGNMENT.first(pk=assignment.pk, project=assignment.task.project_id, key=key)
    current.task = assignment.task
    return current


def expire_leases(*, now: datetime | None = None) -> int:
    """Give back the slots of leases that ran out. Returns how many there were."""
    now = now or timezone.now()
    return _expire(now) if LATE(now=now) else 0


def shorten_leases(*, now: datetime | None = None) -> int:
    """A clock that was set back leaves leases that end hours too late: they get the time of a new one.

    Nobody loses a task by it, and that of somebody who left is free again when it should be. Returns how many.
    """
    now, cut = now or timezone.now(), 0
    held = Assignment.objects.filter(state=LEASED).exclude(kind=AssignmentKind.ADJUDICATION)
    for project in Project.objects.filter(pk__in=held.values("task__project")):
        end = lease_end(project, now)
        own = held.filter(task__project=project, expires_at__gt=end + SKEW)
        cut += own.update(expires_at=end)
    return cut


@transaction.atomic
def _expire(now: datetime) -> int:
    rows = list(late(now).select_for_update(skip_locked=True).order_by("task_id", "pk"))
    _give_back(rows, EXPIRED)
    return len(rows)


@transaction.atomic
def release(*, assignment: Assignment) -> None:
    """The rater leaves: the slot goes back at once, the order and the draft are kept for their return."""
    current = Assignment.objects.select_for_update().get(pk=assignment.pk)
    if current.state == LEASED:
        _give_back([current], EXPIRED)


@transaction.atomic
def skip(*, assignment: Assignment, user: User, reason: str = "") -> None:
    """Give the slot back; the task is not served to this rater again. Raises Conflict once submitted."""
    current = locked(assignment)
    if current.state == SUBMITTED:
        raise Conflict("This task was submitted already; go back to it to change the answer.")
    if current.state == LEASED:
        _give_back([current], SKIPPED)
    Assignment.objects.filter(pk=current.pk).update(state=SKIPPED, skip_reason=reason[:200])
    record(kind="task.skipped", subject=current.task, project=current.task.project, actor=user, reason=reason[:200])


def unskip(*, assignment: Assignment, user: User, now: datetime | None = None) -> None:
    """Take a skipped task back; what is on the desk meanwhile goes back, its draft kept. Raises Conflict when the
    last slot is taken."""
    project, now = assignment.task.project, now or timezone.now()
    held = held_by(project, user)
    if held and held.pk != assignment.pk:  # in a transaction of its own: two tasks are never locked at once
        release(assignment=held)
    with transaction.atomic():
        current = _take_up(assignment, now, from_states=(SKIPPED, EXPIRED))
        if current.state != LEASED:
            raise Conflict("This task cannot be taken back: it is answered, or your quota is full.")
        record(kind="task.unskipped", subject=current.task, project=project, actor=user, assignment=current.pk)


def _give_back(leased: Sequence[Assignment], state: str) -> None:
    """The caller holds the locks of these rows, all of them leased. Tasks are touched in one order: no deadlock."""
    Assignment.objects.filter(pk__in=[a.pk for a in leased]).update(state=state)
    for task_id, slots in sorted(Counter(a.task_id for a in leased if a.holds_slot).items()):
        Task.objects.filter(pk=task_id).update(open_slots=F("open_slots") + slots)
