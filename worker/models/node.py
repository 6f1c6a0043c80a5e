from django.db import models


class Node(models.Model):
    """A worker process that takes jobs: what it runs on, which queues it serves, and when it was last seen."""

    name = models.CharField(max_length=120, unique=True, help_text="host:pid, as in Job.worker.")
    device = models.CharField(max_length=200, help_text="cpu with its threads, or the accelerator's name and memory.")
    queues = models.JSONField(default=list)
    version = models.CharField(max_length=12, blank=True, help_text="Of its code: the first letters of a sha256.")
    memory_used = models.BigIntegerField(default=0, help_text="Bytes of its machine, or of the group it is held to.")
    memory_total = models.BigIntegerField(default=0)
    gpu_used = models.BigIntegerField(null=True, help_text="Bytes of its accelerators together; null without one.")
    gpu_total = models.BigIntegerField(null=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
