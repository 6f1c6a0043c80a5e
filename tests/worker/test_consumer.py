"""The live socket: strangers refused, nothing missed or doubled over a reconnect, nudged or looking by itself."""

import asyncio
import json
import os
from unittest.mock import Mock
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from annotate.models import Membership, Role
from annotate.services.project import add_member
from worker import audience
from worker.models.job import JobState
from worker.payload import job_payload
from worker.progress import Progress
from worker.services.claim import claim
from worker.services.job import cancel, launch
from worker.urls import websocket_urlpatterns

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

REDIS = "redis://127.0.0.1:6379/0"


@pytest.fixture
def job(project):
    return claim(launch(project=project, kind="train", params={}, queue="here").pk)


def session_of(user):
    browser = Client()
    if user.pk:
        browser.force_login(user)
    return browser.session


async def socket_of(user, job, after=0):
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/jobs/{job.pk}/?after={after}")
    socket.scope |= {"user": user, "session": await database_sync_to_async(session_of)(user)}
    return socket


log = database_sync_to_async(lambda job, text: Progress(job).log(text))


async def opened(user, job, after=0):
    socket = await socket_of(user, job, after)
    connected, _ = await socket.connect()
    assert connected
    return socket, await socket.receive_json_from()


async def test_it_sends_what_there_is_and_then_what_comes(alice, job):
    socket, first = await opened(alice, job)
    assert [event["kind"] for event in first["events"]] == ["state", "state"]
    assert "running" in first["status_html"]
    await log(job, "a line")
    second = await socket.receive_json_from()
    assert [(event["number"], event["text"]) for event in second["events"]] == [(3, "a line")]
    await socket.disconnect()


async def test_a_reconnect_misses_nothing_and_doubles_nothing(alice, job):
    socket, first = await opened(alice, job)
    await socket.disconnect()
    for n in range(20):
        await log(job, f"line {n}")
    socket, second = await opened(alice, job, after=first["last"])
    assert [event["number"] for event in first["events"] + second["events"]] == list(range(1, 23))
    await socket.disconnect()


async def test_a_nudge_is_heard_at_once(alice, job, settings):
    settings.SOCKET_LOOK_SECONDS = 3600
    socket, _ = await opened(alice, job)
    await log(job, "nudged")
    assert (await socket.receive_json_from(20))["events"][0]["text"] == "nudged"
    await socket.disconnect()


@pytest.fixture
def redis_layer(settings):
    import redis

    try:
        redis.Redis.from_url(REDIS).ping()
    except redis.RedisError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Redis: {error}")
    options = {"hosts": [REDIS], "prefix": f"test-{uuid4().hex[:8]}"}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": options}}


@pytest.mark.service
async def test_a_nudge_is_heard_over_redis(alice, job, settings, redis_layer):
    settings.SOCKET_LOOK_SECONDS = 3600
    socket, _ = await opened(alice, job)
    await log(job, "nudged")
    assert (await socket.receive_json_from(20))["events"][0]["text"] == "nudged"
    await socket.disconnect()


async def test_without_a_nudge_it_looks_by_itself(alice, job, settings, monkeypatch):
    settings.SOCKET_LOOK_SECONDS = 0.05
    monkeypatch.setattr("worker.services.claim.wake_sockets", lambda job_id: None)
    socket, _ = await opened(alice, job)
    await log(job, "unheard")
    assert (await socket.receive_json_from())["events"][0]["text"] == "unheard"
    await socket.disconnect()


async def test_the_end_is_the_last_word(alice, job):
    socket, _ = await opened(alice, job)
    await database_sync_to_async(Progress(job).give_up)(JobState.CANCELLED)
    last = await socket.receive_json_from()
    assert last["ended"]
    assert last["events"][-1]["text"] == "cancelled"
    assert (await socket.receive_output())["type"] == "websocket.close"


async def test_an_ended_job_is_told_and_closed(alice, project):
    made = database_sync_to_async(lambda: cancel(job=launch(project=project, kind="train", params={}, queue="here")))
    socket, first = await opened(alice, await made())
    assert first["ended"]
    assert (await socket.receive_output())["type"] == "websocket.close"


@pytest.mark.parametrize("who", ["stranger", "annotator", "nobody"])
async def test_others_are_refused(who, bob, charlie, job):
    user = {"stranger": charlie, "annotator": bob, "nobody": AnonymousUser()}[who]
    assert (await (await socket_of(user, job)).connect())[0] is False


async def test_a_job_that_is_not_there_is_refused(alice, job):
    job.pk += 1
    assert (await (await socket_of(alice, job)).connect())[0] is False


async def test_who_is_removed_hears_no_more(charlie, project, job, settings):
    settings.SOCKET_LOOK_SECONDS = 0.05
    await database_sync_to_async(add_member)(project=project, user=charlie, role=Role.RESEARCHER)
    socket, _ = await opened(charlie, job)
    await Membership.objects.filter(user=charlie).adelete()
    closed = await socket.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", 4404)


