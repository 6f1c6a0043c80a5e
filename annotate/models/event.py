from django.conf import settings
from django.db import models

from annotate.models.project import Project


class Event(models.Model):
    """Append-only ledger of every act; undo is an inverse event."""

    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="events")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=40, help_text="noun.verb, as in judgement.submitted")
    subject = models.CharField(max_length=80, help_text="noun:id")
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["project", "subject"], name="event_by_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
