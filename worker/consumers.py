"""The live socket of a job page: everything after N, then whatever comes, until the job ends."""

import asyncio
import logging
from contextlib import suppress
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404

from annotate.access import project_for
from annotate.models import User
from worker.models import Job
from worker.payload import after_in, job_payload

logger = logging.getLogger(__name__)
REFUSED, BROKEN = 4404, 1011


@database_sync_to_async
def look(user: User, pk: int, after: int) -> dict:
    """The payload, if the user may see the job now; Http404 or PermissionDenied otherwise."""
    job = Job.objects.select_related("project").filter(pk=pk).first()
    if not (user.is_authenticated and job):
        raise Http404("No such job.")
    project_for(user, job.project.slug, "research")
    return job_payload(job, after)


class JobConsumer(AsyncJsonWebsocketConsumer):
    """ws/jobs/<pk>/?after=N. A nudge makes it look at once; without one it looks every SOCKET_LOOK_SECONDS."""

    async def connect(self) -> None:
        self.pk = self.scope["url_route"]["kwargs"]["pk"]
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        self.after = after_in(query.get("after", [""])[0])
        self.nudged = asyncio.Event()
        try:
            first = await look(self.scope["user"], self.pk, self.after)
        except (Http404, PermissionDenied):
            await self.close()  # before accepting: the handshake is refused
            return
        await self.channel_layer.group_add(f"job_{self.pk}", self.channel_name)
        await self.accept()
        self.following = asyncio.create_task(self.follow(first))

    async def follow(self, payload: dict) -> None:
        """Send what is new until the job ends or the user may no longer see it; then close."""
        try:
            await self.send_until_end(payload)
            await self.close()
        except (Http404, PermissionDenied):
            await self.close(code=REFUSED)
        except DatabaseError:
            logger.exception("The socket of job %s lost the database", self.pk)
            await self.close(code=BROKEN)  # the page comes back later, with ?after=

    async def send_until_end(self, payload: dict) -> None:
        sent = None
        while True:
            if payload["events"] or payload["status_html"] != sent:
                await self.send_json(payload)
                self.after, sent = payload["last"], payload["status_html"]
            if payload["ended"]:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self.nudged.wait(), settings.SOCKET_LOOK_SECONDS)
            self.nudged.clear()
            payload = await look(self.scope["user"], self.pk, self.after)

    async def job_changed(self, _: dict) -> None:
        """The nudge, sent when events of the job were committed."""
        self.nudged.set()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(f"job_{self.pk}", self.channel_name)
        if following := getattr(self, "following", None):
            following.cancel()
