"""What somebody tries who knows the addresses and writes their own requests: one test for each way that was found."""

import json

import pytest
from django.urls import reverse

from annotate.models import Assignment, Case, Judgement, Membership, Role
from annotate.services import lease as leases
from annotate.services.access_token import create_machine_token
from annotate.services.guidelines import change_guidelines
from annotate.services.judgement import shown_in, submit_judgement
from annotate.services.lease import Conflict, heartbeat, release, skip, unskip
from annotate.services.machine import machine_next
from annotate.services.member import change_role
from annotate.services.project import add_member
from annotate.services.queue import lease_next
from annotate.services.review import KNOWN, begin_decision, reopen
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"annotate:{name}", args=["answers", *args])


def post(browser, path, body):
    return browser.post(path, json.dumps(body), content_type="application/json")


def tie(lease):
    return {"outcome": "tie", "texts_sha256": dict(shown_in(lease).sha256), "schema_version": 1}


@pytest.fixture(autouse=True)
def tasks(project):
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "a", "b") for n in range(3)])
    return list(project.tasks.order_by("pk"))


@pytest.fixture
def dora(project, person):
    add_member(project=project, user=(dora := person("dora")), role=Role.REVIEWER)
    return dora


@pytest.mark.parametrize("hashes", [5, True, 1.5, [{}], [[1]], "prompt", {"prompt": "x"}])
def test_hashes_of_any_shape_are_no_error_of_ours(project, client_of, bob, hashes):
    lease = lease_next(project=project, user=bob)
    body = {"draft": {"answer": {"texts_sha256": hashes}}, "revision": 0}
    assert post(client_of(bob), url("draft", lease.pk), body).status_code == 409


@pytest.mark.parametrize("number", [True, -(2**70), 2**70, 1.5, "1", [], None])
def test_a_draft_of_an_odd_schema_does_not_lock_its_rater_out(project, client_of, bob, number):
    lease = lease_next(project=project, user=bob)
    body = {"draft": {"answer": {"schema_version": number}}, "revision": 0}
    assert post(client_of(bob), url("draft", lease.pk), body).status_code == 200
    data = client_of(bob).get(url("judge", lease.pk)).context["data"]
    assert (data["answer"]["schema_version"], data["fixed"]["schema_version"]) == (number, 1)


@pytest.mark.parametrize("since", ["9" * 5000, "²", "-1", "1e9", "\0", "1;DROP"])
def test_versions_are_compared_with_any_number(project, client_of, alice, bob, since):
    change_guidelines(project=project, body="Be fair.", actor=alice)
    assert client_of(bob).get(url("guidelines_version", 1), {"since": since}).context["since"] == 0


@pytest.mark.parametrize("page", ["judge", "submit", "draft", "skip", "unskip", "flag", "heartbeat"])
def test_who_was_a_reviewer_once_decides_no_more(project, client_of, alice, dora, tasks, page):
    begun = begin_decision(task=tasks[0], user=dora)
    change_role(member=Membership.objects.get(user=dora), role=Role.ANNOTATOR, actor=alice)
    body = {"answer": tie(begun), "key": "mine", "draft": {"answer": {}}, "revision": 0, "note": "x"}
    browser = client_of(dora)
    sent = browser.get(url(page, begun.pk)) if page == "judge" else post(browser, url(page, begun.pk), body)
    assert sent.status_code == 404
    assert not Judgement.objects.exists()
    assert not Case.objects.exists()


def test_nobody_takes_the_key_of_a_models_answer(project, client_of, bob):
    token, _ = create_machine_token(project=project, name="model")
    theirs, mine = machine_next(project=project, user=token.user), lease_next(project=project, user=bob)
    sent = post(client_of(bob), url("submit", mine.pk), {"answer": tie(mine), "key": f"machine:{theirs.pk}"})
    assert sent.status_code == 200
    key = f"machine:{theirs.pk}"
    stored = submit_judgement(assignment=theirs, user=token.user, answer=tie(theirs), idempotency_key=key)
    assert stored.source == "machine"


def test_leases_that_ran_out_do_not_come_back_all_at_once(project, bob):
    """Else one rater holds as many slots as they like, and nobody is served them."""
    first = lease_next(project=project, user=bob)
    skip(assignment=first, user=bob)
    second = lease_next(project=project, user=bob)
    release(assignment=second)
    unskip(assignment=first, user=bob)
    assert not heartbeat(assignment=second)
    assert list(Assignment.objects.filter(state="leased")) == [first]
    release(assignment=first)
    assert heartbeat(assignment=second)


def test_work_on_a_lease_that_did_not_come_back_is_stored_all_the_same(project, bob):
    first = lease_next(project=project, user=bob)
    skip(assignment=first, user=bob)
    second = lease_next(project=project, user=bob)
    release(assignment=second)
    unskip(assignment=first, user=bob)
    submit_judgement(assignment=second, user=bob, answer=tie(second), idempotency_key="late")
    assert Judgement.objects.get().assignment == second


def test_a_decision_made_anew_as_a_known_answer_is_still_that_of_its_case(client_of, alice, tasks):
    """Else the case names an answer that is not the newest, and once opened again it could never be decided."""
    browser, decision = client_of(alice), begin_decision(task=tasks[0], user=alice)
    body = {"answer": tie(decision), "key": "first"}
    assert post(browser, url("submit", decision.pk), body).status_code == 200
    begin_decision(task=tasks[0], user=alice, purpose=KNOWN)
    body |= {"key": "second", "revises": Judgement.objects.get().pk}
    assert post(browser, url("submit", decision.pk), body).status_code == 200
    assert Case.objects.get().judgement == Judgement.objects.current().get()
    reopen(task=tasks[0], actor=alice)
    begin_decision(task=tasks[0], user=alice)
    body = {"answer": tie(decision), "key": "third"}
    assert post(browser, url("submit", decision.pk), body).status_code == 200
    assert Case.objects.get().state == "decided"


def test_a_known_answer_decides_no_case(client_of, alice, tasks):
    decision = begin_decision(task=tasks[0], user=alice, purpose=KNOWN)
    body = {"answer": tie(decision), "key": "first"}
    assert post(client_of(alice), url("submit", decision.pk), body).status_code == 200
    assert not Case.objects.exists()


def test_a_second_unskip_waits_for_the_first(project, bob, monkeypatch):
    """Two at once each saw an empty desk; the second is refused under the rater's lock."""
    first = lease_next(project=project, user=bob)
    skip(assignment=first, user=bob)
    second = lease_next(project=project, user=bob)
    skip(assignment=second, user=bob)
    unskip(assignment=first, user=bob)
    found = iter([None])  # what the second one saw before the first was through
    real = leases.held_by
    monkeypatch.setattr(leases, "held_by", lambda *who: next(found, real(*who)))
    with pytest.raises(Conflict):
        unskip(assignment=second, user=bob)
    assert list(Assignment.objects.filter(state="leased")) == [first]
