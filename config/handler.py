"""HTTP for synchronous views: one request is one job of a few threads that stay.

Django's own handler goes back and forth between the loop and a new thread for each request. A new thread has no
database connection yet, so under load it runs PostgreSQL out of them; and it reads a streamed response whole before
the first byte leaves. Here a thread keeps its connection, and a streamed response leaves piece by piece.
"""

import asyncio
import select
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.db import connections
from django.http import HttpResponseBase
from django.urls import set_script_prefix


class ThreadedHandler(ASGIHandler):
    """An ASGI application; middleware and views all run in the request's one thread."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware()
        self.threads = ThreadPoolExecutor(settings.WEB_THREADS, "web")

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        piece = _from_a_thread(receive, send)
        respond = sync_to_async(self.respond, thread_sensitive=False, executor=self.threads)
        for message in await respond(scope, body, piece):
            await send(message)

    def respond(self, scope: dict, body: BinaryIO, send: Callable[[dict], None]) -> list[dict]:
        """The messages of the response; those of a streamed one but the last are sent from here, one at a time."""
        set_script_prefix(get_script_prefix(scope))
        _drop_broken_connections()
        request_started.send(type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response = refusal or self.get_response(request)
        response._handler_class = type(self)
        try:
            if not response.streaming:
                return [_head(response), {"type": "http.response.body", "body": response.content}]
            send(_head(response))
            for part in response:
                send({"type": "http.response.body", "body": part, "more_body": True})
            return [{"type": "http.response.body"}]
        except RequestAborted:
            return []
        finally:
            response.close()
            body.close()


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
        await send(message)

    return lambda message: asyncio.run_coroutine_threadsafe(deliver(message), loop).result()
