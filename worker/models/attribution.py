from django.conf import settings
from django.db import models

from annotate.models import Response
from annotate.models.checks import finite, hashed
from worker.models.version import Version


class Explained(models.Model):
    """Why a text got its score under one head: baseline + features + tokens, units or layers + residual = score."""

    head = models.CharField(max_length=60)
    method = models.CharField(max_length=20, help_text="One of worker.explain.METHODS.")
    tokens = models.JSONField(help_text='[{"text", "start", "end", "part", "value"}], in code points')
    units = models.JSONField(default=list, help_text='[{"start", "end", "value"}]: stretches of the response.')
    layers = models.JSONField(default=list, help_text='[{"name", "value"}]: the part of each layer of the backbone.')
    features = models.JSONField(default=dict, help_text="Contributions that belong to no token, by name.")
    baseline = models.FloatField(help_text="Before any token: the bias, or the score of the baseline.")
    residual = models.FloatField(help_text="score − baseline − features − tokens.")
    score = models.FloatField()
    cost = models.JSONField(default=dict, help_text='{"tokens": read by the backbone, "seconds", "nodes": of a path}')
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.method} of {self.head}"


class Attribution(Explained):
    """Of a stored response."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="attributions")
    response = models.ForeignKey(Response, models.CASCADE, related_name="attributions")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "response", "head", "method"], name="attribution_once"),
            finite("attribution", "baseline", "residual", "score"),
        ]


class Edit(models.Model):
    """What if the response were this? A text that a researcher made of a response, and what every head gives it."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="edits")
    response = models.ForeignKey(Response, models.CASCADE, related_name="edits")
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    scores = models.JSONField(default=dict, help_text="Head → score; empty until a worker has read it.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "response", "sha256"], name="edit_once"),
            hashed("sha256", "edit"),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class EditAttribution(Explained):
    """Of an edited response."""

    edit = models.ForeignKey(Edit, models.CASCADE, related_name="attributions")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edit", "head", "method"], name="edit_attribution_once"),
            finite("edit_attribution", "baseline", "residual", "score"),
        ]
