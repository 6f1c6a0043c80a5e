"""In what order open tasks are served: some are put in front by their worth to the model, some always by lot.

What is in front has one priority, and is served in the order it was made in: which part of it is judged before the next
order depends on nothing that it was picked by. Tasks that anybody holds or has judged, that are kept for somebody, or
whose priority a person has set are never touched.
"""

import logging
import math
from collections import defaultdict
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from annotate.models import Project, Response, Task, User
from annotate.models.task import TaskKind, TaskQuerySet
from annotate.services.event import record
from worker.models import Job, SelectionPolicy, Version
from worker.models.job import JobKind, JobState
from worker.models.selection import Strategy
from worker.services.job import launch

log = logging.getLogger(__name__)
FRONT = 1  # the priority of what is put in front
REASONS = tuple(Strategy.values)
LOW = 0.1  # of a batch: when so little of it is left, the next is put in front


@dataclass(frozen=True)
class Pick:
    """One task that is put in front: why, what its verdict is worth (None: by lot), and with what probability."""

    task: int
    reason: str
    value: float | None
    probability: float


def policy_of(project: Project) -> SelectionPolicy:
    """The project's policy; an unsaved one where nobody has set any."""
    found = SelectionPolicy.objects.filter(project=project).select_related("version").first()
    return found or SelectionPolicy(project=project)


@transaction.atomic
def set_policy(*, project: Project, actor: User | None = None, **fields: object) -> SelectionPolicy:
    """Change how tasks are put in front; the values are those of a checked form. Nothing moves yet."""
    policy, _ = SelectionPolicy.objects.update_or_create(project=project, defaults=fields | {"updated_by": actor})
    record(kind="selection.changed", subject=policy, project=project, actor=actor, strategy=policy.strategy)
    return policy


# ---- Reading


def in_front(project: Project) -> TaskQuerySet:
    """What was put in front and is open still."""
    return project.tasks.open().filter(kind=TaskKind.NORMAL, priority=FRONT, reason__in=REASONS)


def eligible(project: Project) -> TaskQuerySet:
    """Tasks that may be ordered: nobody holds one or has judged it, and no person has placed it."""
    placed_by_nobody = Q(priority=0) | Q(priority=FRONT, reason__in=REASONS)
    rows = project.tasks.open().filter(placed_by_nobody, kind=TaskKind.NORMAL, reserved=False)
    return rows.filter(open_slots=F("slots"))


def model_for(project: Project) -> Version | None:
    """The version that tells the worth of a verdict: the promoted one, or else the newest."""
    return project.versions.promoted() or project.versions.first()


def last_order(project: Project) -> Job | None:
    return project.jobs.filter(kind=JobKind.SELECT).first()


def problem(policy: SelectionPolicy) -> str:
    """Why the policy cannot be followed; "" where it can."""
    if policy.strategy == Strategy.RANDOM:
        return ""
    version = model_for(policy.project)
    if version is None:
        return "There is no version yet: train one, or order at random."
    if policy.strategy == Strategy.DISAGREEMENT and "member:1" not in version.heads:
        return f"Version {version.number} has no members to disagree: train one with two members or more."
    return ""


# ---- Ordering


def order(*, policy: SelectionPolicy, actor: User | None = None) -> Job:
    """A job that puts the next batch in front. Raises ValidationError where that cannot be, or one is under way."""
    project = policy.project
    if said := problem(policy):
        raise ValidationError(said)
    version = None if policy.strategy == Strategy.RANDOM else model_for(project)
    params = {"strategy": policy.strategy, "random_share": policy.random_share, "batch": policy.batch}
    params |= {"version": version.pk if version else None}
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        if busy := project.jobs.unfinished().filter(kind=JobKind.SELECT).first():
            raise ValidationError(f"The tasks are being ordered already, by job {busy.pk}.")
        return launch(project=project, kind=JobKind.SELECT, params=params, actor=actor)


@transaction.atomic
def put_in_front(*, project: Project, picks: list[Pick], version: Version | None) -> int:
    """Take back what is still in front of the last time, then put these there; returns how many could be.

    One that somebody has taken up since it was picked stays as it is.
    """
    put_back(project=project)
    made, groups = _made_with([pick.task for pick in picks]), defaultdict(list)
    for pick in picks:
        groups[pick.reason, made[pick.task] * pick.probability].append(pick.task)
    done = 0
    for (reason, probability), tasks in groups.items():
        rows = eligible(project).filter(pk__in=tasks)
        done += rows.update(priority=FRONT, reason=reason, probability=probability)
    SelectionPolicy.objects.filter(project=project).update(version=version, ordered_at=timezone.now())
    record(kind="selection.ordered", subject=project, project=project, tasks=done)
    return done


@transaction.atomic
def put_back(*, project: Project) -> int:
    """Tasks in front that nobody has taken up wait in the order of their import again."""
    rows = eligible(project).filter(priority=FRONT)
    groups = defaultdict(list)
    for task, probability in _made_with(list(rows.values_list("pk", flat=True))).items():
        groups[probability].append(task)
    return sum(
        rows.filter(pk__in=tasks).update(priority=0, reason="import", probability=probability)
        for probability, tasks in groups.items()
    )


@transaction.atomic
def stop(*, project: Project, actor: User | None = None) -> int:
    """Put everything back, and put nothing in front until somebody orders again."""
    SelectionPolicy.objects.filter(project=project).update(ordered_at=None)
    record(kind="selection.stopped", subject=project, project=project, actor=actor)
    return put_back(project=project)


def _made_with(tasks: list[int]) -> dict[int, float]:
    """Task → the probability with which it was made: the share of its item's pairs that became tasks."""
    rows = Task.objects.filter(pk__in=tasks).select_related("project").annotate(shown=Count("responses"))
    items = {row.item_id for row in rows}
    normal = Task.objects.filter(item__in=items, kind=TaskKind.NORMAL).order_by()
    made = dict(normal.values_list("item").annotate(n=Count("pk")))
    answers = dict(Response.objects.filter(item__in=items).order_by().values_list("item").annotate(n=Count("pk")))
    return {
        row.pk: min(1.0, made[row.item_id] / max(1, math.comb(answers.get(row.item_id, 0), row.shown)))
        for row in rows
    }  # fmt: skip


def tick() -> int:
    """Order again where a new version is there and the policy says so, or where little is left in front."""
    ordered = 0
    for policy in SelectionPolicy.objects.exclude(ordered_at=None).select_related("project"):
        try:
            if wants_order(policy) and not problem(policy):
                order(policy=policy)
                ordered += 1
        except ValidationError:  # another worker was first
            continue
        except Exception:  # what goes wrong in one project must not stop the others
            log.exception("The tasks of %s could not be ordered", policy.project)
    return ordered


def wants_order(policy: SelectionPolicy) -> str:
    """Why to order again by itself; "" while there is no reason. What has failed is not tried again in the same way."""
    project, last = policy.project, last_order(policy.project)
    version = None if policy.strategy == Strategy.RANDOM else model_for(project)
    newest = version and version.pk
    failed = last and last.state in (JobState.FAILED, JobState.CANCELLED) and last.params["version"] == newest
    if failed or (last and not last.ended):
        return ""
    if policy.each_version and newest and newest != policy.version_id:
        return f"version {version.number} is new"
    waiting = eligible(project).filter(priority=0)
    few = in_front(project).count() < LOW * policy.batch
    return "little is left in front" if few and waiting.exists() else ""
