from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotate.models.project import Project


class LedgerError(Exception):
    """What was done stays done: an act is undone by another act."""


class EventQuerySet(models.QuerySet):
    """Reads. Nothing in the code changes or deletes an event; the database refuses it too (annotate.ledger)."""

    def update(self, **values: object) -> int:
        raise LedgerError("Events are not changed.")

    def delete(self) -> tuple[int, dict]:
        raise LedgerError("Events are not deleted.")

    def bulk_update(self, *_: object, **__: object) -> int:
        raise LedgerError("Events are not changed.")

    def blank(self) -> int:
        """Erasure of personal data, the one exception: the words of these acts go, that they were done stays."""
        return super().update(data={"erased": True})

    def reword(self, data: dict) -> int:
        """The same exception where the rest of the words is needed: without the name."""
        return super().update(data=data)

    def newest_first(self) -> "EventQuerySet":
        return self.order_by("-created_at", "-pk")

    def older_than(self, event: "Event") -> "EventQuerySet":
        """What comes after this event, newest first."""
        earlier = Q(created_at__lt=event.created_at) | Q(pk__lt=event.pk)
        return self.filter(earlier, created_at__lte=event.created_at)  # the second is what an index is walked by

    def of_kind(self, kind: str) -> "EventQuerySet":
        """One kind of act, or every kind about a noun."""
        return self.filter(kind=kind) if "." in kind else self.filter(kind__gt=f"{kind}.", kind__lt=f"{kind}/")

    def between(self, since: datetime | None, until: datetime | None) -> "EventQuerySet":
        rows = self.filter(created_at__gte=since) if since else self
        return rows.filter(created_at__lt=until) if until else rows


class Event(models.Model):
    """Append-only ledger of every act; undo is an inverse event."""

    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="events", db_index=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=40, help_text="noun.verb, as in judgement.submitted")
    subject = models.CharField(max_length=80, help_text="noun:id")
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [  # one for each way in which the audit page is asked, all by time
            models.Index(fields=["project", "created_at"], name="event_by_project"),
            models.Index(fields=["actor", "created_at"], name="event_by_actor"),
            models.Index(fields=["kind", "created_at"], name="event_by_kind"),
            models.Index(fields=["subject"], name="event_by_subject"),
            models.Index(fields=["created_at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    def save(self, *args: object, **options: object) -> None:
        if self.pk:
            raise LedgerError("Events are not changed.")
        super().save(*args, **options)

    def delete(self, *args: object, **options: object) -> tuple[int, dict]:
        raise LedgerError("Events are not deleted.")
