"""Tasks: making them, and leasing each of their K slots to exactly one rater at a time.

A slot is taken by compare-and-set on `Task.open_slots`. SQLite queues writers at BEGIN IMMEDIATE; PostgreSQL locks
the row and lets others pass it by (SKIP LOCKED). Both run the code below.
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from annotate.models import Assignment, Item, Project, Response, Task, User
from annotate.models.task import AssignmentKind, AssignmentState, TaskKind
from annotate.services.event import record

LEASED, SUBMITTED, EXPIRED, SKIPPED = (
    AssignmentState.LEASED,
    AssignmentState.SUBMITTED,
    AssignmentState.EXPIRED,
    AssignmentState.SKIPPED,
)
RECENT = 100  # assignments of a rater that are looked at to balance what stands on the left


class Conflict(Exception):
    """The act came too late: somebody else, or another tab, was first. Nothing was changed."""


# ---- Making


def task_key(response_ids: Iterable[int], kind: str = TaskKind.NORMAL, item_id: int = 0) -> str:
    """sha256 of the kind and the sorted response ids: the same responses make the same task.

    Of a task without responses, whose answer is to be written, the item says which it is.
    """
    ids = ",".join(str(pk) for pk in sorted(response_ids))
    return hashlib.sha256(f"{kind}:{ids or f'item {item_id}'}".encode()).hexdigest()


def arranged(response_ids: Sequence[int], arrangement: str) -> list[tuple[int, ...]]:
    """What is shown together: every pair, all, or each alone; a single response, or none, is a task of its own."""
    if arrangement == "all" or len(response_ids) < 2:
        return [tuple(response_ids)]
    return list(itertools.combinations(response_ids, 2 if arrangement == "pairs" else 1))


@transaction.atomic
def make_tasks(
    *, project: Project, items: Iterable[Item], pairs: Literal["all"] | int = "all", reason: str = "import"
) -> int:
    """A task for each of an item's pairs (or what the schema arranges), or for `pairs` of them drawn by hash.

    Returns how many are new.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    made, arrangement = 0, project.schema.arrangement
    items = iter(items)
    while chunk := [item.pk for item in itertools.islice(items, 500)]:
        made += _make_chunk(project, chunk, pairs, reason, arrangement)
    if made:
        record(kind="task.made", subject=project, project=project, tasks=made, reason=reason)
    return made


def _make_chunk(project: Project, item_ids: list[int], pairs: str | int, reason: str, arrangement: str) -> int:
    chosen = {}  # key -> (task, response ids)
    responses = Response.objects.filter(item__in=item_ids, item__project=project)
    rows = responses.order_by("item_id", "index").values_list("item_id", "pk")
    by_item = {item_id: [pk for _, pk in group] for item_id, group in itertools.groupby(rows, key=lambda row: row[0])}
    for item_id in project.items.filter(pk__in=item_ids).order_by("pk").values_list("pk", flat=True):
        every = arranged(by_item.get(item_id, []), arrangement)
        drawn = every if pairs == "all" else sorted(every, key=task_key)[:pairs]
        for pair in drawn:
            task = Task(
                project=project,
                item_id=item_id,
                key=task_key(pair, item_id=item_id),
                slots=project.overlap,
                open_slots=project.overlap,
                reason=reason,
                probability=len(drawn) / len(every),
            )
            chosen[task.key] = (task, pair)
    known = set(Task.objects.filter(project=project, key__in=chosen).values_list("key", flat=True))
    new = [both for key, both in chosen.items() if key not in known]
    Task.objects.bulk_create([task for task, _ in new])
    link = Task.responses.through
    link.objects.bulk_create([link(task=task, response_id=pk) for task, pair in new for pk in pair])
    return len(new)


# ---- Leasing


def lease_next(*, project: Project, user: User, now: datetime | None = None) -> Assignment | None:
    """The rater's open lease, else one on the first task in the queue they have not had; None when none is left."""
    now = now or timezone.now()
    expire_leases(now=now)
    if project.paused:
        return None
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two tabs of one rater lease one task
        held = Assignment.objects.filter(rater=user, state=LEASED, task__project=project).first()
        if held:
            heartbeat(assignment=held, now=now)
            return held
        task = _first_open(project, user)
        return task and _lease(project, task, user, now)


def _first_open(project: Project, user: User) -> Task | None:
    had = Assignment.objects.filter(task=OuterRef("pk"), rater=user).exclude(state=EXPIRED)
    queue = Task.objects.filter(~Exists(had), project=project).open().served_first()
    # Passing by locked rows is fast, but the last slots may be behind a lock: only then wait for it.
    for skip_locked in (True, False):
        if task := queue.select_for_update(skip_locked=skip_locked, of=("self",)).first():
            return task
    return None


