"""What the database itself promises: migrations, its own files and constraints, references, sequences."""

from collections.abc import Iterator, Sequence

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor

from worker.upkeep.doctor.fault import Check, Fault
from worker.upkeep.tables import all_models

UNTRUSTED = """SELECT conrelid::regclass || ' ' || conname FROM pg_constraint
               WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
               UNION ALL SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid
               WHERE NOT indisvalid AND c.relnamespace = current_schema()::regnamespace"""


def _migrations() -> Iterator[Fault]:
    executor = MigrationExecutor(connection)
    known = executor.loader.disk_migrations
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Fault(f"migration {migration.app_label}.{migration.name}", "is not applied")
    for app, name in sorted(executor.loader.applied_migrations):
        if app in ("annotate", "worker") and (app, name) not in known:
            yield Fault(f"migration {app}.{name}", "was applied by a newer Touchstone than this one")


def _pages() -> Iterator[Fault]:
    """SQLite reads its whole file, with every index and constraint; PostgreSQL says what it does not vouch for."""
    lite = connection.vendor == "sqlite"
    for (line,) in _rows("PRAGMA integrity_check" if lite else UNTRUSTED):
        if line != "ok":
            yield Fault("database", line if lite else f"{line} is not validated")


def _references() -> Iterator[Fault]:
    quote = connection.ops.quote_name
    for model in all_models():
        for field in model._meta.local_concrete_fields:
            if field.remote_field is None:
                continue
            own, other = quote(model._meta.db_table), quote(field.related_model._meta.db_table)
            key, target = quote(model._meta.pk.column), quote(field.target_field.column)
            column = quote(field.column)
            sql = (
                f"SELECT a.{key}, a.{column} FROM {own} a "  # nosec B608  # quoted names of our own
                f"LEFT JOIN {other} b ON b.{target} = a.{column} "
                f"WHERE a.{column} IS NOT NULL AND b.{target} IS NULL"
            )
            for pk, missing in _rows(sql):
                yield Fault(f"{model._meta.db_table} {pk}", f"names {field.name} {missing}, which is not there")


def _sequences() -> Iterator[Fault]:
    """SQLite never gives a number again that is in use; PostgreSQL does what its sequence says."""
    if connection.vendor != "postgresql":
        return
    for model in all_models():
        key, table = model._meta.pk, model._meta.db_table
        if not isinstance(key, models.AutoField | models.BigAutoField | models.SmallAutoField):
            continue
        [(name,)] = _rows("SELECT pg_get_serial_sequence(%s, %s)", [f'"{table}"', key.column])
        [(last,)] = _rows(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}")  # nosec B608
        [(most,)] = _rows(f'SELECT coalesce(max("{key.column}"), 0) FROM "{table}"')  # nosec B608
        if last < most:
            yield Fault(table, f"its next number would be {last + 1}, but number {most} is used", model._meta.label)


@transaction.atomic
def set_sequences(labels: Sequence[str]) -> int:
    """Let the numbers of these models go on after the highest in use."""
    chosen = [apps.get_model(label) for label in labels]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), chosen):
            cursor.execute(sql)
    return len(chosen)


def _rows(sql: str, parameters: Sequence = ()) -> Iterator[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(1000):
            yield from rows


FIRST = (
    Check(
        "migrations",
        "The tables are not those that this code reads and writes.",
        "Run manage.py migrate; where the database is newer, run the newer Touchstone.",
        _migrations,
    ),
)
CHECKS = (
    *FIRST,
    Check(
        "pages",
        "The database's own files or constraints are damaged.",
        "Restore the newest backup (manage.py restore); look at the disk first. An invalid index: REINDEX it.",
        _pages,
    ),
    Check(
        "references",
        "A row names another that is gone: pages that show it fail.",
        "Rows were deleted behind Touchstone's back: restore a backup, or delete the row that is left.",
        _references,
    ),
    Check(
        "sequences",
        "New rows would get numbers that are taken, and be refused.",
        "Run manage.py doctor --repair.",
        _sequences,
        set_sequences,
    ),
)
