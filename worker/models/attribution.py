from django.db import models

from annotate.models import Response
from worker.models.version import Version


class Attribution(models.Model):
    """Why a response got its score under one head: per-token contributions that add up to it."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="attributions")
    response = models.ForeignKey(Response, models.CASCADE, related_name="attributions")
    head = models.CharField(max_length=60)
    method = models.CharField(max_length=20, help_text="exact or ig")
    tokens = models.JSONField(help_text='[{"text", "start", "end", "part", "value"}], in code points')
    features = models.JSONField(default=dict, help_text="Contributions that belong to no token, by name.")
    baseline = models.FloatField(help_text="Before any token: the bias, or the score of the baseline.")
    residual = models.FloatField(help_text="score − baseline − features − tokens.")
    score = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "response", "head", "method"], name="attribution_once")
        ]

    def __str__(self) -> str:
        return f"{self.method} of {self.head}"
