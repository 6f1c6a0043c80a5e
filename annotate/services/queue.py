"""What a rater is given next, and why there is nothing."""

import hashlib
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, Q, QuerySet
from django.utils import timezone

from annotate.models import Assignment, KnownAnswer, Membership, Project, Reservation, Response, Role, Task, User
from annotate.models.task import AssignmentKind, AssignmentState, TaskKind, TaskQuerySet
from annotate.prepared import Prepared, insert
from annotate.services.event import record
from annotate.services.hidden import Choice, hidden_choice
from annotate.services.known import next_qualification, settle_qualification
from annotate.services.lease import expire_leases, heartbeat, held_by, lease_end, lock_rater, take_slot
from annotate.services.quota import quota_reached
from annotate.services.task import task_key

RECENT = 40  # assignments of a rater that are looked at to balance what stands on the left
# Raters look ahead at different tasks of equal priority, spread over so many at the front (over fewer, when there are
# no more), and are given the one they saw: if all saw the first, all but one would see it in vain.
SPREADS = (2000, 200, 20)


def _open_to(project: int, rater: int) -> TaskQuerySet:
    return Task.objects.filter(project=project, reserved=False).not_had_by(rater).open().select_related("item")


WHOSE = {"project": int, "rater": int}
FIRST = Prepared(lambda **whose: _open_to(**whose).served_first()[:1], **WHOSE)
FROM = Prepared(
    lambda priority, start, **whose: _open_to(**whose).filter(priority=priority, pk__gte=start).served_first()[:1],
    **WHOSE,
    priority=int,
    start=int,
)
SEEN = Prepared(
    lambda priority, key, **whose: _open_to(**whose).filter(priority=priority, key=key), **WHOSE, priority=int, key=str
)
OTHERS = Prepared(lambda task: Assignment.objects.filter(task=task), task=int)
SHOWABLE = Prepared(
    lambda task: Response.objects.filter(tasks=task).order_by("pk").values_list("pk", flat=True), task=int
)
SHOWN = Prepared(
    lambda rater: Assignment.objects.filter(rater=rater).order_by("-pk").values_list("shown_order", flat=True)[:RECENT],
    rater=int,
)


def lease_next(
    *, project: Project, user: User, now: datetime | None = None, ahead: Sequence[int] = ()
) -> Assignment | None:
    """The rater's open lease, else one on what they are to be given next; None when there is nothing.

    `ahead` are the responses that the rater was shown ahead: of equal tasks, theirs comes first.
    """
    now = now or timezone.now()
    expire_leases(now=now)
    with transaction.atomic():
        lock_rater(user.pk)
        held = held_by(project, user)
        if held and heartbeat(assignment=held, now=now):
            return held
        while choice := _choose(project, user, now, ahead=ahead):
            if leased := lease(project, choice, user, now):
                return leased  # else its last slot was taken meanwhile, and the next look does not find it
    return None


def peek(*, project: Project, user: User, now: datetime | None = None) -> Assignment | None:
    """What `lease_next` would likely give once the desk is empty, as an assignment that is not saved; takes nothing."""
    now = now or timezone.now()
    choice = _choose(project, user, now, peeking=True)
    return choice and _prepared(project, choice, user, now)


def _refusal(project: Project, user: User, member: Membership | None, now: datetime) -> str:
    if project.paused:
        return "paused"
    if member and member.role == Role.ANNOTATOR and member.qualified is False:
        return "failed"
    return quota_reached(project, user.pk, member, now)


def _member(project: Project, user: User) -> Membership | None:
    """With `must_qualify`: is a qualification set before this person? And `kept`: were tasks ever kept for them?"""
    return MEMBER.first(project=project.pk, user=user.pk)


def _members(project: int, user: int) -> QuerySet:
    kept = Reservation.objects.filter(user=user)  # which tasks, and whether they are open, is asked of these few alone
    asked = KnownAnswer.objects.filter(active=True, task__project=project, task__kind=TaskKind.QUALIFICATION)
    new = Q(role=Role.ANNOTATOR, qualified=None)
    own = Membership.objects.filter(project=project, user=user)
    return own.annotate(must_qualify=Q(Exists(asked)) & new, kept=Exists(kept))


MEMBER = Prepared(_members, project=int, user=int)


