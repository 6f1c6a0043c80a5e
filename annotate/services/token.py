"""Tokens by which models judge: one model, one project, one secret that is shown once."""

import secrets
from datetime import timedelta

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotate.models import Membership, Project, Role, Token, User
from annotate.models.project import token_hash
from annotate.services.event import record

USED_EVERY = timedelta(minutes=1)  # how often the time of the last use is written


@transaction.atomic
def create_token(*, project: Project, name: str, actor: User | None = None) -> tuple[Token, str]:
    """A token and its secret, which is kept nowhere. The model becomes an annotator here who can never sign in.

    A second token of the same name is the same model's. Raises ValidationError for a name that cannot be one.
    """
    user, new = User.objects.get_or_create(
        username=_username(project, name), defaults={"is_machine": True, "is_active": False}
    )
    if not user.is_machine:
        raise ValidationError({"name": "A person has this name."})
    if new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    Membership.objects.get_or_create(project=project, user=user, defaults={"role": Role.ANNOTATOR})
    secret = secrets.token_urlsafe(32)
    token = Token.objects.create(project=project, user=user, sha256=token_hash(secret), created_by=actor)
    record(kind="token.created", subject=token, project=project, actor=actor, user=user.pk)
    return token, secret


@transaction.atomic
def revoke_token(*, token: Token, actor: User | None = None) -> None:
    """The token opens nothing any more; what was judged by it stays."""
    if Token.objects.usable().filter(pk=token.pk).update(revoked_at=timezone.now()):
        record(kind="token.revoked", subject=token, project=token.project, actor=actor, user=token.user_id)


def token_used(secret: str) -> Token | None:
    """The usable token of this secret, whose model is still a member; None for all others."""
    found = Token.objects.usable().with_token(secret).filter(user__memberships__project=F("project"))
    token, now = found.select_related("project", "user").first(), timezone.now()
    if token and (token.last_used_at is None or token.last_used_at < now - USED_EVERY):
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _username(project: Project, name: str) -> str:
    """No name of one project tells anything of another's."""
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError:
        raise ValidationError({"name": "Letters, digits and @ . + - _ only."}) from None
    if len(name) > 80:
        raise ValidationError({"name": "At most 80 characters."})
    return f"{name}@{project.slug}"
