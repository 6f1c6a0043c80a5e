"""The records of judging, one file per noun."""

from annotate.models.event import Event
from annotate.models.item import Item, Response
from annotate.models.judgement import Judgement, Span
from annotate.models.project import GuidelineVersion, Invite, Membership, Project, Role, SchemaVersion
from annotate.models.review import Case, Comment
from annotate.models.tally import Agreement, Dispute, MarkTally, Pattern, RaterTally, Side, TaskTally
from annotate.models.task import Assignment, KnownAnswer, Reservation, Task
from annotate.models.token import Token
from annotate.models.user import User

__all__ = [
    "Agreement",
    "Assignment",
    "Case",
    "Comment",
    "Dispute",
    "Event",
    "GuidelineVersion",
    "Invite",
    "Item",
    "Judgement",
    "KnownAnswer",
    "MarkTally",
    "Membership",
    "Pattern",
    "Project",
    "RaterTally",
    "Reservation",
    "Response",
    "Role",
    "SchemaVersion",
    "Side",
    "Span",
    "Task",
    "TaskTally",
    "Token",
    "User",
]
