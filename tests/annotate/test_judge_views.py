"""The judging page and what it sends."""

import json
import re

import pytest
from django.urls import reverse

from annotate.models import Assignment, Event, Judgement, Task
from annotate.services.project import change_schema
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


PAGES = ("judge", "submit", "draft", "skip", "unskip", "flag", "heartbeat")
POSTS = ("submit", "draft", "skip", "unskip", "flag", "heartbeat")


@pytest.fixture
def desk(project, bob, client_of):
    """Bob's browser, with two tasks of a multi-turn item and a plain one to be judged."""
    turns = [
        {"role": "user", "content": "Hello there"},
        {"role": "assistant", "content": "Good day"},
        {"role": "user", "content": "Which city?"},
    ]
    context = [{"title": "Atlas", "text": "Paris is **in** France."}]
    fields = {"turns": turns, "context": context, "metadata": {"secret": "item-secret"}}
    items = [
        make_item(project, "Which city?", "**Paris** & more", "Rome", **fields),
        make_item(project, "Two?", "a", "b"),
    ]
    make_tasks(project=project, items=items)
    Task.objects.filter(item=items[0]).update(priority=1)  # each rater has an order of their own among equals
    return client_of(bob)


@pytest.fixture
def lease(desk, project, bob):
    desk.get(reverse("annotate:next", args=[project.slug]))
    return Assignment.objects.get(rater=bob)


def url(name, lease, slug="answers"):
    return reverse(f"annotate:{name}", args=[slug, lease.pk])


def data_of(response):
    found = re.search(
        r'<script id="judge-data" type="application/json">(.*?)</script>', response.content.decode(), re.S
    )
    return json.loads(found[1])


def post(client, where, body):
    return client.post(where, body, content_type="application/json")


def send(client, task, answer=None, **changes):
    """Submit through the page of an assignment."""
    data = data_of(client.get(url("judge", task)))
    best, worst = task.shown_order
    answer = {"outcome": "ranking", "ranking": [[best], [worst]], "strength": 1, **data["fixed"]} | (answer or {})
    body = {"answer": answer, "key": data["key"], "revises": data["revises"], "active_ms": 4200}
    return post(client, url("submit", task), body | changes)


def test_next_leases_a_task_and_goes_to_its_page(desk, project, bob):
    response = desk.get(reverse("annotate:next", args=[project.slug]))
    lease = Assignment.objects.get(rater=bob)
    assert response.headers["Location"] == url("judge", lease)


def test_the_page_shows_the_texts_and_selects_nothing(desk, lease):
    page = desk.get(url("judge", lease))
    html = page.content.decode()
    for seen in ("Hello there", "Good day", "Which city?", "Atlas", "much better", "both bad", "Helpfulness"):
        assert seen in html, html[html.find('id="prompt"') :][:900]
    assert " checked" not in html.replace("data-checked", "")
    assert " selected" not in html
    assert data_of(page)["answer"] is None
    assert [r["id"] for r in data_of(page)["responses"]] == lease.shown_order


def test_the_page_tells_nothing_of_where_a_response_comes_from(desk, lease, alice, client_of):
    Judgement.objects.create(
        project=lease.task.project, item=lease.task.item, task=lease.task, rater=alice, shown_order=lease.shown_order,
        outcome="tie", rationale="alices-secret", schema_version=1, texts_sha256={}, idempotency_key="a",
    )  # fmt: skip
    html = desk.get(url("judge", lease)).content.decode()
    for hidden in ("source-0", "source-1", "gold", "item-secret", "alices-secret", "alice"):
        assert hidden not in html


def test_hostile_text_stays_text(project, bob, client_of):
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    make_tasks(project=project, items=[make_item(project, bad, bad, bad + "2")])
    page = client_of(bob).get(reverse("annotate:next", args=[project.slug]), follow=True)
    assert b"<script>alert" not in page.content
    assert b"<img src=x" not in page.content
    assert data_of(page)["responses"][0]["raw"].startswith(bad)


def test_a_reload_keeps_the_order_and_makes_a_new_key(desk, lease):
    first, second = (data_of(desk.get(url("judge", lease))) for _ in "ab")
    assert first["responses"] == second["responses"]
    assert first["key"] != second["key"]


def test_submit_stores_and_says_where_to_go(desk, lease, project):
    response = send(desk, lease)
    assert response.json() == {"next": reverse("annotate:next", args=[project.slug])}
    stored = Judgement.objects.get()
    assert (stored.rater, stored.ranking[0], stored.active_ms) == (lease.rater, [lease.shown_order[0]], 4200)


