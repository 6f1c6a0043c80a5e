"""Idempotency keys: done once, answered the same; on PostgreSQL also when two come at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from annotate.models import Event, IdempotencyKey, Item, Judgement
from annotate.services.task import make_tasks
from tests.annotate.api.test_auth import told
from tests.annotate.api.test_items import LINES, lines
from tests.annotate.api.test_tasks import WHERE, lease, tie
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db
ITEMS = "/projects/answers/items"
KEY = {"Idempotency-Key": "first"}
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def his(api, project, bob):
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "long one", "b") for n in range(3)])
    return api(bob, "judge")


def test_sent_again_it_is_answered_the_same_and_done_once(api, project, alice):
    mine = api(alice)
    first, again = (mine.post(ITEMS, lines(1, 2), content_type=LINES, headers=KEY) for _ in "ab")
    assert first.status_code == again.status_code == 200
    assert (first.json(), "Idempotent-Replayed" in first.headers) == (again.json(), False)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Event.objects.filter(kind="items.imported").count() == 1


def test_another_body_path_or_method_under_the_same_key_is_refused(api, project, alice):
    mine = api(alice)
    mine.post(ITEMS, lines(1), content_type=LINES, headers=KEY)
    others = [(ITEMS, lines(2)), (f"{ITEMS}?format=jsonl", lines(1)), (f"{ITEMS}/check", lines(1))]
    for path, body in others:
        assert told(mine.post(path, body, content_type=LINES, headers=KEY))[0] == 422
    assert told(mine.put(ITEMS, lines(1), content_type=LINES, headers=KEY))[0] == 422
    assert Item.objects.count() == 1


def test_a_key_is_its_users_alone_and_holds_over_their_tokens(api, project, alice, bob):
    mine = api(alice)
    mine.post(ITEMS, lines(1), content_type=LINES, headers=KEY)
    assert told(api(bob).post(ITEMS, lines(1), content_type=LINES, headers=KEY))[0] == 403
    again = api(alice).post(ITEMS, lines(1), content_type=LINES, headers=KEY)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_what_was_refused_is_not_kept_and_changed_nothing(api, project, alice):
    mine, bad = api(alice), lines(1) + b"\n{"
    assert mine.post(ITEMS, bad, content_type=LINES, headers=KEY).status_code == 422
    assert (Item.objects.count(), IdempotencyKey.objects.get().status) == (0, None)
    again = mine.post(ITEMS, bad, content_type=LINES, headers=KEY)
    assert (again.status_code, "Idempotent-Replayed" in again.headers) == (422, False)


def test_an_act_that_breaks_leaves_neither_itself_nor_an_answer(his, monkeypatch):
    task = lease(his)
    where = f"{WHERE}/{task['assignment']}/submit"
    monkeypatch.setattr("annotate.api.tasks.SubmittedOut.model_validate", lambda *_, **__: 1 / 0, raising=False)
    monkeypatch.setattr("annotate.api.tasks.submit_judgement", lambda **_: Event.objects.create(kind="x").nothing)
    assert told(his.post(where, tie(task), headers=KEY))[0] == 500
    assert (Event.objects.filter(kind="x").count(), Judgement.objects.count()) == (0, 0)
    monkeypatch.undo()
    assert his.post(where, tie(task), headers=KEY).status_code == 200


def test_a_json_body_is_read_by_the_operation_too(his):
    task = lease(his)
    sent = [his.post(f"{WHERE}/{task['assignment']}/submit", tie(task), headers=KEY).json() for _ in "ab"]
    assert sent[0] == sent[1] == {"judgement": Judgement.objects.get().pk}


def test_a_reading_request_needs_no_key_and_keeps_none(his):
    assert his.ask("get", "/projects/answers/tasks/1", headers=KEY).status_code == 404
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 201, "two words", "ü"])
def test_a_key_that_is_none_is_refused(his, key):
    assert told(his.post(f"{WHERE}/lease", headers={"Idempotency-Key": key}))[0] == 422


RACE = """
import threading
from django.test import Client
from annotate.models import IdempotencyKey, User
from annotate.services import item
from annotate.services.access_token import create_token
from annotate.services.project import create_project
from annotate.api import items

alice = User.objects.create_user("alice")
create_project(slug="answers", name="Answers", actor=alice)
_, secret = create_token(user=alice, name="x", scopes=["manage"], expires_at=None)
began, go, kept = threading.Event(), threading.Event(), items.import_items

def slow(**how):
    began.set()
    assert go.wait(30)
    return kept(**how)

items.import_items = slow
headers = {"Authorization": "Bearer " + secret, "Idempotency-Key": "one"}
body = b'{"turns": [{"role": "user", "content": "Why?"}], "responses": [{"text": "a"}, {"text": "b"}]}'

def send():
    where, browser = "/api/v1/projects/answers/items", Client(SERVER_NAME="localhost")
    return browser.post(where, body, content_type="application/jsonl", headers=headers)

told = []
first = threading.Thread(target=lambda: told.append(send()))
first.start()
assert began.wait(30)
second = send()
go.set()
first.join()
third = send()
print(second.status_code, told[0].status_code, third.status_code, third.headers.get("Idempotent-Replayed"),
      third.json() == told[0].json(), IdempotencyKey.objects.count())
"""


@pytest.mark.service
def test_the_second_of_two_at_once_is_told_to_wait(tmp_path, postgres):
    own = os.environ | {"DATABASE_URL": postgres, "VAR_DIR": str(tmp_path), "LOG_LEVEL": "ERROR", "REDIS_URL": ""}
    run = [sys.executable, "manage.py", "shell", "-v0", "-c", RACE]
    done = subprocess.run(run, cwd=ROOT, env=own, capture_output=True, text=True)
    assert done.stdout.split() == ["409", "200", "200", "true", "True", "1"], done.stderr
