"""The whole database into another one, of the same kind or not: all of it, read back and compared, or nothing."""

from collections.abc import Callable
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils import timezone

from annotate.ledger import guard
from worker.models import Node
from worker.upkeep import tables as stream
from worker.upkeep.tables import Table
from worker.upkeep.target import has_tables, make_tables, migrations_of, reached, rows_in, tell_planner

Report = Callable[[str, int, int], object]
AWAKE = timedelta(seconds=20)  # a worker that lives says so more often


def move_database(*, url: str, report: Report, source: str = DEFAULT_DB_ALIAS) -> dict:
    """Copy every table to the empty database at the address, and compare each row of each; {"tables": {name: rows}}.

    The source is locked against writers until the end: one that the site did not stop waits, and fails. ValueError
    where somebody works, where the target is not empty, and where a row differs: then nothing is in the target.
    """
    _refuse_while_in_use(source)
    with reached(url) as target:
        if not has_tables(target):
            report("making the tables", 0, 1)
            make_tables(target)
        _refuse_unlike(source, target)
        moved = _move(source, target, report)
        tell_planner(target)
    return {"tables": moved, "rows": sum(moved.values()), "verified": True}


def _move(source: str, target: str, report: Report) -> dict[str, int]:
    tables = stream.all_tables()
    with transaction.atomic(using=source), transaction.atomic(using=target):
        keep_writers_out(source, tables)
        stream.empty(target, tables)
        for n, table in enumerate(tables):
            report(f"copying {table.name}", n, len(tables))
            stream.write(target, table, stream.read(source, table))
            stream.set_last_number(target, table, stream.last_number(source, table))
        moved = {}
        for n, table in enumerate(tables):
            report(f"comparing {table.name}", n, len(tables))
            moved[table.name] = stream.compare(table, stream.read(source, table), stream.read(target, table))
        connections[target].check_constraints()
        guard(using=target)
    report("done", len(tables), len(tables))
    return moved


def keep_writers_out(alias: str, tables: list[Table]) -> None:
    """SQLite's transaction has the only write lock from its begin; PostgreSQL is asked for one on every table."""
    connection = connections[alias]
    if connection.vendor == "postgresql":
        names = ", ".join(connection.ops.quote_name(table.name) for table in tables)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '10s'")
            cursor.execute(f"LOCK TABLE {names} IN SHARE MODE")


def _refuse_while_in_use(source: str) -> None:
    awake = Node.objects.using(source).filter(seen_at__gt=timezone.now() - AWAKE)
    if names := ", ".join(awake.values_list("name", flat=True)):
        raise ValueError(f"Stop the site first, web processes and workers: {names} is at work.")


def _refuse_unlike(source: str, target: str) -> None:
    """Both must have the tables of this code, and the target no rows."""
    if migrations_of(source) != migrations_of(target):
        raise ValueError("The two databases are not of one version: run manage.py migrate, and give an empty target.")
    if found := rows_in(target, stream.all_tables()):
        name, rows = next(iter(found.items()))
        raise ValueError(f"The target is not empty: {name} holds {rows:,} rows. Give a new database.")
