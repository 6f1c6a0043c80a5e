from django.db import models

from annotate.models import Response
from annotate.models.checks import finite
from worker.models.version import Version

SAME = "same"  # the text as it is: what the changed ones are held against


class Probe(models.Model):
    """What a version gives a response whose surface was changed by one of worker.swaps; `before` is of it unchanged."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="probes")
    response = models.ForeignKey(Response, models.CASCADE, related_name="probes")
    swap = models.CharField(max_length=12)
    before = models.FloatField()
    after = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "swap", "response"], name="probe_once"),
            finite("probe", "before", "after"),
        ]

    def __str__(self) -> str:
        return f"{self.swap} {self.after - self.before:+.3f}"
