"""HTTP as uvicorn calls it: few threads that stay, streamed responses in pieces, an end when the client has gone."""

import asyncio
import itertools
import json
import socket
import threading

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

from config.handler import STREAMS, ThreadedHandler, hung_up

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


async def refused(application, megabytes, *headers):
    """What is said of a body that is still being sent."""
    scope = {"type": "http", "method": "POST", "path": "/who/", "query_string": b"", "headers": headers}
    client = ApplicationCommunicator(application, scope)
    for _ in range(megabytes * 2):
        await client.send_input({"type": "http.request", "body": b"x" * 2**19, "more_body": True})
    head, body = await client.receive_output(), await client.receive_output()
    await client.wait()
    return head["status"], json.loads(body["body"])["detail"]


KNOWN = [(b"cookie", b"a=b; sessionid=x"), (b"authorization", b"Bearer x")]


async def test_a_body_is_cut_off_at_the_largest_upload_before_it_fills_the_disk(application, settings):
    settings.UPLOAD_MAX_BYTES = 1000
    assert await refused(application, 2) == (413, "The body is larger than 1000 bytes.")
    assert await refused(application, 2, KNOWN[1]) == (413, "The body is larger than 1000 bytes.")


async def test_who_shows_neither_a_session_nor_a_token_sends_no_more_than_a_form(application, settings):
    settings.UPLOAD_MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2**22, 2**20
    said = (413, "The body is larger than 1048576 bytes.")
    assert await refused(application, 4) == await refused(application, 4, (b"cookie", b"csrftoken=x")) == said


@pytest.mark.parametrize("header", KNOWN)
async def test_who_shows_one_sends_a_file(application, settings, header):
    settings.UPLOAD_MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2**22, 2**20
    scope = {"type": "http", "method": "POST", "path": "/three/", "query_string": b""}
    client = ApplicationCommunicator(application, scope | {"headers": [(b"host", b"localhost"), header]})
    await client.send_input({"type": "http.request", "body": b"x" * 2**22})
    assert (await client.receive_output())["status"] == 200
    await client.wait()


@pytest.mark.parametrize(
    ("charset", "query"), [(b"rot13", b"a=%C3%A9"), (b"idna", b"a=%C3%A9"), (b"utf-8", b"&".join([b"a=1"] * 2000))]
)
async def test_a_query_that_cannot_be_read_is_refused(application, charset, query):
    scope = {"type": "http", "method": "GET", "path": "/who/", "query_string": query}
    headers = [(b"host", b"localhost"), (b"content-type", b"text/plain; charset=" + charset)]
    client = ApplicationCommunicator(application, scope | {"headers": headers})
    await client.send_input({"type": "http.request", "body": b""})
    assert (await client.receive_output())["status"] == 400
    await client.wait()


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
    assert len({body["body"] for _, body in answers}) <= 2 + STREAMS


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


async def stuck_reader(application):
    """Of an endless stream, who takes no piece of it."""
    taken = asyncio.Event()
    request = asyncio.Queue()
    request.put_nowait({"type": "http.request", "body": b""})

    async def send(message):
        taken.set()
        await asyncio.Event().wait()

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/endless/",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    asking = asyncio.create_task(application(scope, request.get, send))
    await taken.wait()
    return asking


async def test_readers_who_take_nothing_keep_nobody_waiting_and_are_left(application, monkeypatch):
    """Twice as many as there are places for requests; and then they are hung up on."""
    stuck = [await stuck_reader(application) for _ in range(4)]
    client = await asked(application, "/who/")
    assert (await client.receive_output())["status"] == 200
    assert not any(one.done() for one in stuck)
    monkeypatch.setattr("config.handler.SECONDS_TO_TAKE", 0.1)  # from the next piece on
    stuck += [await stuck_reader(application) for _ in range(4)]
    await asyncio.wait_for(asyncio.gather(*stuck[4:]), 60)
    [one.cancel() for one in stuck[:4]]


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
