"""Keys of requests that were answered."""

from datetime import timedelta

from django.utils import timezone

from annotate.models import IdempotencyKey

KEPT = timedelta(hours=24)


def forget_old_keys() -> int:
    """Delete keys that are older than a day; returns how many there were."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
