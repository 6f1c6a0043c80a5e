"""What stands above a task: how much the rater has done, and about how much is left."""

from datetime import datetime

from django.db.models import Count, QuerySet
from django.utils import timezone

from annotate.models import Judgement, Project, Task, User
from annotate.prepared import Prepared

MANY = 100  # open tasks that are counted; more are many


def _own(project: int, rater: int) -> QuerySet:
    return Judgement.objects.current().filter(project=project, rater=rater, assignment__isnull=False)


WHOSE = {"project": int, "rater": int}
DONE = Prepared(
    lambda since, **whose: (
        _own(**whose).filter(created_at__gte=since).values("rater").annotate(n=Count("pk")).values_list("n", flat=True)
    ),
    **WHOSE,
    since=datetime,
)
LAST = Prepared(
    lambda before, **whose: (
        _own(**whose).filter(created_at__lt=before).order_by("-created_at").values_list("assignment", flat=True)[:1]
    ),
    **WHOSE,
    before=datetime,
)
LEFT = Prepared(
    lambda project, rater: (
        Task.objects.filter(project=project).left_for(rater).values_list("pk", flat=True)[: MANY + 1]
    ),
    **WHOSE,
)


def so_far(user: User, project: Project, before: Judgement | None = None) -> dict:
    """Progress of the rater, and their answer before this one."""
    now = timezone.localtime()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    whose = {"project": project.pk, "rater": user.pk}
    return {
        "done_today": DONE.first(**whose, since=midnight) or 0,
        "left": left_for(user, project),
        "last": LAST.first(**whose, before=before.created_at if before else now),
    }


def left_for(user: User, project: Project) -> str:
    """About how many tasks the rater may be served yet."""
    return _about(len(LEFT(project=project.pk, rater=user.pk)))


def _about(count: int) -> str:
    """In tens: to the unit, the number would tell the tasks that are not counted from the others."""
    if count > MANY:
        return f"over {MANY}"
    return f"about {-(-count // 10) * 10}" if count >= 10 else "under 10"
