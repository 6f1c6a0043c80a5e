"""Worker processes: each says what it runs on and that it is alive; the queue page reads it.

A node is a row that its own process writes every few seconds. A process that is killed leaves a row that grows stale;
it is shown as such, and removed after a day.
"""

import logging
import os
import shutil
import socket
import subprocess
import threading
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from worker.models import Node

log = logging.getLogger(__name__)
BEAT_SECONDS = 5.0
FORGET = timedelta(days=1)


def name_of_process() -> str:
    """As Job.worker has it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def beat(*, name: str, device: str, queues: list[str], started_at: datetime) -> Node:
    """The node is alive now; rows of those not seen for a day go."""
    now = timezone.now()
    Node.objects.filter(seen_at__lt=now - FORGET).delete()
    fields = {"device": device, "queues": queues, "started_at": started_at, "seen_at": now}
    return Node.objects.update_or_create(name=name, defaults=fields)[0]


def leave(*, name: str) -> None:
    """It ended as it should. A database that is busy or gone already leaves a row that grows stale."""
    try:
        Node.objects.filter(name=name).delete()
    except DatabaseError as error:
        log.warning("%s could not take leave: %s", name, error)


def is_stale(node: Node, now: datetime | None = None) -> bool:
    """Whether its heart missed so many beats that its jobs would be taken from it."""
    limit = max(settings.JOB_STALE_SECONDS, 3 * BEAT_SECONDS)
    return node.seen_at < (now or timezone.now()) - timedelta(seconds=limit)


def device_in_words() -> str:
    """The accelerators of this process with their memory, or its processor's threads. Asks the driver, not torch."""
    if gpus := _gpus():
        return ", ".join(gpus)
    threads = os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0))
    return f"cpu, {threads} thread{'' if str(threads) == '1' else 's'}"


def _gpus() -> list[str]:
    visible, asked = os.environ.get("CUDA_VISIBLE_DEVICES"), shutil.which("nvidia-smi")
    if not asked or visible == "":
        return []
    command = [asked, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    if visible:
        command.append(f"--id={visible}")
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (subprocess.SubprocessError, OSError) as error:
        log.warning("The driver of the accelerators does not answer: %s", error)
        return []
    return [line.strip() for line in told.splitlines() if line.strip()]


def keep_beating(queues: list[str]) -> None:
    """Start the thread by which this process shows itself, until it ends."""
    threading.Thread(target=_beat_on, args=(queues, timezone.now()), daemon=True, name="node").start()


def _beat_on(queues: list[str], started_at: datetime) -> None:
    name, device, wait = name_of_process(), device_in_words(), threading.Event()
    while True:
        try:
            beat(name=name, device=device, queues=queues, started_at=started_at)
        except DatabaseError as error:  # busy or restarting: the next beat may get through
            log.warning("%s missed a beat: %s", name, error)
        finally:
            connection.close()
        wait.wait(BEAT_SECONDS)
