"""Reading a database as it was at one moment, whatever others write meanwhile."""

import contextlib
from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS, connections, transaction


@contextlib.contextmanager
def frozen(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """All reads inside see the moment of the first of them, and nobody waits; inside a transaction, what that sees."""
    connection = connections[alias]
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        with _deferred(connection):
            yield
    else:
        with transaction.atomic(using=alias):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


@contextlib.contextmanager
def _deferred(connection) -> Iterator[None]:
    """Django would begin with IMMEDIATE, which keeps writers waiting."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
