"""Tasks: making them, and keeping some for named people."""

import hashlib
import itertools
import time
from collections.abc import Iterable, Sequence
from typing import Literal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef

from annotate.access import RIGHTS
from annotate.models import Item, Project, Reservation, Response, Task, User
from annotate.models.task import TaskKind, TaskQuerySet
from annotate.prepared import insert_all
from annotate.services.event import record

BATCH = 500  # items, or tasks, that are in memory at once
Tasks = TaskQuerySet | Sequence[Task]


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
    while chunk := [item.pk for item in itertools.islice(items, BATCH)]:
        made += _make_chunk(project, chunk, pairs, reason, arrangement)
    if made:
        record(kind="task.made", subject=project, project=project, tasks=made, reason=reason)
    return made


def make_missing_tasks(*, project: Project, after: int, seconds: float) -> tuple[int, int]:
    """The tasks of the items whose number is greater than `after`, some hundred items at a time until time is over.

    Returns how many are made, and the number of the item to go on after; 0 once there is none left.
    """
    end, made = time.monotonic() + seconds, 0
    while items := list(project.items.filter(pk__gt=after).order_by("pk").only("pk")[:BATCH]):
        made, after = made + make_tasks(project=project, items=items, reason="schema"), items[-1].pk
        if time.monotonic() > end:
            return made, after
    return made, 0


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
    insert_all([task for task, _ in new])
    link = Task.responses.through
    insert_all([link(task=task, response_id=pk) for task, pair in new for pk in pair])
    return len(new)


# ---- Keeping for named people


@transaction.atomic
def assign_tasks(*, project: Project, tasks: Tasks, users: Sequence[User], actor: User | None = None) -> int:
    """Keep the tasks for these people: nobody else is served them, and these are served them first.

    K judgements are wanted as before. Returns how many tasks are kept. Raises ValidationError when one of the people
    may not judge here.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    _refuse_who_cannot_judge(project, users)
    wanted = _normal(project, tasks) if users else project.tasks.none()
    ids = wanted.values_list("pk", flat=True).iterator(chunk_size=BATCH)
    while chunk := list(itertools.islice(ids, BATCH)):
        rows = [Reservation(task_id=pk, user=user) for pk in chunk for user in users]
        Reservation.objects.bulk_create(rows, ignore_conflicts=True)
    done, names = wanted.update(reserved=True), [user.username for user in users]
    record(kind="task.assigned", subject=project, project=project, actor=actor, tasks=done, users=names)
    return done


@transaction.atomic
def unassign_tasks(
    *, project: Project, tasks: Tasks, users: Sequence[User] | None = None, actor: User | None = None
) -> int:
    """Keep the tasks for these people no longer (None: for nobody). Returns how many are everybody's again."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    kept = Reservation.objects.filter(task__in=_normal(project, tasks))
    (kept if users is None else kept.filter(user__in=users)).delete()
    left = Exists(Reservation.objects.filter(task=OuterRef("pk")))
    free = project.tasks.filter(~left, reserved=True).update(reserved=False)
    record(kind="task.unassigned", subject=project, project=project, actor=actor, tasks=free)
    return free


@transaction.atomic
def set_priority(*, project: Project, tasks: Tasks, priority: int, actor: User | None = None) -> int:
    """Serve these tasks before all of a lower priority. Returns how many there are."""
    done = _normal(project, tasks).update(priority=priority)
    record(kind="task.priority", subject=project, project=project, actor=actor, tasks=done, priority=priority)
    return done


def _normal(project: Project, tasks: Tasks) -> TaskQuerySet:
    """Those of this project; what a query finds is not read, however much it is."""
    chosen = tasks.order_by().values("pk") if isinstance(tasks, TaskQuerySet) else [task.pk for task in tasks]
    return project.tasks.filter(kind=TaskKind.NORMAL, pk__in=chosen)


def _refuse_who_cannot_judge(project: Project, users: Sequence[User]) -> None:
    roles = [role for role, rights in RIGHTS.items() if "judge" in rights]
    members = project.memberships.filter(user__in=users, user__is_machine=False, role__in=roles)
    able = set(members.values_list("user", flat=True))
    if others := sorted(user.username for user in users if user.pk not in able):
        raise ValidationError(f"{', '.join(others)} cannot judge in this project.")
