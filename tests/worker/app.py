"""The real Celery app, with test bodies for jobs and a queue of its own on a broker that others may use."""

import os

from config.celery import app
from worker.jobs import JOBS

JOBS["train"] = "tests.worker.bodies"
app.conf.task_default_queue = os.environ["TEST_QUEUE"]
app.conf.beat_schedule["reap"]["schedule"] = 1.0
