"""Queries of the hot path, whose SQL is worked out once: building and compiling one costs more than running it.

    ROLE = Prepared(lambda user, slug: Membership.objects.filter(user=user, project__slug=slug), user=int, slug=str)
    ROLE(user=7, slug="answers")    # what list() of the queryset gives
    ROLE.first(user=7, slug="answers")

PostgreSQL keeps the plan too. A value may not change the shape of the SQL: no None, no lists.
"""

import copy
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.sql import Query, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

from annotate.storable import refuse_unstorable

# Values that the compiled parameters are recognised by.
MARKS: dict[type, Callable[[int], object]] = {
    int: lambda n: 2**31 - 2 - n,
    str: lambda n: f"\x01value {n}",
    datetime: lambda n: datetime(1971, 1, 1, tzinfo=UTC) + timedelta(seconds=n),
}


# Values of these types go to the database as they are; whatever else stands in such a field is left to the field.
AS_THEY_ARE: dict[type[models.Field], frozenset[type]] = {
    models.CharField: frozenset({str}),
    models.TextField: frozenset({str}),
    models.PositiveIntegerField: frozenset({int}),
    models.PositiveSmallIntegerField: frozenset({int}),
    models.FloatField: frozenset({float}),
}


def no_index(column: str) -> models.ExpressionWrapper:
    """The number of a column, by which no index is read.

    While a table is empty one index looks like another, and a plan made then is kept: it may find one row by reading
    all of a person's, or of a project's, when there are thousands. So the hot path leaves no choice.
    """
    return models.ExpressionWrapper(models.F(column) + 0, models.BigIntegerField())


BULK = 250  # rows of one INSERT: PostgreSQL and SQLite take 32,000 values and more


class Prepared:
    """A queryset with named places for values; calling it runs the query."""

    def __init__(self, build: Callable[..., models.QuerySet], **places: type) -> None:
        self.build = build
        self.marks = {name: MARKS[kind](n) for n, (name, kind) in enumerate(places.items())}
        self.compiled: dict[str, tuple[models.QuerySet, SQLCompiler, str, list]] = {}

    def __call__(self, **values: object) -> list:
        connection = connections[DEFAULT_DB_ALIAS]
        if any(isinstance(value, int) and value >= 2**63 for value in values.values()):
            return []  # no stored number is that large
        queryset, compiler, rows = self._run(connection, values)
        compiler = copy.copy(compiler)
        compiler.connection, compiler.execute_sql = connection, lambda *_, **__: [rows]
        ready = object.__new__(type(queryset))  # copy.copy would run the query first
        ready.__dict__ = vars(queryset) | {"_query": _Ready(queryset.query, compiler)}
        return list(queryset._iterable_class(ready))

    def first(self, **values: object) -> object | None:
        """The first row, if there is one."""
        return next(iter(self(**values)), None)

    def _run(self, connection, values: dict) -> tuple[models.QuerySet, SQLCompiler, list | int]:
        queryset, compiler, sql, parts = self.compiled.get(connection.vendor) or self._compile(connection)
        values = {name: _adapted(connection, value) for name, value in values.items()}
        filled = [values[part.name] if isinstance(part, _Place) else part for part in parts]
        return queryset, compiler, _run(connection, sql, filled)

    def _queryset(self) -> models.QuerySet:
        return self.build(**self.marks)

    def _compile(self, connection) -> tuple[models.QuerySet, SQLCompiler, str, list]:
        queryset = self._queryset()
        compiler = queryset.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([column[0] for column in compiler.select or ()])
        compiler.get_converters = lambda _: converters
        names = {_adapted(connection, mark): name for name, mark in self.marks.items()}
        parts = [_Place(names[one]) if isinstance(one, int | str | datetime) and one in names else one
                 for one in parameters]  # fmt: skip
        missing = set(names.values()) - {part.name for part in parts if isinstance(part, _Place)}
        if missing:
            raise ValueError(f"{missing} is not a parameter of {sql}")
        if connection.vendor == "postgresql":
            sql, parts = _written_in(connection, sql, parts)
        self.compiled[connection.vendor] = found = (queryset, compiler, sql, parts)
        return found


class PreparedUpdate(Prepared):
    """The same for queryset.update(): `build` gives the queryset and the values; a call returns how many rows changed.

    TAKE = PreparedUpdate(lambda task: (Task.objects.filter(pk=task), {"open_slots": F("open_slots") - 1}), task=int)
    """

    def __call__(self, **values: object) -> int:
        return self._run(connections[DEFAULT_DB_ALIAS], values)[2]

    def _queryset(self) -> models.QuerySet:
        queryset, changes = self.build(**self.marks)
        queryset.query = queryset.query.chain(UpdateQuery)
        queryset.query.add_update_values(changes)
        return queryset


