"""The real Celery app, with traps: the process that comes first to a place for which one is set is killed there.

A trap is a file in $SOAK_TRAPS named after the place; what it caught is in PLACE.caught: the name of the process.
"""

import importlib
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from celery.signals import celeryd_after_setup, worker_process_init

from config.celery import app

TRAPS = Path(os.environ["SOAK_TRAPS"])
app.conf.beat_schedule["reap"]["schedule"] = 1.0


def spring(place: str) -> None:
    try:
        (TRAPS / place).unlink()
    except FileNotFoundError:
        return
    (TRAPS / f"{place}.caught").write_text(f"{socket.gethostname()}:{os.getpid()}")
    os.kill(os.getpid(), signal.SIGKILL)


def after(place: str, act: Callable) -> Callable:
    def acted(*arguments: object, **more: object) -> object:
        result = act(*arguments, **more)
        spring(place)
        return result

    return acted


def fitting(fit: Callable) -> Callable:
    """In the midst of it: where its loss is reported."""

    def fitted(*arguments: object, report: Callable, **more: object) -> object:
        def reported(stage: str, *told: object) -> None:
            report(stage, *told)
            stage == "fit" and spring("fitting")

        return fit(*arguments, report=reported, **more)

    return fitted


def with_traps(name: str) -> object:
    """The module of a job body, which is imported when the first such job comes."""
    body = importlib.import_module(name)
    if name == "worker.jobs.train" and body.dataset_of.__name__ != "acted":
        body.dataset_of = after("reading", body.dataset_of)
        body.TRAINERS["heads"] = fitting(body.TRAINERS["heads"])
        body.checkpoint.save_file = after("writing", body.checkpoint.save_file)  # the draft is there, not its name
        body._store = after("storing", body._store)  # the rows are written, not committed
    return body


@celeryd_after_setup.connect
def import_once(**_: object) -> None:
    """Before the pool is forked, torch above all: the processes that come for killed ones need not do it each."""
    for name in ("worker.jobs.train", "worker.jobs.score", "transformers.models.bert.modeling_bert"):
        importlib.import_module(name)


@worker_process_init.connect
def lay_traps(**_: object) -> None:
    """In each process of the pool, once Django's apps are loaded."""
    from worker.progress import Progress
    from worker.services import job as jobs

    jobs.import_module = with_traps
    jobs.claim = after("claim", jobs.claim)
    Progress.finish = after("publishing", Progress.finish)  # committed; the message is not acknowledged
