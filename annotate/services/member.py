"""Who is in a project, and as what. A project always keeps an admin."""

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.models import Assignment, Membership, Project, Role, Task, User
from annotate.models.task import AssignmentState
from annotate.services.access_token import revoke_tokens
from annotate.services.event import record
from annotate.services.lease import release
from annotate.services.task import unassign_tasks

GONE = "This person has left the project."
LAST = "A project needs an admin: make somebody else admin first."


@transaction.atomic
def change_role(*, member: Membership, role: str, actor: User) -> Membership:
    """Another role for the member; ValidationError if no admin would be left."""
    if role != Role.ADMIN:
        _keep_an_admin(member)
    before, member.role = member.role, role
    if not Membership.objects.filter(pk=member.pk).update(role=role):
        raise ValidationError(GONE)
    told = {"user": member.user_id, "before": before, "role": role}
    record(kind="member.changed", subject=member, project=member.project, actor=actor, **told)
    return member


@transaction.atomic
def change_quota(*, member: Membership, quota: int | None, actor: User) -> Membership:
    """Another limit for this person than the project's; None: the project's."""
    before, member.quota = member.quota, quota
    if not Membership.objects.filter(pk=member.pk).update(quota=quota):
        raise ValidationError(GONE)
    told = {"user": member.user_id, "before": before, "quota": quota}
    record(kind="member.quota", subject=member, project=member.project, actor=actor, **told)
    return member


@transaction.atomic
def remove_member(*, member: Membership, actor: User) -> None:
    """Take the member out: what they judged stays, what they hold goes back. ValidationError if no admin is left."""
    _keep_an_admin(member)
    for lease in Assignment.objects.filter(
        rater=member.user_id, task__project=member.project_id, state=AssignmentState.LEASED
    ):
        release(assignment=lease)
    kept = Task.objects.filter(project=member.project_id, reservations__user=member.user_id)
    unassign_tasks(project=member.project, tasks=kept, users=[member.user], actor=actor)
    revoke_tokens(tokens=member.project.tokens.filter(user=member.user_id), actor=actor, why="left the project")
    record(kind="member.removed", subject=member, project=member.project, actor=actor, user=member.user_id)
    member.delete()


def _keep_an_admin(leaving: Membership) -> None:
    Project.objects.select_for_update().get(pk=leaving.project_id)  # two admins may remove each other at once
    admins = Membership.objects.filter(project=leaving.project_id, role=Role.ADMIN)
    if list(admins.values_list("pk", flat=True)) == [leaving.pk]:
        raise ValidationError(LAST)
