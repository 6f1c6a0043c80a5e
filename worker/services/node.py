"""Worker processes: each says what it runs on and that it is alive; the queue page reads it.

A node is a row that its own process writes every few seconds, idle or deep in a job. A process that is killed leaves a
row that grows stale; it is shown as such, and removed after a day.
"""

import logging
import os
import socket
import threading
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from worker.machine import code_version, device_in_words, memory
from worker.models import Node

log = logging.getLogger(__name__)
BEAT_SECONDS = 5.0
FORGET = timedelta(days=1)
_leaving, _turn = threading.Event(), threading.Lock()  # so that no beat comes after the leave


def name_of_process() -> str:
    """As Job.worker has it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def beat(*, name: str, device: str, queues: list[str], started_at: datetime, **more: object) -> Node:
    """The node is alive now, with `more` of its fields; rows of those not seen for a day go."""
    now = timezone.now()
    Node.objects.filter(seen_at__lt=now - FORGET).delete()
    fields = {"device": device, "queues": queues, "started_at": started_at, "seen_at": now}
    return Node.objects.update_or_create(name=name, defaults=fields | more)[0]


def leave(*, name: str) -> None:
    """It ended as it should. A database that is busy or gone already leaves a row that grows stale."""
    _leaving.set()
    try:
        with _turn:
            Node.objects.filter(name=name).delete()
    except DatabaseError as error:
        log.warning("%s could not take leave: %s", name, error)


def is_stale(node: Node, now: datetime | None = None) -> bool:
    """Whether its heart missed so many beats that its jobs would be taken from it."""
    limit = max(settings.JOB_STALE_SECONDS, 3 * BEAT_SECONDS)
    return node.seen_at < (now or timezone.now()) - timedelta(seconds=limit)


def keep_beating(queues: list[str]) -> None:
    """Start the thread by which this process shows itself, until it ends."""
    threading.Thread(target=_beat_on, args=(queues, timezone.now()), daemon=True, name="node").start()


def _beat_on(queues: list[str], started_at: datetime) -> None:
    name = name_of_process()
    same = {"device": device_in_words(), "queues": queues, "started_at": started_at, "version": code_version()}
    while not _leaving.is_set():
        try:
            _beat_unless_leaving(name=name, **same, **memory())
        except (DatabaseError, OSError) as error:  # busy or restarting: the next beat may get through
            log.warning("%s missed a beat: %s", name, error)
        finally:
            connection.close()
        _leaving.wait(BEAT_SECONDS)


def _beat_unless_leaving(**fields: object) -> None:
    with _turn:
        if not _leaving.is_set():
            beat(**fields)
