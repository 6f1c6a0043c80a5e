"""A database of one's own on a PostgreSQL server, dropped at the end."""

import atexit
import contextlib
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.migrated import migrate

SERVER = "postgres://root@127.0.0.1:5432"


@contextlib.contextmanager
def own_database(server: str = SERVER, *, migrated: bool = False) -> Iterator[str]:
    """Its address. Raises psycopg.OperationalError when there is no server."""
    name = f"touchstone_{uuid4().hex[:12]}"
    do(server, f"CREATE DATABASE {name} TEMPLATE {_made(server) if migrated else 'template0'}")
    try:
        yield f"{server}/{name}"
    finally:
        drop(server, name)


@functools.cache
def _made(server: str) -> str:
    """The name of a database with all tables, copied by those that want them."""
    name = f"touchstone_{uuid4().hex[:12]}"
    do(server, f"CREATE DATABASE {name}")
    atexit.register(drop, server, name)
    with tempfile.TemporaryDirectory() as folder:
        migrate(f"{server}/{name}", Path(folder))
    return name


def do(server: str, statement: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=30) as link:
        link.execute(statement)


def drop(server: str, name: str) -> None:
    do(server, f"DROP DATABASE {name} WITH (FORCE)")