def test_a_double_submit_stores_one_row(desk, lease):
    data = data_of(desk.get(url("judge", lease)))
    body = {"answer": {"outcome": "tie", **data["fixed"]}, "key": data["key"]}
    answers = [post(desk, url("submit", lease), body).status_code for _ in "ab"]
    assert answers == [200, 200]
    assert Judgement.objects.count() == 1


def test_a_wrong_answer_is_422_and_names_its_field(desk, lease):
    response = send(desk, lease, {"outcome": "cannot_judge"})
    assert response.status_code == 422
    assert response.json() == {"errors": {"reason": ["Say why."]}}
    assert send(desk, lease, {"outcome": None}).json()["errors"].keys() == {"outcome"}
    assert post(desk, url("submit", lease), {"key": "k", "answer": [1]}).status_code == 422


def test_a_late_second_tab_is_told(desk, lease):
    stale = data_of(desk.get(url("judge", lease)))
    assert send(desk, lease).status_code == 200
    again = post(desk, url("submit", lease), {"answer": {"outcome": "tie", **stale["fixed"]}, "key": stale["key"]})
    assert again.status_code == 409
    assert "already" in again.json()["error"]


def test_back_to_the_last_judgement_and_change_it(desk, lease, project, bob):
    send(desk, lease)
    page = desk.get(reverse("annotate:next", args=[project.slug]), follow=True)
    assert url("judge", lease) in page.content.decode()
    old = data_of(desk.get(url("judge", lease)))
    assert (old["answer"]["outcome"], old["answer"]["strength"]) == ("ranking", 1)
    assert send(desk, lease, {"outcome": "tie"}).status_code == 200
    assert list(Judgement.objects.order_by("pk").values_list("outcome", "superseded", "revision")) == [
        ("ranking", True, 1),
        ("tie", False, 2),
    ]


def test_a_draft_is_kept_by_revision_and_restored(desk, lease):
    draft = {"answer": {"outcome": "tie", "spans": []}, "active_ms": 7}
    saved = post(desk, url("draft", lease), {"draft": draft, "revision": 0})
    assert (saved.json()["revision"], saved.json()["held"]) == (1, True)
    stale = post(desk, url("draft", lease), {"draft": draft | {"active_ms": 8}, "revision": 0})
    assert (stale.status_code, stale.json()["revision"]) == (409, 1)
    data = data_of(desk.get(url("judge", lease)))
    assert (data["answer"], data["revision"], data["activeMs"]) == (draft["answer"], 1, 7)


def test_a_draft_that_was_saved_but_not_acknowledged_may_be_sent_again(desk, lease):
    draft = {"answer": {"outcome": "tie"}, "active_ms": 7}
    for _ in "ab":
        assert post(desk, url("draft", lease), {"draft": draft, "revision": 0}).json()["revision"] == 1


def test_work_begun_under_an_old_schema_is_finished_under_it(desk, lease, project):
    draft = {"answer": {"schema_version": 1}, "active_ms": 0}
    post(desk, url("draft", lease), {"draft": draft, "revision": 0})
    change_schema(project=project, schema=project.schema.model_copy(update={"categories": ()}))
    assert data_of(desk.get(url("judge", lease)))["fixed"]["schema_version"] == 1
    Assignment.objects.update(draft={})
    assert data_of(desk.get(url("judge", lease)))["fixed"]["schema_version"] == 2


def test_a_skipped_task_is_followed_by_another(desk, lease, project, bob):
    assert desk.post(url("skip", lease), {"reason": "No."}).headers["Location"].endswith("/judge/")
    desk.get(reverse("annotate:next", args=[project.slug]))
    assert Assignment.objects.get(rater=bob, state="leased").task_id != lease.task_id
    assert Task.objects.get(pk=lease.task_id).open_slots == 1


def test_a_heartbeat_says_whether_the_task_is_still_ours(desk, lease):
    assert desk.post(url("heartbeat", lease)).json() == {"held": True}
    Assignment.objects.update(state="expired")
    assert desk.post(url("heartbeat", lease)).json() == {"held": False}
    assert b"ran out" in desk.get(url("judge", lease)).content


