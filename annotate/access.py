"""Who may do what: one table, one line at the top of each view.

    project = project_for(request.user, slug, "research")

A stranger gets 404 (the project does not exist for them), a member without the right gets 403.
"""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, Subquery
from django.http import Http404

from annotate.models import Membership, Project, Role, User
from annotate.prepared import Prepared

RIGHTS: dict[str, frozenset[str]] = {
    Role.ANNOTATOR: frozenset({"see", "judge"}),
    Role.REVIEWER: frozenset({"see", "judge", "review", "decide"}),
    Role.RESEARCHER: frozenset({"see", "review", "research"}),
    Role.ADMIN: frozenset({"see", "judge", "review", "decide", "research", "manage"}),
}


_OWN = Membership.objects.filter(project=OuterRef("pk"))
WITH_ROLE = Prepared(
    lambda slug, user: Project.objects.filter(slug=slug).annotate(role=Subquery(_OWN.filter(user=user).values("role"))),
    slug=str,
    user=int,
)


def role_in(user: User, project: Project) -> str | None:
    """The user's role in the project, admin for a superuser, None for a stranger."""
    if user.is_superuser:
        return Role.ADMIN
    return project.memberships.filter(user=user).values_list("role", flat=True).first()


def who_may(project: Project, right: str, people: Iterable[int]) -> frozenset[int]:
    """Those of the users, by id, who have an account and the right in the project now."""
    roles = [role for role, rights in RIGHTS.items() if right in rights]
    member = Q(memberships__project=project, memberships__role__in=roles)
    found = User.objects.filter(member | Q(is_superuser=True), is_active=True, pk__in=people)
    return frozenset(found.values_list("pk", flat=True))


def project_for(user: User, slug: str, right: str) -> Project:
    """The project, if the user has the right in it; its `rights` attribute tells templates what to offer."""
    project = WITH_ROLE.first(slug=slug, user=user.pk or 0)
    if project is None:
        raise Http404("No such project.")
    return admit(user, project, project.role, right)


def admit(user: User, project: Project, role: str | None, right: str) -> Project:
    """The same, where the project and the user's role in it are known."""
    role = Role.ADMIN if user.is_superuser else role
    if not role:
        raise Http404("No such project.")
    project.role, project.rights = role, RIGHTS[role]
    if right not in project.rights:
        raise PermissionDenied(f"Your role here is {role}; this needs the right to {right}.")
    return project
