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

from annotate.models import Assignment, Judgement, Task, Token, User
from annotate.services.lease import expire_leases
from annotate.services.machine import machine_next
from annotate.services.member import remove_member
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from annotate.services.token import create_token, revoke_token
from tests.annotate.making import make_item, make_known

pytestmark = pytest.mark.django_db
DOC = Path(__file__).resolve().parents[2] / "docs" / "machine_raters.md"


@pytest.fixture
def judge(project):
    """(token, secret) of a model in a project with three tasks."""
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "long one", "b") for n in range(3)])
    return create_token(project=project, name="judge")


@pytest.fixture
def ask(client, judge):
    def asked(path, body=None, secret=judge[1]):
        headers = {"Authorization": f"Bearer {secret}"}
        return client.post(f"/api/machine/{path}", body or {}, content_type="application/json", headers=headers)

    return asked


def answered(task, **said):
    return {"answer": task["answer"] | {"outcome": "tie"} | said}


def test_a_model_fetches_and_submits_every_task_once(ask, judge):
    seen = []
    while (task := ask("next/").json())["assignment"]:
        sent = [ask(f"{task['assignment']}/submit/", answered(task)).json() for _ in "ab"]
        assert sent[0] == sent[1]
        seen.append(Assignment.objects.get(pk=task["assignment"]).task_id)
    assert seen == list(Task.objects.order_by("pk").values_list("pk", flat=True))
    assert set(Judgement.objects.values_list("source", "rater__username")) == {("machine", "judge@answers")}
    assert Judgement.objects.count() == 3


def test_it_takes_no_slot_from_people(ask, project, bob):
    task = ask("next/").json()
    ask(f"{task['assignment']}/submit/", answered(task))
    ask("next/")
    expire_leases(now=timezone.now() + timedelta(days=1))
    assert set(Task.objects.values_list("slots", "open_slots")) == {(1, 1)}
    assert lease_next(project=project, user=bob)


def test_it_judges_what_people_have_finished_and_what_is_kept_for_them(ask):
    Task.objects.update(open_slots=0, reserved=True)
    assert ask("next/").json()["assignment"]


def test_it_is_asked_nothing_whose_answer_is_known(ask, project):
    Task.objects.all().delete()
    make_known(project, "Gold?")
    make_known(project, "Exam?", kind="qualification")
    assert ask("next/").json() == {"assignment": None, "paused": False}


def test_each_fetch_is_another_task_and_what_ran_out_comes_back(project, judge):
    user = judge[0].user
    first, second = (machine_next(project=project, user=user) for _ in "ab")
    assert first.task_id != second.task_id
    Assignment.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    assert machine_next(project=project, user=user).pk == first.pk


def test_a_task_that_appears_before_the_last_is_not_left_out(project, judge):
    user, early = judge[0].user, Task.objects.first()
    Task.objects.filter(pk=early.pk).update(kind="gold")
    while machine_next(project=project, user=user):
        pass
    Task.objects.filter(pk=early.pk).update(kind="normal")
    assert machine_next(project=project, user=user).task_id == early.pk


def test_a_paused_project_gives_it_nothing(ask, project):
    type(project).objects.update(paused=True)
    assert ask("next/").json() == {"assignment": None, "paused": True}


def test_a_task_tells_nothing_of_where_it_comes_from(ask):
    text = ask("next/").content.decode()
    assert "Question 0?" in text
    for hidden in ("source-0", "source-1", "gold", "metadata", 'kind": "normal', "probability"):
        assert hidden not in text


def test_a_skipped_task_is_not_given_again(ask):
    first = ask("next/").json()["assignment"]
    assert ask(f"{first}/skip/", {"reason": "too long"}).json() == {"skipped": True}
    rest = [ask("next/").json()["assignment"] for _ in range(3)]
    assert first not in rest
    assert rest[-1] is None


# ---- What is refused


def test_a_wrong_answer_names_its_field(ask):
    task = ask("next/").json()
    response = ask(f"{task['assignment']}/submit/", answered(task, outcome="cannot_judge"))
    assert (response.status_code, response.json()) == (422, {"errors": {"reason": ["Say why."]}})
    assert ask(f"{task['assignment']}/submit/", {"answer": 3}).status_code == 422
    other = ask("next/").json()
    assert ask(f"{other['assignment']}/submit/", answered(task)).json()["errors"].keys() == {"texts_sha256"}


