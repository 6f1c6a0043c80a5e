"""A short soak in every test run; the long one is `python -m tests.soak --minutes N`."""

import os

import psycopg
import pytest

from tests.postgres import own_database
from tests.soak.house import House
from tests.soak.run import soak


@pytest.fixture
def database():
    try:
        with own_database() as address:
            yield address
    except psycopg.OperationalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no PostgreSQL: {error}")


@pytest.mark.service
def test_nothing_is_lost_doubled_overfilled_or_starved(tmp_path, database):
    with House(tmp_path, DATABASE_URL=database) as house:
        done = soak(house, database, slug="soak", tasks=80, overlap=3, raters=24, patience=240)
    assert done.faults == []
    assert done.judgements >= 240
    assert done.kills >= 3
