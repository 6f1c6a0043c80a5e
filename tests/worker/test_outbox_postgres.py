"""Two transactions on PostgreSQL: the one that has the lower id commits last, and is told all the same."""

import os

import pytest

from tests.annotate.test_lease_race import in_process, outcome

CODE = r"""
import threading
import django
django.setup()
from django.db import connection, transaction
from annotate.models import Event
from annotate.services.event import record
from annotate.services.project import create_project
from worker.models import Delivery, Outbox
from worker.services.outbox import collect
from worker.services.webhook import create_webhook

project = create_project(slug="late", name="Late")
hook, _ = create_webhook(project=project, url="https://example.org/", kinds=["judgement.stored"])
tell = lambda n: record(kind="judgement.stored", subject=project, project=project, judgements=n)
told = lambda: sorted(row.payload["judgements"] for row in hook.deliveries.exclude(kind="ping"))
collect()

written, go_on = threading.Event(), threading.Event()

def late():
    with transaction.atomic():
        ids.append(tell(1).pk)
        written.set()
        go_on.wait()
    connection.close()

ids = []
thread = threading.Thread(target=late)
thread.start()
written.wait()
higher = tell(2).pk
assert ids[0] < higher
for _ in range(4):  # the cursor waits for the one that writes still
    collect()
assert told() == [2]
assert Outbox.objects.get(ledger="event").cursor < ids[0]
go_on.set()
thread.join()
collect()
assert told() == [1, 2]
for _ in range(2):
    collect()
assert Outbox.objects.get(ledger="event").cursor == higher
assert told() == [1, 2]

threads = [threading.Thread(target=lambda: (collect(), connection.close())) for _ in range(6)]
for n in range(3, 23):
    tell(n)
Outbox.objects.update(cursor=0)
[one.start() for one in threads]
[one.join() for one in threads]
assert told() == list(range(1, 23))
"""


@pytest.mark.service
def test_what_commits_late_is_told_and_nothing_twice(tmp_path, postgres):
    environment = {"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres, "DJANGO_SETTINGS_MODULE": "config.settings"}
    outcome(in_process(os.environ | {"LOG_LEVEL": "ERROR"} | environment, CODE))
