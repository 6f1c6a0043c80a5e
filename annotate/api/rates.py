"""So many requests per user and period, by however many tokens; a model is a user of its own.

The counters may be lost: then nobody is refused. They lie in Django's cache. With Redis all web processes count
together; without, each counts its own.
"""

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponseBase

SECONDS = {"s": 1, "min": 60, "h": 3600}
AGAIN = 5.0  # seconds after which a cache that failed is asked again: no request waits for it meanwhile
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rate:
    """What a user has left in this period."""

    limit: int
    left: int
    seconds: int  # to the next period

    @property
    def exceeded(self) -> bool:
        return self.left < 0

    def told(self, response: HttpResponseBase) -> HttpResponseBase:
        """The response with the headers that say so."""
        response.headers["RateLimit-Limit"] = str(self.limit)
        response.headers["RateLimit-Remaining"] = str(max(self.left, 0))
        response.headers["RateLimit-Reset"] = str(self.seconds)
        return response


def read_rate(text: str) -> tuple[int, int]:
    """ "600/min" is (600, 60). ValueError for all that is no rate."""
    count, _, period = text.partition("/")
    if not count.isdecimal() or period not in SECONDS:
        raise ValueError(f"API_RATE is {text!r}, but must be like 600/min, 10/s or 5000/h")
    return int(count), SECONDS[period]


def spend(user_id: int, now: float | None = None) -> Rate:
    """Count one request of the user."""
    limit, period = read_rate(settings.API_RATE)
    window, into = divmod(now if now is not None else time.time(), period)
    return Rate(limit, limit - _count(f"api-rate:{user_id}:{window:.0f}", period), int(period - into) + 1)


_failed_at = -AGAIN


def _count(key: str, period: int) -> int:
    """How many there were, with this one; 0 where the cache cannot be asked."""
    global _failed_at
    if time.monotonic() < _failed_at + AGAIN:
        return 0
    try:
        return 1 if cache.add(key, 1, period + 1) else cache.incr(key)
    except ValueError:  # it ran out between the two
        return 1
    except Exception as error:  # whatever a backend raises that has lost its server
        _failed_at = time.monotonic()
        log.warning("Requests are not counted for %s s, the cache does not answer: %s", AGAIN, error)
        return 0
