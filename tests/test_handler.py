"""HTTP as uvicorn calls it: few threads that stay, streamed responses in pieces, an end when the client has gone."""

import itertools
import socket
import threading

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

from config.handler import ThreadedHandler, hung_up

closed = threading.Event()


def counting():
    try:
        yield from (b"%d\n" % n for n in itertools.count())
    finally:
        closed.set()


@login_not_required
def who(request):
    answer = HttpResponse(threading.current_thread().name.encode() + request.body, headers={"X-Said": "é"})
    answer.set_cookie("a", "1")
    answer.set_cookie("b", "2")
    return answer


urlpatterns = [
    path("who/", who),
    path("three/", login_not_required(lambda request: StreamingHttpResponse(iter([b"1", b"2", b"3"])))),
    path("endless/", login_not_required(lambda request: StreamingHttpResponse(counting()))),
    path("broken/", login_not_required(lambda request: 1 / 0)),
]
pytestmark = [pytest.mark.urls("tests.test_handler"), pytest.mark.asyncio]


async def asked(application, where, body=b""):
    """The conversation after the request has been sent."""
    scope = {"type": "http", "method": "POST" if body else "GET", "path": where, "query_string": b""}
    client = ApplicationCommunicator(application, scope | {"headers": [(b"host", b"localhost")]})
    await client.send_input({"type": "http.request", "body": body[:1], "more_body": True})
    await client.send_input({"type": "http.request", "body": body[1:]})
    return client


@pytest.fixture
def application(settings):
    settings.WEB_THREADS, settings.DEBUG_PROPAGATE_EXCEPTIONS = 2, False
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
    return ThreadedHandler()


async def test_a_response_has_its_status_headers_and_cookies(application):
    client = await asked(application, "/who/", b"hello")
    head, body = await client.receive_output(), await client.receive_output()
    assert head["status"] == 200
    assert (b"X-Said", "é".encode("latin1")) in head["headers"]
    assert [value[:3] for name, value in head["headers"] if name == b"Set-Cookie"] == [b"a=1", b"b=2"]
    assert body["body"].endswith(b"hello")


async def test_twenty_requests_need_no_more_threads_than_allowed(application):
    clients = [await asked(application, "/who/") for _ in range(20)]
    answers = [[await client.receive_output(), await client.receive_output()] for client in clients]
    assert len({body["body"] for _, body in answers}) <= 2


async def test_a_stream_leaves_piece_by_piece(application):
    client = await asked(application, "/three/")
    messages = [await client.receive_output() for _ in range(5)]
    assert [message.get("body") for message in messages] == [None, b"1", b"2", b"3", None]
    assert [message.get("more_body", False) for message in messages] == [False, True, True, True, False]


async def test_a_stream_ends_when_its_reader_has_gone(application):
    closed.clear()
    client = await asked(application, "/endless/")
    assert [(await client.receive_output()).get("body") for _ in range(3)] == [None, b"0\n", b"1\n"]
    await client.send_input({"type": "http.disconnect"})
    await client.wait()
    assert closed.is_set()


async def test_a_failing_view_answers_500(application):
    client = await asked(application, "/broken/")
    assert (await client.receive_output())["status"] == 500


async def test_a_client_that_leaves_before_its_request_is_whole_gets_nothing(application):
    client = ApplicationCommunicator(application, {"type": "http"})
    await client.send_input({"type": "http.disconnect"})
    await client.wait()
    assert await client.receive_nothing()


async def test_a_connection_is_broken_when_the_other_end_has_hung_up():
    ours, theirs = socket.socketpair()
    assert not hung_up(ours.fileno())
    theirs.close()
    assert hung_up(ours.fileno())
    ours.close()
