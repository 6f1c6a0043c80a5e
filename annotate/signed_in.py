"""Whether sessions go on, for what stays open longer than a request."""

import time
from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from annotate.models import User


def ended_among(keys: Iterable[str]) -> frozenset[str]:
    """Those of the sessions that nobody is signed in by any more: signed out, too old, or of an older password."""
    keys = frozenset(keys)
    found = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    data = {session.session_key: session.get_decoded() for session in found}
    people = User.objects.in_bulk({one[SESSION_KEY] for one in data.values() if SESSION_KEY in one})
    return keys - {key for key, one in data.items() if _goes_on(one, people)}


def too_old(data: dict) -> bool:
    """Whether what a session holds began SESSION_MAX_DAYS ago, whatever was done since."""
    now = time.time()
    return data.get("began", now) < now - settings.SESSION_MAX_DAYS * 86400


def _goes_on(data: dict, people: dict[int, User]) -> bool:
    user = people.get(int(data.get(SESSION_KEY, 0)))
    if user is None or not user.is_active or too_old(data):
        return False
    good = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(data.get(HASH_SESSION_KEY, ""), one) for one in good)
