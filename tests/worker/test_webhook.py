"""From the ledgers to a receiver: once for each thing that happened, signed, tried again, and given up at last."""

import base64
import hmac
import json
import re
import socket
import ssl
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotate.models import Event
from annotate.services import withdraw
from annotate.services.event import record
from annotate.services.project import create_project
from tests.inspector.making import judge, make_item
from tests.worker.receiver import NAME, receiving
from worker import outgoing
from worker.models import Delivery, Outbox, Webhook
from worker.models.webhook import KINDS
from worker.services import delivery as sending
from worker.services.claim import claim, end
from worker.services.job import cancel, launch
from worker.services.outbox import collect
from worker.services.webhook import create_webhook, ping, remove_webhook, renew_secret, send_again, switch_webhook
from worker.tasks import webhooks

URL = f"https://{NAME}/hook"


@pytest.fixture
def hook(project, alice):
    """One that is told everything; its ping is out of the way."""
    hook, hook.secret = create_webhook(project=project, url=URL, kinds=list(KINDS), actor=alice)
    hook.deliveries.all().delete()
    return hook


@pytest.fixture
def receiver(tmp_path, monkeypatch):
    with receiving(tmp_path) as server:
        monkeypatch.setattr(outgoing, "resolve", lambda target: [(socket.AF_INET, server.server_address)])
        monkeypatch.setattr(outgoing, "tls", lambda: ssl.create_default_context(cafile=server.pem))
        yield server


@pytest.fixture
def refused(monkeypatch):
    """Every sending fails; `calls` are the addresses tried."""
    calls = []

    def post(url, *_):
        calls.append(url)
        raise ConnectionRefusedError

    monkeypatch.setattr(outgoing, "post", post)
    return calls


def judged(project, **fields):
    """What a submitted judgement leaves, with the row itself."""
    one = judge(make_item(project, f"why {project.items.count()}?", "secret text", "b"), [], outcome="tie", **fields)
    record(kind="judgement.submitted", subject=one, project=project, actor=one.rater)
    return one


def later(hook, **ago):
    """As if this much time had passed for the webhook and what waits."""
    passed = timedelta(**ago)
    for row in hook.deliveries.filter(state="waiting"):
        Delivery.objects.filter(pk=row.pk).update(next_at=row.next_at - passed, asked_at=row.asked_at - passed)
    hook.refresh_from_db()
    since = hook.failing_since and hook.failing_since - passed
    Webhook.objects.filter(pk=hook.pk).update(resume_at=None, failing_since=since)


# ---- What is told


def test_a_judgement_is_told_by_its_id_and_nothing_else_of_it(project, hook, bob):
    one = judged(project, rater=bob, rationale="because")
    assert collect() == 1
    row = hook.deliveries.get()
    event = Event.objects.get(kind="judgement.submitted")
    told = {"id": f"event-{event.pk}", "kind": "judgement.submitted", "project": "answers", "judgement": one.pk}
    assert row.payload == told | {"at": event.created_at.isoformat()}


def test_a_withdrawal_names_neither_the_rater_nor_why(project, hook, bob, alice):
    judged(project, rater=bob)
    withdraw.withdraw_rater(project=project, who=f"user:{bob.pk}", why="bob guessed", actor=alice)
    collect()
    told = hook.deliveries.get(kind="judgement.withdrawn").payload
    assert told["judgements"] == 1
    assert "bob" not in json.dumps(told)


def test_a_job_is_told_at_each_turn(project, hook):
    job = launch(project=project, kind="import", params={"name": "private.jsonl"})
    end(claim(job.pk), "done")
    other = cancel(job=launch(project=project, kind="score", params={}))
    collect()
    told = [row.payload for row in hook.deliveries.order_by("pk")]
    assert [(one["kind"], one["job"]) for one in told] == [
        *((kind, job.pk) for kind in ("job.queued", "job.running", "job.done")),
        *((kind, other.pk) for kind in ("job.queued", "job.cancelled")),
    ]
    assert set(told[0]) == {"id", "kind", "project", "at", "job", "job_kind"}


def test_only_what_was_asked_for_in_this_project_and_from_now_on_is_told(project, alice):
    judged(project)
    hook, _ = create_webhook(project=project, url=URL, kinds=["judgement.submitted"], actor=alice)
    judged(create_project(slug="other", name="Other", actor=alice))
    launch(project=project, kind="import", params={})
    one = judged(project)
    collect()
    assert [row.payload["judgement"] for row in hook.deliveries.exclude(kind="ping")] == [one.pk]


def test_nothing_is_told_twice_however_often_it_is_read(project, hook, django_assert_max_num_queries):
    for _ in range(3):
        judged(project)
        collect()
        Outbox.objects.update(cursor=0)  # as if the worker had died before it moved on
    collect()
    assert hook.deliveries.count() == 3
    collect()
    assert Outbox.objects.get(ledger="event").cursor == Event.objects.latest("pk").pk


