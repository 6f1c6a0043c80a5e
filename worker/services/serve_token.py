"""Tokens by which a policy trainer has its samples scored: shown once, kept as a hash."""

import hmac
import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import Project, User
from annotate.models.project import token_hash
from annotate.services.event import record
from worker.models import ServeToken

USED_EVERY = timedelta(minutes=1)  # how often the time of the last use is written


@transaction.atomic
def create_serve_token(*, project: Project, name: str, actor: User | None = None) -> tuple[ServeToken, str]:
    """A token and its secret, which is kept nowhere. ValidationError for a name that is empty or taken."""
    name = name.strip()
    if not 0 < len(name) <= 120:
        raise ValidationError({"name": "A name of at most 120 characters."})
    if project.serve_tokens.filter(name=name, revoked_at=None).exists():
        raise ValidationError({"name": "An open token has this name."})
    secret = secrets.token_urlsafe(32)
    token = ServeToken.objects.create(project=project, name=name, sha256=token_hash(secret), created_by=actor)
    record(kind="serve_token.created", subject=token, project=project, actor=actor, name=name)
    return token, secret


@transaction.atomic
def revoke_serve_token(*, token: ServeToken, actor: User | None = None) -> None:
    """It opens nothing any more; a running server hears of it within seconds."""
    if ServeToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(kind="serve_token.revoked", subject=token, project=token.project, actor=actor, name=token.name)


def open_hashes(*, project: Project) -> list[tuple[int, str]]:
    """(id, hash) of the project's tokens in force."""
    return list(project.serve_tokens.filter(revoked_at=None).values_list("pk", "sha256"))


def matching(secret: str, hashes: list[tuple[int, str]]) -> int | None:
    """The id of the token with this secret. All hashes are compared, each in constant time."""
    shown = token_hash(secret.encode("utf-8", "replace").decode())
    found = [pk for pk, sha256 in hashes if hmac.compare_digest(sha256, shown)]
    return found[0] if found else None


def mark_used(*, tokens: set[int]) -> None:
    """Write that they were used, at most once a minute each."""
    now = timezone.now()
    rows = ServeToken.objects.filter(pk__in=tokens)
    rows.exclude(last_used_at__gt=now - USED_EVERY).update(last_used_at=now)
