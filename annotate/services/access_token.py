"""Access tokens of people and of machines: a secret that is shown once, and what ends it."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.access import RIGHTS
from annotate.models import AccessToken, Membership, Project, Role, User
from annotate.models.access_token import AccessTokenQuerySet
from annotate.models.project import token_hash
from annotate.services.event import record

PREFIX = "ts_"  # whoever finds a secret in a file can tell whose door it opens
SCOPES = RIGHTS[Role.ADMIN]  # an admin has them all
MACHINE = ("see", "judge")
USED_EVERY = timedelta(minutes=1)  # how often the time of the last use is written


@transaction.atomic
def create_token(
    *,
    user: User,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    project: Project | None = None,
    actor: User | None = None,
) -> tuple[AccessToken, str]:
    """A token and its secret, which is kept nowhere. ValidationError for scopes that are none."""
    if not scopes or set(scopes) - SCOPES:
        raise ValidationError({"scopes": f"One or several of {', '.join(sorted(SCOPES))}."})
    secret = PREFIX + secrets.token_urlsafe(32)
    whose = {"user": user, "project": project, "created_by": actor}
    token = AccessToken.objects.create(
        name=name, scopes=sorted(scopes), expires_at=expires_at, sha256=token_hash(secret), **whose
    )
    told = {"user": user.pk, "name": name, "scopes": token.scopes}
    record(kind="token.created", subject=token, project=project, actor=actor, **told)
    return token, secret


@transaction.atomic
def create_machine_token(*, project: Project, name: str, actor: User | None = None) -> tuple[AccessToken, str]:
    """A model's token. The model becomes an annotator here who can never sign in.

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
    return create_token(user=user, name=name, scopes=MACHINE, expires_at=None, project=project, actor=actor)


@transaction.atomic
def revoke_token(*, token: AccessToken, actor: User | None = None) -> bool:
    """The token opens nothing any more; what was done by it stays. False if it was revoked before."""
    return bool(revoke_tokens(tokens=AccessToken.objects.filter(pk=token.pk), actor=actor))


@transaction.atomic
def revoke_tokens(*, tokens: AccessTokenQuerySet, actor: User | None = None, why: str = "") -> int:
    """Revoke those that are not; returns how many."""
    found = list(tokens.filter(revoked_at=None).select_related("project").select_for_update(of=("self",)))
    for token in found:
        told = {"user": token.user_id, "name": token.name, "scopes": token.scopes, "why": why}
        record(kind="token.revoked", subject=token, project=token.project, actor=actor, **told)
    AccessToken.objects.filter(pk__in=[token.pk for token in found]).update(revoked_at=timezone.now())
    return len(found)


def token_used(secret: str) -> AccessToken | None:
    """The usable token of this secret, with its owner and project; None for all others."""
    found = AccessToken.objects.usable().with_secret(secret).select_related("project", "user")
    token, now = found.first(), timezone.now()
    if token and (token.last_used_at is None or token.last_used_at < now - USED_EVERY):
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
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
