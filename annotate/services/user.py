"""What a person may set about themselves."""

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.keys import DEFAULT, wrong
from annotate.models import User
from annotate.services.event import record


@transaction.atomic
def set_keys(*, user: User, keys: dict[str, str]) -> None:
    """Store the keys that differ from the default; {} is the default. Raises ValidationError naming each wrong act."""
    if found := wrong(keys):
        raise ValidationError(found)
    user.keys = {act: key for act, key in keys.items() if key != DEFAULT[act]}
    user.save(update_fields=["keys"])
    record(kind="user.keys", subject=user, project=None, actor=user, keys=user.keys)
