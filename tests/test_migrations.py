"""Migrations run while web processes of the release before still serve: each may only add what those can live with."""

import os
import random
import subprocess
import sys
import threading
import time

import psycopg
import pytest
from django.contrib.postgres import operations as of_postgres
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from tests.postgres import own_database
from tests.site import ROOT
from tests.soak import ledger
from tests.soak.browser import Browser
from tests.soak.house import House
from tests.soak.rater import Rater

OURS = ("annotate", "worker")
LATER = """
import django
from django.conf import settings
from django.core.management import call_command
django.setup()
settings.MIGRATION_MODULES = {"annotate": "tests.worker.upkeep.later"}
call_command("migrate", no_color=True)
"""
TAKES_AWAY = (migrations.RenameField, migrations.RenameModel, migrations.RemoveField, migrations.DeleteModel)
MOVES = (migrations.AlterModelTable, migrations.AlterUniqueTogether, migrations.AlterIndexTogether)
ADDS = (migrations.AddIndex, migrations.RemoveIndex)
STATE_ONLY = (migrations.AlterModelOptions, migrations.AlterModelManagers)
CONCURRENT = (of_postgres.AddIndexConcurrently, of_postgres.RemoveIndexConcurrently)
SAFE = (*STATE_ONLY, *CONCURRENT, migrations.CreateModel, migrations.RunPython)


def unsafe(migration: migrations.Migration) -> list[str]:
    """What processes of the release before would trip over, or wait for; [] where there is nothing."""
    new = {one.name.lower() for one in migration.operations if isinstance(one, migrations.CreateModel)}
    return [
        f"{migration}: {one.describe()}: {why}" for one in migration.operations if (why := _why(one, migration, new))
    ]


def _why(one: Operation, migration: migrations.Migration, new: set[str]) -> str:
    if getattr(one, "model_name", "").lower() in new:
        return ""  # nobody uses the table yet
    if isinstance(one, TAKES_AWAY):
        return "what is renamed or removed is still asked for; let a release pass in which nothing uses it"
    if isinstance(one, MOVES):
        return "the table is used under its old name or rules"
    if isinstance(one, CONCURRENT):
        return "" if not migration.atomic else "an index is made beside the writers outside a transaction only"
    if isinstance(one, ADDS):
        return "writers wait for the index: use AddIndexConcurrently, in a migration that is not atomic"
    if isinstance(one, migrations.AddField):
        return _of_new_field(one.field)
    if isinstance(one, migrations.AlterField):
        return "" if one.field.null else "a column may become wider or nullable only; say so in a migration of its own"
    if isinstance(one, migrations.AddConstraint):
        return "rows that the release before still writes may break it: AddConstraintNotValid a release later"
    if isinstance(one, migrations.RunPython):
        return "" if not migration.atomic else "rows are changed in steps, outside a transaction that locks them all"
    return "" if isinstance(one, SAFE) else "nobody has thought about whether this can be done while the site serves"


def _of_new_field(field: models.Field) -> str:
    filled = field.null or field.many_to_many or field.db_default is not models.NOT_PROVIDED
    return "" if filled else "processes that do not know the column insert no value: null=True, or a db_default"


# ---- The rule


def released() -> list[migrations.Migration]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [one for key, one in sorted(loader.disk_migrations.items()) if key[0] in OURS and not one.initial]


def test_every_migration_can_be_run_while_the_release_before_serves():
    assert [line for one in released() for line in unsafe(one)] == []


def made(*operations: Operation, atomic: bool = True) -> migrations.Migration:
    migration = migrations.Migration("0009_made", "annotate")
    migration.operations, migration.atomic = list(operations), atomic
    return migration


