"""The whole store from SQLite to PostgreSQL and back, every row compared; and what stands in its way."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from annotate.models import Assignment, Event, Item, User
from tests.migrated import on_sqlite
from tests.postgres import own_database
from tests.site import ROOT
from worker.management.commands import move_database as move_command
from worker.models import Node, PolicyRun
from worker.upkeep import move, tables
from worker.upkeep.tables import Table

pytestmark = pytest.mark.service
HARD = {"né": '\u2028 ½ 😀 " \\ </script>', "n": [0.1 + 0.2, 1e-7, -3, 2**53, True, None, {}]}


@pytest.fixture
def bare():
    """A database without a table; `postgres` has them all, and no row of ours."""
    with own_database() as url:
        yield url


@pytest.fixture
def hard(demo):
    """Values that a careless copy would change."""
    Item.objects.filter(pk=Item.objects.first().pk).update(metadata=HARD)
    PolicyRun.objects.create(project=demo, name="bytes", values=bytes(range(256)))
    Assignment.objects.update(expires_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))
    User.objects.get(username="admin").groups.create(name="Many to many")
    last = Event.objects.create(kind="test.gone", subject="x:1").pk
    tables.set_last_number("default", Table.of(Event), last + 7)
    return demo


def quiet(*_):
    """Nobody listens."""


def move_by_command(*url):
    out = io.StringIO()
    call_command("move_database", *url, json=True, stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def manage(url, *arguments, var):
    environment = os.environ | {"DATABASE_URL": url, "VAR_DIR": str(var)}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_every_row_arrives_and_comes_back_the_same(hard, bare, tmp_path, folders, monkeypatch):
    monkeypatch.setenv("TARGET_DATABASE_URL", bare)
    told = move_by_command()
    assert told["verified"]
    assert told["tables"]["annotate_judgement"] > 100
    assert told["tables"]["annotate_user_groups"] == told["tables"]["worker_policyrun"] == 1
    with psycopg.connect(bare) as link:
        assert link.execute("SELECT metadata FROM annotate_item ORDER BY id").fetchone()[0] == HARD
        assert bytes(link.execute("SELECT values FROM worker_policyrun").fetchone()[0]) == bytes(range(256))
        seconds = link.execute("SELECT DISTINCT expires_at FROM annotate_assignment").fetchone()[0]
        assert seconds == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
        last = link.execute("SELECT last_value FROM annotate_event_id_seq").fetchone()[0]
        assert last == Event.objects.latest("pk").pk + 7
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            link.execute("DELETE FROM annotate_event")
    back = tmp_path / "back.sqlite3"
    done = manage(bare, "move_database", f"sqlite:///{back}", "--json", var=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tables"] == told["tables"]
    assert "comparing annotate_judgement" in done.stderr
    with move.reached(f"sqlite:///{back}") as alias:
        for table in tables.all_tables():
            assert tables.compare(table, tables.read("default", table), tables.read(alias, table)) >= 0
    _the_doctor_mends_only_the_sequence(bare, tmp_path, folders)


def _the_doctor_mends_only_the_sequence(url, var, folders):
    (var / "artifacts").symlink_to(folders / "artifact_dir")
    (var / "uploads").symlink_to(folders / "upload_dir")
    with psycopg.connect(url) as link:
        link.execute("UPDATE worker_job SET heartbeat_at = now()")
        link.execute("SELECT setval('worker_score_id_seq', 1)")
    told = json.loads(manage(url, "doctor", "--repair", "--json", var=var).stdout)
    assert told["clean"], told
    assert set(told["checks"]) == {"sequences"}


def test_a_target_that_holds_rows_is_refused(demo, postgres):
    with move.reached(postgres) as alias:
        User.objects.using(alias).create(username="somebody")
        connections[alias].close()
    with pytest.raises(CommandError, match="not empty: annotate_user holds 1 rows"):
        move_by_command(postgres)


def test_a_row_that_differs_is_named_and_nothing_stays(demo, postgres, monkeypatch):
    plain = tables.write

    def careless(alias, table, rows):
        done = plain(alias, table, rows)
        if table.name == "worker_score":
            with connections[alias].cursor() as cursor:
                cursor.execute("UPDATE worker_score SET value = value + 1e-9 WHERE head = 'preference'")
        return done

    monkeypatch.setattr(tables, "write", careless)
    with pytest.raises(ValueError, match=r"worker_score: the row with id \d+ differs in value"):
        move.move_database(url=postgres, report=quiet)
    with psycopg.connect(postgres) as link:
        assert link.execute("SELECT count(*) FROM annotate_user").fetchone()[0] == 0


def test_without_an_address_it_says_where_to_write_one(monkeypatch):
    monkeypatch.setenv("TARGET_DATABASE_URL", "")
    with pytest.raises(CommandError, match="Set TARGET_DATABASE_URL to the address"):
        move_by_command()


@pytest.mark.parametrize(("given", "reached"), [([], "kept"), (["sqlite:///given"], "given")])
def test_an_address_on_the_command_line_goes_before_the_kept_one(monkeypatch, given, reached):
    monkeypatch.setenv("TARGET_DATABASE_URL", "sqlite:///kept")
    monkeypatch.setattr(move_command, "move_database", lambda *, url, report: {"url": url})
    assert move_by_command(*given) == {"url": f"sqlite:///{reached}"}


def test_a_worker_that_lives_is_named(demo):
    now = timezone.now()
    Node.objects.create(name="host:7", device="cpu", started_at=now, seen_at=now)
    with pytest.raises(CommandError, match="host:7 is at work"):
        move_by_command("postgres://nowhere/none")


WRITER = """
import sqlite3
from django.conf import settings
from worker.upkeep import move, tables
plain = tables.compare
def meanwhile(*arguments):
    try:
        sqlite3.connect(settings.DATABASES["default"]["NAME"], timeout=0).execute("DELETE FROM django_session")
    except sqlite3.OperationalError as error:
        print(error)
    return plain(*arguments)
tables.compare = meanwhile
move.move_database(url=TARGET, report=lambda *_: None)
"""


def test_who_writes_during_the_move_is_kept_out_of_sqlite(tmp_path):
    source = on_sqlite(tmp_path / "source.sqlite3")
    code = WRITER.replace("TARGET", repr(f"sqlite:///{tmp_path / 'target.sqlite3'}"))
    done = manage(source, "shell", "-v0", "-c", code, var=tmp_path)
    assert set(done.stdout.splitlines()) == {"database is locked"}, done.stderr


def test_who_writes_during_the_move_waits_on_postgresql(db, postgres):
    with move.reached(postgres) as alias, move.transaction.atomic(using=alias):
        move.keep_writers_out(alias, tables.all_tables())
        with psycopg.connect(postgres) as other:
            other.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("DELETE FROM django_session")


ONE = Table("t", "id", (("id", "plain"), ("x", "json")), True)


@pytest.mark.parametrize(
    ("left", "right", "says"),
    [
        ([(1, 2)], [(1, 3)], "id 1 differs in x"),
        ([(1, 2), (2, 2)], [(2, 2)], "id 1 is on one side alone"),
        ([(1, 2)], [(1, 2), (5, 0)], "id 5 is on one side alone"),
        ([(1, {"a": 1})], [(1, {"a": 1.5})], "differs in x"),
    ],
)
def test_a_difference_is_named(left, right, says):
    with pytest.raises(ValueError, match=says):
        tables.compare(ONE, left, right)
    assert tables.compare(ONE, left, left) == len(left)
