"""Wrong guesses, counted in the database: waits that grow, for ever shorter than a lock-out.

A guess is charged before it is checked and given back when it was right, so guesses sent side by side all count.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from annotate.models import Throttle

LONGEST = 15 * 60  # seconds
FORGOTTEN = timedelta(days=1)  # so long without a guess, and counting starts anew


class TooMany(Exception):
    """Nobody may guess for `seconds` yet."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


def wait_after(failures: int, free: int) -> int:
    """Seconds: none before `free` wrong guesses, then 1, 2, 4 … up to LONGEST."""
    return min(LONGEST, 2 ** min(failures - free, 20)) if failures >= free else 0


@transaction.atomic
def charge(*, free: Mapping[str, int]) -> datetime:
    """Count one guess against each name in `free`, which says how many it has without a wait; TooMany counts none."""
    came, free = timezone.now(), {_key(name): count for name, count in free.items()}
    new = [Throttle(key=key, last_at=came, until=came) for key in sorted(free)]
    Throttle.objects.bulk_create(new, ignore_conflicts=True)
    rows = list(Throttle.objects.select_for_update().filter(key__in=free).order_by("key"))
    now = timezone.now()  # read under the lock: who came earlier and got it later is not early
    if (until := max(row.until for row in rows)) > now:
        raise TooMany(math.ceil((until - now).total_seconds()))
    for row in rows:
        row.failures = 1 if row.last_at < now - FORGOTTEN else row.failures + 1
        row.last_at, row.until = now, now + timedelta(seconds=wait_after(row.failures, free[row.key]))
    Throttle.objects.bulk_update(rows, ["failures", "last_at", "until"])
    return now


@transaction.atomic
def give_back(*, names: Mapping[str, int], charged: datetime) -> None:
    """The guess was right: it counts no more. The narrowest name, which comes first, starts anew."""
    narrow, *wide = map(_key, names)
    rows = list(Throttle.objects.select_for_update().filter(key__in=[narrow, *wide]).order_by("key"))
    for row in rows:
        row.failures = 0 if row.key == narrow else max(0, row.failures - 1)
        if row.last_at == charged or row.key == narrow:  # else another has guessed since, and that wait stands
            row.until = charged
    Throttle.objects.bulk_update(rows, ["failures", "until"])


def forget_old() -> int:
    """Remove what counts no more; how many."""
    return Throttle.objects.filter(last_at__lt=timezone.now() - FORGOTTEN).delete()[0]


def _key(name: str) -> str:
    return salted_hmac("annotate.throttle", name, algorithm="sha256").hexdigest()
