"""Celery carries job ids and nothing else: losing a message delays a job, it never loses one."""

import os
import signal
import threading
import time

from celery import Celery, Task, signals
from django.conf import settings

from config.logs import JOB, REQUEST

LAUNCHER = "LAUNCHER_PID"  # set by config.run for what it starts
GRACE = 3.0  # seconds a child of it may take to stop; nothing is lost when it is ended, jobs are taken up again

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def _transport() -> dict:
    if not settings.BROKER_URL.startswith("filesystem"):
        return {}
    folder = settings.VAR_DIR / "broker"
    for name in ("messages", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    both = str(folder / "messages")
    folders = {"data_folder_in": both, "data_folder_out": both, "control_folder": str(folder / "control")}
    return folders | {"polling_interval": 0.2}


app = Celery("touchstone")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_transport_options=_transport(),
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_acks_late=True,
    task_default_queue="cpu",
    worker_prefetch_multiplier=1,
    worker_lost_wait=1.0,  # a killed process frees its place at once: the row, not the message, brings the job back
    worker_hijack_root_logger=False,
    timezone="UTC",
    beat_scheduler="config.beat:Steady",
    beat_schedule_filename=str(settings.VAR_DIR / "beat"),
    beat_schedule={
        "reap": {"task": "worker.reap", "schedule": 5.0, "options": {"expires": 5}},
        "count": {"task": "worker.count", "schedule": 15.0, "options": {"expires": 15}},
        "sweep": {"task": "worker.sweep", "schedule": 3600.0, "options": {"expires": 3600}},
        "webhooks": {"task": "worker.webhooks", "schedule": 5.0, "options": {"expires": 5}},
        "rounds": {"task": "worker.rounds", "schedule": 15.0, "options": {"expires": 15}},
    },
)
app.autodiscover_tasks(["worker"])


@signals.before_task_publish.connect
def name_the_request(headers: dict, **_: object) -> None:
    headers["asked_by"] = REQUEST.get()


@signals.task_prerun.connect
def write_about(task: Task, args: tuple, **_: object) -> None:
    """Lines of the log that a task writes carry its job and the request that asked for it."""
    REQUEST.set(task.request.get("asked_by") or "")
    JOB.set(args[0] if task.name == "worker.run" else None)


@signals.worker_init.connect
def end_with_the_launcher(**_: object) -> None:
    """The kernel's signal asks the worker to stop; one that was just starting may not hear it, nor do its children."""
    if launcher := os.environ.get(LAUNCHER):
        threading.Thread(target=_end_after, args=(int(launcher),), daemon=True, name="launcher").start()


def _end_after(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(1)
    time.sleep(GRACE)
    os.killpg(os.getpgrp(), signal.SIGKILL)
