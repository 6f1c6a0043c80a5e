from django.conf import settings
from django.db import models
from django.utils import timezone

from annotate.models import Project
from annotate.models.checks import hashed


class ServeToken(models.Model):
    """What a policy trainer shows to have its samples scored by the project's versions. Only its hash is kept."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="serve_tokens")
    name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            hashed("sha256", "serve_token"),
        ]

    def __str__(self) -> str:
        return self.name
