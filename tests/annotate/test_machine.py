"""Models that judge by token: every task once, no slot, one project, never signed in."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotate.models import Assignment, Judgement, Task, User
from annotate.services.access_token import create_machine_token, revoke_token
from annotate.services.lease import expire_leases
from annotate.services.machine import machine_next
from annotate.services.member import remove_member
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item, make_known

pytestmark = pytest.mark.django_db
DOC = Path(__file__).resolve().parents[2] / "docs" / "machine_raters.md"


@pytest.fixture
def judge(project):
    """(token, secret) of a model in a project with three tasks."""
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "long one", "b") for n in range(3)])
    return create_machine_token(project=project, name="judge")


@pytest.fixture
def ask(client, judge):
    def asked(path, body=None, secret=judge[1], slug="answers"):
        headers = {"Authorization": f"Bearer {secret}"}
        at = f"/api/v1/projects/{slug}/tasks/{path}"
        return client.post(at, body or {}, content_type="application/json", headers=headers)

    return asked


def lease(ask, **more):
    return ask("lease", **more).json()["task"]


def answered(task, **said):
    return {"answer": task["answer"] | {"outcome": "tie"} | said}


def test_a_model_fetches_and_submits_every_task_once(ask, judge):
    seen = []
    while task := lease(ask):
        sent = [ask(f"{task['assignment']}/submit", answered(task)).json() for _ in "ab"]
        assert sent[0] == sent[1]
        seen.append(Assignment.objects.get(pk=task["assignment"]).task_id)
    assert seen == list(Task.objects.order_by("pk").values_list("pk", flat=True))
    assert set(Judgement.objects.values_list("source", "rater__username")) == {("machine", "judge@answers")}
    assert Judgement.objects.count() == 3


def test_it_takes_no_slot_from_people(ask, project, bob):
    task = lease(ask)
    ask(f"{task['assignment']}/submit", answered(task))
    ask("lease")
    expire_leases(now=timezone.now() + timedelta(days=1))
    assert set(Task.objects.values_list("slots", "open_slots")) == {(1, 1)}
    assert lease_next(project=project, user=bob)


def test_it_judges_what_people_have_finished_and_what_is_kept_for_them(ask):
    Task.objects.update(open_slots=0, reserved=True)
    assert lease(ask)


def test_it_is_asked_nothing_whose_answer_is_known(ask, project):
    Task.objects.all().delete()
    make_known(project, "Gold?")
    make_known(project, "Exam?", kind="qualification")
    assert ask("lease").json() == {"task": None, "why": "empty"}


def test_each_fetch_is_another_task_and_what_ran_out_comes_back(project, judge):
    user = judge[0].user
    first, second = (machine_next(project=project, user=user) for _ in "ab")
    assert first.task_id != second.task_id
    Assignment.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    assert machine_next(project=project, user=user).pk == first.pk


def test_a_task_that_appears_before_the_last_is_not_left_out(project, judge):
    user, early = judge[0].user, Task.objects.first()
    Task.objects.filter(pk=early.pk).update(kind="gold", slots=0, open_slots=0)
    while machine_next(project=project, user=user):
        pass
    Task.objects.filter(pk=early.pk).update(kind="normal", slots=early.slots, open_slots=early.slots)
    assert machine_next(project=project, user=user).task_id == early.pk


def test_a_paused_project_gives_it_nothing(ask, project):
    type(project).objects.update(paused=True)
    assert ask("lease").json() == {"task": None, "why": "paused"}


def test_a_task_tells_nothing_of_where_it_comes_from(ask):
    text = ask("lease").content.decode()
    assert "Question 0?" in text
    for hidden in ("source-0", "source-1", "gold", "metadata", 'kind": "normal', "probability"):
        assert hidden not in text


def test_a_skipped_task_is_not_given_again(ask):
    first = lease(ask)["assignment"]
    assert ask(f"{first}/skip", {"reason": "too long"}).json() == {"skipped": True}
    rest = [lease(ask) for _ in range(3)]
    assert first not in [task and task["assignment"] for task in rest]
    assert rest[-1] is None


# ---- What is refused


def test_a_wrong_answer_names_its_field(ask):
    task = lease(ask)
    response = ask(f"{task['assignment']}/submit", answered(task, outcome="cannot_judge"))
    assert (response.status_code, response.json()["errors"]) == (422, [{"field": "reason", "message": "Say why."}])
    assert ask(f"{task['assignment']}/submit", {"answer": 3}).status_code == 422
    other = lease(ask)
    assert ask(f"{other['assignment']}/submit", answered(task)).json()["errors"][0]["field"] == "texts_sha256"


def test_a_second_answer_is_a_conflict_and_a_bad_body_is_400(ask, client, judge):
    task = lease(ask)["assignment"]
    ask(f"{task}/skip")
    headers = {"Authorization": f"Bearer {judge[1]}"}
    where = f"/api/v1/projects/answers/tasks/{task}/submit"
    assert client.post(where, b"[", content_type="application/json", headers=headers).status_code == 400
    done = lease(ask)
    ask(f"{done['assignment']}/submit", answered(done))
    assert ask(f"{done['assignment']}/skip").status_code == 409


def test_a_revoked_token_and_one_of_a_removed_member_are_401(ask, judge, project, alice):
    _, second = create_machine_token(project=project, name="judge")
    revoke_token(token=judge[0], actor=alice)
    assert ask("lease").status_code == 401
    assert ask("lease", secret=second).status_code == 200
    remove_member(member=project.memberships.get(user=judge[0].user), actor=alice)
    assert ask("lease", secret=second).status_code == 401


def test_a_token_of_one_project_sees_nothing_of_another(ask, alice):
    from annotate.services.project import create_project

    other = create_project(slug="other", name="Other", actor=alice)
    _, secret = create_machine_token(project=other, name="judge")
    task = lease(ask)
    assert lease(ask, secret=secret, slug="other") is None
    for slug in ("answers", "other"):
        for act, body in {"submit": answered(task), "skip": {}, "heartbeat": {}}.items():
            assert ask(f"{task['assignment']}/{act}", body, secret=secret, slug=slug).status_code == 404
    assert User.objects.filter(is_machine=True).count() == 2


def test_what_people_do_is_out_of_its_reach(ask, project, bob):
    held = lease_next(project=project, user=bob)
    assert ask(f"{held.pk}/skip").status_code == 404


# ---- The token


def test_a_machine_can_never_sign_in(client, judge):
    user = judge[0].user
    assert (user.has_usable_password(), authenticate(username=user.username, password="")) == (False, None)
    user.set_password("given by hand")
    user.save()
    assert authenticate(username=user.username, password="given by hand") is None
    client.force_login(user)
    assert client.get("/").headers["Location"].startswith("/login/")


@pytest.mark.parametrize("name", ["", "two words", "a/b", "x" * 81])
def test_a_name_that_cannot_be_one_is_refused(project, name):
    with pytest.raises(ValidationError):
        create_machine_token(project=project, name=name)


def test_a_person_is_not_made_a_machine(project, person):
    person("bob@answers")
    with pytest.raises(ValidationError, match="person"):
        create_machine_token(project=project, name="bob")


def test_the_command_prints_the_token(project, capsys, client):
    call_command("create_token", "answers", "judge", "--json")
    made = json.loads(capsys.readouterr().out)
    assert (made["project"], made["rater"]) == ("answers", "judge@answers")
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert client.post("/api/v1/projects/answers/tasks/lease", headers=headers).status_code == 200
    with pytest.raises(CommandError, match="no project"):
        call_command("create_token", "nowhere", "judge")


@pytest.mark.django_db(transaction=True)
def test_the_documented_example_judges_every_task(judge, live_server):
    if not shutil.which("curl") or not shutil.which("jq"):
        pytest.skip("no curl or no jq")
    script = re.search(r"```bash\n(.*?)```", DOC.read_text(), re.S)[1]
    environment = {"SITE": live_server.url, "PROJECT": "answers", "TOKEN": judge[1], "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=environment, check=True, timeout=60)
    rows = Judgement.objects.filter(source="machine", outcome="ranking")
    longer = {row.item.responses.get(text="long one").pk == row.ranking[0][0] for row in rows}
    assert (rows.count(), longer) == (3, {True})
