"""Every table as a stream of rows that any database takes: read in the order of the key, written in bulk, compared.

A row is a tuple of plain values, the same whichever database it comes from: JSON is decoded, times are aware, truth is
True or False, bytes are bytes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice, zip_longest

from django.apps import apps
from django.apps.registry import Apps
from django.db import connections, models

BATCH = 500  # rows in memory; texts may be long
MADE_BY_MIGRATE = ("auth_permission", "django_content_type")  # rows of a database that nobody has used yet
KINDS: tuple[tuple[type[models.Field], str], ...] = (
    (models.JSONField, "json"),
    (models.DateTimeField, "time"),
    (models.BinaryField, "bytes"),
    (models.BooleanField, "bool"),
)
PLAIN = (models.CharField, models.TextField, models.IntegerField, models.FloatField)
Row = tuple


@dataclass(frozen=True)
class Table:
    """A table and the kinds of its columns; rows come in the order of `key`."""

    name: str
    key: str
    columns: tuple[tuple[str, str], ...]  # name, kind
    numbered: bool  # whether the database gives the keys
    worded: bool = False  # whether they are text

    @classmethod
    def of(cls, model: type[models.Model]) -> "Table":
        own, key = model._meta.local_concrete_fields, model._meta.pk
        columns = tuple((field.column, kind_of(field)) for field in own)
        numbered, worded = isinstance(key, models.AutoField), isinstance(key, models.CharField)
        return cls(model._meta.db_table, key.column, columns, numbered, worded)

    @classmethod
    def read(cls, raw: dict) -> "Table":
        """What `as_dict` wrote."""
        return cls(**raw | {"columns": tuple(map(tuple, raw["columns"]))})

    def as_dict(self) -> dict:
        return asdict(self)

    @property
    def place(self) -> int:
        """Of the key in a row."""
        return [name for name, _ in self.columns].index(self.key)


def kind_of(field: models.Field) -> str:
    """How the column's values are read and written; TypeError for a field that nobody has thought of."""
    field = field.target_field if field.remote_field else field
    if found := next((kind for cls, kind in KINDS if isinstance(field, cls)), None):
        return found
    if isinstance(field, PLAIN):
        return "plain"
    raise TypeError(f"{field} is of a kind that tables are not moved with yet")


def all_models(registry: Apps = apps) -> list[type[models.Model]]:
    """Every model with a table of its own, links between many and many among them, in the order of their tables."""
    found = [one for one in registry.get_models(include_auto_created=True) if one._meta.managed and not one._meta.proxy]
    return sorted(found, key=lambda model: model._meta.db_table)


def all_tables() -> list[Table]:
    return [Table.of(model) for model in all_models()]


# ---- Reading


def read(alias: str, table: Table) -> Iterator[Row]:
    """The rows in the order of their keys, some at a time. To be called inside a transaction, or frozen()."""
    decode = _decoders(alias, table)
    quote = connections[alias].ops.quote_name
    names = ", ".join(quote(name) for name, _ in table.columns)
    # Both databases put words into one order: that of their bytes.
    order = quote(table.key) + (' COLLATE "C"' if table.worded and connections[alias].vendor == "postgresql" else "")
    with connections[alias].chunked_cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {quote(table.name)} ORDER BY {order}")  # nosec B608
        while rows := cursor.fetchmany(BATCH):
            for row in rows:
                yield tuple(v if v is None or d is None else d(v) for d, v in zip(decode, row, strict=True))


def _decoders(alias: str, table: Table) -> list[Callable | None]:
    lite = connections[alias].vendor == "sqlite"
    known = {"json": json.loads, "time": _time if lite else None, "bytes": bytes, "bool": bool, "plain": None}
    return [known[kind] for _, kind in table.columns]


def _time(value: str | datetime) -> datetime:
    """SQLite keeps UTC as text without saying so."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def count(alias: str, table: Table) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connections[alias].ops.quote_name(table.name)}")  # nosec B608
        return cursor.fetchone()[0]


# ---- Writing


def write(alias: str, table: Table, rows: Iterable[Row]) -> int:
    """Add the rows; references are looked at when the transaction ends, so that any order will do."""
    lite, source, done = connections[alias].vendor == "sqlite", iter(rows), 0
    put, encode = _insert if lite else _copy, _encoders(alias, table)
    while some := list(islice(source, BATCH)):
        put(alias, table, [tuple(e(v) if e else v for e, v in zip(encode, row, strict=True)) for row in some])
        done += len(some)
    return done


def _encoders(alias: str, table: Table) -> list[Callable | None]:
    """A JSON column that holds null is not empty."""
    ops, lite = connections[alias].ops, connections[alias].vendor == "sqlite"
    known = {"json": json.dumps, "time": ops.adapt_datetimefield_value if lite else None}
    return [known.get(kind) for _, kind in table.columns]


def _insert(alias: str, table: Table, rows: Sequence[Row]) -> None:
    quote = connections[alias].ops.quote_name
    names = ", ".join(quote(name) for name, _ in table.columns)
    places = ", ".join(["%s"] * len(table.columns))
    with connections[alias].cursor() as cursor:
        cursor.executemany(f"INSERT INTO {quote(table.name)} ({names}) VALUES ({places})", rows)  # nosec B608


def _copy(alias: str, table: Table, rows: Sequence[Row]) -> None:
    quote = connections[alias].ops.quote_name
    names = ", ".join(quote(name) for name, _ in table.columns)
    with (
        connections[alias].wrap_database_errors,
        connections[alias].cursor() as cursor,
        cursor.copy(f"COPY {quote(table.name)} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def empty(alias: str, tables: Iterable[Table]) -> None:
    """Remove every row. SQLite's triggers that keep the ledger are lifted first; a migration signal sets them again."""
    connection = connections[alias]
    names = [connection.ops.quote_name(table.name) for table in tables]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(names)}")
            return
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (trigger,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(trigger)}")
        for name in names:
            cursor.execute(f"DELETE FROM {name}")  # nosec B608


# ---- Numbers


def last_number(alias: str, table: Table) -> int:
    """The highest key that was ever given, also to a row that is gone."""
    if not table.numbered:
        return 0
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "sqlite":
            cursor.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = %s", [table.name])
        else:
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'"{table.name}"', table.key])
            cursor.execute(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {cursor.fetchone()[0]}")  # nosec B608
        return cursor.fetchone()[0]


def set_last_number(alias: str, table: Table, last: int) -> None:
    """The next row gets a higher one."""
    if not table.numbered or not last:
        return
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table.name])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table.name, last])
        else:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [f'"{table.name}"', table.key, last])


# ---- Comparing


def compare(table: Table, expected: Iterable[Row], found: Iterable[Row]) -> int:
    """How many rows there are, each of them the same on both sides; ValueError names the first key and column."""
    same, at = 0, table.place
    for one, other in zip_longest(expected, found):
        if one == other:
            same += 1
            continue
        if one is None or other is None or one[at] != other[at]:
            key = min(row[at] for row in (one, other) if row is not None)
            raise ValueError(f"{table.name}: the row with {table.key} {key} is on one side alone")
        column = next(name for (name, _), a, b in zip(table.columns, one, other, strict=True) if a != b)
        raise ValueError(f"{table.name}: the row with {table.key} {one[at]} differs in {column}")
    return same
