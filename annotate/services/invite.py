"""Invites: a link lets one person in, once. The token is known to the link alone; we keep its hash."""

import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import Invite, Membership, Project, User
from annotate.models.project import token_hash
from annotate.services.event import record
from annotate.services.project import add_member

DAYS = 7
GONE = "This invitation was used, withdrawn, or has run out."


@transaction.atomic
def create_invite(
    *, project: Project, role: str, actor: User | None = None, note: str = "", days: int = DAYS
) -> tuple[Invite, str]:
    """The invite and its token. The token is returned here and never again."""
    token = secrets.token_urlsafe(32)
    invite = Invite.objects.create(
        project=project,
        role=role,
        note=note,
        token_sha256=token_hash(token),
        created_by=actor,
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(kind="invite.created", subject=invite, project=project, actor=actor, role=role, note=note)
    return invite, token


@transaction.atomic
def revoke_invite(*, invite: Invite, actor: User) -> bool:
    """Close the link; False if it was closed already."""
    closed = Invite.objects.usable().filter(pk=invite.pk).update(revoked_at=timezone.now())
    if closed:
        record(kind="invite.revoked", subject=invite, project=invite.project, actor=actor)
    return bool(closed)


@transaction.atomic
def join(*, token: str, user: User) -> Membership:
    """Use the link up for this user; ValidationError if it is not good any more.

    A member stays what they are, and the link stays good for the person it was meant for.
    """
    member = Membership.objects.filter(user=user, project__invites__in=Invite.objects.with_token(token)).first()
    return member or _enter(_claim(token), user)


@transaction.atomic
def sign_up(*, token: str, username: str, password: str) -> User:
    """A new account and its first membership, or neither (ValidationError)."""
    invite = _claim(token)
    user = User.objects.create_user(username, password=password)
    record(kind="user.created", subject=user, actor=user)
    _enter(invite, user)
    return user


def _claim(token: str) -> Invite:
    """Compare-and-set: of two people who race for one link, one passes."""
    found = Invite.objects.with_token(token)
    if not found.usable().update(used_at=timezone.now()):
        raise ValidationError(GONE)
    return found.select_related("project", "created_by").get()


def _enter(invite: Invite, user: User) -> Membership:
    Invite.objects.filter(pk=invite.pk).update(used_by=user)
    record(kind="invite.used", subject=invite, project=invite.project, actor=user)
    return add_member(project=invite.project, user=user, role=invite.role, actor=invite.created_by)
