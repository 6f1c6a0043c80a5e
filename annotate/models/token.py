from django.conf import settings
from django.db import models
from django.utils import timezone

from annotate.models.project import Project, token_hash


class TokenQuerySet(models.QuerySet):
    def usable(self) -> "TokenQuerySet":
        return self.filter(revoked_at=None)

    def with_token(self, token: str) -> "TokenQuerySet":
        return self.filter(sha256=token_hash(token))


class Token(models.Model):
    """What a machine rater shows to fetch and submit in one project. Only its hash is kept."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"token of {self.user}"
