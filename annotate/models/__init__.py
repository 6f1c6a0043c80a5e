"""The records of judging, one file per noun."""

from annotate.models.event import Event
from annotate.models.item import Item, Response
from annotate.models.judgement import Judgement, Span
from annotate.models.project import Invite, Membership, Project, Role, SchemaVersion
from annotate.models.task import Assignment, Task
from annotate.models.user import User

__all__ = [
    "Assignment",
    "Event",
    "Invite",
    "Item",
    "Judgement",
    "Membership",
    "Project",
    "Response",
    "Role",
    "SchemaVersion",
    "Span",
    "Task",
    "User",
]
