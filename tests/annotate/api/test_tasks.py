"""The queue by the API, for people's programs; models are in tests/annotate/test_machine.py."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotate.models import Assignment, Case, Judgement, Task
from annotate.services.lease import expire_leases
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.api.test_auth import told
from tests.annotate.making import make_item, make_known

pytestmark = pytest.mark.django_db
WHERE = "/projects/answers/tasks"


@pytest.fixture
def his(api, project, bob):
    """Bob's program, in a project with three tasks."""
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "long one", "b") for n in range(3)])
    return api(bob, "judge")


def lease(client):
    return client.post(f"{WHERE}/lease").json()["task"]


def tie(task, **said):
    return {"answer": task["answer"] | {"outcome": "tie"} | said}


def test_lease_submit_until_nothing_is_left(his):
    while task := lease(his):
        assert his.post(f"{WHERE}/{task['assignment']}/submit", tie(task)).status_code == 200
    assert set(Judgement.objects.values_list("source", "rater__username")) == {("human", "bob")}
    assert Judgement.objects.count() == 3
    assert his.post(f"{WHERE}/lease").json() == {"task": None, "why": "done"}


def test_the_lease_is_the_one_of_the_judging_page(his, project, bob):
    task = lease(his)
    assert lease(his) | {"expires_at": ""} == task | {"expires_at": ""}
    assert lease_next(project=project, user=bob).pk == task["assignment"]
    assert Task.objects.filter(open_slots=0).count() == 1


def test_a_task_tells_nothing_of_where_it_comes_from(his, project):
    make_known(project, "Gold?")
    text = his.post(f"{WHERE}/lease").content.decode()
    for hidden in (
        "source-0",
        "source-1",
        "gold",
        'kind": "normal',
        "metadata",
        'reason"',
        "probability",
        'priority": 0',
    ):
        assert hidden not in text


def test_what_a_colleague_said_is_nowhere(his, api, project, alice):
    Task.objects.update(slots=2, open_slots=2)
    hers = api(alice, "judge")
    task = lease(hers)
    said = hers.post(f"{WHERE}/{task['assignment']}/submit", tie(task, rationale="between us"))
    assert said.status_code == 200, said.content
    mine = lease(his)
    assert told(his.get(f"{WHERE}/{task['assignment']}"))[0] == 404
    assert "between us" not in his.get(f"{WHERE}/{mine['assignment']}").content.decode()


def test_the_same_answer_again_is_the_same_judgement_another_is_a_conflict(his):
    task = lease(his)
    where = f"{WHERE}/{task['assignment']}/submit"
    first, again = (his.post(where, tie(task, **{"checked": []})).json() for _ in "ab")
    assert first == again
    assert told(his.post(where, tie(task) | {"answer": task["answer"] | {"outcome": "both_bad"}}))[0] == 409
    assert Judgement.objects.count() == 1


def test_a_wrong_answer_names_its_field_and_stores_nothing(his):
    task = lease(his)
    refused = his.post(f"{WHERE}/{task['assignment']}/submit", tie(task, outcome="cannot_judge"))
    assert told(refused)[0] == 422
    assert refused.json()["errors"][0]["field"] == "reason"
    assert not Judgement.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "answer"),
        ({"answer": 3}, 422, "answer"),
        ({"answer": {}, "active_ms": -1}, 422, "active_ms"),
        ({"answer": {}, "judgement__rater": 1}, 422, "judgement__rater"),
        ("[1]", 400, None),
        ("{", 400, None),
        ('{"answer": {"rationale": "\\u0000"}}', 400, None),
        ('{"answer": ' + '{"a": ' * 90 + "1" + "}" * 91, 400, None),
    ],
)
def test_a_body_that_is_none_is_told(his, body, status, field):
    refused = his.post(f"{WHERE}/{lease(his)['assignment']}/submit", body)
    assert told(refused)[0] == status
    assert [one.get("field") for one in refused.json()["errors"][:1]] == ([field] if field else [])


def test_a_body_of_another_type_is_415_and_a_large_one_413(his, settings):
    where = f"{WHERE}/{lease(his)['assignment']}/submit"
    assert told(his.post(where, "answer=1", content_type="application/x-www-form-urlencoded"))[0] == 415
    assert told(his.post(where, b"x", content_type="multipart/form-data; boundary=x"))[0] == 415
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert told(his.post(where, {"answer": {"rationale": "x" * 99}}))[0] == 413


def test_a_skipped_task_is_not_given_again_and_a_flag_reaches_the_reviewers(his):
    first = lease(his)
    assert his.post(f"{WHERE}/{first['assignment']}/skip", {"reason": "too long"}).json() == {"skipped": True}
    assert Assignment.objects.get(pk=first["assignment"]).skip_reason == "too long"
    second = lease(his)
    assert second["assignment"] != first["assignment"]
    his.post(f"{WHERE}/{second['assignment']}/submit", tie(second) | {"flag": "look here"})
    assert Case.objects.get().task.assignments.get().pk == second["assignment"]


def test_a_heartbeat_holds_and_says_when_it_came_too_late(his, api, project, alice):
    task = lease(his)
    where = f"{WHERE}/{task['assignment']}/heartbeat"
    Assignment.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    assert his.post(where).json() == {"held": True}
    assert Assignment.objects.get().expires_at > timezone.now() + timedelta(minutes=20)
    expire_leases(now=timezone.now() + timedelta(days=1))
    Task.objects.update(open_slots=0)
    assert his.post(where).json() == {"held": False}


def test_a_draft_is_kept_under_its_revision(his):
    task = lease(his)
    where = f"{WHERE}/{task['assignment']}/draft"
    saved = his.put(where, {"answer": {"outcome": "tie"}, "revision": 0}).json()
    assert saved == {"revision": 1, "held": True}
    assert told(his.put(where, {"answer": {"outcome": "both_bad"}, "revision": 0}))[0] == 409
    now = his.get(f"{WHERE}/{task['assignment']}").json()
    assert (now["draft"], now["draft_revision"]) == ({"outcome": "tie"}, 1)


def test_what_another_has_leased_is_not_found(his, api, alice):
    task, hers = lease(his), api(alice)
    for method, act in (("get", ""), ("post", "/heartbeat"), ("post", "/skip")):
        assert told(hers.ask(method, f"{WHERE}/{task['assignment']}{act}", {} if method == "post" else None))[0] == 404


def test_more_tasks_cost_no_more_queries(his, project, django_assert_num_queries, django_assert_max_num_queries):
    task = lease(his)
    for n in (1, 5):
        make_tasks(project=project, items=[make_item(project, f"{n} {i}?", "a", "b") for i in range(n)])
        with django_assert_num_queries(5):  # token, project, assignment with its item, schema, responses
            his.get(f"{WHERE}/{task['assignment']}")
        with django_assert_max_num_queries(16):
            lease(his)
