"""Clients that no server likes: bounded in number and in time."""

import asyncio
import contextlib
import socket
import time

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

EACH, SECONDS = 10, 4.0  # of each kind to each web process, and how long they stay
SOCKETS = 200


def slow_headers(scene) -> None:
    """A byte now and then, and never the end of the head."""
    _drip(scene, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"a" * 500)


def slow_bodies(scene) -> None:
    head = b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"
    _drip(scene, head + b"a" * 500, len(head))


def _drip(scene, data: bytes, at_once: int = 40) -> None:
    with contextlib.ExitStack() as stack:
        links = _links(scene, stack)
        _send(links, data[:at_once])
        until, at = time.monotonic() + SECONDS, at_once
        while time.monotonic() < until:
            _send(links, data[at : at + 1])
            at += 1
            time.sleep(0.05)


def never_read(scene) -> None:
    """Ask for everything that the project has, as an admin may, and take nothing of it."""
    cookies = "; ".join(f"{name}={value}" for name, value in scene.admin.cookies.items())
    path = f"/p/{scene.slug}/export/file/?format=touchstone&container=jsonl"
    with contextlib.ExitStack() as stack:
        _send(_links(scene, stack), f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n".encode())
        time.sleep(SECONDS)


def _links(scene, stack: contextlib.ExitStack) -> list[socket.socket]:
    links = []
    for port in scene.house.ports * EACH:
        link = stack.enter_context(socket.socket())
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", port))
        links.append(link)
    return links


def _send(links: list[socket.socket], data: bytes) -> None:
    for link in links:
        with contextlib.suppress(OSError):  # the server may hang up on such a client
            link.sendall(data)


def storm(scene) -> None:
    """Sockets of the newest job: half say goodbye, half are gone."""
    pk = scene.query("SELECT coalesce(max(id), 1) FROM worker_job")[0][0]
    asyncio.run(_storm(scene, pk))


async def _storm(scene, pk: int) -> None:
    headers = {"Cookie": f"sessionid={scene.admin.cookies['sessionid']}"}

    async def come_and_go(n: int) -> None:
        port = scene.house.ports[n % len(scene.house.ports)]
        address = f"ws://127.0.0.1:{port}"
        headers_ = headers | {"Origin": f"http://127.0.0.1:{port}"}
        with contextlib.suppress(WebSocketException, OSError, TimeoutError):
            link = await connect(f"{address}/ws/jobs/{pk}/?after=0", additional_headers=headers_, open_timeout=20)
            await link.recv()
            if n % 2:
                await link.close()
            else:
                link.transport.abort()

    await asyncio.gather(*(come_and_go(n) for n in range(SOCKETS)))
