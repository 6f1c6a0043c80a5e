"""What the page asks for while it goes from task to task: leases, the page ahead, drafts, skipping and flags."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotate.models import Assignment, Case, Event, Judgement, Task, User
from annotate.schema import Schema
from annotate.services import hidden
from annotate.services.guidelines import change_guidelines
from annotate.services.project import change_schema
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item, make_known
from tests.annotate.test_judge_views import data_of, post, send, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(project, bob, client_of):
    """Bob's browser, with two tasks."""
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "a", "b") for n in range(2)])
    return client_of(bob)


@pytest.fixture
def lease(desk, project, bob):
    return lease_next(project=project, user=bob)


# ---- The next task together with the answer, and ahead of it


def ahead_in(desk):
    return desk.get(reverse("annotate:ahead", args=["answers"]))


def leased(response):
    body = response.json()
    return Assignment.objects.get(pk=body["assignment"]), body


def test_a_submit_carries_the_lease_of_the_next_task_when_asked(desk, lease, project):
    following, body = leased(send(desk, lease, lease=True))
    assert following.task_id != lease.task_id
    assert body["next"] == url("judge", following)
    assert (body["shown_order"], body["revision"], len(body["key"])) == (following.shown_order, 0, 32)
    assert "ahead" not in body
    assert "assignment" not in send(desk, following).json()


def test_a_submit_carries_the_task_that_lies_ahead_of_the_lease(desk, lease, project):
    make_tasks(project=project, items=[make_item(project, "One more?", "y", "z")])
    following, body = leased(send(desk, lease, lease=True))
    assert body["ahead"] == ahead_in(desk).json()
    assert Assignment.objects.filter(state="leased").get() == following
    assert "left" not in body


def test_a_submit_says_how_many_are_left_when_asked(desk, lease):
    assert send(desk, lease, left=True).json()["left"] == "under 10"


def test_a_submit_gives_back_what_others_lost(desk, lease, project, alice):
    others = lease_next(project=project, user=alice)
    Assignment.objects.filter(pk=others.pk).update(expires_at=timezone.now())
    send(desk, lease, lease=True)
    assert Assignment.objects.get(pk=others.pk).state == "expired"


def test_a_refused_answer_leases_nothing(desk, lease):
    assert send(desk, lease, lease=True, revision=3).status_code == 409
    assert Assignment.objects.get() == lease


def test_a_submit_with_the_next_task_costs_few_queries(desk, lease, project):
    make_tasks(project=project, items=[make_item(project, f"{n} more?", "y", "z") for n in range(5)])
    following, body = leased(send(desk, lease, lease=True))
    data = data_of(desk.get(url("judge", following)))
    sent = {"answer": {"outcome": "tie", **data["fixed"]}, "key": data["key"], "lease": True}
    with CaptureQueriesContext(connection) as queries:
        leased(post(desk, url("submit", following), sent | {"ahead": body["ahead"]["shown_order"]}))
    asked = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(asked) <= 22, asked  # one of them is the test's own; among few tasks the look ahead takes up to four


@pytest.mark.parametrize("ahead", ["7", {"7": 8}, [-1, 10**30], ["7"], None])
def test_a_wish_that_cannot_be_read_is_none(desk, lease, ahead):
    following, _ = leased(send(desk, lease, lease=True, ahead=ahead))
    assert following.task_id == Task.objects.exclude(pk=lease.task_id).earliest("pk").pk


def test_a_submit_of_the_last_task_says_only_where_to_go(desk, lease, project):
    Task.objects.exclude(pk=lease.task_id).delete()
    assert send(desk, lease, lease=True).json() == {"next": reverse("annotate:next", args=[project.slug])}


