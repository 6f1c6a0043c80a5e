from django.conf import settings
from django.db import models

from annotate.models import Judgement, Project
from annotate.models.checks import hashed, known
from annotate.models.item import Split


class Snapshot(models.Model):
    """A frozen, hashed set of judgements: what a version was trained on."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="snapshots")
    sha256 = models.CharField(max_length=64, help_text="Of the sorted judgement ids, splits and contents.")
    counts = models.JSONField(help_text="used, tied, conflicting, and every dropped row by reason.")
    erased = models.PositiveIntegerField(default=0, help_text="Judgements it held whose rater was erased with them.")
    erased_at = models.DateTimeField(null=True, help_text="Since then its hash cannot be made again from its rows.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "sha256"], name="snapshot_once"),
            hashed("sha256", "snapshot"),
        ]

    def __str__(self) -> str:
        return f"snapshot {self.sha256[:12]}"


class SnapshotRow(models.Model):
    snapshot = models.ForeignKey(Snapshot, models.CASCADE, related_name="rows")
    judgement = models.ForeignKey(Judgement, models.PROTECT, related_name="snapshot_rows")
    split = models.CharField(max_length=5, choices=Split)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "judgement"], name="snapshot_row_once"),
            known("split", Split, "snapshot_row"),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id}: {self.judgement_id}"
