"""Projects by the API: the list, the progress, and what raters are asked."""

import pytest

from annotate.models import Role
from annotate.services.guidelines import change_guidelines
from annotate.services.project import add_member, create_project
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.api.test_auth import told
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


def make_projects(alice, numbers):
    return [create_project(slug=f"p-{n}", name=f"P {n}", actor=alice) for n in numbers]


def test_the_list_holds_what_the_owner_is_a_member_of(api, project, alice, bob, charlie):
    make_projects(alice, [1])
    listed = [[(one["slug"], one["role"]) for one in api(who).get("/projects").json()["items"]] for who in (alice, bob)]
    assert listed == [[("answers", "admin"), ("p-1", "admin")], [("answers", "annotator")]]
    assert api(charlie).get("/projects").json() == {"items": [], "next": None}


def test_a_superuser_sees_all_as_admin(api, project, django_user_model):
    root = django_user_model.objects.create_superuser("root")
    assert api(root).get("/projects").json()["items"][0]["role"] == "admin"


def test_pages_follow_each_other_while_others_write(api, alice):
    made = make_projects(alice, range(5))
    mine, seen, cursor = api(alice), [], ""
    for step in range(9):
        page = mine.get("/projects", limit=2, cursor=cursor).json()
        seen += [one["slug"] for one in page["items"]]
        if step == 0:  # one that was read is gone, one that was not is renamed, a new one comes
            made[0].memberships.all().delete()
            made[3].name = "A first name"
            made[3].save()
            make_projects(alice, [9])
        if not (cursor := page["next"]):
            break
    assert seen == ["p-0", "p-1", "p-2", "p-3", "p-4", "p-9"]


@pytest.mark.parametrize("cursor", ["x", "MQ", "1", "\0", "eyJhIjoxfQ:abc", "' OR 1=1 --", "9" * 500])
def test_a_cursor_that_we_did_not_write_is_refused(api, project, alice, cursor):
    response = api(alice).get("/projects", cursor=cursor)
    assert told(response)[0] == 422
    assert response.json()["errors"][0]["field"] == "cursor"


def test_a_cursor_of_another_list_is_refused(api, project, alice):
    make_projects(alice, [1])
    cursor = api(alice).get("/projects", limit=1).json()["next"]
    assert api(alice).get("/projects/answers/items", cursor=cursor).status_code == 422


def test_more_projects_cost_no_more_queries(api, alice, django_assert_num_queries):
    mine = api(alice)
    make_projects(alice, range(3))
    mine.get("/projects")
    for n in (10, 20):
        make_projects(alice, range(n, n + 5))
        with django_assert_num_queries(3):  # token, projects, roles
            mine.get("/projects")


def test_progress_guidelines_and_schema(api, project, alice, bob):
    make_tasks(project=project, items=[make_item(project, f"Q{n}?", "a", "b") for n in range(2)])
    lease_next(project=project, user=bob)
    change_guidelines(project=project, body="Be *kind*.", actor=alice)
    his = api(bob, "see")
    assert his.get("/projects/answers/progress").json() == {"items": 2, "judged": 0, "wanted": 2, "open": 1}
    assert his.get("/projects/answers/guidelines").json() == {"number": 1, "body": "Be *kind*."}
    schema = his.get("/projects/answers/schema").json()
    assert (schema["number"], schema["body"]["strengths"]) == (1, project.schema.strengths)


@pytest.mark.parametrize("path", ["", "/progress", "/guidelines", "/schema"])
def test_each_costs_the_same_few_queries(api, project, bob, path, django_assert_max_num_queries):
    his = api(bob)
    his.get("/projects/answers")
    with django_assert_max_num_queries(3):
        assert his.get(f"/projects/answers{path}").status_code == 200


ROLES = {
    "items": "review", "items/1": "review", "judgements": "research", "judgements/export": "research",
    "progress": "see", "guidelines": "see", "schema": "see", "tasks/1": "judge",
}  # fmt: skip
POSTS = {"items": "manage", "items/check": "manage", "tasks/lease": "judge", "tasks/1/submit": "judge"}
POSTS |= {"tasks/1/skip": "judge", "tasks/1/heartbeat": "judge"}
RIGHTS = {  # said here once more, so that a slip in annotate.access is found
    "annotator": {"see", "judge"},
    "reviewer": {"see", "judge", "review", "decide"},
    "researcher": {"see", "review", "research"},
    "admin": {"see", "judge", "review", "decide", "research", "manage"},
}


@pytest.mark.parametrize("role", [*Role.values, "stranger"])
def test_who_may_do_what(api, project, charlie, role):
    if role != "stranger":
        add_member(project=project, user=charlie, role=role)
    all_scopes = api(charlie)
    for asked, ask in ((ROLES, all_scopes.get), (POSTS, lambda at: all_scopes.post(at, {"answer": {}}))):
        for path, right in asked.items():
            status = ask(f"/projects/answers/{path}").status_code
            if role == "stranger":
                assert status in (404, 422), path  # 422 is said of the body before anybody looks for the project
            elif right not in RIGHTS[role]:
                assert status in (403, 422), path
            else:
                assert status not in (401, 403), path


@pytest.mark.parametrize(("path", "right"), ROLES.items())
def test_a_scope_less_is_403(api, project, alice, path, right):
    others = RIGHTS["admin"] - {right}
    refused = api(alice, *others).get(f"/projects/answers/{path}")
    assert told(refused)[0] == 403
    assert f"lacks the scope {right}" in told(refused)[1]
    assert api(alice, right).get(f"/projects/answers/{path}").status_code in (200, 404)
