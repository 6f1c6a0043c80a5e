"""Projects, their schema versions and their members."""

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from annotate.models import Membership, Project, Role, SchemaVersion, User
from annotate.models.task import TaskKind
from annotate.schema import DEFAULT, Schema
from annotate.services.event import record
from annotate.services.guidelines import change_guidelines


@transaction.atomic
def create_project(
    *, slug: str, name: str, schema: Schema = DEFAULT, actor: User | None = None, **options: object
) -> Project:
    """A project with schema version 1; its creator, if any, becomes its admin."""
    guidelines = options.pop("guidelines", "")
    project = Project.objects.create(slug=slug, name=name, **options)
    SchemaVersion.objects.create(project=project, number=1, body=schema.model_dump(mode="json"), created_by=actor)
    record(kind="project.created", subject=project, project=project, actor=actor)
    change_guidelines(project=project, body=guidelines, actor=actor)
    if actor:
        add_member(project=project, user=actor, role=Role.ADMIN, actor=actor)
    return project


@transaction.atomic
def change_schema(*, project: Project, schema: Schema, actor: User | None = None) -> SchemaVersion:
    """A new version; judgements made under the old one keep it."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    number = project.schema_version.number + 1
    version = SchemaVersion.objects.create(
        project=project, number=number, body=schema.model_dump(mode="json"), created_by=actor
    )
    record(kind="schema.changed", subject=project, project=project, actor=actor, number=number)
    return version


@transaction.atomic
def change_settings(*, project: Project, actor: User | None = None, **values: object) -> Project:
    """Give fields of the project these values; tasks that wait follow a new overlap. Guidelines have a service."""
    changes = {name: value for name, value in values.items() if value != getattr(project, name)}
    if not changes:
        return project
    for name, value in changes.items():
        setattr(project, name, value)
    project.save(update_fields=list(changes))
    record(kind="project.changed", subject=project, project=project, actor=actor, fields=sorted(changes))
    if "overlap" in changes:
        set_overlap(project=project)
    return project


@transaction.atomic
def set_overlap(*, project: Project) -> int:
    """Give every normal task as many slots as the project's overlap, never fewer than are leased or submitted.

    A task without slots asks nobody (a judgement that came with a file stands on it), and stays so.

    One statement, in which the right-hand sides see the old values, so a lease taken meanwhile is not lost.
    Returns how many tasks were changed.
    """
    taken = F("slots") - F("open_slots")
    slots = Greatest(project.overlap, taken)
    return project.tasks.filter(kind=TaskKind.NORMAL, slots__gt=0).update(slots=slots, open_slots=slots - taken)


@transaction.atomic
def add_member(*, project: Project, user: User, role: str, actor: User | None = None) -> Membership:
    """Give the user a role in the project, or another role than before."""
    member, _ = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
    record(kind="member.added", subject=member, project=project, actor=actor, user=user.pk, role=role)
    return member
