from django.db import models
from django.db.models import Q

from annotate.agreement import Z95, Interval
from annotate.models import Project, Response
from annotate.models.checks import finite, hashed, known, positive
from worker.models.job import Job, JobKind
from worker.models.snapshot import Snapshot

PREFERENCE = "preference"  # the head that every version has; worker/rm, which knows no models, names it in types.py
LENGTH_HEAD = "length"  # likewise: the second head of a recipe with ODIN, which the preference is without


class VersionState(models.TextChoices):
    CANDIDATE = "candidate"
    PROMOTED = "promoted"
    ARCHIVED = "archived"


class VersionQuerySet(models.QuerySet):
    def promoted(self) -> "Version | None":
        """The promoted one, of one project's versions."""
        return self.filter(state=VersionState.PROMOTED).first()

    def of_several(self) -> "VersionQuerySet":
        """Ensembles of versions, and what transforms made of them, which is of the same file."""
        made = Version.objects.filter(trained_by__kind=JobKind.AVERAGE, trained_by__params__has_key="rule")
        return self.filter(file__in=made.values("file"))


class Version(models.Model):
    """A trained reward model and everything needed to make it again."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=VersionState, default=VersionState.CANDIDATE)
    recipe = models.JSONField(help_text="worker.rm.recipe.Recipe, every value used.")
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, related_name="versions")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    trained_by = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="trained_version")
    backbone = models.CharField(max_length=300)
    encode_hash = models.CharField(max_length=64)
    heads = models.JSONField(help_text='Names, "preference" first, then "attribute:KEY", "segment:KEY".')
    metrics = models.JSONField(default=dict)
    temperature = models.FloatField(default=1.0)
    mean = models.FloatField(default=0.0, help_text="Of the preference score on the training responses.")
    std = models.FloatField(default=1.0)
    transforms = models.JSONField(default=list, help_text="What becomes of a raw score, in order; part of the version.")
    affected_at = models.DateTimeField(null=True, help_text="When something it was trained on was withdrawn.")
    affected = models.JSONField(default=dict, help_text="What: counts by reason.")
    file = models.CharField(max_length=200, help_text="Under the artifact store; named by us.")
    file_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            known("state", VersionState, "version"),
            positive("number", "version"),
            hashed("encode_hash", "version"),
            hashed("file_sha256", "version"),
            finite("version", "temperature", "mean", "std"),
            models.CheckConstraint(condition=Q(temperature__gt=0, std__gte=0), name="version_scale_positive"),
            models.CheckConstraint(condition=Q(parent=None) | ~Q(parent=models.F("pk")), name="version_not_its_own"),
            models.UniqueConstraint(fields=["project", "number"], name="version_number_once"),
            models.UniqueConstraint(fields=["project"], condition=Q(state="promoted"), name="one_promoted_version"),
        ]

    def __str__(self) -> str:
        return f"{self.project.slug}:{self.number}"

    @property
    def scoring(self) -> Job | None:
        """The job that is scoring the project's responses with it now, or is about to; not one of a pool alone."""
        jobs = self.project.jobs.unfinished().filter(kind=JobKind.SCORE, params__version=self.pk)
        return jobs.exclude(params__has_key="pool").first()

    @property
    def order_effect(self) -> Interval | None:
        """γ, log-odds for the first shown; None where the recipe learned none."""
        value = self.metrics.get("order_gamma")
        return _sure(value, self.metrics.get("order_error")) if value else None

    @property
    def order_by_rater(self) -> dict[str, Interval]:
        """Each rater's γ under the trainer's names; {} where one was learned for all."""
        values, errors = self.metrics.get("order_by_rater", {}), self.metrics.get("order_error_by_rater", {})
        return {name: _sure(value, errors.get(name)) for name, value in values.items()}


def _sure(value: float, error: float | None) -> Interval:
    """Versions made before the error was kept, and fine-tuned ones, whose γ need not be at its best, have γ alone."""
    if error is None:
        return Interval(value, None, None, 0, "learned in training, which keeps no interval")
    return Interval(value, value - Z95 * error, value + Z95 * error, 0)


class Score(models.Model):
    """What a version gives a response, one row per head, float32."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="scores")
    response = models.ForeignKey(Response, models.CASCADE, related_name="scores")
    head = models.CharField(max_length=60)
    value = models.FloatField()
    tokens = models.PositiveIntegerField(help_text="Tokens of the response under the version's encoding.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "response", "head"], name="score_once"),
            finite("score", "value"),
        ]
        indexes = [models.Index(fields=["version", "head"], name="score_by_head")]

    def __str__(self) -> str:
        return f"{self.head} {self.value:.3f}"
