from django.conf import settings
from django.db import models

from annotate.models import Project
from worker.models.snapshot import Snapshot


class Sweep(models.Model):
    """One recipe trained with several values on one snapshot; each point is a train job."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="sweeps")
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, related_name="+")
    backbone = models.CharField(max_length=300)
    recipe = models.JSONField(help_text="What all points share.")
    grid = models.JSONField(help_text='{"tuning.learning_rate": [1e-5, 3e-5], …}; its points are all combinations.')
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"sweep {self.pk}"
