from django.db import models

from annotate.models import Project


class Suite(models.Model):
    """Held-out pairs, by category, that every version is measured on."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="suites")
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="suite_once")]

    def __str__(self) -> str:
        return self.name


class SuitePair(models.Model):
    suite = models.ForeignKey(Suite, models.CASCADE, related_name="pairs")
    category = models.CharField(max_length=60, blank=True)
    turns = models.JSONField()
    context = models.JSONField(default=list)
    chosen = models.TextField()
    rejected = models.TextField()

    def __str__(self) -> str:
        return f"{self.suite_id} {self.category}"
