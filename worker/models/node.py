from django.db import models


class Node(models.Model):
    """A worker process that takes jobs: what it runs on, which queues it serves, and when it was last seen."""

    name = models.CharField(max_length=120, unique=True, help_text="host:pid, as in Job.worker.")
    device = models.CharField(max_length=200, help_text="cpu with its threads, or the accelerator's name and memory.")
    queues = models.JSONField(default=list)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