@pytest.mark.parametrize("state", ["empty", "paused", "done", "all mine"])
def test_without_a_task_the_page_says_why(project, bob, alice, client_of, state):
    if state != "empty":
        make_tasks(project=project, items=[make_item(project, "Which?", "a", "b")])
    project.paused = state == "paused"
    project.save()
    if state == "done":
        Task.objects.update(open_slots=0)
    if state == "all mine":
        project.tasks.update(slots=2, open_slots=1)
        Assignment.objects.create(
            task=Task.objects.get(), rater=bob, state="submitted", shown_order=[1, 2],
            leased_at="2026-01-01T00:00Z", expires_at="2026-01-01T00:00Z",
        )  # fmt: skip
    page = client_of(bob).get(reverse("annotate:next", args=[project.slug])).content.decode()
    said = {"empty": "Nothing to judge yet", "paused": "paused", "done": "All done", "all mine": "judged all you can"}
    assert said[state] in page


# ---- Doors


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_and_another_rater_find_nothing(lease, charlie, alice, client_of, name):
    ask = "post" if name in POSTS else "get"
    assert getattr(client_of(charlie), ask)(url(name, lease)).status_code == 404
    assert getattr(client_of(alice), ask)(url(name, lease)).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_a_researcher_may_not_judge(lease, project, person, client_of, name):
    from annotate.services.project import add_member

    dora = person("dora")
    add_member(project=project, user=dora, role="researcher")
    ask = "post" if name in POSTS else "get"
    assert getattr(client_of(dora), ask)(url(name, lease)).status_code == 403
    assert client_of(dora).get(reverse("annotate:next", args=[project.slug])).status_code == 403


def test_an_assignment_is_found_through_its_project_only(desk, lease, alice, bob):
    from annotate.services.project import add_member, create_project

    other = create_project(slug="other", name="Other", actor=alice)
    add_member(project=other, user=bob, role="annotator")
    assert desk.get(url("judge", lease, "other")).status_code == 404


@pytest.mark.parametrize("name", POSTS)
def test_what_writes_is_a_post(desk, lease, name):
    assert desk.get(url(name, lease)).status_code == 405
    assert Assignment.objects.get(pk=lease.pk).state == "leased"


DRAFT = '{"draft": {"answer": {"reason": %s}}, "revision": 0}'
UNSTORABLE = ["NaN", "-Infinity", "1e999", '"\\u0000"', "9" * 5000, "[" * 60 + "]" * 60, "[" * 100_000]
BAD_BODIES = [b"", b"[]", b"{", b'{"draft": 3, "revision": 0}', *[(DRAFT % value).encode() for value in UNSTORABLE]]
BAD_BODIES.append((DRAFT % '"\\u0000"').encode("utf-16"))


@pytest.mark.parametrize("body", [*BAD_BODIES, b'{"draft": {"answer": {"reason": "\\ud800"}}, "revision": 0}'])
def test_a_bad_body_is_400(desk, lease, body):
    assert post(desk, url("draft", lease), body).status_code == 400
    assert Assignment.objects.get(pk=lease.pk).draft == {}


def test_a_body_sent_as_a_form_is_400(desk, lease):
    where = type(desk)(enforce_csrf_checks=True)
    where.cookies = desk.cookies
    token = where.get(url("judge", lease)).context["csrf_token"]
    assert where.post(url("draft", lease), {"csrfmiddlewaretoken": str(token)}).status_code == 400


@pytest.mark.parametrize("revision", [2**31 - 1, 2**63 - 1])
def test_a_revision_past_every_number_is_400(desk, lease, revision):
    assert post(desk, url("draft", lease), {"draft": {"answer": {}}, "revision": revision}).status_code == 400


def test_a_reason_to_skip_is_kept_without_what_cannot_be_stored(desk, lease):
    desk.post(url("skip", lease), {"reason": "a\0b" + "x" * 900})
    assert Assignment.objects.get(pk=lease.pk).skip_reason == "ab" + "x" * 198
    assert len(Event.objects.get(kind="task.skipped").data["reason"]) == 200


@pytest.mark.parametrize(("name", "bad"), [("active_ms", "long"), ("revises", "x"), ("active_ms", 1.5)])
def test_a_bad_number_is_400(desk, lease, name, bad):
    assert send(desk, lease, **{name: bad}).status_code == 400


# ---- Cost


def test_next_and_submit_ask_the_database_a_fixed_number_of_times(desk, project, lease, django_assert_max_num_queries):
    data = data_of(desk.get(url("judge", lease)))
    body = {"answer": {"outcome": "tie", **data["fixed"]}, "key": data["key"]}
    with django_assert_max_num_queries(18):
        assert post(desk, url("submit", lease), body).status_code == 200
    with django_assert_max_num_queries(19):
        desk.get(reverse("annotate:next", args=[project.slug]))
