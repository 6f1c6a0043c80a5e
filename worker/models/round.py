from django.conf import settings
from django.db import models

from annotate.models import Project
from annotate.models.checks import known, positive, share
from worker.models.job import Job
from worker.models.suite import Suite
from worker.models.version import Version


class Rule(models.TextChoices):
    BETTER = "better"  # the whole interval of the difference in accuracy lies above 0
    NOT_WORSE = "not_worse"  # it lies above −tolerance
    NEVER = "never"  # a person decides


class RoundPolicy(models.Model):
    """When a project retrains by itself, on what, and when the new version takes over."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="round_policy")
    enabled = models.BooleanField(default=False)
    after_judgements = models.PositiveIntegerField(null=True, help_text="New judgements since the last version.")
    every_hours = models.PositiveIntegerField(null=True)
    on_drift = models.BooleanField(default=False, help_text="When new verdicts are predicted worse than old ones.")
    warm = models.BooleanField(default=False, help_text="Start from the promoted version instead of afresh.")
    recipe = models.JSONField(default=dict)
    backbone = models.CharField(max_length=300, blank=True)
    queue = models.CharField(max_length=20, default="cpu")
    suite = models.ForeignKey(Suite, models.SET_NULL, null=True, related_name="+")
    rule = models.CharField(max_length=9, choices=Rule, default=Rule.BETTER)
    tolerance = models.FloatField(default=0.0, help_text="Share of pairs that may be lost under not_worse.")
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            known("rule", Rule, "round_policy"),
            share("tolerance", "round_policy"),
            positive("after_judgements", "round_policy"),
            positive("every_hours", "round_policy"),
        ]

    def __str__(self) -> str:
        return f"rounds of {self.project}"


class RoundState(models.TextChoices):
    TRAINING = "training"
    MEASURING = "measuring"
    PROMOTED = "promoted"
    KEPT = "kept"  # the version before stays in use
    FAILED = "failed"


class Round(models.Model):
    """One turn of the loop: why it began, the version it gave, and what was decided by which numbers."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    reason = models.CharField(max_length=12, help_text="judgements, schedule, drift, withdrawal, or asked.")
    state = models.CharField(max_length=9, choices=RoundState, default=RoundState.TRAINING)
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="round")
    version = models.ForeignKey(Version, models.SET_NULL, null=True, related_name="rounds")
    against = models.ForeignKey(Version, models.SET_NULL, null=True, related_name="+")
    comparison = models.JSONField(default=dict, help_text="The numbers that the decision was made by.")
    words = models.TextField(blank=True, help_text="The decision in a sentence.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="round_number_once"),
            known("state", RoundState, "round"),
            positive("number", "round"),
        ]

    def __str__(self) -> str:
        return f"round {self.number}"
