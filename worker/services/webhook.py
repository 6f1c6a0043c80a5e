"""Webhooks: made, switched, removed; the secret by which a receiver knows that a message is ours."""

import base64
import hmac
import secrets

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from annotate.models import Project, User
from annotate.services.event import record
from worker.models import Delivery, Webhook
from worker.models.webhook import KINDS, PING, DeliveryState
from worker.outgoing import Refused, target_of
from worker.services.nudge import wake_webhooks
from worker.services.outbox import last_ids

MOST = 20  # of one project


@transaction.atomic
def create_webhook(*, project: Project, url: str, kinds: list[str], actor: User | None = None) -> tuple[Webhook, str]:
    """A webhook and its secret, which can be shown now alone; a first ping is on its way to it.

    Raises ValidationError for an address that may not be sent to, and without a kind.
    """
    _check(project, url, kinds)
    fields = {"kinds": sorted(set(kinds), key=KINDS.index), "salt": secrets.token_hex(32), "created_by": actor}
    hook = Webhook.objects.create(project=project, url=url, **fields, **last_ids())
    record(kind="webhook.created", subject=hook, project=project, actor=actor, url=url, kinds=hook.kinds)
    _ping(hook)
    return hook, secret_of(hook)


def _check(project: Project, url: str, kinds: list[str]) -> None:
    try:
        target_of(url)
    except Refused as error:
        raise ValidationError({"url": str(error)}) from None
    if not kinds or not set(kinds) <= set(KINDS):
        raise ValidationError({"kinds": "Choose what it is told."})
    if project.webhooks.count() >= MOST:
        raise ValidationError({"url": f"A project has at most {MOST} webhooks: remove one first."})


def secret_of(hook: Webhook) -> str:
    """Derived, so that a copy of the database alone signs nothing; as Standard Webhooks write it."""
    return "whsec_" + base64.b64encode(_key(hook)).decode()


def _key(hook: Webhook) -> bytes:
    return salted_hmac("worker.webhook", hook.salt, algorithm="sha256").digest()


def signature(hook: Webhook, message: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over id.timestamp.body, as Standard Webhooks write it."""
    signed = hmac.digest(_key(hook), f"{message}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(signed).decode()


@transaction.atomic
def renew_secret(*, webhook: Webhook, actor: User) -> str:
    """Another secret, shown now alone; the one before signs nothing any more."""
    webhook.salt = secrets.token_hex(32)
    webhook.save(update_fields=["salt"])
    record(kind="webhook.secret", subject=webhook, project=webhook.project, actor=actor)
    return secret_of(webhook)


@transaction.atomic
def switch_webhook(*, webhook: Webhook, on: bool, actor: User | None = None, why: str = "") -> None:
    """On: it hears of what happens from now on. Off: nothing is sent, and what waits is given up."""
    if not Webhook.objects.filter(pk=webhook.pk, enabled=not on).update(enabled=on, off_because=why):
        return
    if on:
        fresh = {"failing_since": None, "resume_at": None}
        Webhook.objects.filter(pk=webhook.pk).update(**fresh, **last_ids())
    else:
        waiting = webhook.deliveries.filter(state=DeliveryState.WAITING)
        waiting.update(state=DeliveryState.FAILED, next_at=None, error="The webhook was switched off.")
    record(
        kind="webhook.enabled" if on else "webhook.disabled",
        subject=webhook,
        project=webhook.project,
        actor=actor,
        why=why,
    )


@transaction.atomic
def remove_webhook(*, webhook: Webhook, actor: User) -> None:
    """With its deliveries; the ledger keeps that it was there."""
    record(kind="webhook.removed", subject=webhook, project=webhook.project, actor=actor, url=webhook.url)
    webhook.delete()


@transaction.atomic
def ping(*, webhook: Webhook, actor: User | None = None) -> Delivery:
    """A message that says nothing, to see whether one arrives."""
    record(kind="webhook.tested", subject=webhook, project=webhook.project, actor=actor)
    return _ping(webhook)


def _ping(webhook: Webhook) -> Delivery:
    now, source = timezone.now(), f"{PING}-{secrets.token_hex(8)}"
    payload = {"id": source, "kind": PING, "project": webhook.project.slug, "at": now.isoformat()}
    transaction.on_commit(wake_webhooks)
    return webhook.deliveries.create(source=source, kind=PING, payload=payload, next_at=now, asked_at=now)


@transaction.atomic
def send_again(*, delivery: Delivery, actor: User | None = None) -> None:
    """Once more, under the same id, for another day; also of what had arrived."""
    now = timezone.now()
    again = {"state": DeliveryState.WAITING, "next_at": now, "asked_at": now, "attempts": 0, "error": ""}
    hook, ended = delivery.webhook, Delivery.objects.filter(pk=delivery.pk).exclude(state=DeliveryState.WAITING)
    if not ended.update(**again):
        return
    record(kind="webhook.resent", subject=hook, project=hook.project, actor=actor, source=delivery.source)
    transaction.on_commit(wake_webhooks)
