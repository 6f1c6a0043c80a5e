from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person. What they may do is said by their memberships, project by project."""
