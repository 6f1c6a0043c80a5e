"""What erasing a person does to the records of judging; worker.services.erase calls it, and knows what was trained."""

import json
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from annotate.models import Assignment, Case, Event, Invite, Judgement, Membership, Project, RaterTally, TaskTally, User
from annotate.models.review import CaseState
from annotate.models.task import AssignmentState
from annotate.services.lease import release
from annotate.services.tally import count_tasks
from annotate.services.withdraw import ask_others


def remove_judgements(*, project: Project, who: str, rows: QuerySet[Judgement]) -> int:
    """Delete all of these, which are all of one rater (`who`, as RaterTally names them); others are asked in their
    place, and what was counted of them is counted again. The caller holds the project's lock."""
    ids = list(rows.values_list("pk", flat=True))
    tasks = set(rows.values_list("task", flat=True))
    ask_others(rows.filter(withdrawn_at=None))
    for chunk in _chunks(ids):
        reopened = {"state": CaseState.OPEN, "closed_by": None, "closed_at": None, "judgement": None}
        Case.objects.filter(judgement__in=chunk).update(**reopened)
        Judgement.objects.filter(pk__in=chunk).delete()
    RaterTally.objects.filter(project=project, who=who).delete()
    for chunk in _chunks(sorted(tasks)):
        if counted := set(TaskTally.objects.filter(task__in=chunk).values_list("task", flat=True)):
            count_tasks(project, counted)
            TaskTally.objects.filter(task__in=counted, task__judgements=None).delete()  # as if nobody ever judged it
    return len(ids)


def rename_rater(*, project: Project, name: str, new: str) -> int:
    """Judgements that came with a file under the name get the new one."""
    RaterTally.objects.filter(project=project, who=f"name:{name}").update(who=f"name:{new}")
    return project.judgements.filter(rater=None, rater_name=name).update(rater_name=new)


def leave_all(*, user: User) -> None:
    """What is on their desk goes back, drafts go, and they are in no project any more."""
    for lease in Assignment.objects.filter(rater=user, state=AssignmentState.LEASED):
        release(assignment=lease)
    Assignment.objects.filter(rater=user).exclude(draft={}).update(draft={})
    Membership.objects.filter(user=user).delete()
    mine = Invite.objects.filter(used_by=user)  # its note says whom it was for
    said = [f"invite:{pk}" for pk in mine.values_list("pk", flat=True)]
    Event.objects.filter(kind="invite.created", subject__in=said).blank()
    mine.update(note="")


def drop_name(*, name: str, new: str, project: Project | None = None) -> int:
    """Events, of the project alone if it is given, that hold the name as one of their words hold the new one."""
    # SQLite keeps JSON as it was written, other characters than ASCII escaped; PostgreSQL decodes them.
    written = json.dumps(name, ensure_ascii=connection.vendor == "sqlite")[1:-1]
    changed = 0
    events = Event.objects.filter(project=project) if project else Event.objects.all()
    for event in events.filter(data__icontains=written).iterator(500):
        if (data := renamed(event.data, name, new)) != event.data:
            changed += Event.objects.filter(pk=event.pk).reword(data)
    return changed


def renamed(value: Any, name: str, new: str) -> Any:
    """The same plain value with each word that is the name, or "name:" with it, in its other form."""
    if isinstance(value, dict):
        return {key: renamed(part, name, new) for key, part in value.items()}
    if isinstance(value, list):
        return [renamed(part, name, new) for part in value]
    return {name: new, f"name:{name}": f"name:{new}"}.get(value, value) if isinstance(value, str) else value


OTHERWISE = {"id", "username", "is_active", "date_joined", "erased_at", "sessions_ended"}  # see become_nobody


def become_nobody(*, user: User, name: str) -> None:
    """The account stays as a pseudonym that cannot sign in: every other column is as of a new account."""
    for field in User._meta.concrete_fields:
        if field.name not in OTHERWISE:
            setattr(user, field.name, field.get_default())
    user.username, user.is_active, user.sessions_ended = name, False, user.sessions_ended + 1
    user.date_joined = user.erased_at = user.erased_at or timezone.now()
    user.set_unusable_password()
    user.save()


def _chunks(ids: list[int], size: int = 400) -> list[list[int]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]
