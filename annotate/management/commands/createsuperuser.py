import os

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError


class Command(createsuperuser.Command):
    """Django's own lets a password of the environment pass unseen; here it must be as good as everybody's."""

    def handle(self, *args: object, **options: object) -> None:
        secret = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
        if secret and not options["interactive"]:
            try:
                validate_password(secret, self.UserModel(username=options.get("username") or ""))
            except ValidationError as error:
                raise CommandError(" ".join(["DJANGO_SUPERUSER_PASSWORD:", *error.messages])) from None
        super().handle(*args, **options)
