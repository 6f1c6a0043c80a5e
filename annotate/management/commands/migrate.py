"""manage.py migrate, as Django has it, while the site serves and other hosts migrate as well."""

import contextlib
import fcntl
import time
from collections.abc import Iterator

from django.conf import settings
from django.core.management.commands import migrate
from django.db import OperationalError, connections

LOCK = 0x746F756368  # "touch": the key of the advisory lock
WAIT = "3s"  # for a lock on a table: whoever comes after a waiting migration waits as well
TRIES, PAUSE = 40, 1.0
LEFT = """SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid
          WHERE NOT indisvalid AND c.relnamespace = current_schema()::regnamespace"""


class Command(migrate.Command):
    """One host migrates and the others wait for it, then find nothing left to do. A migration that does not get its
    lock soon lets go, so that nobody queues behind it, and tries again."""

    def handle(self, *args: object, **options: object) -> None:
        connection = connections[options["database"]]
        with _alone(connection):
            for left in reversed(range(TRIES)):
                try:
                    return super().handle(*args, **options)
                except OperationalError as error:
                    if not (left and _was_locked_out(error)):
                        raise
                    self.stderr.write(f"A table is in use; trying again ({left} times more).", style_func=str)
                    _sweep(connection)
                    time.sleep(PAUSE)


@contextlib.contextmanager
def _alone(connection) -> Iterator[None]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # until the end, or until this process is gone
            cursor.execute(f"SET lock_timeout = '{WAIT}'")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    else:
        with (settings.VAR_DIR / "migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _was_locked_out(error: OperationalError) -> bool:
    """55P03, lock not available, or 40P01, chosen to give way."""
    return getattr(error.__cause__, "sqlstate", "") in ("55P03", "40P01")


def _sweep(connection) -> None:
    """An index whose making was broken off is of no use, and its name is taken."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT)
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")
