from django.db import models

from worker.models.version import Version


class Summary(models.Model):
    """Statistics of a version that a page would take too long to make again, and what they were made of."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="summaries")
    name = models.CharField(max_length=120, help_text="Which page, and with which choices.")
    made_of = models.CharField(max_length=200, help_text="Counts and last ids of the rows that were read.")
    values = models.JSONField()
    created_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "name"], name="summary_once")]

    def __str__(self) -> str:
        return self.name
