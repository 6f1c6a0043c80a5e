"""The socket of a job, opened and spoken to as no page of ours does: it never fails, and tells the job's events on."""

import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings

from config.asgi import application
from tests.annotate.formats.test_fuzz import bent
from tests.fuzz.odd import ORIGINS, PATHS, TEXTS
from tests.fuzz.tally import Tried
from worker.models import Job
from worker.progress import Progress

HOST, PATIENCE = b"http://localhost", 5  # seconds, a bound and no promise
NEWS = {"after": 0, "events": [{"number": 1}], "type": "websocket.close"}


def texts(chance: random.Random) -> str:
    return chance.choice([text for text in TEXTS if text])


def broken(chance: random.Random) -> str:
    return bent(json.dumps(NEWS).encode(), chance).decode("utf-8", "replace") or "{"


def huge(chance: random.Random) -> str:
    return chance.choice("x🙂[\x00") * chance.choice([2**16, 2**20])


FRAMES: dict[str, Callable[[random.Random], str | bytes]] = {
    "odd text frames": texts,
    "frames of broken JSON": broken,
    "huge frames": huge,
    "binary frames": lambda chance: chance.randbytes(chance.choice([1, 100, 2**16])),
}
OPENED: dict[str, Callable[[random.Random], tuple[str, bytes]]] = {  # the address after the host, and the origin
    "odd ?after=": lambda chance: ("/ws/jobs/{pk}/?after=" + _quoted(chance.choice(TEXTS)), HOST),
    "odd queries": lambda chance: ("/ws/jobs/{pk}/?" + _quoted(chance.choice(TEXTS), "&=;%"), HOST),
    "odd addresses": lambda chance: (chance.choice(PATHS), HOST),
    "wrong origins": lambda chance: ("/ws/jobs/{pk}/?after=0", chance.choice(ORIGINS)),
    "odd sessions": lambda chance: ("/ws/jobs/{pk}/?after=0", HOST),
}


def _quoted(text: str, safe: str = "") -> str:
    return quote(text[:5000], safe=safe, errors="surrogatepass")


log = database_sync_to_async(lambda job, text: Progress(job).log(text))


async def sockets(job: Job, session: str, examples: int) -> Tried:
    """That many of each kind; each socket that was let in must still hear of the job."""
    tried = Tried("sockets")
    for what, make in FRAMES.items():
        await _spoken_to(tried, job, session, what, [make(random.Random(f"{what} {n}")) for n in range(examples)])
    for what, make in OPENED.items():
        for number in range(examples):
            chance = random.Random(f"{what} {number}")
            path, origin = make(chance)
            cookie = session if what != "odd sessions" else chance.choice(TEXTS)[:4000]
            await _opened(tried, job, what, path.replace("{pk}", str(job.pk)), origin, cookie)
    return tried


@asynccontextmanager
async def _socket(path: str, origin: bytes, session: str) -> AsyncIterator[WebsocketCommunicator]:
    cookie = f"{settings.SESSION_COOKIE_NAME}={session}".encode("utf-8", "surrogatepass")
    socket = WebsocketCommunicator(application, path, headers=[(b"origin", origin), (b"cookie", cookie)])
    try:
        yield socket
    finally:
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(PATIENCE)


async def _spoken_to(tried: Tried, job: Job, session: str, what: str, frames: list[str | bytes]) -> None:
    """One socket is sent them all, and asked after each tenth whether it still tells what happens."""
    said = ""
    try:
        async with _socket(f"/ws/jobs/{job.pk}/?after=0", HOST, session) as socket:
            assert (await socket.connect(PATIENCE))[0]
            for number, frame in enumerate(frames):
                said = repr(frame[:80])
                await socket.send_input({"type": "websocket.receive", _kind(frame): frame})
                if number % 10 == 0 or frame is frames[-1]:
                    await log(job, f"{what} {number}")
                    await _heard(socket, f"{what} {number}")
                tried.add(what, "accepted", said)
    except Exception as error:
        tried.add(what, "server_errors", f"{error!r} after {said}")


def _kind(frame: str | bytes) -> str:
    return "text" if isinstance(frame, str) else "bytes"


async def _heard(socket: WebsocketCommunicator, text: str) -> None:
    """Until that event is told."""
    while not any(event["text"] == text for event in (await socket.receive_json_from(PATIENCE))["events"]):
        pass


async def _opened(tried: Tried, job: Job, what: str, path: str, origin: bytes, session: str) -> None:
    said = f"{path[:200]} {origin[:80]!r} {session[:40]!r}"
    try:
        async with _socket(path, origin, session) as socket:
            let_in, code = await socket.connect(PATIENCE)
            if let_in:
                assert json.loads(await socket.receive_from(PATIENCE))["last"]
            how = "accepted" if let_in else "server_errors" if code == 1011 else "refused"
    except Exception as error:
        how, said = "server_errors", f"{error!r} after {said}"
    tried.add(what, how, said)
