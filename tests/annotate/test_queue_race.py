"""Raters with two tabs each, in two processes: quotas, kept tasks, gold and repeats hold whatever happens at once."""

import json

import pytest

from tests.annotate.test_lease_race import FORKS, in_process, outcome, settings_with
from tests.migrated import on_sqlite

RATERS, TASKS, OVERLAP, QUOTA, KEPT = 6, 20, 3, 11, 4
MAKE = f"""
import django
django.setup()
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
import random, threading
from datetime import timedelta
from django.utils import timezone
from annotate.models import Assignment, Project, User
from annotate.services.judgement import shown_in, submit_judgement
from annotate.services.lease import Conflict, expire_leases, heartbeat, release, skip, unskip
from annotate.services.queue import lease_next, peek

def act(lease, user, tab, chance):
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
    submit_judgement(assignment=lease, user=user, answer=said, idempotency_key=f"{lease.pk}:{tab}")

def work(number, tab):
    user, project = User.objects.get(username=f"rater-{number}"), Project.objects.get()
    dice = random.Random(f"{tab} {number}")
    for _ in range(300):
        lease = lease_next(project=project, user=user)
        if lease is None:
            break
        peek(project=project, user=user)
        try:
            act(lease, user, tab, dice.random())
        except Conflict:
            conflicts.append(number)
    finished.append(number)
    connection.close()

finished, conflicts = [], []
def raters(tab):
    threads = [threading.Thread(target=work, args=[number, tab]) for number in range(RATERS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(finished) == len(threads)

in_processes(raters, "a", "b")
""".replace("RATERS", str(RATERS))
COUNT = """
import json
from annotate.models import Assignment, Judgement, Reservation, Task
tasks = list(Task.objects.filter(kind="normal").values("pk", "slots", "open_slots", "reserved"))
held = list(Assignment.objects.values("task", "rater", "kind", "state", "holds_slot", "shown_order"))
done = list(Judgement.objects.values_list("task", "rater", "kind"))
kept = list(Reservation.objects.values_list("task", "user"))
print(json.dumps({"tasks": tasks, "held": held, "done": done, "kept": kept}))
"""


def raced(environment):
    return json.loads(outcome(in_process(settings_with(environment), MAKE + FORKS + TABS + COUNT)))


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
    hold(raced({"VAR_DIR": str(tmp_path), "DATABASE_URL": on_sqlite(tmp_path / "race.sqlite3")}))


@pytest.mark.service
def test_two_tabs_of_each_rater_on_postgresql(tmp_path, postgres):
    hold(raced({"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres}))
