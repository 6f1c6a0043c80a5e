"""Tasks kept for named people, priorities, quotas of one person, tokens of models: what admins do from pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotate.models import AccessToken, Event, Reservation, Task
from annotate.services.access_token import token_used
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"annotate:{name}", args=["answers", *args])


@pytest.fixture
def admin(client_of, project, alice):
    return client_of(alice)


@pytest.fixture
def items(project):
    made = [make_item(project, f"{word} question?", f"{word} 1", f"{word} 2") for word in ("red", "blue", "blue sky")]
    make_tasks(project=project, items=made)
    return made


def kept():
    return set(Reservation.objects.values_list("task__item__turns__0__content", "user__username"))


def test_chosen_items_are_kept_for_chosen_people_and_undone(admin, project, alice, bob, items):
    chosen = {"act": "assign", "items": [items[1].pk], "people": [bob.pk]}
    assert admin.post(url("assign"), chosen).url == url("items")
    assert kept() == {("blue question?", "bob")}
    assert lease_next(project=project, user=alice).task.item_id != items[1].pk
    assert lease_next(project=project, user=bob).task.item_id == items[1].pk
    admin.post(url("assign"), chosen | {"act": "unassign"})
    assert kept() == set()
    assert not Task.objects.filter(reserved=True).exists()
    assert [e.kind for e in Event.objects.filter(kind__contains="assigned")] == ["task.assigned", "task.unassigned"]


def test_all_that_a_search_found_is_kept(admin, bob, items):
    sent = {"act": "assign", "everything": "on", "q": "blue", "people": [bob.pk]}
    assert admin.post(url("assign"), sent).url == url("items") + "?q=blue"
    assert {question for question, _ in kept()} == {"blue question?", "blue sky question?"}


@pytest.mark.parametrize(
    "act", [{"act": "assign"}, {"act": "unassign"}, {"act": "priority", "priority": 3}], ids=lambda act: act["act"]
)
def test_what_a_search_found_is_never_read_into_the_page(admin, project, bob, items, act):
    sent = act | {"everything": "on", "people": [bob.pk]}
    with CaptureQueriesContext(connection) as few:
        admin.post(url("assign"), sent)
    more = [make_item(project, f"question {n}?", "a", "b") for n in range(60)]
    make_tasks(project=project, items=more)
    with CaptureQueriesContext(connection) as many:
        admin.post(url("assign"), sent)
    reads = [[len(asked["sql"]) for asked in said if not asked["sql"].startswith("INSERT")] for said in (few, many)]
    assert max(reads[1]) < max(reads[0]) + 60  # one number for each of 60 tasks would be longer
    if act["act"] == "assign":
        assert Reservation.objects.filter(user=bob).count() == 63


def test_many_tasks_are_kept_some_at_a_time(admin, project, alice, bob, items, monkeypatch):
    monkeypatch.setattr("annotate.services.task.BATCH", 2)
    admin.post(url("assign"), {"act": "assign", "everything": "on", "people": [alice.pk, bob.pk]})
    assert len(kept()) == 6
    assert Task.objects.filter(reserved=True).count() == 3


def test_unknown_filters_are_no_filters(admin, bob, items):
    sent = {"act": "assign", "everything": "on", "project__slug": "x", "split": "other", "people": [bob.pk]}
    admin.post(url("assign"), sent)
    assert len(kept()) == 3


@pytest.mark.parametrize(
    "bad", [{"items": []}, {"people": []}, {"act": "delete"}, {"items": ["x"]}, {"people": [10**9]}, {"items": [10**9]}]
)
def test_what_is_not_clear_changes_nothing(admin, bob, items, bad):
    sent = {"act": "assign", "items": [items[0].pk], "people": [bob.pk]} | bad
    assert admin.post(url("assign"), sent, follow=True).context["messages"]
    assert kept() == set()


def test_who_cannot_judge_is_not_assigned(admin, project, person, items):
    from annotate.services.project import add_member

    rita = person("rita")
    add_member(project=project, user=rita, role="researcher")
    sent = {"act": "assign", "items": [items[0].pk], "people": [rita.pk]}
    assert "rita cannot judge" in admin.post(url("assign"), sent, follow=True).content.decode()
    assert kept() == set()


def test_items_of_another_project_are_out_of_reach(admin, alice, bob, items):
    from annotate.services.project import create_project

    other = make_item(create_project(slug="other", name="Other", actor=alice), "far?", "a", "b")
    admin.post(url("assign"), {"act": "assign", "items": [other.pk], "people": [bob.pk]})
    assert kept() == set()


def test_a_priority_is_served_first(admin, project, bob, items):
    admin.post(url("assign"), {"act": "priority", "items": [items[2].pk], "priority": 5})
    assert lease_next(project=project, user=bob).task.item_id == items[2].pk
    assert "priority 5" in admin.get(url("items")).content.decode()
    assert Event.objects.get(kind="task.priority").data == {"tasks": 1, "priority": 5}


@pytest.mark.parametrize("bad", ["", "1001", "high"])
def test_a_bad_priority_changes_nothing(admin, items, bad):
    admin.post(url("assign"), {"act": "priority", "items": [items[2].pk], "priority": bad})
    assert set(Task.objects.values_list("priority", flat=True)) == {0}


def test_only_admins_choose_items(client_of, admin, project, person, items):
    from annotate.services.project import add_member

    dora = person("dora")
    add_member(project=project, user=dora, role="reviewer")
    assert "Keep for these people" in admin.get(url("items")).content.decode()
    assert "Keep for these people" not in client_of(dora).get(url("items")).content.decode()


# ---- Quotas


def test_a_quota_of_one_person(admin, project, bob, items):
    member = project.memberships.get(user=bob)
    admin.post(url("member_quota", member.pk), {"quota": "0"})
    assert lease_next(project=project, user=bob) is None
    admin.post(url("member_quota", member.pk), {"quota": ""})
    member.refresh_from_db()
    assert member.quota is None
    assert lease_next(project=project, user=bob)
    assert [e.data["quota"] for e in Event.objects.filter(kind="member.quota")] == [0, None]


@pytest.mark.parametrize("bad", ["-1", "many", "9" * 20])
def test_a_bad_quota_is_told_at_its_field(admin, project, bob, bad):
    member = project.memberships.get(user=bob)
    response = admin.post(url("member_quota", member.pk), {"quota": bad})
    assert response.status_code == 422
    assert 'id="wrong-quota"' in response.content.decode()
    member.refresh_from_db()
    assert member.quota is None


# ---- Models


def test_a_token_is_shown_once_and_works_until_it_is_revoked(admin):
    secret = admin.post(url("machine_create"), {"name": "judge-7b"}).context["secret"]
    page = admin.get(url("members"))
    assert secret not in page.content.decode()
    assert "judge-7b@answers" in page.content.decode()
    assert token_used(secret).user.is_machine
    assert admin.post(url("machine_revoke", AccessToken.objects.get().pk)).url == url("members")
    assert token_used(secret) is None
    assert "revoked" in admin.get(url("members")).content.decode()


def test_models_are_listed_apart_from_people(admin):
    admin.post(url("machine_create"), {"name": "judge-7b"})
    assert {m.user.username for m in admin.get(url("members")).context["people"]} == {"alice", "bob"}


@pytest.mark.parametrize("name", ["", "two words", "x" * 81])
def test_a_bad_name_is_told_at_its_field(admin, name):
    response = admin.post(url("machine_create"), {"name": name})
    assert response.status_code == 422
    assert response.context["machine"].errors["name"]
    assert not AccessToken.objects.exists()
