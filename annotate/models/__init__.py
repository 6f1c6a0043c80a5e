"""The records of judging, one file per noun."""

from annotate.models.access_token import AccessToken
from annotate.models.door import RecoveryCode, SecondFactor, Throttle
from annotate.models.event import Event
from annotate.models.idempotency import IdempotencyKey
from annotate.models.item import Item, Response
from annotate.models.judgement import Judgement, Span
from annotate.models.project import GuidelineVersion, Invite, Membership, Project, Role, SchemaVersion
from annotate.models.review import Case, Comment
from annotate.models.tally import Agreement, Dispute, MarkTally, Pattern, RaterTally, Side, TaskTally
from annotate.models.task import Assignment, KnownAnswer, Reservation, Task
from annotate.models.user import User

__all__ = [
    "AccessToken",
    "Agreement",
    "Assignment",
    "Case",
    "Comment",
    "Dispute",
    "Event",
    "GuidelineVersion",
    "IdempotencyKey",
    "Invite",
    "Item",
    "Judgement",
    "KnownAnswer",
    "MarkTally",
    "Membership",
    "Pattern",
    "Project",
    "RaterTally",
    "RecoveryCode",
    "Reservation",
    "Response",
    "Role",
    "SchemaVersion",
    "SecondFactor",
    "Side",
    "Span",
    "Task",
    "TaskTally",
    "Throttle",
    "User",
]
