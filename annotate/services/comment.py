"""Talk about a task: never edited, and taken back only by its author within the hour."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import Comment, Task, User
from annotate.services.event import record

REGRET = timedelta(hours=1)  # how long an author may take a comment back
LONGEST = 5000


@transaction.atomic
def add_comment(*, task: Task, author: User, text: str) -> Comment:
    """One more line of the talk. ValidationError if it says nothing or too much."""
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not text or len(text) > LONGEST:
        raise ValidationError(f"A comment has 1 to {LONGEST} characters.")
    comment = Comment.objects.create(project=task.project, task=task, author=author, text=text)
    record(kind="comment.added", subject=comment, project=task.project, actor=author, task=task.pk)
    return comment


@transaction.atomic
def delete_comment(*, comment: Comment, actor: User, now: datetime | None = None) -> None:
    """Take one's own comment back. ValidationError if it is another's or older than an hour."""
    if not may_delete(comment, actor, now or timezone.now()):
        raise ValidationError("Only your own comments can be taken back, within an hour.")
    record(kind="comment.deleted", subject=comment, project=comment.project, actor=actor, task=comment.task_id)
    comment.delete()


def may_delete(comment: Comment, user: User, now: datetime) -> bool:
    return comment.author_id == user.pk and now - comment.created_at <= REGRET
