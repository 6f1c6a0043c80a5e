from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac


class User(AbstractUser):
    """A person. What they may do is said by their memberships, project by project."""

    keys = models.JSONField(default=dict, blank=True, help_text="{act: key} where the person chose another key.")
    is_machine = models.BooleanField(default=False, help_text="A model that judges by token; it never signs in.")
    sessions_ended = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How often all sessions of the account were ended."
    )

    erased_at = models.DateTimeField(null=True, editable=False, help_text="Since then the name is a pseudonym.")

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What each session of the account must hold: another one after another password, and when all are ended."""
        of_password = super()._get_session_auth_hash(secret)
        if not self.sessions_ended:
            return of_password
        both = f"{of_password} {self.sessions_ended}"
        return salted_hmac("annotate.user", both, secret=secret, algorithm="sha256").hexdigest()
