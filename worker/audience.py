"""The open sockets of one job in one process: one look at the database serves all that have read equally far.

Nothing is queued for anybody: a socket that fell behind asks for what is past its own number.
"""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from redis.exceptions import RedisError

from annotate.access import who_may
from annotate.signed_in import ended_among
from worker.models import Job
from worker.payload import job_payload

log = logging.getLogger(__name__)
BREATH = 0.1  # seconds between two looks, however many nudges there are


class Watcher(NamedTuple):
    """Whose socket it is, and the session it was opened in."""

    person: int
    session: str


@dataclass(frozen=True)
class News:
    """What is past a number, as it is sent, and who may read it."""

    last: int
    status: str
    ended: bool
    text: str
    readers: frozenset[int]


NOTHING = News(last=0, status="", ended=False, text="", readers=frozenset())  # of a job that is not there


@database_sync_to_async
def look(pk: int, after: int, people: set[int]) -> News:
    job = Job.objects.select_related("project").filter(pk=pk).first()
    if job is None:
        return NOTHING
    readers = who_may(job.project, "research", people)
    told = job_payload(job, after)
    return News(told["last"], told["status_html"], told["ended"], json.dumps(told), readers)


class Audience:
    """Those who watch one job. A nudge, or SOCKET_LOOK_SECONDS without one, sets `changed`, and all read again."""

    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.watchers: Counter[Watcher] = Counter()
        self.ended: frozenset[str] = frozenset()  # sessions among theirs, as of `asked`
        self.asked = time.monotonic()
        self.looks: dict[int, asyncio.Task[News]] = {}  # by the number they are past; begun since the last change
        self.changed, self.nudged, self.joined = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._turn())]

    async def join(self, watcher: Watcher) -> None:
        """Then nudges are heard, or it is known that there are none."""
        self.watchers[watcher] += 1
        if self.watchers[watcher] == 1:
            self.looks = {}  # they did not ask about this person
        with suppress(TimeoutError):
            await asyncio.wait_for(self.joined.wait(), settings.SOCKET_LOOK_SECONDS)

    def leave(self, watcher: Watcher) -> bool:
        """Whether nobody is left; it then stops."""
        self.watchers -= Counter([watcher])
        if not self.watchers:
            [task.cancel() for task in self.tasks]
        return not self.watchers

    def lets(self, watcher: Watcher, news: News) -> bool:
        """Whether this may be sent there: the person has the right still, and has not signed out."""
        return watcher.person in news.readers and watcher.session not in self.ended

    async def read(self, after: int) -> News | None:
        """What is past `after`, no older than the last change; None while the database does not answer."""
        if after not in self.looks:
            self.looks[after] = asyncio.create_task(look(self.pk, after, {one.person for one in self.watchers}))
        try:
            return await asyncio.shield(self.looks[after])
        except (DatabaseError, InterfaceError) as error:
            log.warning("The sockets of job %s wait for the database: %s", self.pk, error)
            return None

    async def _turn(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.nudged.wait(), settings.SOCKET_LOOK_SECONDS)
            self.nudged.clear()
            await self._ask_who_signed_out()
            self.looks = {}
            self.changed.set()
            self.changed = asyncio.Event()
            await asyncio.sleep(BREATH)

    async def _ask_who_signed_out(self) -> None:
        """Seldom: it reads every session."""
        if time.monotonic() - self.asked < settings.SOCKET_LOOK_SECONDS:
            return
        with suppress(DatabaseError, InterfaceError):  # which `read` tells of
            self.ended = await database_sync_to_async(ended_among)({one.session for one in self.watchers})
            self.asked = time.monotonic()

    async def _hear(self) -> None:
        """Nudges of the channel layer. One that was restarted has forgotten who listens."""
        layer = get_channel_layer()
        channel = await layer.new_channel()
        try:
            while True:
                try:
                    await layer.group_add(f"job_{self.pk}", channel)
                    self.joined.set()
                    while await layer.receive(channel):
                        self.nudged.set()
                except (RedisError, OSError) as error:
                    log.warning(
                        "Channel layer not reached, the sockets of job %s look by themselves: %s", self.pk, error
                    )
                    self.joined.set()
                    await asyncio.sleep(settings.SOCKET_LOOK_SECONDS)
        finally:
            with suppress(RedisError, OSError):
                await layer.group_discard(f"job_{self.pk}", channel)


_open: dict[int, Audience] = {}


@asynccontextmanager
async def audience_of(pk: int, watcher: Watcher) -> AsyncIterator[Audience]:
    """The watcher is among those of the job, as long as this lasts."""
    audience = _open.get(pk) or _open.setdefault(pk, Audience(pk))
    try:
        await audience.join(watcher)
        yield audience
    finally:
        if audience.leave(watcher):
            del _open[pk]