def why_nothing(project: Project, user: User, now: datetime | None = None) -> str:
    """For the page without a task: "paused", "failed" (the qualification), "today" or "whole" (a quota is full),
    "empty", "mine" (the rater has had what is open), "reserved" (it is kept for others), "others" (it is on their
    desks), or "done"."""
    if refused := _refusal(project, user, _member(project, user), now or timezone.now()):
        return refused
    normal = project.tasks.filter(kind=TaskKind.NORMAL)
    if not normal.exists():
        return "empty"
    if normal.open().filter(reserved=False).exists() or _reserved_for(normal.open(), user).exists():
        return "mine"
    if normal.open().exists():
        return "reserved"
    at_work = Assignment.objects.filter(task__project=project, state=AssignmentState.LEASED, holds_slot=True)
    return "others" if at_work.exclude(rater=user).exists() else "done"


def _choose(
    project: Project, user: User, now: datetime, *, peeking: bool = False, ahead: Sequence[int] = ()
) -> Choice | None:
    member = _member(project, user)
    if _refusal(project, user, member, now):
        return None
    if member and member.must_qualify:
        if task := next_qualification(project, user):
            return Choice(task, AssignmentKind.QUALIFICATION, "qualification")
        if peeking or not settle_qualification(member=member):
            return None
    kept = member is not None and member.kept
    return hidden_choice(project, user) or _first_open(project, user, kept=kept, peeking=peeking, ahead=ahead)


def _first_open(project: Project, user: User, *, kept: bool, peeking: bool, ahead: Sequence[int]) -> Choice | None:
    if kept and (task := _reserved_for(project.tasks.not_had_by(user).open().served_first(), user).first()):
        return Choice(task, reason="reserved")
    whose = {"project": project.pk, "rater": user.pk}
    first = FIRST.first(**whose)
    if first is None:
        return None
    if peeking:
        places = (first.pk + zlib.crc32(f"{first.pk}:{user.pk}".encode()) % spread for spread in SPREADS)
        found = (FROM.first(**whose, priority=first.priority, start=place) for place in places)
        task = next(filter(None, found), None)
    else:
        task = SEEN.first(**whose, priority=first.priority, key=task_key(ahead)) if ahead else None
    return Choice(task or first, reason="priority" if first.priority > 0 else "queue")


def _reserved_for(tasks: TaskQuerySet, user: User) -> TaskQuerySet:
    return tasks.filter(reserved=True, pk__in=Reservation.objects.filter(user=user).values("task"))


def lease(project: Project, choice: Choice, user: User, now: datetime) -> Assignment | None:
    mine = _prepared(project, choice, user, now)
    if mine.holds_slot and not take_slot(choice.task.pk):
        return None
    if mine.pk:  # it is taken up again; the rest stays, for a draft may have been saved meanwhile
        mine.save(update_fields=["state", "leased_at", "expires_at", "reason", "probability"])
    else:
        insert(mine)
    record(kind="task.leased", subject=choice.task, project=project, actor=user, assignment=mine.pk)
    return mine


def _prepared(project: Project, choice: Choice, user: User, now: datetime) -> Assignment:
    """The assignment as it would be saved; one that the rater had and lost keeps its order and its draft."""
    others = OTHERS(task=choice.task.pk)
    mine = next((a for a in others if a.rater_id == user.pk and a.kind == choice.kind), None)
    if mine is None:
        order = choice.shown_order or shown_order(project, choice.task, user, others)
        holds = choice.kind == AssignmentKind.NORMAL and not user.is_machine
        mine = Assignment(rater=user, kind=choice.kind, shown_order=list(order), holds_slot=holds)
    mine.task, mine.reason, mine.probability = choice.task, choice.reason, choice.probability
    mine.state, mine.leased_at, mine.expires_at = AssignmentState.LEASED, now, lease_end(project, now)
    return mine


def shown_order(project: Project, task: Task, user: User, others: Sequence[Assignment]) -> list[int]:
    """The rotation of the responses least used for this task, then least used by this rater, then a coin by hash."""
    ids = SHOWABLE(task=task.pk)
    in_task = Counter(_rotation(a.shown_order) for a in others)
    by_rater = Counter(map(_rotation, SHOWN(rater=user.pk)))
    coin = lambda turn: hashlib.sha256(f"{task.pk}:{user.pk}:{turn}".encode()).digest()  # noqa: E731
    turn = min(range(len(ids)), key=lambda turn: (in_task[turn], by_rater[turn], coin(turn)), default=0)
    return ids[turn:] + ids[:turn]


def _rotation(shown_order: list[int]) -> int:
    return sorted(shown_order).index(shown_order[0]) if shown_order else 0