def test_what_was_fetched_ahead_is_the_task_of_the_lease_that_follows(desk, lease, project):
    found = ahead_in(desk).json()
    seen = [response["id"] for response in found["data"]["responses"]]
    following, body = leased(send(desk, lease, lease=True, ahead=seen))
    assert (found["task"], found["shown_order"]) == (body["task"], body["shown_order"])
    page = desk.get(url("judge", following))
    theirs, html = data_of(page), page.content.decode()
    assert theirs | found["data"] | {"key": theirs["key"]} == theirs
    assert found["data"]["key"] == ""
    assert found["ask"] in html
    assert all(shown in html for texts in found["texts"] for shown in texts.values())


def test_a_page_takes_what_lies_ahead_while_questions_guidelines_and_keys_are_the_same(desk, lease, project, bob):
    page = desk.get(url("judge", lease)).content.decode()
    shells = [re.search('data-shell="([^"]+)"', page)[1], ahead_in(desk).json()["shell"]]
    change_guidelines(project=project, body="New.", actor=None)
    shells.append(ahead_in(desk).json()["shell"])
    change_schema(project=project, schema=Schema())
    shells.append(ahead_in(desk).json()["shell"])
    User.objects.filter(pk=bob.pk).update(keys={"skip": "k"})
    shells.append(ahead_in(desk).json()["shell"])
    assert shells[0] == shells[1]
    assert len(set(shells)) == 4


def test_ahead_takes_nothing_and_tells_no_more_than_the_page(desk, lease, project):
    counts = lambda: (list(Task.objects.values_list("open_slots")), Assignment.objects.count(), Event.objects.count())  # noqa: E731
    before = counts()
    found = ahead_in(desk).content.decode()
    assert counts() == before
    for secret in ("source-0", "source-1", "gold", "item-secret"):
        assert secret not in found


def test_nothing_is_ahead_when_nothing_comes(desk, lease, project):
    Task.objects.exclude(pk=lease.task_id).delete()
    assert ahead_in(desk).status_code == 204


def test_nothing_tells_a_gold_task_from_another(project, bob, client_of, monkeypatch):
    monkeypatch.setattr(hidden, "draw", lambda text: 0.0)
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "good", "bad") for n in range(5)])
    make_known(project, "Question 9?")
    type(project).objects.update(gold_share=0.5)
    desk, pages = client_of(bob), {}
    following = Assignment.objects.get(pk=desk.get(reverse("annotate:next", args=["answers"])).url.split("/")[-2])
    for _ in range(6):
        pages.setdefault(following.kind, []).append(desk.get(url("judge", following)).content.decode())
        sent = send(desk, following, lease=True)
        if "assignment" not in sent.json():
            break
        following, body = leased(sent)
        pages[following.kind] = [*pages.get(following.kind, []), json.dumps(body)]
    assert set(pages) == {"normal", "gold"}
    assert len(pages["gold"]) == 2
    assert set(map(plain, pages["gold"])) <= set(map(plain, pages["normal"]))


def plain(page):
    """Without what differs from task to task anyhow: numbers, hashes and tokens."""
    return re.sub(r"[0-9a-f]{20,}|[A-Za-z0-9]{64}|\d+|Left|Right|good|bad", "·", page)


# ---- Two tabs


def test_a_stale_draft_is_answered_with_the_newer_one(desk, lease):
    newer = {"answer": {"reason": "newer"}, "active_ms": 1}
    post(desk, url("draft", lease), {"draft": newer, "revision": 0})
    stale = post(desk, url("draft", lease), {"draft": {"answer": {"reason": "stale"}}, "revision": 0})
    assert (stale.status_code, stale.json()["revision"], stale.json()["draft"]) == (409, 1, newer)


def test_a_submit_that_has_not_seen_the_newest_draft_is_answered_with_it(desk, lease):
    newer = {"answer": {"reason": "newer"}, "active_ms": 1}
    post(desk, url("draft", lease), {"draft": newer, "revision": 0})
    stale = send(desk, lease, revision=0)
    assert (stale.status_code, stale.json()["draft"], Judgement.objects.count()) == (409, newer, 0)
    assert send(desk, lease, revision=1).status_code == 200


