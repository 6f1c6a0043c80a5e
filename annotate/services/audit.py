"""Reading the ledger: what was chosen, page by page or as a file that is written while it is sent."""

import csv
import io
import json
from collections.abc import Iterator

from annotate.audit import defused, said
from annotate.models import Event, User
from annotate.models.event import EventQuerySet

CHUNK = 2000  # events that are in memory at a time
COLUMNS = ("id", "at", "who", "kind", "subject", "project", "act", "details")


def page_of(rows: EventQuerySet, after: Event | None, size: int) -> list[Event]:
    """At most `size` events, newest first, the next ones after that event. No row is counted or skipped over."""
    rows = rows.newest_first().select_related("actor", "project")
    return _told(list((rows.older_than(after) if after else rows)[:size]))


def _told(events: list[Event]) -> list[Event]:
    """Each with `said`: the act in words, in which people have their names of today."""
    about = {event.pk: event.data.get("user") for event in events if isinstance(event.data.get("user"), int)}
    names = {user.pk: _name(user) for user in User.objects.filter(pk__in=set(about.values()))}
    for event in events:
        who = names.get(about.get(event.pk))
        where = {"project": event.project.slug if event.project else "all projects"}
        event.said = said(event.kind, event.subject, event.data | where | ({"user": who} if who else {}))
    return events


def _name(user: User) -> str:
    return f"model {user.username}" if user.is_machine else user.username


def export_csv(rows: EventQuerySet) -> Iterator[str]:
    """Lines of a table; no cell is a formula."""
    yield _line(COLUMNS)
    for event in _each(rows):
        row = as_row(event)
        details = json.dumps(row["details"], ensure_ascii=False) if row["details"] else ""
        yield _line(defused(str(cell)) for cell in (*list(row.values())[:-1], details))


def export_jsonl(rows: EventQuerySet) -> Iterator[str]:
    for event in _each(rows):
        yield json.dumps(as_row(event), ensure_ascii=False) + "\n"


def as_row(event: Event) -> dict[str, object]:
    """An event of page_of under the names of COLUMNS."""
    who, project = event.actor.username if event.actor else "", event.project.slug if event.project else ""
    at = event.created_at.isoformat()
    values = (event.pk, at, who, event.kind, event.subject, project, event.said, event.data)
    return dict(zip(COLUMNS, values, strict=True))


def _each(rows: EventQuerySet) -> Iterator[Event]:
    """All of them; what happens meanwhile is not among them."""
    chunk = page_of(rows, None, CHUNK)
    while chunk:
        yield from chunk
        chunk = page_of(rows, chunk[-1], CHUNK)


def _line(cells: object) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
