"""The scorer as a plain ASGI application: five routes, JSON in and out, a token for all but /health."""

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import Awaitable, Callable

from django.db import DatabaseError

from worker.serving.batcher import Batcher, Full
from worker.serving.protocol import Refused, dumped, items, parsed, queries, told_items, told_rewards
from worker.serving.served import Served

log = logging.getLogger(__name__)
LOOK_SECONDS = 2.0  # how often tokens and the promoted version are looked at
PART_SECONDS = 30.0  # for the next part of a request to come
Send = Callable[[dict], Awaitable[None]]


class Scorer:
    def __init__(self, served: Served, batcher: Batcher, max_bytes: int) -> None:
        self.served, self.batcher, self.max_bytes = served, batcher, max_bytes
        self._looked = 0.0
        self._routes = {
            ("GET", "/health"): self._health,
            ("GET", "/version"): self._version,
            ("POST", "/score"): self._score,
            ("POST", "/get_reward"): self._reward,
        }

    async def __call__(self, scope: dict, receive: Callable, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        if scope["type"] != "http":
            return None  # uvicorn answers a socket that nobody accepts with 403
        status, told, headers = await self._answer(scope, receive)
        body = dumped(told)
        fixed = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: dict, receive: Callable) -> tuple[int, dict, list]:
        try:
            return 200, await self._routed(scope, receive), []
        except Refused as no:
            told = {"error": no.why} | ({} if no.item is None else {"item": no.item})
            headers = {
                401: [(b"www-authenticate", b'Bearer realm="touchstone"')],
                408: [(b"connection", b"close")],
                413: [(b"connection", b"close")],
            }
            return no.status, told, headers.get(no.status, [])
        except Full:
            return 503, {"error": "too much is waiting; ask again"}, [(b"retry-after", b"1")]
        except Exception as error:
            log.exception("A request failed")
            told = str(error) if isinstance(error, ValueError) else type(error).__name__
            return 500, {"error": f"the model could not score this: {told}"}, []

    async def _routed(self, scope: dict, receive: Callable) -> dict:
        method, path = scope["method"], scope["path"].rstrip("/")
        if not (route := self._routes.get((method, path))):
            known = any(path == known for _, known in self._routes)
            raise Refused(405 if known else 404, "not by this method" if known else "there is no such address")
        if path != "/health":
            await self._admit(dict(scope["headers"]))
        return await route(scope, receive)

    async def _admit(self, headers: dict[bytes, bytes]) -> None:
        """A bearer token, or the password of basic authentication: what a client makes of http://any:TOKEN@host."""
        secret = _secret(headers.get(b"authorization", b""))
        if not self.served.allows(secret):
            if secret and time.monotonic() - self._looked > 1:  # it may have been made just now
                await self._look()
            if not self.served.allows(secret):
                raise Refused(401, "a token of this project is needed: Authorization: Bearer TOKEN")

    async def _health(self, scope: dict, receive: Callable) -> dict:
        now = {"status": "ok", "waiting": self.batcher.waiting, "answered": self.batcher.answered}
        return now | {"batches": self.batcher.batches, "problem": bool(self.served.problem)}

    async def _version(self, scope: dict, receive: Callable) -> dict:
        return self.served.about()

    async def _score(self, scope: dict, receive: Callable) -> dict:
        return told_items(*await self.batcher.submit(items(await self._body(scope, receive))))

    async def _reward(self, scope: dict, receive: Callable) -> dict:
        return told_rewards(*await self.batcher.submit(queries(await self._body(scope, receive))))

    async def _body(self, scope: dict, receive: Callable) -> dict:
        length = dict(scope["headers"]).get(b"content-length", b"0")
        body, more = bytearray(), length.isdigit() and int(length) <= self.max_bytes
        while more:
            message = await _soon(receive)
            if message["type"] == "http.disconnect":
                raise Refused(400, "the client went away")
            body += message.get("body", b"")
            more = message.get("more_body", False) and len(body) <= self.max_bytes
        if len(body) > self.max_bytes or (length.isdigit() and int(length) > self.max_bytes):
            raise Refused(413, f"a request may have {self.max_bytes:,} bytes")
        return parsed(bytes(body))

    async def _live(self, receive: Callable, send: Send) -> None:
        """Start and stop with the server; on the way out everything that waits is answered."""
        await receive()
        await self._look()
        self.batcher.start()
        looking = asyncio.create_task(self._keep_looking())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        looking.cancel()
        await self.batcher.close()
        await self._look()
        await send({"type": "lifespan.shutdown.complete"})

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        self._looked = time.monotonic()
        try:
            await asyncio.to_thread(self.served.look)
        except DatabaseError as error:  # busy or restarting: what is known stays in force until the next look
            log.warning("The database did not answer: %s", error)
        except Exception:  # the next look must come all the same, for it is how a revoked token is heard of
            log.exception("A look at the tokens and the promoted version failed")


async def _soon(receive: Callable) -> dict:
    """The next part of a request; a client that stops in the middle of one must not hold the server."""
    try:
        return await asyncio.wait_for(receive(), PART_SECONDS)
    except TimeoutError:
        raise Refused(408, f"nothing came for {PART_SECONDS:g} seconds") from None


def _secret(header: bytes) -> str:
    kind, _, value = header.decode("latin-1").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
