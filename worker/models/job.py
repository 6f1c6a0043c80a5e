from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotate.models import Project
from annotate.models.checks import known, positive


class JobKind(models.TextChoices):
    IMPORT = "import"
    TRAIN = "train"
    SCORE = "score"
    ATTRIBUTE = "attribute"
    EVALUATE = "evaluate"  # versions on a suite
    BACKBONE = "backbone"  # look at a backbone and register it
    AVERAGE = "average"  # the mean of several fine-tunes' weights
    EXPORT = "export"  # a version as a folder for others
    FILE = "file"  # scores of a file's answers
    SELECT = "select"  # the order in which open tasks are served
    SURFACE = "surface"  # count lists, bold, hedges … of the responses
    PROBE = "probe"  # score responses whose surface was changed
    WHATIF = "whatif"  # score and explain an edited response
    NOISE = "noise"  # how far bfloat16 moves scores
    PREVIEW = "preview"  # what a training would read, counted by the tokenizer


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class JobQuerySet(models.QuerySet):
    def unfinished(self) -> "JobQuerySet":
        return self.exclude(state__in=ENDED)

    def silent(self) -> "JobQuerySet":
        """Nothing was heard of them for too long, by the clock of the database, which all processes share. A time
        still to come was written before that clock was set back, and nothing since."""
        span = timedelta(seconds=settings.JOB_STALE_SECONDS)
        return self.filter(Q(heartbeat_at__lt=Now() - span) | Q(heartbeat_at__gt=Now() + span))


class Job(models.Model):
    """Work for a worker. The row is the truth: queued → running → done | failed | cancelled."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=9, choices=JobKind)
    params = models.JSONField(default=dict)
    queue = models.CharField(max_length=20, default="cpu")
    state = models.CharField(max_length=9, choices=JobState, default=JobState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Claims so far.")
    claim = models.CharField(max_length=32, blank=True, help_text="Random token of the claim in force.")
    worker = models.CharField(max_length=120, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    stage = models.CharField(max_length=60, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    stage_started_at = models.DateTimeField(null=True)

    version = models.ForeignKey("worker.Version", models.SET_NULL, null=True, related_name="jobs")
    origin = models.ForeignKey("self", models.SET_NULL, null=True, related_name="repeats", help_text="Made from it.")
    sweep = models.ForeignKey("worker.Sweep", models.SET_NULL, null=True, related_name="jobs")
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True, help_text="What to change after a failure.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            known("kind", JobKind, "job"),
            known("state", JobState, "job"),
        ]
        indexes = [models.Index(fields=["heartbeat_at"], name="job_running", condition=Q(state="running"))]

    def __str__(self) -> str:
        return f"{self.kind} job {self.pk}"

    @property
    def ended(self) -> bool:
        return self.state in ENDED


class JobEvent(models.Model):
    """The numbered log of a job: a client asks for the events past the last number it has."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, help_text="log, metric, or state")
    data = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="job_event_number_once"),
            positive("number", "job_event"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}#{self.number} {self.kind}"
