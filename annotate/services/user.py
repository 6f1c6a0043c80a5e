"""What a person may set about themselves."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from annotate.keys import DEFAULT, wrong
from annotate.models import User
from annotate.services.access_token import revoke_tokens
from annotate.services.event import record


@transaction.atomic
def set_keys(*, user: User, keys: dict[str, str]) -> None:
    """Store the keys that differ from the default; {} is the default. Raises ValidationError naming each wrong act."""
    if found := wrong(keys):
        raise ValidationError(found)
    user.keys = {act: key for act, key in keys.items() if key != DEFAULT[act]}
    user.save(update_fields=["keys"])
    record(kind="user.keys", subject=user, project=None, actor=user, keys=user.keys)


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Another password, which validators have passed: it ends every session, for they are bound to it."""
    user.set_password(password)
    user.save(update_fields=["password"])
    record(kind="account.password_changed", subject=user, actor=user)


@transaction.atomic
def end_sessions(*, user: User, actor: User | None = None, tokens: bool = False) -> None:
    """Sign the user out of every browser; with `tokens`, programs too."""
    User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    user.refresh_from_db(fields=["sessions_ended"])
    record(kind="account.signed_out_everywhere", subject=user, actor=actor or user)
    if tokens:
        revoke_tokens(tokens=user.tokens.all(), actor=actor or user, why="signed out everywhere")
