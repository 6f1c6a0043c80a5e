"""How many judgements a rater may still make."""

from datetime import datetime

from django.utils import timezone

from annotate.models import Assignment, Judgement, Membership, Project
from annotate.models.task import AssignmentKind, AssignmentState

# What a quota counts. Hidden gold and repeats count too: a rater must not tell them by the sum.
COUNTED = (AssignmentKind.NORMAL, AssignmentKind.GOLD, AssignmentKind.REPEAT)


def quota_reached(project: Project, user_id: int, member: Membership | None, now: datetime) -> str:
    """ "whole" or "today" when what the person has answered and holds fills a quota, else nothing.

    The caller who gives out work holds the lock of the rater, so two tabs cannot pass together.
    """
    whole = project.quota if member is None or member.quota is None else member.quota
    if whole is None and project.daily_quota is None:
        return ""
    # An answer is counted once, when it was given first, however often it is changed.
    given = Judgement.objects.filter(project=project, rater=user_id, revision=1, kind__in=COUNTED)
    given = given.filter(assignment__isnull=False)
    held = Assignment.objects.filter(
        task__project=project, rater=user_id, state=AssignmentState.LEASED, kind__in=COUNTED
    ).count()
    if whole is not None and given.count() + held >= whole:
        return "whole"
    if project.daily_quota is None:
        return ""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return "today" if given.filter(created_at__gte=midnight).count() + held >= project.daily_quota else ""
