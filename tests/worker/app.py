"""The real Celery app, with test bodies for jobs and a queue of its own on a broker that others may use."""

import os

import django

from config.celery import app

django.setup()

from worker.jobs import JOBS  # noqa: E402  (needs the apps loaded)
from worker.services import node  # noqa: E402

JOBS["train"] = "tests.worker.bodies"
node.BEAT_SECONDS = 0.2
app.conf.task_default_queue = os.environ["TEST_QUEUE"]
app.conf.beat_schedule["reap"]["schedule"] = 1.0
