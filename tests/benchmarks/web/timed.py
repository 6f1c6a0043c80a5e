"""The site with one more header: the milliseconds from the whole request read to the first byte of the answer.

Waiting for a free thread is part of it; the network, and the client's own work, are not.
"""

import time

from config.asgi import application as site

HEADER = b"x-server-ms"


async def application(scope: dict, receive, send) -> None:
    if scope["type"] != "http":
        return await site(scope, receive, send)
    started = time.perf_counter()

    async def stamped(message: dict) -> None:
        if message["type"] == "http.response.start":
            took = f"{(time.perf_counter() - started) * 1000:.2f}".encode()
            message = message | {"headers": [*message["headers"], (HEADER, took)]}
        await send(message)

    return await site(scope, receive, stamped)
