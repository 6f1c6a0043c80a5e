"""Reviewers who decide, change, dismiss and open the same case at once, on PostgreSQL: nobody waits in a circle,
and no decision is left behind without its case."""

import json

import pytest

from tests.annotate.test_lease_race import in_process, outcome, settings_with

MAKE = """
import django
django.setup()
from annotate.models import Role, User
from annotate.services.project import add_member, create_project
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
project = create_project(slug="race", name="Race")
make_tasks(project=project, items=[make_item(project, "Which?", "a", "b")])
for name in ("dora", "erin"):
    add_member(project=project, user=User.objects.create_user(name, password=None), role=Role.REVIEWER)
"""
# Every thread repeats one act; to come too late is no error, to be chosen as the victim of a deadlock is one.
ACTS = """
import json, threading
from django.core.exceptions import ValidationError
from django.db import connection
from annotate.models import Case, Judgement, Task, User
from annotate.services.judgement import revise, shown_in, submit_judgement
from annotate.services.lease import Conflict
from annotate.services.review import begin_decision, dismiss, reopen

task = Task.objects.select_related("project").get()

def decide(user, key):
    mine = begin_decision(task=task, user=user)
    said = {"answer": {"outcome": "tie", "texts_sha256": dict(shown_in(mine).sha256), "schema_version": 1}}
    said |= {"user": user, "idempotency_key": key}
    if old := Judgement.objects.current().filter(assignment=mine).first():
        return revise(judgement=old, **said)
    return submit_judgement(assignment=mine, **said)

def work(number, name, act):
    user = User.objects.get(username=name)
    for turn in range(25):
        try:
            act(user, f"{number}-{turn}")
        except (Conflict, ValidationError):
            late.append(number)
        except Exception as error:
            broken.append(repr(error))
    connection.close()

late, broken = [], []
again = lambda user, key: reopen(task=task, actor=user)
away = lambda user, key: dismiss(task=task, actor=user, reason="x")
acts = [("dora", decide), ("dora", decide), ("erin", decide), ("erin", again), ("dora", again), ("erin", away)]
threads = [threading.Thread(target=work, args=[n, *act]) for n, act in enumerate(acts)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
case, current = Case.objects.get(), list(Judgement.objects.current().values_list("pk", flat=True))
print(json.dumps({"broken": broken, "state": case.state, "judgement": case.judgement_id, "current": current}))
"""


@pytest.mark.service
def test_reviewers_at_once_on_postgresql(tmp_path, postgres):
    environment = settings_with({"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres})
    found = json.loads(outcome(in_process(environment, MAKE + ACTS)))
    assert found["broken"] == []
    decided = [found["judgement"]] if found["state"] == "decided" else []
    assert found["current"] == decided
