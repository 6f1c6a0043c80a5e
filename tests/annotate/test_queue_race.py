"""Raters with two tabs each, in two processes: quotas, kept tasks, gold and repeats hold whatever happens at once."""

import json

import pytest

from tests.annotate.test_lease_race import in_process, outcome, postgres, settings_with  # noqa: F401  (a fixture)

RATERS, TASKS, OVERLAP, QUOTA, KEPT = 6, 20, 3, 11, 4
MAKE = f"""
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from annotate.models import Role, Task, User
from annotate.services.project import add_member, create_project
from annotate.services.task import assign_tasks, make_tasks
from tests.annotate.making import make_item, make_known
shares = {{"gold_share": 0.3, "swap_share": 0.3, "quota": {QUOTA}}}
project = create_project(slug="race", name="Race", overlap={OVERLAP}, **shares)
make_tasks(project=project, items=[make_item(project, f"Question {{n}}?", "a", "b") for n in range({TASKS})])
raters = [User.objects.create_user(f"rater-{{n}}", password=None) for n in range({RATERS})]
for rater in raters:
    add_member(project=project, user=rater, role=Role.ANNOTATOR)
assign_tasks(project=project, tasks=list(Task.objects.order_by("-pk")[:{KEPT}]), users=raters[:2])
for n in range(4):
    make_known(project, f"Gold {{n}}?")
"""
# One tab of each rater: they answer, skip, take back, let leases run out, and never wait for the other tab.
TABS = """
import random, sys, threading
from datetime import timedelta
import django
django.setup()
from django.db import connection
from django.utils import timezone
from annotate.models import Assignment, Project, User
from annotate.services.judgement import shown_in, submit_judgement
from annotate.services.lease import Conflict, expire_leases, heartbeat, release, skip, unskip
from annotate.services.queue import lease_next, peek

def act(lease, user, chance):
    if chance < 0.1:
        skip(assignment=lease, user=user)
        if chance < 0.07:
            unskip(assignment=lease, user=user)
    elif chance < 0.2:
        expire_leases(now=timezone.now() + timedelta(days=1))
        heartbeat(assignment=lease)
    elif chance < 0.25:
        release(assignment=lease)
    said = {"outcome": "tie", "texts_sha256": dict(shown_in(lease).sha256), "schema_version": 1}
    submit_judgement(assignment=lease, user=user, answer=said, idempotency_key=f"{lease.pk}:{sys.argv[1]}")

def work(number):
    user, project = User.objects.get(username=f"rater-{number}"), Project.objects.get()
    dice = random.Random(f"{sys.argv[1]} {number}")
    for _ in range(300):
        lease = lease_next(project=project, user=user)
        if lease is None:
            break
        peek(project=project, user=user)
        try:
            act(lease, user, dice.random())
        except Conflict:
            conflicts.append(number)
    finished.append(number)
    connection.close()

finished, conflicts = [], []
threads = [threading.Thread(target=work, args=[n]) for n in range(int(sys.argv[2]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(finished) == len(threads)
"""
COUNT = """
import json
import django
django.setup()
from annotate.models import Assignment, Judgement, Reservation, Task
tasks = list(Task.objects.filter(kind="normal").values("pk", "slots", "open_slots", "reserved"))
held = list(Assignment.objects.values("task", "rater", "kind", "state", "holds_slot", "shown_order"))
done = list(Judgement.objects.values_list("task", "rater", "kind"))
kept = list(Reservation.objects.values_list("task", "user"))
print(json.dumps({"tasks": tasks, "held": held, "done": done, "kept": kept}))
"""


def raced(environment):
    environment = settings_with(environment)
    outcome(in_process(environment, MAKE))
    for process in [in_process(environment, TABS, tab, str(RATERS)) for tab in "ab"]:
        outcome(process)
    return json.loads(outcome(in_process(environment, COUNT)))


def hold(found):
    """What must be true of what was stored."""
    taken = [one for one in found["held"] if one["state"] in ("leased", "submitted") and one["holds_slot"]]
    for task in found["tasks"]:
        holders = sum(one["task"] == task["pk"] for one in taken)
        assert task["slots"] == OVERLAP
        assert task["slots"] - task["open_slots"] == holders
    assert len(found["done"]) == len({tuple(one) for one in found["done"]})
    given = [sum(rater == one[1] for one in found["done"]) for rater in {one["rater"] for one in found["held"]}]
    assert given == [QUOTA] * RATERS
    assert {one["kind"] for one in found["held"]} == {"normal", "gold", "repeat"}
    assert {one["holds_slot"] for one in found["held"] if one["kind"] != "normal"} == {False}
    kept = {tuple(pair) for pair in found["kept"]}
    reserved = {task["pk"] for task in found["tasks"] if task["reserved"]}
    assert len(reserved) == KEPT
    assert {(one["task"], one["rater"]) for one in found["held"] if one["task"] in reserved} <= kept


def test_two_tabs_of_each_rater_on_sqlite(tmp_path):
    hold(raced({"VAR_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path / 'race.sqlite3'}"}))


@pytest.mark.service
def test_two_tabs_of_each_rater_on_postgresql(tmp_path, postgres):  # noqa: F811
    hold(raced({"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres}))
