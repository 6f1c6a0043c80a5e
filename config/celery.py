"""Celery carries job ids and nothing else: losing a message delays a job, it never loses one."""

import os

from celery import Celery
from django.conf import settings

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
    beat_schedule_filename=str(settings.VAR_DIR / "beat"),
    beat_schedule={
        "reap": {"task": "worker.reap", "schedule": 5.0, "options": {"expires": 5}},
        "count": {"task": "worker.count", "schedule": 15.0, "options": {"expires": 15}},
        "rounds": {"task": "worker.rounds", "schedule": 15.0, "options": {"expires": 15}},
    },
)
app.autodiscover_tasks(["worker"])
