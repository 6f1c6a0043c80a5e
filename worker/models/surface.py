from django.db import models
from django.db.models import Q

from annotate.models import Response


class Surface(models.Model):
    """What a response looks like, whatever it says: counted once by worker.surface, for every version to be held to."""

    response = models.OneToOneField(Response, models.CASCADE, primary_key=True, related_name="surface")
    lists = models.PositiveIntegerField(help_text="List points.")
    headings = models.PositiveIntegerField()
    bold = models.PositiveIntegerField(help_text="Bold passages.")
    code = models.PositiveIntegerField(help_text="Code blocks and passages.")
    hedges = models.PositiveIntegerField(help_text="Words such as perhaps, may, I think.")
    opener = models.PositiveIntegerField(help_text="1 where it opens with praise or assent, before it answers.")
    emoji = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(opener__lte=1), name="surface_opens_once"),
        ]

    def __str__(self) -> str:
        return f"surface of response {self.response_id}"
