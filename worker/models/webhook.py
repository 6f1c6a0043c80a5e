from django.conf import settings
from django.db import models
from django.db.models import Q

from annotate.models import Project
from annotate.models.checks import known

JUDGEMENTS = tuple(f"judgement.{verb}" for verb in ("submitted", "revised", "stored", "withdrawn", "restored"))
JOBS = tuple(f"job.{state}" for state in ("queued", "running", "done", "failed", "cancelled"))
KINDS = (*JUDGEMENTS, *JOBS)
PING = "ping"


class Webhook(models.Model):
    """An address that is told what happens in a project. Its secret is derived from SECRET_KEY and the salt."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    kinds = models.JSONField(help_text="Some of KINDS.")
    salt = models.CharField(max_length=64)
    enabled = models.BooleanField(default=True)
    off_because = models.CharField(max_length=300, blank=True, help_text="Where it was not a person who stopped it.")
    failing_since = models.DateTimeField(null=True, help_text="The first failure after the last success.")
    resume_at = models.DateTimeField(null=True, help_text="After a failure nothing is sent before.")
    event_cursor = models.PositiveBigIntegerField(default=0, help_text="Nothing up to this Event is told.")
    job_cursor = models.PositiveBigIntegerField(default=0, help_text="Nothing up to this JobEvent is told.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"webhook {self.pk}"


class DeliveryState(models.TextChoices):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(models.Model):
    """One message to one webhook, sent until it is taken or a day is over."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    source = models.CharField(
        max_length=60, help_text="What it tells of: event-5, job-event-7, ping-…; its id outside."
    )
    kind = models.CharField(max_length=40)
    payload = models.JSONField()
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True, help_text="Not before; null: it waits no more.")
    asked_at = models.DateTimeField(help_text="When it was to be sent, or sent again: the day is counted from here.")
    delivered_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status of the last answer.")
    error = models.CharField(max_length=200, blank=True, help_text="Why the last attempt failed.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "source"], name="delivery_once"),
            known("state", DeliveryState, "delivery"),
        ]
        indexes = [models.Index(fields=["next_at"], name="delivery_due", condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"{self.source} to {self.webhook}"


class Outbox(models.Model):
    """How far a ledger was read for webhooks: all up to `cursor` is; all up to `mark` will be once every transaction
    that was open at `marked_at` has ended."""

    ledger = models.CharField(max_length=10, unique=True)
    cursor = models.PositiveBigIntegerField(default=0)
    mark = models.PositiveBigIntegerField(default=0)
    marked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.ledger} up to {self.cursor}"
