from django.conf import settings
from django.db import models
from django.db.models import Q

from annotate.models.checks import known
from annotate.models.judgement import Judgement
from annotate.models.project import Project
from annotate.models.task import Task


class CaseState(models.TextChoices):
    OPEN = "open"
    DECIDED = "decided"
    DISMISSED = "dismissed"


class Case(models.Model):
    """A task before the reviewers, because a rater flagged it or because raters disagree."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="cases")
    task = models.OneToOneField(Task, models.CASCADE, related_name="case")
    state = models.CharField(max_length=9, choices=CaseState, default=CaseState.OPEN)
    flagged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=500, blank=True, help_text="What the rater who flagged it said.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was dismissed.")
    judgement = models.ForeignKey(Judgement, models.SET_NULL, null=True, related_name="+", help_text="The decision.")
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            known("state", CaseState, "case"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="case_closed_at_some_time",
            ),
        ]
        indexes = [models.Index(fields=["project", "state"], name="case_by_state")]

    def __str__(self) -> str:
        return f"case of {self.task}"


class Comment(models.Model):
    """One line of the talk about a task among reviewers, and with its raters where the project allows it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="comments")
    task = models.ForeignKey(Task, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="comments")
    text = models.TextField(max_length=5000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"comment on {self.task}"