def _lease(project: Project, task: Task, user: User, now: datetime) -> Assignment | None:
    if not take_slot(task.pk):
        return None
    others = list(Assignment.objects.filter(task=task))
    mine = next((a for a in others if a.rater_id == user.pk and a.kind == AssignmentKind.NORMAL), None)
    if mine is None:
        mine = Assignment(task=task, rater=user, shown_order=_order(project, task, user, others))
    mine.state, mine.leased_at, mine.expires_at = LEASED, now, _end(project, now)
    mine.save()
    record(kind="task.leased", subject=task, project=project, actor=user, assignment=mine.pk)
    return mine


def _order(project: Project, task: Task, user: User, others: Sequence[Assignment]) -> list[int]:
    """The rotation of the responses least used for this task, then least used by this rater, then a coin by hash."""
    ids = sorted(task.responses.order_by().values_list("pk", flat=True))
    recent = Assignment.objects.filter(rater=user, task__project=project).order_by("-pk")
    in_task = Counter(_rotation(a.shown_order) for a in others)
    by_rater = Counter(map(_rotation, recent.values_list("shown_order", flat=True)[:RECENT]))
    coin = lambda turn: hashlib.sha256(f"{task.pk}:{user.pk}:{turn}".encode()).digest()  # noqa: E731
    turn = min(range(len(ids)), key=lambda turn: (in_task[turn], by_rater[turn], coin(turn)))
    return ids[turn:] + ids[:turn]


def _rotation(shown_order: list[int]) -> int:
    return sorted(shown_order).index(shown_order[0])


def _end(project: Project, now: datetime) -> datetime:
    return now + timedelta(minutes=project.lease_minutes)


def take_slot(task_id: int) -> bool:
    """Compare-and-set one slot of the task; False when all are taken."""
    return bool(Task.objects.filter(pk=task_id, open_slots__gt=0).update(open_slots=F("open_slots") - 1))


@transaction.atomic
def heartbeat(*, assignment: Assignment, now: datetime | None = None) -> bool:
    """Extend the lease; one that ran out is taken up again if its slot is still free. False when it is not."""
    now = now or timezone.now()
    current = Assignment.objects.select_for_update(of=("self",)).select_related("task__project")
    current = current.get(pk=assignment.pk)
    if current.state in (SUBMITTED, SKIPPED):
        return current.state == SUBMITTED
    if current.state == EXPIRED and not take_slot(current.task_id):
        return False
    current.state, current.expires_at = LEASED, _end(current.task.project, now)
    current.save(update_fields=["state", "expires_at"])
    return True


@transaction.atomic
def expire_leases(*, now: datetime | None = None) -> int:
    """Give back the slots of leases that ran out. Returns how many there were."""
    late = Assignment.objects.filter(state=LEASED, expires_at__lte=now or timezone.now())
    rows = list(late.select_for_update(skip_locked=True).order_by("task_id", "pk"))
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
    current = Assignment.objects.select_for_update(of=("self",)).select_related("task__project")
    current = current.get(pk=assignment.pk)
    if current.state == SUBMITTED:
        raise Conflict("This task was submitted already; go back to it to change the answer.")
    if current.state == LEASED:
        _give_back([current], SKIPPED)
    Assignment.objects.filter(pk=current.pk).update(state=SKIPPED, skip_reason=reason[:200])
    record(kind="task.skipped", subject=current.task, project=current.task.project, actor=user, reason=reason[:200])


def _give_back(leased: Sequence[Assignment], state: str) -> None:
    """The caller holds the locks of these rows, all of them leased. Tasks are touched in one order: no deadlock."""
    Assignment.objects.filter(pk__in=[a.pk for a in leased]).update(state=state)
    for task_id, slots in sorted(Counter(a.task_id for a in leased).items()):
        Task.objects.filter(pk=task_id).update(open_slots=F("open_slots") + slots)


# ---- Drafts


@transaction.atomic
def save_draft(*, assignment: Assignment, draft: dict, revision: int) -> int:
    """Keep the unfinished answer if `revision` is still the newest; returns the next one. Raises Conflict if not."""
    mine = Assignment.objects.filter(pk=assignment.pk)
    saved = mine.filter(draft_revision=revision).update(draft=draft, draft_revision=revision + 1)
    # Sent again because the answer to the first sending never arrived: it is there already.
    if not saved and mine.values_list("draft_revision", "draft").get() != (revision + 1, draft):
        raise Conflict("Newer work on this task was saved from another tab or device.")
    return revision + 1
