"""Who may watch a job over its socket, and from which pages."""

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from config.asgi import application
from config.sessions import SessionStore
from tests.test_permissions import PEOPLE, RULES, allowed, world  # noqa: F401  (a fixture)
from worker.urls import websocket_urlpatterns


async def opens(user, job):
    """Whether the socket lets this person in."""
    talk = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/jobs/{job}/?after=0")
    talk.scope |= {"user": user or AnonymousUser(), "session": SessionStore()}
    connected, _ = await talk.connect()
    await talk.disconnect()
    return connected


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_who_may_watch_a_job_over_the_socket(world):  # noqa: F811
    job, there = world.here.ids["job"], world.there.ids["job"]
    for who in PEOPLE:
        may = who not in ("anonymous", "stranger") and allowed(RULES["worker:job"], who) is True
        assert await opens(world.people[who], job) is may, who
    assert await opens(world.people["admin"], there) is False
    assert await opens(world.people["superuser"], 10**9) is False


ORIGINS = [b"https://evil.example", b"http://[", b"null", b""]


@pytest.mark.asyncio
@pytest.mark.parametrize("origin", ORIGINS)
async def test_the_socket_refuses_pages_of_other_sites(origin):
    talk = WebsocketCommunicator(application, "/ws/jobs/1/", headers=[(b"origin", origin)])
    assert (await talk.connect())[0] is False


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/", "/ws/jobs/", "/ws/jobs/x/", "/login/"])
async def test_where_there_is_no_socket_one_is_refused(path):
    talk = WebsocketCommunicator(application, path, headers=[(b"origin", b"http://localhost")])
    assert (await talk.connect())[0] is False
