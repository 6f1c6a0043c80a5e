"""The live socket of a job page: everything after N, then whatever comes, until the job ends."""

import asyncio
import logging
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

from worker.audience import News, Watcher, audience_of
from worker.payload import after_in

log = logging.getLogger(__name__)
REFUSED, BROKEN = 4404, 1011


class JobConsumer(AsyncWebsocketConsumer):
    """ws/jobs/<pk>/?after=N. What a client sends is not read."""

    channel_layer_alias = "none"  # nudges come to the audience, once for all its sockets

    async def connect(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        self.after, self.status = after_in(query.get("after", [""])[0]), None
        self.following = asyncio.create_task(self.follow(self.scope["url_route"]["kwargs"]["pk"]))

    async def disconnect(self, code: int) -> None:
        self.following.cancel()

    async def follow(self, pk: int) -> None:
        """Until the job ends, the user signs out or may not see it (any more). Closed before, it is refused."""
        try:
            await self.close(code=await self.tell(pk))
        except OSError as error:  # the client has gone; `disconnect` hears of it too
            log.debug("The socket of job %s was left: %s", pk, error)
        except Exception:
            log.exception("The socket of job %s broke", pk)
            await self.close(code=BROKEN)  # the page comes back later, with ?after=

    async def tell(self, pk: int) -> int | None:
        """The code to close with, once there is nothing more to send."""
        watcher = Watcher(self.scope["user"].pk or 0, self.scope["session"].session_key or "")
        async with audience_of(pk, watcher) as audience:
            while True:
                changed = audience.changed  # of before the reading: what happens meanwhile is read next
                if news := await audience.read(self.after):
                    if not audience.lets(watcher, news):
                        return REFUSED
                    await self.send_new(news)
                    if news.ended:
                        return None
                await changed.wait()

    async def send_new(self, news: News) -> None:
        first = self.status is None
        if first:
            await self.accept()
        if first or news.last > self.after or news.status != self.status:
            await self.send(news.text)
        self.after, self.status = news.last, news.status