async def test_who_is_locked_out_hears_no_more(alice, job, settings):
    settings.SOCKET_LOOK_SECONDS = 0.05
    socket, _ = await opened(alice, job)
    alice.is_active = False
    await alice.asave()
    assert (await socket.receive_output())["code"] == 4404


def set_password(user, session):
    user.set_password("another-pass-phrase")
    user.save()


ENDINGS = {
    "signed out": lambda user, session: session.flush(),
    "another password": set_password,
    "too old": lambda user, session: Session.objects.update(expire_date=timezone.now()),
    "begun too long ago": lambda user, session: (session.update({"began": 1}), session.save()),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_socket_ends_with_the_session_it_was_opened_in(alice, job, settings, ending):
    """And the same person's socket in another browser goes on, unless the password is another."""
    settings.SOCKET_LOOK_SECONDS = 0.05
    here, _ = await opened(alice, job)
    if ending == "signed out":
        there, _ = await opened(alice, job)
    await database_sync_to_async(ENDINGS[ending])(alice, here.scope["session"])
    assert (await here.receive_output())["code"] == 4404
    if ending == "signed out":
        await log(job, "still here")
        assert (await there.receive_json_from())["events"][0]["text"] == "still here"
        await there.disconnect()


async def test_many_sockets_share_a_look(alice, charlie, project, job, settings, monkeypatch):
    """Each gets every event; those that have read equally far cost one look together, whoever they belong to."""
    settings.SOCKET_LOOK_SECONDS = 3600
    await database_sync_to_async(add_member)(project=project, user=charlie, role=Role.RESEARCHER)
    sockets = [(await opened(user, job))[0] for user in [alice, charlie] * 10]
    looks = []
    monkeypatch.setattr(audience, "job_payload", lambda job, after: looks.append(after) or job_payload(job, after))
    for n in range(5):
        await log(job, f"line {n}")
    for socket in sockets:
        numbers = []
        while len(numbers) < 5:
            numbers += [event["number"] for event in (await socket.receive_json_from())["events"]]
        assert numbers == [3, 4, 5, 6, 7]
        await socket.disconnect()
    assert len(looks) <= 5


async def test_who_does_not_take_what_is_sent_keeps_nobody_waiting(alice, job, settings):
    """And catches up by number, in one piece."""
    settings.SOCKET_LOOK_SECONDS = 0.05
    free, sent = asyncio.Event(), []
    arrived = asyncio.Queue()
    arrived.put_nowait({"type": "websocket.connect"})

    async def send(message):
        sent.append(message)
        if len(sent) > 1:  # it is accepted, and then stuck
            await free.wait()

    scope = (await socket_of(alice, job)).scope
    stuck = asyncio.create_task(URLRouter(websocket_urlpatterns)(scope, arrived.get, send))
    socket, _ = await opened(alice, job)
    for n in range(3):
        await log(job, f"line {n}")
        await socket.receive_json_from()
    free.set()
    while len(sent) < 3:
        await asyncio.sleep(0.01)
    assert [event["number"] for part in sent[1:3] for event in json.loads(part["text"])["events"]] == [1, 2, 3, 4, 5]
    arrived.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await stuck
    await socket.disconnect()


async def test_a_database_that_comes_back_is_read_on(alice, job, settings, monkeypatch):
    settings.SOCKET_LOOK_SECONDS = 0.05
    socket, _ = await opened(alice, job)
    with monkeypatch.context() as broken:
        broken.setattr(audience, "job_payload", Mock(side_effect=OperationalError("the server went away")))
        await log(job, "while it was away")
        assert await socket.receive_nothing(0.3)
    assert (await socket.receive_json_from())["events"][0]["text"] == "while it was away"
    await socket.disconnect()


async def test_a_lost_channel_layer_makes_it_slower_and_not_wrong(alice, job, settings):
    settings.SOCKET_LOOK_SECONDS = 0.05
    nobody = {"hosts": ["redis://127.0.0.1:1/0"]}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": nobody}}
    socket, _ = await opened(alice, job)
    await log(job, "by itself")
    assert (await socket.receive_json_from())["events"][0]["text"] == "by itself"
    await socket.disconnect()


@pytest.mark.parametrize("frame", ["{", "[]", '{"type": "job.changed"}', "\x00", "é" * 10_000, b"\xff\x00"])
async def test_what_a_client_sends_is_not_read(alice, job, frame):
    socket, _ = await opened(alice, job)
    await socket.send_to(**{"bytes_data" if isinstance(frame, bytes) else "text_data": frame})
    await log(job, "a line")
    assert (await socket.receive_json_from())["events"][0]["text"] == "a line"
    await socket.disconnect()


async def test_nothing_is_kept_for_those_who_left(alice, job):
    sockets = [(await opened(alice, job))[0] for _ in range(3)]
    assert list(audience._open) == [job.pk]
    for socket in sockets:
        await socket.disconnect()
    assert not audience._open