def insert(row: models.Model) -> None:
    """row.save() of a new row, without signals."""
    connection = connections[DEFAULT_DB_ALIAS]
    fields, sql = _inserting(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    [[row.pk]] = _run(connection, sql, values)
    row._state.adding, row._state.db = False, connection.alias


def insert_all(rows: Sequence[models.Model]) -> Sequence[models.Model]:
    """bulk_create of new rows, without signals, in a third of its time: columns are looked at once, not once a row."""
    connection = connections[DEFAULT_DB_ALIAS]
    for chunk in (rows[start : start + BULK] for start in range(0, len(rows), BULK)):
        columns = [_column(field, chunk, connection) for field in _inserting(type(chunk[0]))[0]]
        for row, [key] in zip(chunk, _insert_columns(connection, type(chunk[0]), columns), strict=True):
            row.pk, row._state.adding, row._state.db = key, False, connection.alias
    return rows


def _insert_columns(connection, model: type[models.Model], columns: list[list]) -> list[tuple]:
    """The new keys. PostgreSQL takes an array for each column, so that its statement is read and planned once."""
    fields, sql = _inserting(model)
    head, _, rest = sql.partition("VALUES ")
    places, _, returning = rest.partition(" RETURNING")
    if connection.vendor == "postgresql":
        # varchar without its length: to cast to varchar(64) would cut what is too long, and say nothing.
        arrays = ", ".join(f"%s::{field.db_type(connection).partition('(')[0]}[]" for field in fields)
        return _run(connection, f"{head}SELECT * FROM UNNEST({arrays}) RETURNING{returning}", columns)  # nosec B608
    many = f"{head}VALUES {', '.join([places] * len(columns[0]))} RETURNING{returning}"
    return _run(connection, many, list(itertools.chain.from_iterable(zip(*columns, strict=True))))


def _column(field: models.Field, rows: Sequence[models.Model], connection) -> list:
    """What the database takes for one field of all the rows."""
    if plain := AS_THEY_ARE.get(type(field)):
        values = [getattr(row, field.attname) for row in rows]
        return [one if type(one) in plain else field.get_db_prep_save(one, connection) for one in values]
    return [field.get_db_prep_save(field.pre_save(row, add=True), connection) for row in rows]


@cache
def _inserting(model: type[models.Model]) -> tuple[list[models.Field], str]:
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
    names, places = ", ".join(f'"{field.column}"' for field in fields), ", ".join(["%s"] * len(fields))
    table, key = model._meta.db_table, model._meta.pk.column
    into = f'INSERT INTO "{table}" ({names}) VALUES ({places}) RETURNING "{key}"'  # nosec B608  # names of our own
    return fields, into


class _Place:
    def __init__(self, name: str) -> None:
        self.name = name


def _written_in(connection, sql: str, parts: list) -> tuple[str, list]:
    """Constants become part of the SQL: a plan that does not know them cannot use an index with a condition."""
    from psycopg.sql import Literal

    connection.ensure_connection()
    words = [
        "%s" if isinstance(part, _Place) else Literal(part).as_string(connection.connection).replace("%", "%%")
        for part in parts
    ]
    pieces = sql.split("%s")
    text = pieces[0] + "".join(word + piece for word, piece in zip(words, pieces[1:], strict=True))
    return text, [part for part in parts if isinstance(part, _Place)]


class _Ready:
    """The query, which has been run: its compiler has the rows."""

    def __init__(self, query: Query, compiler: SQLCompiler) -> None:
        self.query, self.compiler = query, compiler

    def get_compiler(self, *_: object, **__: object) -> SQLCompiler:
        return self.compiler

    def __getattr__(self, name: str) -> object:
        return getattr(self.query, name)


def _adapted(connection, value: object) -> object:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _run(connection, sql: str, parameters: list) -> list[tuple] | int:
    """The rows; of a statement without rows, how many it changed."""
    if connection.vendor != "postgresql" or connection.queries_logged:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else cursor.rowcount
    return refuse_unstorable(_run_prepared, connection, sql, parameters)


def _run_prepared(connection, sql: str, parameters: list) -> list[tuple] | int:
    from psycopg import Cursor  # Django's own cursor writes the values into the SQL: nothing to prepare

    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(sql, parameters, prepare=True)
        return cursor.fetchall() if cursor.pgresult.nfields else cursor.rowcount