TEXT, INDEX = models.TextField(), models.Index(fields=["kind"], name="i")
CHECK = models.CheckConstraint(condition=models.Q(pk__gt=0), name="c")


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("task", "priority"),
        migrations.RenameField("task", "priority", "rank"),
        migrations.RenameModel("Task", "Work"),
        migrations.DeleteModel("Task"),
        migrations.AlterModelTable("task", "work"),
        migrations.AlterUniqueTogether("task", {("item", "kind")}),
        migrations.AddField("task", "colour", TEXT),
        migrations.AddField("task", "colour", models.TextField(default="red")),  # of Django's, not the database's
        migrations.AlterField("task", "reason", TEXT),
        migrations.AddIndex("task", INDEX),
        migrations.RemoveIndex("task", "i"),
        migrations.AddConstraint("task", CHECK),
        migrations.RunPython(migrations.RunPython.noop),
        migrations.RunSQL("DROP TABLE annotate_task"),
        of_postgres.AddIndexConcurrently("task", INDEX),  # inside a transaction
    ],
    ids=lambda one: one.describe(),
)
def test_what_would_stop_the_site_is_caught(operation):
    [line] = unsafe(made(operation))
    assert "0009_made" in line


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("task", "colour", models.TextField(null=True)),
        migrations.AddField("task", "colour", models.TextField(db_default="red")),
        migrations.AddField("task", "labels", models.ManyToManyField("annotate.Item")),
        migrations.AlterField("task", "reason", models.TextField(null=True)),
        migrations.AlterModelOptions("task", {"ordering": ["pk"]}),
        migrations.RunPython(migrations.RunPython.noop),
        of_postgres.AddIndexConcurrently("task", INDEX),
    ],
    ids=lambda one: one.describe(),
)
def test_what_only_adds_is_let_through(operation):
    assert unsafe(made(operation, atomic=False)) == []


def test_a_new_table_may_come_with_anything():
    new = migrations.CreateModel("Work", [("id", models.BigAutoField(primary_key=True))])
    assert unsafe(made(new, migrations.AddField("work", "colour", TEXT), migrations.AddIndex("work", INDEX))) == []


# ---- Migrating while the site serves


@pytest.fixture
def database():
    try:
        with own_database() as address:
            yield address
    except psycopg.OperationalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no PostgreSQL: {error}")


def migrate(url, var, later=False):
    own = {"DATABASE_URL": url, "VAR_DIR": str(var), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", LATER] if later else [sys.executable, "manage.py", "migrate", "--no-color"]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.service
def test_two_hosts_that_migrate_at_once_do_it_once(database, tmp_path):
    outs = [one.communicate()[0] for one in [migrate(database, tmp_path / "a"), migrate(database, tmp_path / "b")]]
    assert sorted("Applying annotate.0001_initial... OK" in out for out in outs) == [False, True], outs
    assert sum("No migrations to apply" in out for out in outs) == 1


@pytest.mark.service
def test_processes_of_the_release_before_serve_while_a_later_one_migrates(postgres, tmp_path):
    """Two web processes, raters who judge, and a table that is held when the migration wants it."""
    with House(tmp_path, webs=2, DATABASE_URL=postgres) as house:
        project, sessions = house.seed("rolling", 1500, 1, 6)
        with psycopg.connect(postgres, autocommit=True) as link:
            crew, over = _crew(house, sessions), threading.Event()
            threads = [threading.Thread(target=one.work, args=[over]) for one in crew]
            for thread in threads:
                thread.start()
            out = _migrated_behind_a_reader(postgres, tmp_path)
            done = sum(one.status == 200 for rater in crew for one in rater.sent)
            until = time.monotonic() + 180
            while sum(len(rater.sent) for rater in crew) < done + 20 and time.monotonic() < until:
                time.sleep(0.2)
            over.set()
            for thread in threads:
                thread.join()
            sent = [one for rater in crew for one in rater.sent]
            assert "Applying annotate.9999_later... OK" in out, out
            assert "A table is in use; trying again" in out
            assert [rater.error for rater in crew if rater.error] == []
            assert [fault for rater in crew for fault in rater.browser.faults] == []
            unfinished = "is starved"  # nobody was to finish
            assert [one for one in ledger.faults(link, project, sent) if unfinished not in one] == []
            assert done < len(sent)  # they judged after the migration as well as before
            assert link.execute("SELECT count(*) FROM annotate_judgement WHERE mood = 'calm'").fetchone()[0] > done
            whole = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'task_later'::regclass"
            assert link.execute(whole).fetchone()[0]


def _crew(house, sessions):
    chances = {user: random.Random(user) for user in sessions}
    return [
        Rater(user, "rolling", Browser(house.ports, session, chances[user]), lambda url: None, chances[user], pace=0.1)
        for user, session in sessions.items()
    ]


def _migrated_behind_a_reader(database, folder) -> str:
    """Somebody reads for a few seconds: a migration that waited for them would stop everybody behind it."""
    reading = psycopg.connect(database)
    reading.execute("SELECT count(*) FROM annotate_task")
    process = migrate(database, folder, True)
    for line in process.stdout:
        if "trying again" in line:
            reading.close()
            return line + process.communicate()[0]
    reading.close()
    return "the migration did not wait"
