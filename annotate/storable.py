"""Text that PostgreSQL cannot hold: a NUL, or half of a surrogate pair. Whoever sends it asks for nothing sensible.

Held at the one place that all text passes on its way, whatever header, address, form or JSON it came by.
"""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.db import DataError
from django.db.backends.base.base import BaseDatabaseWrapper

SAID = ("NUL (0x00)", "unsupported Unicode escape sequence")  # by psycopg, by the server of JSON


class Unstorable(SuspiciousOperation, ValueError):
    """Answered by 400."""


def refuse_unstorable(execute: Callable, *arguments: object) -> object:
    """What execute(*arguments) gives; Unstorable if its values cannot be stored."""
    try:
        return execute(*arguments)
    except (ValueError, DataError) as error:
        if isinstance(error, UnicodeEncodeError) or any(words in str(error) for words in SAID):
            raise Unstorable("Text with a NUL or half a character cannot be stored.") from error
        raise


def watch(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Whenever a connection is made."""
    if connection.vendor == "postgresql" and refuse_unstorable not in connection.execute_wrappers:
        connection.execute_wrappers.append(refuse_unstorable)
