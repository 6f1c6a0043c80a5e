"""A rater's word to the reviewers about a task."""

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.models import Assignment, Case, User
from annotate.models.review import CaseState
from annotate.services.event import record

LENGTH = Case._meta.get_field("note").max_length


@transaction.atomic
def flag_task(*, assignment: Assignment, user: User, note: str) -> Case:
    """Put the task before the reviewers, or back before them; earlier notes stay below the new one.

    The same note of the same person again changes nothing. Raises ValidationError without a note.
    """
    note = " ".join(note.split())[:LENGTH]
    if not note:
        raise ValidationError({"flag": "Say what the reviewers should look at."})
    task = assignment.task
    case, new = Case.objects.select_for_update().get_or_create(
        task=task, defaults={"project": task.project, "flagged_by": user, "note": note}
    )
    if not new and note in case.note.split("\n") and case.state == CaseState.OPEN:
        return case
    if not new:
        case.note = f"{note}\n{case.note}".strip()[:LENGTH]
        case.state, case.flagged_by, case.closed_by, case.closed_at = CaseState.OPEN, user, None, None
        case.save(update_fields=["note", "state", "flagged_by", "closed_by", "closed_at"])
    record(kind="task.flagged", subject=task, project=task.project, actor=user, note=note)
    return case
