"""What a rater is given next, and why there is nothing."""

import hashlib
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from annotate.models import Assignment, KnownAnswer, Membership, Project, Reservation, Response, Role, Task, User
from annotate.models.task import AssignmentKind, AssignmentState, TaskKind, TaskQuerySet
from annotate.prepared import Prepared, insert
from annotate.services.event import record
from annotate.services.hidden import Choice, hidden_choice
from annotate.services.known import next_qualification, settle_qualification
from annotate.services.lease import expire_leases, heartbeat, held_by, late, lease_end, lock_rater, on_desk, take_slot
from annotate.services.quota import quota_reached
from annotate.services.task import task_key

RECENT = 40  # assignments of a rater that are looked at to balance what stands on the left
# Raters look ahead at different tasks of equal priority, spread over so many at the front (over fewer, when there are
# no more), and are given the one they saw: if all saw the first, all but one would see it in vain.
SPREADS = (2000, 200, 20, 1)


def _open_to(project: int, rater: int) -> TaskQuerySet:
    """With `begun`: has anybody been served it?"""
    begun = Subquery(Assignment.objects.filter(task=OuterRef("pk")).values("pk")[:1])  # Exists may read all there are
    found = Task.objects.filter(project=project, reserved=False).not_had_by(rater).open()
    return found.annotate(begun=begun)


WHOSE = {"project": int, "rater": int}
FIRST = Prepared(lambda **whose: _open_to(**whose).served_first()[:1], **WHOSE)
FRONT = Prepared(lambda **whose: _open_to(**whose).served_first().values_list("pk", "priority")[:1], **WHOSE)
FROM = Prepared(
    lambda priority, start, **whose: (
        _open_to(**whose).filter(priority=priority, pk__gte=start).select_related("item").served_first()[:1]
    ),
    **WHOSE,
    priority=int,
    start=int,
)
SEEN = Prepared(
    lambda key, **whose: (
        _open_to(**whose)
        .filter(key=key)
        .alias(sooner=Subquery(_open_to(**whose).filter(priority__gt=OuterRef("priority")).values("pk")[:1]))
        .filter(sooner=None)
    ),
    **WHOSE,
    key=str,
)
SERVED = Assignment.objects.exclude(kind=AssignmentKind.ADJUDICATION)  # the order of a case is no part of the balance
OTHERS = Prepared(lambda task: SERVED.filter(task=task), task=int)
SHOWABLE = Prepared(lambda task: Response.objects.filter(tasks=task).order_by("pk"), task=int)
SHOWN = Prepared(
    lambda rater: SERVED.filter(rater=rater).order_by("-pk").values_list("shown_order", "task")[:RECENT],
    rater=int,
)


def lease_next(
    *, project: Project, user: User, now: datetime | None = None, ahead: Sequence[int] = ()
) -> Assignment | None:
    """The rater's open lease, else one on what they are to be given next; None when there is nothing.

    `ahead` are the responses that the rater was shown ahead: of equal tasks, theirs comes first.
    """
    return Queue(project, user, now).lease(ahead)


def peek(*, project: Project, user: User, now: datetime | None = None) -> Assignment | None:
    """What `lease_next` would likely give once the desk is empty, as an assignment that is not saved; takes nothing.

    Its `shown` are the responses in the order in which they would be shown.
    """
    return Queue(project, user, now).peek()


