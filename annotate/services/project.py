"""Projects, their schema versions and their members."""

from django.db import transaction

from annotate.models import Membership, Project, Role, SchemaVersion, User
from annotate.schema import DEFAULT, Schema
from annotate.services.event import record


@transaction.atomic
def create_project(
    *, slug: str, name: str, schema: Schema = DEFAULT, actor: User | None = None, **options: object
) -> Project:
    """A project with schema version 1; its creator, if any, becomes its admin."""
    project = Project.objects.create(slug=slug, name=name, **options)
    SchemaVersion.objects.create(project=project, number=1, body=schema.model_dump(mode="json"), created_by=actor)
    record(kind="project.created", subject=project, project=project, actor=actor)
    if actor:
        add_member(project=project, user=actor, role=Role.ADMIN, actor=actor)
    return project


@transaction.atomic
def change_schema(*, project: Project, schema: Schema, actor: User | None = None) -> SchemaVersion:
    """A new version; judgements made under the old one keep it."""
    Project.objects.select_for_update().get(pk=project.pk)
    number = project.schema_version.number + 1
    version = SchemaVersion.objects.create(
        project=project, number=number, body=schema.model_dump(mode="json"), created_by=actor
    )
    record(kind="schema.changed", subject=project, project=project, actor=actor, number=number)
    return version


@transaction.atomic
def add_member(*, project: Project, user: User, role: str, actor: User | None = None) -> Membership:
    """Give the user a role in the project, or another role than before."""
    member, _ = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
    record(kind="member.added", subject=member, project=project, actor=actor, user=user.pk, role=role)
    return member
