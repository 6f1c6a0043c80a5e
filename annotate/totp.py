"""Codes of an authenticator app (RFC 6238): six digits, another one every 30 seconds."""

import segno
from pyotp import TOTP, random_base32
from pyotp.utils import strings_equal

SECONDS, DRIFT = 30, 1  # a phone's clock may be one step early or late


def new_secret() -> str:
    """160 random bits, in base 32."""
    return random_base32()


def step_of(secret: str, code: str, now: float) -> int | None:
    """The step that the code is good for, if it is good now."""
    here = int(now) // SECONDS
    steps = [
        step for step in range(here - DRIFT, here + DRIFT + 1) if strings_equal(TOTP(secret).generate_otp(step), code)
    ]
    return steps[-1] if steps else None


def picture(secret: str, name: str) -> str:
    """The QR code that an app reads, as an address for <img>; black on white, whatever the page is."""
    uri = TOTP(secret).provisioning_uri(name=name, issuer_name="Touchstone")
    return segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="white")
