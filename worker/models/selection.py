from django.conf import settings
from django.db import models
from django.db.models import Q

from annotate.models import Project
from annotate.models.checks import known, positive, share
from worker.models.version import Version


class Strategy(models.TextChoices):
    RANDOM = "random"
    DISAGREEMENT = "disagreement"  # variance of the margin over the members of an ensemble
    MARGIN = "margin"  # smallest margin first
    INFORMATION = "information"  # expected information of the answer about the weights


class SelectionPolicy(models.Model):
    """In what order a project's open tasks are served, and how many of them by chance alone."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="selection_policy")
    strategy = models.CharField(max_length=12, choices=Strategy, default=Strategy.RANDOM)
    random_share = models.FloatField(default=0.2, help_text="Of the tasks that are put in front; never 0.")
    batch = models.PositiveIntegerField(default=200, help_text="How many tasks are put in front at a time.")
    each_version = models.BooleanField(default=False, help_text="Order again by each new version.")
    version = models.ForeignKey(Version, models.SET_NULL, null=True, related_name="+", help_text="Used last.")
    ordered_at = models.DateTimeField(null=True)
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            known("strategy", Strategy, "selection"),
            share("random_share", "selection"),
            models.CheckConstraint(condition=Q(random_share__gt=0), name="selection_never_without_lot"),
            positive("batch", "selection"),
        ]

    def __str__(self) -> str:
        return f"selection of {self.project}"
