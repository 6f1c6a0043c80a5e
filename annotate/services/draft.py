"""Unfinished answers: kept under a revision number, and only with the task they are about."""

from django.db import transaction

from annotate.models import Assignment
from annotate.services.lease import Conflict


@transaction.atomic
def save_draft(*, assignment: Assignment, draft: dict, revision: int) -> int:
    """Keep the unfinished answer if `revision` is still the newest; returns the next one. Raises Conflict if not."""
    _refuse_of_another_task(assignment, draft)
    mine = Assignment.objects.filter(pk=assignment.pk)
    saved = mine.filter(draft_revision=revision).update(draft=draft, draft_revision=revision + 1)
    # Sent again because the answer to the first sending never arrived: it is there already.
    if not saved and mine.values_list("draft_revision", "draft").get() != (revision + 1, draft):
        raise Conflict("Newer work on this task was saved from another tab or device.")
    return revision + 1


def _refuse_of_another_task(assignment: Assignment, draft: dict) -> None:
    """The hashes that the page sends along name the responses it shows."""
    answer = draft.get("answer")
    about = answer.get("texts_sha256") if isinstance(answer, dict) else None
    if about and (not isinstance(about, dict) or set(about) != {"prompt", *map(str, assignment.shown_order)}):
        raise Conflict("This work is about another task.")