def test_a_second_answer_is_a_conflict_and_a_bad_body_is_400(ask, client, judge):
    task = ask("next/").json()["assignment"]
    ask(f"{task}/skip/")
    headers = {"Authorization": f"Bearer {judge[1]}"}
    where = f"/api/machine/{task}/submit/"
    assert client.post(where, b"[", content_type="application/json", headers=headers).status_code == 400
    done = ask("next/").json()
    ask(f"{done['assignment']}/submit/", answered(done))
    assert ask(f"{done['assignment']}/skip/").status_code == 409


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Basic nonsense"])
def test_without_a_good_token_it_is_401(client, judge, header):
    headers = {} if header is None else {"Authorization": header}
    response = client.post("/api/machine/next/", headers=headers)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_session_is_no_token(client_of, alice, judge):
    assert client_of(alice).post("/api/machine/next/").status_code == 401


def test_a_revoked_token_and_one_of_a_removed_member_are_401(ask, judge, project, alice):
    _, second = create_token(project=project, name="judge")
    revoke_token(token=judge[0], actor=alice)
    assert ask("next/").status_code == 401
    assert ask("next/", secret=second).status_code == 200
    remove_member(member=project.memberships.get(user=judge[0].user), actor=alice)
    assert ask("next/", secret=second).status_code == 401


def test_a_token_of_one_project_sees_nothing_of_another(ask, alice):
    from annotate.services.project import create_project

    other = create_project(slug="other", name="Other", actor=alice)
    _, secret = create_token(project=other, name="judge")
    task = ask("next/").json()
    assert ask("next/", secret=secret).json()["assignment"] is None
    for act in ("submit/", "skip/"):
        assert ask(f"{task['assignment']}/{act}", answered(task), secret=secret).status_code == 404
    assert User.objects.filter(is_machine=True).count() == 2


def test_what_people_do_is_out_of_its_reach(ask, project, bob):
    lease = lease_next(project=project, user=bob)
    assert ask(f"{lease.pk}/skip/").status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_post_is_understood(client, judge, method):
    assert getattr(client, method)("/api/machine/next/").status_code == 405


# ---- The token


def test_a_machine_can_never_sign_in(client, judge):
    user = judge[0].user
    assert (user.has_usable_password(), authenticate(username=user.username, password="")) == (False, None)
    user.set_password("given by hand")
    user.save()
    assert authenticate(username=user.username, password="given by hand") is None
    client.force_login(user)
    assert client.get("/").headers["Location"].startswith("/login/")


def test_only_the_hash_of_a_token_is_kept(judge):
    secret = judge[1]
    assert secret not in json.dumps(list(Token.objects.values()), default=str)
    assert len(secret) >= 43


def test_the_last_use_is_written_once_a_minute(ask):
    ask("next/")
    first = Token.objects.get().last_used_at
    ask("next/")
    assert Token.objects.get().last_used_at == first
    Token.objects.update(last_used_at=first - timedelta(minutes=2))
    ask("next/")
    assert Token.objects.get().last_used_at >= first  # not two minutes before it any more


@pytest.mark.parametrize("name", ["", "two words", "a/b", "x" * 81])
def test_a_name_that_cannot_be_one_is_refused(project, name):
    with pytest.raises(ValidationError):
        create_token(project=project, name=name)


def test_a_person_is_not_made_a_machine(project, person):
    person("bob@answers")
    with pytest.raises(ValidationError, match="person"):
        create_token(project=project, name="bob")


def test_the_command_prints_the_token(project, capsys, client):
    call_command("create_token", "answers", "judge", "--json")
    made = json.loads(capsys.readouterr().out)
    assert (made["project"], made["rater"]) == ("answers", "judge@answers")
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert client.post("/api/machine/next/", headers=headers).status_code == 200
    with pytest.raises(CommandError, match="no project"):
        call_command("create_token", "nowhere", "judge")


@pytest.mark.django_db(transaction=True)
def test_the_documented_example_judges_every_task(judge, live_server):
    if not shutil.which("curl") or not shutil.which("jq"):
        pytest.skip("no curl or no jq")
    script = re.search(r"```bash\n(.*?)```", DOC.read_text(), re.S)[1]
    environment = {"SITE": live_server.url, "TOKEN": judge[1], "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=environment, check=True, timeout=60)
    rows = Judgement.objects.filter(source="machine", outcome="ranking")
    longer = {row.item.responses.get(text="long one").pk == row.ranking[0][0] for row in rows}
    assert (rows.count(), longer) == (3, {True})
