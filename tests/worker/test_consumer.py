"""The live socket: strangers refused, nothing missed or doubled over a reconnect, nudged or looking by itself."""

import os
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from annotate.models import Membership, Role
from annotate.services.project import add_member
from worker.models.job import JobState
from worker.progress import Progress
from worker.services.claim import claim
from worker.services.job import cancel, launch
from worker.urls import websocket_urlpatterns

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

REDIS = "redis://127.0.0.1:6379/0"


@pytest.fixture
def job(project):
    return claim(launch(project=project, kind="train", params={}, queue="here").pk)


def socket_of(user, job, after=0):
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/jobs/{job.pk}/?after={after}")
    socket.scope["user"] = user
    return socket


log = database_sync_to_async(lambda job, text: Progress(job).log(text))


async def opened(user, job, after=0):
    socket = socket_of(user, job, after)
    connected, _ = await socket.connect()
    assert connected
    return socket, await socket.receive_json_from(5)


async def test_it_sends_what_there_is_and_then_what_comes(alice, job):
    socket, first = await opened(alice, job)
    assert [event["kind"] for event in first["events"]] == ["state", "state"]
    assert "running" in first["status_html"]
    await log(job, "a line")
    second = await socket.receive_json_from(5)
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
    assert (await socket.receive_json_from(5))["events"][0]["text"] == "unheard"
    await socket.disconnect()


async def test_the_end_is_the_last_word(alice, job):
    socket, _ = await opened(alice, job)
    await database_sync_to_async(Progress(job).give_up)(JobState.CANCELLED)
    last = await socket.receive_json_from(5)
    assert last["ended"]
    assert last["events"][-1]["text"] == "cancelled"
    assert (await socket.receive_output(5))["type"] == "websocket.close"


async def test_an_ended_job_is_told_and_closed(alice, project):
    made = database_sync_to_async(lambda: cancel(job=launch(project=project, kind="train", params={}, queue="here")))
    socket, first = await opened(alice, await made())
    assert first["ended"]
    assert (await socket.receive_output(5))["type"] == "websocket.close"


@pytest.mark.parametrize("who", ["stranger", "annotator", "nobody"])
async def test_others_are_refused(who, bob, charlie, job):
    user = {"stranger": charlie, "annotator": bob, "nobody": AnonymousUser()}[who]
    assert (await socket_of(user, job).connect())[0] is False


async def test_a_job_that_is_not_there_is_refused(alice, job):
    job.pk += 1
    assert (await socket_of(alice, job).connect())[0] is False


async def test_who_is_removed_hears_no_more(charlie, project, job, settings):
    settings.SOCKET_LOOK_SECONDS = 0.05
    await database_sync_to_async(add_member)(project=project, user=charlie, role=Role.RESEARCHER)
    socket, _ = await opened(charlie, job)
    await Membership.objects.filter(user=charlie).adelete()
    closed = await socket.receive_output(5)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4404)