def test_without_a_webhook_the_ledgers_are_not_read(project, django_assert_num_queries):
    judged(project)
    with django_assert_num_queries(1):
        assert collect() == 0


def test_a_webhook_that_is_off_hears_nothing_of_meanwhile(project, hook, alice):
    switch_webhook(webhook=hook, on=False, actor=alice)
    judged(project)
    assert collect() == 0
    switch_webhook(webhook=hook, on=True, actor=alice)
    one = judged(project)
    collect()
    assert [row.payload["judgement"] for row in hook.deliveries.all()] == [one.pk]


# ---- Sending


def test_what_happened_arrives_signed_by_the_secret_that_was_shown(project, hook, receiver):
    judged(project)
    webhooks()
    ((path, headers, body),) = receiver.got
    key = base64.b64decode(hook.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body)["id"] == headers["webhook-id"]
    assert path == "/hook"
    row = hook.deliveries.get()
    assert (row.state, row.status, row.attempts, row.error) == ("delivered", 200, 1, "")


def test_what_arrived_is_not_sent_again_by_itself(project, hook, receiver):
    judged(project)
    webhooks()
    later(hook, hours=1)
    webhooks()
    assert len(receiver.got) == 1


@pytest.mark.parametrize("answer", [500, 404, (302, {"Location": "https://127.0.0.1/"})])
def test_another_answer_than_2xx_is_tried_again_under_the_same_id(project, hook, receiver, answer):
    receiver.answers.append(answer)
    judged(project)
    webhooks()
    row = hook.deliveries.get()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert str(row.status) in row.error
    later(hook, seconds=13)
    webhooks()
    assert hook.deliveries.get().state == "delivered"
    assert len(receiver.got) == 2
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1


def test_the_wait_doubles_and_ends_with_the_day(monkeypatch):
    monkeypatch.setattr(sending.random, "uniform", lambda *_: 1.0)
    now = timezone.now()
    waits = [sending.next_try(n, now, now) - now for n in range(1, 14)]
    assert [wait.total_seconds() for wait in waits] == [10 * 2**n for n in range(13)]
    assert sending.next_try(15, now, now) is None
    assert sending.next_try(1000, now, now) is None
    assert sending.next_try(3, now - timedelta(hours=24), now) is None


def test_two_waits_are_not_the_same():
    now = timezone.now()
    assert len({sending.next_try(5, now, now) for _ in range(20)}) > 1


def test_what_cannot_be_sent_for_a_day_is_given_up_and_can_be_sent_again(project, hook, receiver):
    judged(project)
    collect()
    receiver.answers += [500, 500]
    sending.send_due(seconds=5)
    later(hook, hours=24)
    sending.send_due(seconds=5)
    row = hook.deliveries.get()
    assert (row.state, row.next_at, row.status) == ("failed", None, 500)
    send_again(delivery=row)
    later(hook)
    sending.send_due(seconds=5)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("delivered", 1)
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1


def test_a_dead_address_is_not_knocked_at_for_each_message_and_holds_up_nobody(project, hook, alice, refused):
    other, _ = create_webhook(project=project, url="https://other.example.org/", kinds=list(KINDS), actor=alice)
    for _ in range(4):
        judged(project)
    collect()
    sending.send_due(seconds=5)
    sending.send_due(seconds=5)
    assert sorted(refused) == [URL, other.url]
    hook.refresh_from_db()
    assert hook.resume_at > timezone.now()


def test_after_three_days_without_an_arrival_it_is_switched_off_and_says_so(project, hook, refused):
    judged(project)
    collect()
    sending.send_due(seconds=5)
    later(hook, days=3, minutes=1)
    judged(project)
    collect()
    sending.send_due(seconds=5)
    hook.refresh_from_db()
    assert not hook.enabled
    assert hook.off_because == "Nothing arrived for 3 days. Nobody listens there."
    assert Event.objects.get(kind="webhook.disabled").actor is None
    assert set(hook.deliveries.values_list("state", flat=True)) == {"failed"}
    sending.send_due(seconds=5)
    assert len(refused) == 2


def test_an_arrival_ends_the_failing(project, hook, receiver):
    receiver.answers.append(503)
    judged(project)
    webhooks()
    hook.refresh_from_db()
    assert hook.failing_since
    later(hook, seconds=13)
    webhooks()
    hook.refresh_from_db()
    assert hook.failing_since is None
    assert hook.resume_at is None


def test_a_message_whose_sender_was_killed_is_sent_by_another(project, hook, receiver):
    judged(project)
    collect()
    assert sending._claim(hook).attempts == 1  # and then the process is gone
    sending.send_due(seconds=5)
    assert not receiver.got
    later(hook, minutes=2, seconds=1)
    sending.send_due(seconds=5)
    assert len(receiver.got) == 1


def test_of_two_senders_one_has_it(project, hook):
    judged(project)
    collect()
    assert sending._claim(hook) is not None
    assert sending._claim(hook) is None


