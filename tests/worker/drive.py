"""Run inside a real site beside a real worker: launches jobs, kills, cancels, and prints what the rows say."""

import json
import os
import signal
import threading
import time

from annotate.models import Event, Project
from annotate.services.project import create_project
from worker.models import Job
from worker.progress import Progress
from worker.services.job import cancel, claim, launch
from worker.tasks import run

QUEUE = os.environ["TEST_QUEUE"]


def main() -> None:
    project = create_project(slug="real", name="Real")
    killed = start(project, do="die")
    wait(killed, "running")
    os.kill(int(killed.worker.rpartition(":")[2]), signal.SIGKILL)
    twice = start(project, do="write")
    run.apply_async([twice.pk], queue=QUEUE)  # delivered twice
    wait(twice, "done")
    stopped = start(project, do="count", steps=10_000, seconds=0.01)
    wait(stopped, "running")
    cancel(job=stopped)
    wait(stopped, "cancelled")
    wait(killed, "done")  # the last, for it takes until its worker counts as dead
    told = {"killed": told_by(killed), "twice": told_by(twice), "stopped": told_by(stopped)}
    print(json.dumps(told | {"numbers": two_threads(project)}))


def start(project: Project, **params: object) -> Job:
    return launch(project=project, kind="train", params=params, queue=QUEUE)


def wait(job: Job, state: str) -> None:
    for _ in range(900):
        job.refresh_from_db()
        if job.state == state:
            return
        time.sleep(0.1)
    raise SystemExit(f"{job} is {job.state}, not {state}: {job.error}")


def told_by(job: Job) -> dict:
    return {
        "attempt": job.attempt,
        "done": job.done,
        "wrote": Event.objects.filter(kind="test.wrote", subject=f"job:{job.pk}").count(),
        "states": [event.data["state"] for event in job.events.filter(kind="state")],
    }


def two_threads(project: Project) -> list[int]:
    """Event numbers after two threads, each with its own connection, wrote at once."""
    job = launch(project=project, kind="train", params={}, queue="nobody")
    progress = [Progress(claimed) for claimed in [claim(job.pk)] * 2]
    threads = [threading.Thread(target=lambda p=p: [p.log(str(n)) for n in range(30)]) for p in progress]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(job.events.values_list("number", flat=True))
