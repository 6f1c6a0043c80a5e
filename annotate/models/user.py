from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. What they may do is said by their memberships, project by project."""

    keys = models.JSONField(default=dict, blank=True, help_text="{act: key} where the person chose another key.")
    is_machine = models.BooleanField(default=False, help_text="A model that judges by token; it never signs in.")