def test_a_draft_never_lands_on_another_task(desk, lease, project, alice, client_of):
    fixed = data_of(desk.get(url("judge", lease)))["fixed"]
    other = lease_next(project=project, user=alice)
    body = {"draft": {"answer": {"reason": "of the first", **fixed}}, "revision": 0}
    assert post(client_of(alice), url("draft", other), body).status_code == 409
    assert Assignment.objects.get(pk=other.pk).draft == {}


def test_an_answer_to_another_task_is_refused(desk, lease):
    fixed = data_of(desk.get(url("judge", lease)))["fixed"]
    following, _ = leased(send(desk, lease, lease=True))
    wrong = {"answer": {"outcome": "tie", **fixed}, "key": "another"}
    response = post(desk, url("submit", following), wrong)
    assert (response.status_code, list(response.json()["errors"])) == (422, ["texts_sha256"])
    assert Judgement.objects.count() == 1


# ---- Skip, take back, flag


def test_a_page_skips_and_gets_the_next_task_at_once(desk, lease):
    following, body = leased(post(desk, url("skip", lease), {"reason": "No.", "lease": True}))
    assert (following.task_id != lease.task_id, body["next"]) == (True, url("judge", following))


def test_a_skipped_task_is_taken_back(desk, lease):
    post(desk, url("skip", lease), {"lease": True})
    assert post(desk, url("unskip", lease), {}).json() == {"next": url("judge", lease)}
    assert Assignment.objects.get(state="leased").pk == lease.pk
    send(desk, lease)
    assert post(desk, url("skip", lease), {}).status_code == 409


def test_the_page_without_a_task_offers_the_skipped_one(desk, lease, project):
    Task.objects.exclude(pk=lease.task_id).delete()
    desk.post(url("skip", lease))
    page = desk.get(reverse("annotate:next", args=[project.slug])).content.decode()
    assert url("unskip", lease) in page
    assert desk.post(url("unskip", lease)).headers["Location"] == url("judge", lease)


def test_a_task_that_went_to_others_is_not_taken_back(desk, lease):
    desk.post(url("skip", lease))
    Task.objects.update(open_slots=0)
    assert post(desk, url("unskip", lease), {}).status_code == 409
    assert desk.post(url("unskip", lease)).status_code == 409


@pytest.mark.parametrize("how", ["flag", "skip", "submit"])
def test_a_flag_reaches_the_reviewers(desk, lease, bob, how):
    if how == "flag":
        assert post(desk, url("flag", lease), {"note": "Look."}).json() == {"flagged": True}
    elif how == "skip":
        post(desk, url("skip", lease), {"flag": "Look."})
    else:
        send(desk, lease, flag="Look.")
    assert Case.objects.values_list("task", "note", "flagged_by").get() == (lease.task_id, "Look.", bob.pk)
    assert Judgement.objects.count() == (how == "submit")


def test_a_flag_needs_a_note(desk, lease):
    response = post(desk, url("flag", lease), {"note": " "})
    assert (response.status_code, list(response.json()["errors"])) == (422, ["flag"])
    assert post(desk, url("flag", lease), {"note": 3}).status_code == 400
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("values", "said"), [({"quota": 1}, "done your share"), ({"daily_quota": 1}, "enough for today")]
)
def test_the_page_of_a_full_quota_says_so(desk, lease, project, values, said):
    send(desk, lease)
    type(project).objects.update(**values)
    assert said in desk.get(reverse("annotate:next", args=[project.slug])).content.decode()


def test_the_number_still_open_is_told_in_tens(project, bob, client_of):
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "a", "b") for n in range(103)])
    desk, said = client_of(bob), []
    for kept in (101, 100, 45, 9):
        Task.objects.filter(pk__in=list(Task.objects.order_by("pk").values_list("pk", flat=True)[kept:])).delete()
        Assignment.objects.all().delete()
        Task.objects.update(open_slots=1)
        said.append(desk.get(reverse("annotate:next", args=[project.slug]), follow=True).context["left"])
    assert said == ["about 100", "about 100", "about 50", "under 10"]
