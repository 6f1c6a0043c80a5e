"""A database of one's own on a PostgreSQL server, dropped at the end."""

import contextlib
from collections.abc import Iterator
from uuid import uuid4

import psycopg

SERVER = "postgres://root@127.0.0.1:5432"


@contextlib.contextmanager
def own_database(server: str = SERVER) -> Iterator[str]:
    """Its address. Raises psycopg.OperationalError when there is no server."""
    name = f"touchstone_{uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=3) as link:
        link.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{server}/{name}"
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as link:
            link.execute(f"DROP DATABASE {name} WITH (FORCE)")
