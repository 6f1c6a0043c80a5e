"""The door between requests and accounts: who guesses from where, which browser is known, and coming in."""

import contextlib
import secrets
import time
from collections.abc import Iterator

from django.conf import settings
from django.contrib import auth
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.crypto import salted_hmac

from annotate.address import client_address, network_of
from annotate.models import User
from annotate.services.sign_in import guessed_wrong, signed_in
from annotate.services.throttle import TooMany, charge, give_back

KNOWN_FOR = 365 * 24 * 3600
CODE_WITHIN = 10 * 60  # seconds after the password
CLOSE, WIDE = 5, 50  # guesses without a wait: at one account from one place, and in all


def address_of(request: HttpRequest) -> str:
    """The client's address, behind as many proxies as TRUSTED_PROXIES says."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return client_address(request.META.get("REMOTE_ADDR") or "", forwarded, settings.TRUSTED_PROXIES)


@contextlib.contextmanager
def guess(request: HttpRequest, name: str, what: str = "password") -> Iterator[None]:
    """Counts as a wrong guess at the account unless the block ends well; ValidationError while it is too early."""
    free = _counted(request, name, what)
    try:
        charged = charge(free=free)
    except TooMany as too_many:
        raise _too_early(too_many.seconds) from None
    try:
        yield
    except ValidationError:
        guessed_wrong(name=name, address=address_of(request), what=what)
        raise
    give_back(names=free, charged=charged)


def _counted(request: HttpRequest, name: str, what: str) -> dict[str, int]:
    """What the guess counts against, the narrowest first.

    A browser in which this account was signed in before counts for itself alone. So whoever guesses from elsewhere
    makes other strangers wait, and never the person whose account it is.
    """
    if known := _known(request, name):
        return {f"{what} {name} by {known}": CLOSE}
    network = network_of(address_of(request))
    return {f"{what} {name} from {network}": CLOSE, f"{what} {name}": WIDE, f"from {network}": WIDE}


def _too_early(seconds: int) -> ValidationError:
    words = f"{seconds} second{'s' * (seconds != 1)}" if seconds < 100 else f"{round(seconds / 60)} minutes"
    return ValidationError(
        "Too many wrong tries. Wait %(words)s, then try again.", "throttled", {"words": words, "seconds": seconds}
    )


def come_in(request: HttpRequest, user: User, to: str) -> HttpResponse:
    """Sign in: another session key and CSRF token than before, and this browser is known from now on."""
    auth.login(request, user)
    request.session.pop("waits_for_code", None)
    request.session["began"] = int(time.time())
    signed_in(user=user, address=address_of(request))
    response, name = HttpResponseRedirect(to), user.get_username()
    safe = {"secure": settings.HTTPS, "httponly": True, "samesite": "Lax", "max_age": KNOWN_FOR}
    response.set_signed_cookie(_cookie(name), secrets.token_hex(8), salt=name, **safe)
    return response


def ask_code(request: HttpRequest, user: User, to: str) -> HttpResponse:
    """The password was right; another session key, in which the code is waited for."""
    request.session.cycle_key()
    waits = {"user": user.pk, "hash": user.get_session_auth_hash(), "until": time.time() + CODE_WITHIN, "to": to}
    request.session["waits_for_code"] = waits
    return redirect("annotate:code")


def who_waits(request: HttpRequest) -> tuple[User, str] | None:
    """Whose code is waited for, and where they go then; None if nobody's, or too long ago, or the password changed."""
    waits = request.session.get("waits_for_code") or {"user": 0, "until": 0}
    user = User.objects.filter(pk=waits["user"], is_active=True).first()
    if not user or time.time() > waits["until"] or user.get_session_auth_hash() != waits["hash"]:
        return None
    return user, waits["to"]


def _known(request: HttpRequest, name: str) -> str:
    """What tells this browser from others, if the account was signed in here within a year; else nothing."""
    return request.get_signed_cookie(_cookie(name), default="", salt=name, max_age=KNOWN_FOR)


def _cookie(name: str) -> str:
    prefix = "__Host-" if settings.HTTPS else ""
    return f"{prefix}known-{salted_hmac('annotate.door', name).hexdigest()[:12]}"
