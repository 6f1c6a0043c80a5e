"""Sending: each waiting delivery is claimed, posted outside of any transaction, and then its outcome is written.

At least once: whoever is killed between the answer and the writing sends again later, under the same id. A delivery
is tried again after 10 s, 20 s, 40 s … until a day is over. A webhook that fails rests a while, so that one dead
address neither holds up the others nor is knocked at all day, and is switched off after OFF_AFTER without a success.
"""

import json
import logging
import random
import time
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from worker import outgoing
from worker.models import Delivery, Webhook
from worker.models.webhook import DeliveryState
from worker.services.webhook import signature, switch_webhook

log = logging.getLogger(__name__)
FIRST = timedelta(seconds=10)
A_DAY = timedelta(days=1)
OFF_AFTER = timedelta(days=3)
CLAIMED = timedelta(minutes=2)  # longer than one sending takes: then whoever claimed it is dead
NO_REDIRECT = " Redirects are not followed: give the address that they lead to."
REST = timedelta(seconds=5), timedelta(minutes=5)  # at least and at most, after a failure of the webhook


def send_due(*, seconds: float) -> int:
    """Send what is due until the time is over; returns how many arrived. Any number may do so at once."""
    end, arrived, now = time.monotonic() + seconds, 0, timezone.now()
    rested = Q(resume_at=None) | Q(resume_at__lte=now)
    due = {"deliveries__state": DeliveryState.WAITING, "deliveries__next_at__lte": now}
    for hook in Webhook.objects.filter(rested, enabled=True, **due).distinct():
        arrived += _send_all(hook, end)
    return arrived


def _send_all(hook: Webhook, end: float) -> int:
    """What is due of one webhook, up to its first failure."""
    arrived = 0
    while time.monotonic() < end and (delivery := _claim(hook)):
        if not _send(hook, delivery):
            break
        arrived += 1
    return arrived


def _claim(hook: Webhook) -> Delivery | None:
    """The delivery that is due longest, taken by compare-and-set: nobody else sends it meanwhile."""
    now = timezone.now()
    waiting = hook.deliveries.filter(state=DeliveryState.WAITING, next_at__lte=now).order_by("next_at", "pk")
    for one in waiting[:10]:
        mine = Delivery.objects.filter(pk=one.pk, state=DeliveryState.WAITING, next_at=one.next_at)
        if mine.update(next_at=now + CLAIMED, attempts=F("attempts") + 1):
            one.refresh_from_db()
            return one
    return None


def _send(hook: Webhook, delivery: Delivery) -> bool:
    body, now = json.dumps(delivery.payload).encode(), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Touchstone",
        "webhook-id": delivery.source,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(hook, delivery.source, now, body),
    }
    try:
        status = outgoing.post(hook.url, body, headers)
        error = "" if 200 <= status < 300 else f"The answer was {status}.{NO_REDIRECT if 300 <= status < 400 else ''}"
    except outgoing.FAILURES as failure:
        status, error = None, outgoing.words(failure)
    _write(hook, delivery, status, error)
    return not error


def _write(hook: Webhook, delivery: Delivery, status: int | None, error: str) -> None:
    """The outcome; of a delivery that was switched off or sent again meanwhile, that stands."""
    now = timezone.now()
    mine = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING, next_at=delivery.next_at)
    if not error:
        mine.update(state=DeliveryState.DELIVERED, status=status, error="", delivered_at=now, next_at=None)
        Webhook.objects.filter(pk=hook.pk).update(failing_since=None, resume_at=None)
        return
    later = next_try(delivery.attempts, delivery.asked_at, now)
    state = DeliveryState.WAITING if later else DeliveryState.FAILED
    mine.update(state=state, status=status, error=error, next_at=later)
    _rest(hook, now, error)


def next_try(attempts: int, asked_at: datetime, now: datetime) -> datetime | None:
    """When, after so many failures; None when the day would be over by then."""
    later = now + FIRST * 2 ** min(attempts - 1, 16) * random.uniform(0.8, 1.2)  # nosec B311
    return later if later < asked_at + A_DAY else None


def _rest(hook: Webhook, now: datetime, error: str) -> None:
    """As long as it has been failing, within REST. Removed meanwhile, it rests for good."""
    if not Webhook.objects.filter(pk=hook.pk).update(failing_since=Coalesce("failing_since", now)):
        return
    since = Webhook.objects.values_list("failing_since", flat=True).get(pk=hook.pk)
    if now - since > OFF_AFTER:
        log.warning("%s has failed since %s and is switched off", hook, since)
        switch_webhook(webhook=hook, on=False, why=f"Nothing arrived for {OFF_AFTER.days} days. {error}")
        return
    least, most = REST
    Webhook.objects.filter(pk=hook.pk).update(resume_at=now + min(max(now - since, least), most))
