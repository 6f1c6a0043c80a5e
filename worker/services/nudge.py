"""The nudges. Each may get lost: the database is the truth, a lost nudge only makes things later."""

import logging

from asgiref.sync import async_to_sync
from celery import current_app
from channels.layers import get_channel_layer
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from worker.models import Job, Webhook

log = logging.getLogger(__name__)
HERE = "here"  # the queue of jobs that the launching process runs itself (--wait); no worker listens to it


def wake_worker(job: Job) -> None:
    """Tell the workers of the job's queue that there is a row to claim."""
    if job.queue == HERE:
        return
    try:
        current_app.send_task("worker.run", args=[job.pk], queue=job.queue, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("Broker not reached, %s waits for the next reaping: %s", job, error)


def wake_webhooks() -> None:
    """Tell a worker that there is something to send."""
    try:
        current_app.send_task("worker.webhooks", retry=False, expires=30)
    except OperationalError as error:
        log.warning("Broker not reached, webhooks wait for the next beat: %s", error)


def wake_webhooks_of(job_id: int) -> None:
    """The same after a change of the job's state, where its project has a webhook."""
    if Webhook.objects.filter(enabled=True, project__jobs=job_id).exists():
        wake_webhooks()


def wake_sockets(job_id: int) -> None:
    """Tell the open pages of the job that there is something new to read."""
    try:
        async_to_sync(get_channel_layer().group_send)(f"job_{job_id}", {"type": "job.changed"})
    except (RedisError, OSError) as error:
        log.warning("Channel layer not reached, the pages of job %s will look by themselves: %s", job_id, error)
