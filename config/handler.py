"""HTTP for synchronous views: one request is one job of a few threads that stay.

Django's own handler goes back and forth between the loop and a new thread for each request. A new thread has no
database connection yet, so under load it runs PostgreSQL out of them; and it reads a streamed response whole before
the first byte leaves. Here a thread keeps its connection, and a streamed response leaves piece by piece.
"""

import asyncio
import json
import select
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted, SuspiciousOperation
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.db import connections
from django.http import HttpResponseBadRequest, HttpResponseBase
from django.urls import set_script_prefix

STREAMS = 4  # streamed responses of one process at a time, besides WEB_THREADS requests; each with a connection, too
SECONDS_TO_TAKE = 30.0  # of one piece of a stream; who takes nothing for so long is hung up on
AROUND = 2**20  # bytes that a form may put around the largest file


class TooLarge(Exception):
    """A body that no page and no operation takes."""


class ThreadedHandler(ASGIHandler):
    """An ASGI application; middleware and views all run in the request's one thread."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware()
        self.threads = ThreadPoolExecutor(settings.WEB_THREADS + STREAMS, "web")
        self.places, self.streams = asyncio.Semaphore(settings.WEB_THREADS), threading.Semaphore(STREAMS)

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        most = _most(scope)
        try:
            body = await self.read_body(_bounded(receive, most))
        except TooLarge:
            await _drain(receive, most)
            return await _refuse(send, most)
        except RequestAborted:
            return
        piece = _from_a_thread(receive, send)
        respond = sync_to_async(self.respond, thread_sensitive=False, executor=self.threads)
        async with _place(self.places) as leave:
            messages = await respond(scope, body, piece, leave)
        for message in messages:
            await send(message)

    def respond(
        self, scope: dict, body: BinaryIO, send: Callable[[dict], None], leave: Callable[[], None]
    ) -> list[dict]:
        """The messages of the response; those of a streamed one but the last are sent from here, one at a time.

        A stream is as slow as its reader, so it leaves its place to other requests.
        """
        set_script_prefix(get_script_prefix(scope))
        _drop_broken_connections()
        request_started.send(type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response = refusal or self.get_response(request)
        response._handler_class = type(self)
        try:
            if not response.streaming:
                return [_head(response), {"type": "http.response.body", "body": response.content}]
            with self.beside(leave):
                send(_head(response))
                for part in response:
                    send({"type": "http.response.body", "body": part, "more_body": True})
            return [{"type": "http.response.body"}]
        except RequestAborted:
            return []
        finally:
            response.close()
            body.close()

    def create_request(self, scope: dict, body: BinaryIO) -> tuple[ASGIRequest | None, HttpResponseBase | None]:
        """400 also for a query of too many fields, or in an encoding of no text: Django raises, before any view."""
        try:
            return super().create_request(scope, body)
        except (LookupError, ValueError, SuspiciousOperation):
            return None, HttpResponseBadRequest()

    @contextmanager
    def beside(self, leave: Callable[[], None]) -> Iterator[None]:
        """Of so many streams each has a place of its own; one more keeps that of its request."""
        own = self.streams.acquire(blocking=False)
        try:
            if own:
                leave()
            yield
        finally:
            if own:
                self.streams.release()


def _most(scope: dict) -> int:
    """Bytes of the largest body: a file's where a session or a token is shown, else a form's.

    A body is written to the disk before anybody asks who sent it, so a stranger's is no larger than a page needs.
    """
    session = settings.SESSION_COOKIE_NAME.encode() + b"="
    for name, value in scope.get("headers", ()):
        if name == b"authorization" or (name == b"cookie" and session in value):
            return settings.UPLOAD_MAX_BYTES
    return min(settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.UPLOAD_MAX_BYTES)


def _bounded(receive: Callable, most: int) -> Callable:
    """The same, up to so many bytes."""
    left = most + AROUND

    async def bounded() -> dict:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooLarge
        return message

    return bounded


async def _drain(receive: Callable, most: int) -> None:
    """Read on for as much again, keeping nothing: who is still sending does not hear an answer."""
    left, more = most, True
    while left > 0 and more:
        message = await receive()
        left, more = left - len(message.get("body", b"")), message.get("more_body", False)


async def _refuse(send: Callable, most: int) -> None:
    """In the shape of the API, which a person can read as well."""
    said = {"detail": f"The body is larger than {most} bytes.", "errors": []}
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})


def _drop_broken_connections() -> None:
    """A server that went away has hung up, which can be seen without the query that Django would ask it by."""
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "postgresql" and (link := connection.connection):
            if link.closed or hung_up(link.fileno()):
                connection.close()
            connection.health_check_enabled = False


def hung_up(socket: int) -> bool:
    """Is there anything to read where no answer is awaited?"""
    waiting = select.poll()
    waiting.register(socket, select.POLLIN)
    return bool(waiting.poll(0))


@asynccontextmanager
async def _place(places: asyncio.Semaphore) -> AsyncIterator[Callable[[], None]]:
    """A place among the requests that are worked on; it may be left earlier, from another thread."""
    loop, held = asyncio.get_running_loop(), [True]

    def leave() -> None:
        if held:
            held.pop()
            places.release()

    await places.acquire()
    try:
        yield lambda: loop.call_soon_threadsafe(leave)
    finally:
        leave()


def _head(response: HttpResponseBase) -> dict:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [(b"Set-Cookie", cookie.OutputString().encode("ascii")) for cookie in response.cookies.values()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers + cookies}


def _from_a_thread(receive: Callable, send: Callable) -> Callable[[dict], None]:
    """Sends a message from another thread and waits until it is taken; RequestAborted once the client has gone."""
    loop, gone = asyncio.get_running_loop(), []

    async def deliver(message: dict) -> None:
        gone or gone.append(asyncio.ensure_future(receive()))  # after the body, all that can come is the end
        if gone[0].done():
            raise RequestAborted
        try:
            await asyncio.wait_for(send(message), SECONDS_TO_TAKE)
        except TimeoutError:
            raise RequestAborted from None

    return lambda message: asyncio.run_coroutine_threadsafe(deliver(message), loop).result()
