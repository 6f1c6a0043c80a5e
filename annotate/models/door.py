from django.conf import settings
from django.db import models


class Throttle(models.Model):
    """How often somebody guessed wrong at one thing, and until when nobody may guess at it again."""

    key = models.CharField(max_length=64, unique=True, help_text="Keyed hash: people type passwords into name fields.")
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.failures} wrong guesses"


class SecondFactorQuerySet(models.QuerySet):
    def on(self) -> "SecondFactorQuerySet":
        """Those that a code was given for: signing in asks for one."""
        return self.filter(confirmed_at__isnull=False)


class SecondFactor(models.Model):
    """What an authenticator app shares with us. Unconfirmed, it is being set up and asks for nothing."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="second_factor")
    sealed = models.CharField(max_length=250, help_text="The secret, sealed by a key made from SECRET_KEY.")
    last_step = models.BigIntegerField(default=0, help_text="Of the newest code that was used: none is good twice.")
    confirmed_at = models.DateTimeField(null=True)

    objects = SecondFactorQuerySet.as_manager()

    def __str__(self) -> str:
        return f"second factor of {self.user}"


class RecoveryCode(models.Model):
    """Stands in for a lost phone, once. Only its hash is kept."""

    factor = models.ForeignKey(SecondFactor, models.CASCADE, related_name="recovery_codes")
    sha256 = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"recovery code of {self.factor_id}"
