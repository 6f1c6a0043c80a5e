from django.db import models

from worker.models.version import Version


class Reference(models.Model):
    """Raw scores of reference answers to a prompt, as they were when the version's transforms were chosen."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="references")
    prompt_sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=120, blank=True, help_text="Who wrote the answers; empty: everybody.")
    scores = models.JSONField(help_text="[float, …], the version's own, before any transform.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "prompt_sha256", "source"], name="reference_once"),
        ]

    def __str__(self) -> str:
        return f"{len(self.scores)} scores"
