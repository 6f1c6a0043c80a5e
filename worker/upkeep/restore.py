"""An archive becomes an installation again: checked whole first, and then all of it or nothing."""

from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from annotate.ledger import guard
from worker.upkeep import tables as stream
from worker.upkeep.archive import SECRET, Reader, Report
from worker.upkeep.files import keep, room
from worker.upkeep.target import has_tables, make_tables, migrations_of, rows_in, tell_planner

OURS = ("annotate", "worker")


def restore(*, path: Path, report: Report, replace: bool = False, alias: str = DEFAULT_DB_ALIAS) -> dict:
    """Load the archive into the database and the store of the settings; {"rows", "files", "migrated", "secret_key"}.

    Files come first: until the one transaction ends that brings all rows, nothing names them. ValueError where a part
    is damaged, where the archive is of a newer Touchstone, and where there is something already, unless it is to be
    replaced.
    """
    reader = Reader(path)
    reader.check(report)
    states = _states(reader, alias)
    _refuse_unlike(reader, replace, alias)
    _refuse_without_room(reader)
    if not has_tables(alias):
        report("making the tables", 0, 1)
        MigrationExecutor(connections[alias]).migrate(states)
    for n, name in enumerate(reader.files()):
        report("writing files", n, len(reader.files()))
        kind, _, rest = name.partition("/")
        keep(kind, rest, reader.chunks(name))
    rows = _load(reader, report, alias)
    make_tables(alias)
    migrated = migrations_of(alias) != _ours(reader)
    tell_planner(alias)
    secret = SECRET in reader.parts and _keep_secret(reader)
    return {"rows": rows, "files": len(reader.files()), "migrated": migrated, "secret_key": secret}


def _ours(reader: Reader) -> list[list[str]]:
    return sorted(reader.manifest["migrations"])


def _states(reader: Reader, alias: str) -> list[tuple[str, str]]:
    """The leaves of the migrations that the archive was written under; ValueError where this code lacks one."""
    graph, written = MigrationExecutor(connections[alias]).loader.graph, {tuple(one) for one in _ours(reader)}
    if unknown := sorted(one for one in written - set(graph.nodes) if one[0] in OURS):
        raise ValueError(
            f"The backup is of a newer Touchstone (migration {unknown[0][0]}.{unknown[0][1]}): "
            "restore it with that one."
        )
    known = written & set(graph.nodes)
    return sorted(node for node in known if not any(child.key in known for child in graph.node_map[node].children))


def _refuse_unlike(reader: Reader, replace: bool, alias: str) -> None:
    if not has_tables(alias):
        return
    if migrations_of(alias) != _ours(reader):
        raise ValueError(
            "The backup is of an older Touchstone. Point DATABASE_URL at a new database without tables (for SQLite, "
            "move the file away): it is made as it was then, filled, and migrated."
        )
    if (found := rows_in(alias, reader.tables())) and not replace:
        name, rows = next(iter(found.items()))
        raise ValueError(
            f"There is something here already: {name} holds {rows:,} rows. Restore into an empty installation, or "
            "give --replace, which forgets all that is here."
        )


def _refuse_without_room(reader: Reader) -> None:
    wanted = sum(reader.parts[name]["bytes"] for name in reader.files())
    if wanted > (free := room()):
        raise ValueError(f"The files of the backup take {wanted:,} bytes, and {free:,} are free.")


def _load(reader: Reader, report: Report, alias: str) -> int:
    """Every row read back and compared before the transaction ends."""
    tables, rows = reader.tables(), 0
    with transaction.atomic(using=alias):
        stream.empty(alias, tables)
        for n, table in enumerate(tables):
            report(f"loading {table.name}", n, len(tables))
            stream.write(alias, table, reader.rows(table))
            stream.set_last_number(alias, table, reader.manifest["last_numbers"][table.name])
            rows += stream.compare(table, reader.rows(table), stream.read(alias, table))
        connections[alias].check_constraints()
        guard(using=alias)
    report("loaded", len(tables), len(tables))
    return rows


def _keep_secret(reader: Reader) -> bool:
    """For the next start, unless the environment names one."""
    path = settings.VAR_DIR / "secret_key"
    path.touch(mode=0o600)
    path.write_bytes(b"".join(reader.chunks(SECRET)))
    return True