def test_a_webhook_removed_while_it_is_sent_to_is_no_error(project, hook, alice, monkeypatch):
    def post(*_):
        remove_webhook(webhook=Webhook.objects.get(pk=hook.pk), actor=alice)
        raise TimeoutError

    monkeypatch.setattr(outgoing, "post", post)
    judged(project)
    webhooks()
    assert not Webhook.objects.exists()
    assert not Delivery.objects.exists()


def test_a_private_address_behind_a_public_name_gets_nothing(project, hook, monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "socket", None)
    judged(project)
    webhooks()
    row = hook.deliveries.get()
    assert row.error == outgoing.NOT_PUBLIC
    assert row.status is None


def test_the_code_in_the_documents_tells_ours_from_others(project, hook, receiver):
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    code = {}
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], code)
    one = judged(project)
    webhooks()
    ((_, headers, body),) = receiver.got
    assert code["read"](headers, body, hook.secret)["judgement"] == one.pk
    for wrong in (
        {"body": body + b" "},
        {"headers": headers | {"webhook-id": "event-9"}},
        {"headers": headers | {"webhook-timestamp": "1"}},
        {"secret": "whsec_" + base64.b64encode(b"guess").decode()},
        {"now": lambda: time.time() + 301},
    ):
        with pytest.raises(ValueError, match=r"not signed|too old"):
            code["read"](**{"headers": headers, "body": body, "secret": hook.secret} | wrong)


def test_the_documents_name_every_kind():
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    assert not [kind for kind in KINDS if f"`{kind}`" not in page]


# ---- Made, switched, removed


@pytest.mark.parametrize("url", ["http://example.org/", "https://127.0.0.1/", "https://a:b@example.org/", ""])
def test_an_address_that_may_not_be_sent_to_is_refused(project, url):
    with pytest.raises(ValidationError):
        create_webhook(project=project, url=url, kinds=["job.done"])
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("kinds", [[], ["job.nothing"], ["user.created"]])
def test_it_is_told_something_and_only_what_there_is(project, kinds):
    with pytest.raises(ValidationError):
        create_webhook(project=project, url=URL, kinds=kinds)


def test_a_project_has_so_many_webhooks_and_no_more(project, monkeypatch):
    monkeypatch.setattr("worker.services.webhook.MOST", 1)
    create_webhook(project=project, url=URL, kinds=["job.done"])
    with pytest.raises(ValidationError):
        create_webhook(project=project, url=URL, kinds=["job.done"])


def test_the_secret_is_kept_nowhere_and_a_new_one_replaces_it(project, hook, alice, settings):
    kept = [str(vars(row)) for row in (*Webhook.objects.all(), *Event.objects.all(), *Delivery.objects.all())]
    assert not any(hook.secret.removeprefix("whsec_") in text for text in kept)
    before = sending.signature(hook, "event-1", 1, b"{}")
    assert renew_secret(webhook=hook, actor=alice) != hook.secret
    assert sending.signature(hook, "event-1", 1, b"{}") != before
    settings.SECRET_KEY = "another"  # a copy of the database alone signs nothing
    assert renew_secret(webhook=hook, actor=alice) != hook.secret


def test_the_first_ping_arrives(project, alice, receiver):
    hook, _ = create_webhook(project=project, url=URL, kinds=["job.done"], actor=alice)
    webhooks()
    assert json.loads(receiver.got[0][2])["kind"] == "ping"
    ping(webhook=hook)
    webhooks()
    assert len(receiver.got) == 2


def test_each_act_is_in_the_ledger(project, hook, alice):
    switch_webhook(webhook=hook, on=False, actor=alice)
    switch_webhook(webhook=hook, on=False, actor=alice)
    switch_webhook(webhook=hook, on=True, actor=alice)
    renew_secret(webhook=hook, actor=alice)
    one = ping(webhook=hook, actor=alice)
    send_again(delivery=one, actor=alice)  # it waits still: nothing to do
    Delivery.objects.update(state="failed")
    send_again(delivery=one, actor=alice)
    remove_webhook(webhook=hook, actor=alice)
    acts = Event.objects.filter(kind__startswith="webhook.", actor=alice).values_list("kind", flat=True)
    told = [act.partition(".")[2] for act in acts]
    assert told == ["created", "disabled", "enabled", "secret", "tested", "resent", "removed"]


def test_a_nudge_follows_the_end_of_a_job_where_there_is_a_webhook(
    project, alice, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    app = "worker.services.nudge.current_app.send_task"
    monkeypatch.setattr(app, lambda name, **_: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        cancel(job=launch(project=project, kind="import", params={}))
    assert "worker.webhooks" not in sent
    create_webhook(project=project, url=URL, kinds=["job.done"], actor=alice)
    with django_capture_on_commit_callbacks(execute=True):
        cancel(job=launch(project=project, kind="import", params={}))
    assert "worker.webhooks" in sent