class Queue:
    """What comes to one rater. What it reads of the rater it reads once: one is made for each request."""

    def __init__(self, project: Project, user: User, now: datetime | None = None) -> None:
        self.project, self.user, self.now = project, user, now or timezone.now()
        self.whose = {"project": project.pk, "rater": user.pk}

    @cached_property
    def member(self) -> Membership | None:
        """With `must_qualify`: is a qualification set before this person? `kept`: were tasks ever kept for them?
        `holds`: is a task on their desk? `late`: has the lease of anybody run out?"""
        return MEMBER.first(**self.whose, now=self.now)

    @cached_property
    def recent(self) -> list[tuple[list[int], int]]:
        """In which orders the rater was shown responses of late, and of which tasks; the last first."""
        return SHOWN(rater=self.user.pk)

    def lease(self, ahead: Sequence[int] = ()) -> Assignment | None:
        """As `lease_next`."""
        expire_leases(now=self.now)
        with transaction.atomic():
            lock_rater(self.user.pk)
            return self.hand_out(ahead)

    def hand_out(self, ahead: Sequence[int]) -> Assignment | None:
        """The same for a caller that has locked the rater, and expires leases once its transaction has ended."""
        held = None if self.member and not self.member.holds else held_by(self.project, self.user)
        if held and heartbeat(assignment=held, now=self.now):
            return held
        while choice := self._choose(ahead=ahead):
            if leased := self.take(choice):
                return leased  # else its last slot was taken meanwhile, and the next look does not find it
        return None

    def peek(self) -> Assignment | None:
        """As `peek`."""
        choice = self._choose(peeking=True)
        if choice is None:
            return None
        found = {response.pk: response for response in SHOWABLE(task=choice.task.pk)}
        seen = self._prepared(choice, list(found))
        seen.shown = [found[pk] for pk in seen.shown_order]
        return seen

    def take(self, choice: Choice) -> Assignment | None:
        """Lease it; None when its last slot was taken meanwhile. The caller holds the lock of the rater."""
        ids = choice.responses or [response.pk for response in SHOWABLE(task=choice.task.pk)]
        mine = self._prepared(choice, ids)
        if mine.holds_slot and not take_slot(choice.task.pk):
            return None
        if mine.pk:  # it is taken up again; the rest stays, for a draft may have been saved meanwhile
            mine.save(update_fields=["state", "leased_at", "expires_at", "reason", "probability"])
        else:
            insert(mine)
            self.recent = [(mine.shown_order, mine.task_id), *self.recent][:RECENT]
        actor, task = self.user, choice.task
        record(kind="task.leased", subject=task, project=self.project, actor=actor, assignment=mine.pk)
        return mine

    def _choose(self, *, peeking: bool = False, ahead: Sequence[int] = ()) -> Choice | None:
        project, user, member = self.project, self.user, self.member
        if _refusal(project, user, member, self.now):
            return None
        if member and member.must_qualify:
            if task := next_qualification(project, user):
                return Choice(task, AssignmentKind.QUALIFICATION, "qualification")
            if peeking or not settle_qualification(member=member):
                return None
            member.must_qualify = False
        return hidden_choice(project, user) or self._first_open(peeking, ahead)

    def _first_open(self, peeking: bool, ahead: Sequence[int]) -> Choice | None:
        if self.member and self.member.kept:
            own = self.project.tasks.not_had_by(self.user).open().served_first()
            if task := _reserved_for(own, self.user).first():
                return Choice(task, reason="reserved")
        seen = SEEN.first(**self.whose, key=task_key(ahead)) if ahead else None
        task = seen or (self._ahead() if peeking else FIRST.first(**self.whose))
        reason = "priority" if task and task.priority > 0 else "queue"
        return task and Choice(task, reason=reason, responses=sorted(ahead) if seen else ())

    def _ahead(self) -> Task | None:
        """One of those at the front, which all have the highest priority: where the rater is, or else anywhere."""
        first, priority = FRONT.first(**self.whose) or (None, 0)
        if first is None:
            return None
        last = self.recent[0][1] if self.recent else 0
        seed = zlib.crc32(f"{first}:{self.user.pk}:{last}".encode())
        if first <= last < first + SPREADS[0]:  # a look from further back would pass all that they had since
            places = (last + 1, first + seed % (last - first + 1), first)
        else:
            places = [first + seed % spread for spread in SPREADS]
        found = (FROM.first(**self.whose, priority=priority, start=place) for place in places)
        return next(filter(None, found), None)

    def _prepared(self, choice: Choice, ids: Sequence[int]) -> Assignment:
        """The assignment as it would be saved; one that the rater had and lost keeps its order and its draft."""
        others, user = OTHERS(task=choice.task.pk) if getattr(choice.task, "begun", True) else [], self.user
        mine = next((a for a in others if a.rater_id == user.pk and a.kind == choice.kind), None)
        if mine is None:
            order = choice.shown_order or self._order(choice.task, ids, others)
            holds = choice.kind == AssignmentKind.NORMAL and not user.is_machine
            mine = Assignment(rater=user, kind=choice.kind, shown_order=list(order), holds_slot=holds)
        mine.task, mine.reason, mine.probability = choice.task, choice.reason, choice.probability
        mine.state, mine.leased_at = AssignmentState.LEASED, self.now
        mine.expires_at = lease_end(self.project, self.now)
        return mine

    def _order(self, task: Task, ids: Sequence[int], others: Sequence[Assignment]) -> list[int]:
        """The rotation least used for this task, then least used by this rater, then a coin by hash."""
        in_task = Counter(_rotation(a.shown_order) for a in others)
        by_rater = Counter(_rotation(order) for order, _ in self.recent)
        coin = lambda turn: hashlib.sha256(f"{task.pk}:{self.user.pk}:{turn}".encode()).digest()  # noqa: E731
        turn = min(range(len(ids)), key=lambda turn: (in_task[turn], by_rater[turn], coin(turn)), default=0)
        return [*ids[turn:], *ids[:turn]]


