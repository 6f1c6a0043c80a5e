"""The ledger has one writer."""

from annotate.models import Event, Project, User
from annotate.prepared import insert


def record(
    *, kind: str, subject: object, project: Project | None = None, actor: User | None = None, **data: object
) -> Event:
    """Append one act; call it inside the transaction of the act itself."""
    name = f"{type(subject).__name__.lower()}:{subject.pk}"
    event = Event(project=project, actor=actor, kind=kind, subject=name, data=data)
    insert(event)
    return event
