"""Taking judgements back: one, or all of a rater. Nothing is deleted, and each act can be undone.

What was withdrawn no longer counts anywhere: not for progress, agreement, a rater's figures, or training. Others are
asked in its place. Decisions of reviewers are undone by opening their case again, not here.
"""

from collections import Counter
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from annotate.models import Assignment, Event, Judgement, Project, Task, User
from annotate.models.task import AssignmentKind
from annotate.services.event import record
from annotate.services.lease import take_slot
from annotate.services.tally import take_back

WITHDRAWN, RESTORED = "judgement.withdrawn", "judgement.restored"


def said_by_rater(project: Project, who: str) -> QuerySet:
    """All that "user:ID" or "name:NAME" judged in the project; ValidationError where it names nobody."""
    kind, _, name = who.partition(":")
    if kind == "user" and name.isdecimal() and len(name) < 19:
        return project.judgements.filter(rater=int(name))
    if kind == "name" and "\0" not in name:
        return project.judgements.filter(rater=None, rater_name=name)
    raise ValidationError("Choose a rater.")


@transaction.atomic
def withdraw_rater(*, project: Project, who: str, why: str, actor: User | None = None) -> Event:
    """Take back all that a rater judged so far. Raises ValidationError without a reason, or where there is nothing."""
    rows = said_by_rater(project, who)
    first = rows.select_related("rater").first()
    name = first and (first.rater.username if first.rater else first.rater_name)
    return _withdraw(project, rows, why, actor, who=who, name=name)


@transaction.atomic
def withdraw_judgement(*, judgement: Judgement, why: str, actor: User | None = None) -> Event:
    """Take back one judgement with its earlier revisions. Raises ValidationError as withdraw_rater does."""
    same = Q(assignment=judgement.assignment_id) if judgement.assignment_id else Q(pk=judgement.pk)
    rows = judgement.project.judgements.filter(same)
    return _withdraw(judgement.project, rows, why, actor, judgement=judgement.pk)


def _withdraw(project: Project, rows: QuerySet, why: str, actor: User | None, **whose: object) -> Event:
    why = why.replace("\0", "").strip()
    if not why or len(why) > 300:
        raise ValidationError("Say why, in 300 characters at most.")
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # also keeps the counting away
    rows, now = rows.filter(withdrawn_at=None).exclude(kind=AssignmentKind.ADJUDICATION), timezone.now()
    ids = list(rows.values_list("pk", flat=True))
    current = rows.filter(superseded=False).count()
    if not current:
        raise ValidationError("There is nothing left to withdraw.")
    take_back(project=project, rows=rows.select_related("item"))
    ask_others(rows)
    for chunk in _chunks(ids):
        Judgement.objects.filter(pk__in=chunk).update(withdrawn_at=now, tallied=False)
    said = whose | {"judgements": current, "why": why, "at": now.isoformat()}
    return record(kind=WITHDRAWN, subject=project, project=project, actor=actor, **said)


def ask_others(rows: QuerySet) -> None:
    """Give back the slots that these judgements hold."""
    held = Assignment.objects.filter(holds_slot=True, judgements__in=rows.filter(superseded=False).values("pk"))
    by_task = Counter(held.values_list("task", flat=True))
    for chunk in _chunks(list(held.values_list("pk", flat=True))):
        Assignment.objects.filter(pk__in=chunk).update(holds_slot=False)
    for count in set(by_task.values()):
        for chunk in _chunks([task for task, n in by_task.items() if n == count]):
            Task.objects.filter(pk__in=chunk).update(open_slots=F("open_slots") + count)


@transaction.atomic
def restore(*, event: Event, actor: User | None = None) -> int:
    """Undo one withdrawal; returns how many judgements count again. Raises ValidationError where it was undone.

    A slot that another rater has taken since stays theirs: the task then has one judgement more than was wanted.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=event.project_id)
    if event.kind != WITHDRAWN or is_restored(event):
        raise ValidationError("This withdrawal was undone already.")
    rows = project.judgements.filter(withdrawn_at=datetime.fromisoformat(event.data["at"]))
    current = rows.filter(superseded=False)
    for assignment in Assignment.objects.filter(judgements__in=current.values("pk"), kind=AssignmentKind.NORMAL):
        if not assignment.holds_slot and not assignment.rater.is_machine and take_slot(assignment.task_id):
            Assignment.objects.filter(pk=assignment.pk).update(holds_slot=True)
    count = current.count()
    rows.update(withdrawn_at=None, tallied=False)
    record(kind=RESTORED, subject=event, project=project, actor=actor, judgements=count)
    return count


def is_restored(event: Event) -> bool:
    return Event.objects.filter(project=event.project_id, kind=RESTORED, subject=f"event:{event.pk}").exists()


def withdrawals(project: Project) -> list[Event]:
    """Newest first, each with `restored`: whether it was undone."""
    undone = set(project.events.filter(kind=RESTORED).values_list("subject", flat=True))
    rows = list(project.events.filter(kind=WITHDRAWN).select_related("actor").order_by("-pk"))
    for row in rows:
        row.restored = f"event:{row.pk}" in undone
    return rows


def raters(project: Project) -> list[dict]:
    """{"who", "name", "judgements"} of everybody whose judgements count now; most first."""
    rows = project.judgements.current().exclude(kind=AssignmentKind.ADJUDICATION)
    counted = rows.order_by().values("rater", "rater__username", "rater_name").annotate(n=Count("pk"))
    return [
        {
            "who": f"user:{row['rater']}" if row["rater"] else f"name:{row['rater_name']}",
            "name": row["rater__username"] or row["rater_name"] or "(without a name)",
            "judgements": row["n"],
        }
        for row in counted.order_by("-n", "rater", "rater_name")
    ]


def _chunks(ids: list[int], size: int = 1000) -> list[list[int]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]
