"""What a model judges next: every normal task once, whoever else has judged it, taking no slot."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotate.models import Assignment, Project, Task, User
from annotate.models.task import AssignmentState, TaskKind, TaskQuerySet
from annotate.services.hidden import Choice
from annotate.services.lease import expire_leases, lock_rater
from annotate.services.queue import Queue


@transaction.atomic
def machine_next(*, project: Project, user: User, now: datetime | None = None) -> Assignment | None:
    """A lease on a task the model has not had, another one at each call; None when it has had them all.

    A model may ask many times at once. What it fetched and never answered comes back when the lease has run out.
    """
    now = now or timezone.now()
    if project.paused:
        return None
    expire_leases(now=now)
    lock_rater(user.pk)
    task = _lost(project, user) or _after_the_last(project, user) or _left_out(project, user)
    return task and Queue(project, user, now).take(Choice(task, reason="machine"))


def _lost(project: Project, user: User) -> Task | None:
    lost = Assignment.objects.filter(rater=user, state=AssignmentState.EXPIRED, task__project=project)
    first = lost.select_related("task").first()
    return first and first.task


def _after_the_last(project: Project, user: User) -> Task | None:
    """Tasks are taken in the order of their ids, and a model judges in one project: the index has the last one."""
    last = Assignment.objects.filter(rater=user).aggregate(last=Max("task"))["last"] or 0
    return _normal(project).filter(pk__gt=last).first()


def _left_out(project: Project, user: User) -> Task | None:
    """One that appeared before the last, written by a transaction that began earlier and ended later."""
    return _normal(project).not_had_by(user).first()


def _normal(project: Project) -> TaskQuerySet:
    return project.tasks.filter(kind=TaskKind.NORMAL).order_by("pk")
