"""A database that is no setting of this site: reached under a name of its own, with our tables made in it."""

import contextlib
from collections.abc import Iterator

import environ
from django.core.management import call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import load_backend

from worker.upkeep.tables import MADE_BY_MIGRATE, Table, count

TARGET = "target"


@contextlib.contextmanager
def reached(url: str) -> Iterator[str]:
    """The alias under which the database of that address can be used."""
    options = environ.Env.db_url_config(url)
    if not options.get("ENGINE", "").endswith(("postgresql", "sqlite3")):
        raise ValueError("Give the address as postgres://user:password@host/name or sqlite:///path.")
    if options["ENGINE"].endswith("sqlite3"):
        options["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 30}
    # What the handler of the site's own databases fills in.
    plain = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
    plain |= {"OPTIONS": {}, "TIME_ZONE": None, "TEST": {}, "USER": "", "PASSWORD": "", "HOST": "", "PORT": ""}  # nosec B105
    connections[TARGET] = load_backend(options["ENGINE"]).DatabaseWrapper(plain | options, TARGET)
    try:
        yield TARGET
    finally:
        connections[TARGET].close()
        del connections[TARGET]


def migrations_of(alias: str) -> list[list[str]]:
    """[app, name] of what was applied."""
    return sorted(map(list, MigrationRecorder(connections[alias]).applied_migrations()))


def has_tables(alias: str) -> bool:
    return bool(connections[alias].introspection.table_names())


def make_tables(alias: str) -> None:
    call_command("migrate", database=alias, verbosity=0, interactive=False)


def rows_in(alias: str, tables: list[Table]) -> dict[str, int]:
    """Tables that hold rows, but for those that a migration fills."""
    counts = {table.name: count(alias, table) for table in tables if table.name not in MADE_BY_MIGRATE}
    return {name: n for name, n in counts.items() if n}


def tell_planner(alias: str) -> None:
    """Queries are planned for tables as they are now, not for empty ones."""
    with connections[alias].cursor() as cursor:
        cursor.execute("ANALYZE")
