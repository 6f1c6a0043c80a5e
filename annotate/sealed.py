"""Secrets that we must read again, sealed by a key made from SECRET_KEY: a copy of the database alone opens nothing.

What was sealed by a key of SECRET_KEY_FALLBACKS is still opened, and sealed by the new one at its next use.
"""

import base64

from django.conf import settings
from django.utils.crypto import salted_hmac


class Unsealable(ValueError):
    """Sealed by a key that is gone."""


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text; Unsealable if its key is gone."""
    from cryptography.fernet import InvalidToken

    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken:
        raise Unsealable("SECRET_KEY is another one than when this was sealed.") from None


def _box():
    from cryptography.fernet import Fernet, MultiFernet  # only who has a second factor waits for it

    return MultiFernet([Fernet(_key(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> bytes:
    made = salted_hmac("annotate.sealed", "key", secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(made)