def _refusal(project: Project, user: User, member: Membership | None, now: datetime) -> str:
    if project.paused:
        return "paused"
    if member and member.role == Role.ANNOTATOR and member.qualified is False:
        return "failed"
    return quota_reached(project, user.pk, member, now)


def _members(project: int, rater: int, now: datetime) -> QuerySet:
    kept = Reservation.objects.filter(user=rater)  # which tasks, and whether they are open, is asked of these few alone
    asked = KnownAnswer.objects.filter(active=True, task__project=project, task__kind=TaskKind.QUALIFICATION)
    new = Q(role=Role.ANNOTATOR, qualified=None)
    own = Membership.objects.filter(project=project, user=rater)
    own = own.annotate(must_qualify=Q(Exists(asked)) & new, kept=Exists(kept))
    return own.annotate(holds=Exists(on_desk(project, rater)), late=Exists(late(now)))


MEMBER = Prepared(_members, **WHOSE, now=datetime)


def why_nothing(project: Project, user: User, now: datetime | None = None) -> str:
    """For the page without a task: "paused", "failed" (the qualification), "today" or "whole" (a quota is full),
    "empty", "others" (something is on their desks that may come back), "mine" (the rater has had what is unfinished),
    "reserved" (it is kept for others), or "done"."""
    if refused := _refusal(project, user, Queue(project, user).member, now or timezone.now()):
        return refused
    tasks = project.tasks.filter(kind=TaskKind.NORMAL)
    desks = Assignment.objects.filter(task=OuterRef("pk"), state=AssignmentState.LEASED, holds_slot=True)
    unfinished = tasks.filter(Q(open_slots__gt=0) | Exists(desks.exclude(rater=user)))
    true = {
        "empty": ~Exists(tasks),
        "others": Exists(unfinished.meant_for(user)),
        "mine": Exists(unfinished.filter(reserved=False) | _reserved_for(unfinished, user)),
        "reserved": Exists(unfinished),
    }
    # One query: what goes from a desk back into the queue between two of them would be seen in neither.
    seen = Project.objects.filter(pk=project.pk).values(**true).get()
    return next((why for why in true if seen[why]), "done")


def _reserved_for(tasks: TaskQuerySet, user: User) -> TaskQuerySet:
    return tasks.filter(reserved=True, pk__in=Reservation.objects.filter(user=user).values("task"))


def _rotation(shown_order: list[int]) -> int:
    return sorted(shown_order).index(shown_order[0]) if shown_order else 0
