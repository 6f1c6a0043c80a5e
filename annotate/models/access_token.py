from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models.checks import hashed
from annotate.models.project import Project, token_hash


class AccessTokenQuerySet(models.QuerySet):
    def usable(self) -> "AccessTokenQuerySet":
        """Neither revoked nor expired, and of somebody who is still let in. A machine is: it never signs in."""
        in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        let_in = Q(user__is_active=True) | Q(user__is_machine=True)
        return self.filter(in_time, let_in, revoked_at=None)

    def of_people(self) -> "AccessTokenQuerySet":
        return self.filter(user__is_machine=False)

    def of_machines(self) -> "AccessTokenQuerySet":
        return self.filter(user__is_machine=True)

    def with_secret(self, secret: str) -> "AccessTokenQuerySet":
        return self.filter(sha256=token_hash(secret))


class AccessToken(models.Model):
    """What a program shows to act for somebody. Only its hash is kept. Its scopes are rights of `annotate.access`:
    it opens what its owner may do in a project now, as far as it has the right as a scope."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    project = models.ForeignKey(
        Project, models.CASCADE, null=True, related_name="tokens", help_text="The only one that it opens, if any."
    )
    name = models.CharField(max_length=120, help_text="What it is for.")
    scopes = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            hashed("sha256", "access_token"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, token of {self.user}"

    @property
    def state(self) -> str:
        """open, revoked or expired."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= timezone.now() else "open"
