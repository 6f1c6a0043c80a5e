from django.db import models

from annotate.models import Project


class PolicyRun(models.Model):
    """Rollouts of a policy trained against a reward model, imported: where it went by step, and what it got."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="policy_runs")
    name = models.CharField(max_length=120)
    values = models.BinaryField(help_text="Little-endian float64, six a rollout: prompt, then the columns of a line.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="policy_run_once")]

    def __str__(self) -> str:
        return self.name
