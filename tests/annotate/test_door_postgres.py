"""The door on PostgreSQL: guesses side by side, and text that it cannot hold."""

import os

import pytest

from tests.annotate.test_lease_race import in_process, outcome

GUESSES = """
import threading, time
import django
django.setup()
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from annotate.models import Event, Invite, Throttle, User
from annotate.services.invite import create_invite
from annotate.services.project import create_project
from annotate.sealed import unseal
from annotate.services import throttle
from annotate.services.second_factor import begin, confirm, use_code
from pyotp import TOTP

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.ALLOWED_HOSTS = ["testserver"]
User.objects.create_user("bob", password="bob-pass-phrase")

def side_by_side(act, times):
    found, start = [], threading.Barrier(times)
    def one():
        start.wait()
        found.append(act())
        connection.close()
    threads = [threading.Thread(target=one) for _ in range(times)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return sorted(found)

wrong = {"username": "bob", "password": "wrong"}
throttle.wait_after = lambda failures, free: 900 * (failures >= free)  # else a slow machine sits the second out
assert side_by_side(lambda: Client().post("/login/", wrong).status_code, 8) == [422] * 5 + [429] * 3
assert Event.objects.filter(kind="account.sign_in_failed").count() == 5
assert set(Throttle.objects.values_list("failures", flat=True)) == {5}

project = create_project(slug="both", name="Both")
_, token = create_invite(project=project, role="annotator")
numbers = iter(range(4))
def sign_up():
    form = {"username": f"new{next(numbers)}", "password1": "stone-and-gold", "password2": "stone-and-gold"}
    return Client().post(f"/invite/{token}/", form).status_code
assert side_by_side(sign_up, 4) == [302] + [404] * 3
assert (User.objects.filter(username__startswith="new").count(), project.memberships.count()) == (1, 1)

bob, now = User.objects.get(username="bob"), int(time.time()) // 30
app = TOTP(unseal(begin(user=bob).sealed))
recovery = confirm(user=bob, code=app.generate_otp(now))
for code in (app.generate_otp(now + 1), recovery[0]):
    def use():
        try:
            return use_code(user=bob, code=code) is None
        except ValidationError:
            return False
    assert side_by_side(use, 4) == [False] * 3 + [True]
"""

UNSTORABLE = r"""
import json
import django
django.setup()
from django.conf import settings
from django.test import Client
from annotate.models import Project, User
from annotate.services.judgement import shown_in
from annotate.services.project import create_project
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

settings.ALLOWED_HOSTS = ["testserver"]
alice = User.objects.create_superuser("alice")
project = create_project(slug="answers", name="Answers", actor=alice)
make_tasks(project=project, items=[make_item(project, "Why?", "a", "b")])
lease = lease_next(project=project, user=alice)

for cookie in ("\0" * 32, "a\0", "x" * 50_000, "\xe9" * 32):
    stranger = Client(raise_request_exception=False)
    stranger.cookies["sessionid"] = cookie
    for name in ("csrftoken", "messages", "known-x"):
        stranger.cookies[name] = cookie
    assert stranger.get("/").status_code in (302, 400), cookie
    assert stranger.post("/login/", {"username": "bob", "password": "x"}).status_code in (422, 400), cookie

browser = Client(raise_request_exception=False)
browser.force_login(alice)
desk = f"/p/answers/judge/{lease.pk}"
for path in ("/p/\0/", "/invite/\0/", "/p/answers/\0/", "/\0"):
    assert browser.get(path).status_code in (400, 404), path
names = ("q", "search", "page", "next", "after", "split", "state", "format", "since", "find")
for path in ("/p/answers/items/", "/p/answers/review/", "/p/answers/jobs/", "/login/", "/p/answers/judge/mine/"):
    assert browser.get(path, dict.fromkeys(names, "a\0")).status_code < 500, path
for header in ("HTTP_X_FORWARDED_FOR", "HTTP_REFERER", "HTTP_AUTHORIZATION"):
    assert browser.get("/account/", **{header: "a\0"}).status_code == 200, header
names = ("name", "slug", "note", "role", "body", "guidelines", "username", "password", "part", "days")
for path in ("/new/", "/p/answers/settings/", "/p/answers/guidelines/edit/", "/p/answers/members/invite/", "/keys/"):
    assert browser.post(path, dict.fromkeys(names, "a\0")).status_code < 500, path
for text in ("\0", "\ud800"):
    for path in ("draft", "flag", "submit"):
        hashes = dict(shown_in(lease).sha256)
        answer = {"outcome": "tie", "rationale": text, "schema_version": 1, "texts_sha256": hashes}
        body = {"draft": {"answer": answer}, "answer": answer, "key": text, "revision": 0, "note": text}
        sent = browser.post(f"{desk}/{path}/", json.dumps(body), content_type="application/json")
        assert sent.status_code in (400, 422), (path, text, sent.content)
assert Project.objects.get().name == "Answers"
"""


@pytest.mark.service
@pytest.mark.parametrize("code", [GUESSES, UNSTORABLE], ids=["side by side", "unstorable"])
def test_the_door_on_postgresql(tmp_path, postgres, code):
    environment = {"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres, "DJANGO_SETTINGS_MODULE": "config.settings"}
    outcome(in_process(os.environ | {"LOG_LEVEL": "CRITICAL"} | environment, code))
