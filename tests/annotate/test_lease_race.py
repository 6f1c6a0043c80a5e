"""Eight writers at once: exactly K judgements per task, on SQLite and on PostgreSQL."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.migrated import on_sqlite

ROOT = Path(__file__).resolve().parents[2]
TASKS, OVERLAP, RATERS = 20, 3, 8
MAKE = f"""
import django
django.setup()
from annotate.models import User
from annotate.services.project import create_project
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
project = create_project(slug="race", name="Race", overlap={OVERLAP})
items = [make_item(project, f"Question {{n}}?", "a", "b") for n in range({TASKS})]
assert make_tasks(project=project, items=items) == {TASKS}
for n in range({RATERS}):
    User.objects.create_user(f"rater-{{n}}", password=None)
"""
# Each in a process of its own, forked after django.setup(), which takes seconds.
FORKS = """
import os, traceback
from django.db import connection

def in_processes(act, *given):
    connection.close()
    children = [os.fork() or alone(act, one) for one in given]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(given)

def alone(act, one):
    try:
        act(one)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
"""
# Raters who work until nothing is left; now and then they skip, let a lease run out, and all send answers twice.
RACE = """
import threading, time
from datetime import timedelta
from django.utils import timezone
from annotate.models import Project, User
from annotate.services.judgement import shown_in, submit_judgement
from annotate.services.lease import Conflict, expire_leases, skip
from annotate.services.queue import lease_next, why_nothing

def work(number):
    user, project = User.objects.get(username=f"rater-{number}"), Project.objects.get()
    while (lease := lease_next(project=project, user=user)) or why_nothing(project, user) == "others":
        if lease is None:  # what is on another's desk may come free yet
            time.sleep(0.3)
            continue
        if (lease.task_id + number) % 9 == 0:
            skip(assignment=lease, user=user)
            continue
        if (lease.task_id + number) % 5 == 0:
            expire_leases(now=timezone.now() + timedelta(days=1))
        answer = {"outcome": "tie", "texts_sha256": shown_in(lease).sha256, "schema_version": 1}
        for _ in "ab":
            try:
                submit_judgement(assignment=lease, user=user, answer=answer, idempotency_key=f"{lease.pk}")
            except Conflict:
                break
    finished.append(number)

finished = []
def raters(numbers):
    threads = [threading.Thread(target=work, args=[number]) for number in numbers]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(finished) == numbers

in_processes(raters, [0, 2, 4, 6], [1, 3, 5, 7])
"""
LEASE = """
import django
django.setup()
from annotate.models import Project, User
from annotate.services.queue import lease_next
assert lease_next(project=Project.objects.get(), user=User.objects.get(username="rater-0"))
"""
COUNT = """
import json
from annotate.models import Judgement, Task
rows = list(Judgement.objects.values_list("task", "rater", "shown_order"))
print(json.dumps({"rows": rows, "open": list(Task.objects.values_list("open_slots", flat=True))}))
"""


def in_process(environment, code, *arguments):
    command, pipe = [sys.executable, "-c", code, *arguments], subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


def outcome(process):
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return out


def settings_with(environment):
    return os.environ | {"LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "config.settings"} | environment


def race(environment):
    """All raters at work at once; afterwards every slot is filled, none twice."""
    found = json.loads(outcome(in_process(settings_with(environment), MAKE + FORKS + RACE + COUNT)))
    per_task = Counter(task for task, _, _ in found["rows"])
    assert per_task == dict.fromkeys(per_task, OVERLAP)
    assert len(per_task) == TASKS
    assert found["open"] == [0] * TASKS
    assert len({(task, rater) for task, rater, _ in found["rows"]}) == TASKS * OVERLAP


def test_eight_writers_on_sqlite(tmp_path):
    race({"VAR_DIR": str(tmp_path), "DATABASE_URL": on_sqlite(tmp_path / "race.sqlite3")})


@pytest.mark.service
def test_eight_writers_on_postgresql(tmp_path, postgres):
    race({"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres})


@pytest.mark.service
def test_a_rater_waits_for_the_last_tasks_when_all_are_locked(tmp_path, postgres):
    import psycopg

    environment = settings_with({"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres})
    outcome(in_process(environment, MAKE))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(postgres) as other, psycopg.connect(postgres, autocommit=True) as watch:
        other.execute("SELECT id FROM annotate_task FOR UPDATE")
        rater = in_process(environment, LEASE)
        while rater.poll() is None and watch.execute(waiting).fetchone() == (0,):
            time.sleep(0.05)
        other.rollback()
        outcome(rater)
