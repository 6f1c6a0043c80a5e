"""What the agreement pages read: counts that are kept up to date, so that no page scans the judgements.

They are derived: `annotate.services.tally.recount` makes them again from the judgements.
"""

from django.db import models
from django.db.models import Q

from annotate.models.checks import hashed, known, share
from annotate.models.project import Project
from annotate.models.task import Task


class Side(models.TextChoices):
    """Whose judgements were counted; people and machines are never mixed."""

    PEOPLE = "people"
    MACHINES = "machines"
    ACROSS = "across"  # what people said beside what machines said of the same thing


class TaskTally(models.Model):
    """One task as it was counted last: what to take back when it is counted again."""

    BUCKETS = 64  # some of them are tasks taken without looking, found by index

    project = models.ForeignKey(Project, models.CASCADE, related_name="tallies")
    task = models.OneToOneField(Task, models.CASCADE, related_name="tally")
    raters = models.PositiveIntegerField(help_text="People who judged it.")
    disagreement = models.FloatField(null=True, help_text="Share of pairs of people who disagree; null below two.")
    patterns = models.JSONField(help_text="[[side, question, pattern, units]]")
    marks = models.JSONField(default=dict, help_text="{category: sums for the unitised agreement of its spans}")
    bucket = models.PositiveSmallIntegerField(help_text="task id modulo BUCKETS")
    counted_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            share("disagreement", "task_tally"),
            models.CheckConstraint(condition=Q(bucket__lt=64), name="task_tally_in_buckets"),
        ]
        indexes = [
            models.Index(fields=["project", "-disagreement"], name="tally_by_disagreement"),
            models.Index(fields=["project", "bucket"], name="tally_by_bucket"),
        ]

    def __str__(self) -> str:
        return f"tally of {self.task_id}"


class Pattern(models.Model):
    """How many units of a question got the same answers: a unit is a pair of responses, or one response."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="patterns")
    side = models.CharField(max_length=8, choices=Side)
    question = models.CharField(max_length=60, help_text="preference, strength, criterion:helpful, rubric …")
    pattern = models.TextField(help_text="JSON [[value, raters], …] in order of value.")
    digest = models.CharField(max_length=64, help_text="sha256 of the pattern.")
    units = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "side", "question", "digest"], name="pattern_once"),
            known("side", Side, "pattern"),
            hashed("digest", "pattern"),
        ]

    def __str__(self) -> str:
        return f"{self.units} × {self.pattern}"


class Agreement(models.Model):
    """How far raters agree about a question, worked out from its patterns when they were as they are, or `stale`."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="agreements")
    side = models.CharField(max_length=8, choices=Side)
    question = models.CharField(max_length=60)
    figures = models.JSONField(default=dict, help_text="{measure: an Interval as a dict}")
    stale = models.BooleanField(default=True)
    made_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "side", "question"], name="agreement_once"),
            known("side", Side, "agreement"),
        ]

    def __str__(self) -> str:
        return f"{self.question} among {self.side}"


class MarkTally(models.Model):
    """Sums over one of BUCKETS shares of the marked texts, for the unitised agreement of a category's spans."""

    BUCKETS = 64  # the bootstrap redraws them, so that no page needs the sums of every text

    project = models.ForeignKey(Project, models.CASCADE, related_name="mark_tallies")
    category = models.CharField(max_length=40)
    bucket = models.PositiveSmallIntegerField(help_text="task id modulo BUCKETS")
    sums = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "category", "bucket"], name="mark_tally_once"),
            models.CheckConstraint(condition=Q(bucket__lt=64), name="mark_tally_in_buckets"),
        ]

    def __str__(self) -> str:
        return f"{self.category} in {self.bucket}"


class Dispute(models.Model):
    """A task on which people disagree about a question."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="disputes")
    task = models.ForeignKey(Task, models.CASCADE, related_name="disputes")
    question = models.CharField(max_length=60)
    share = models.FloatField(help_text="Of pairs of people who disagree.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "question"], name="dispute_once"),
            share("share", "dispute"),
        ]
        indexes = [models.Index(fields=["project", "question", "-share"], name="dispute_by_question")]

    def __str__(self) -> str:
        return f"{self.question} of {self.task_id}"


class RaterTally(models.Model):
    """Sums over one rater's counted judgements."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="rater_tallies")
    who = models.CharField(max_length=140, help_text='"user:7", or "name:…" for a rater without an account.')
    source = models.CharField(max_length=11)
    sums = models.JSONField(help_text="See annotate.tally.SUMS.")
    reliability = models.JSONField(default=dict, help_text="Fitted over all raters at once, in the background.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "who", "source"], name="rater_tally_once")]

    def __str__(self) -> str:
        return f"tally of {self.who}"
