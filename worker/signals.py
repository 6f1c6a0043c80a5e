"""Celery's signals by which worker processes show themselves on the queue page."""

from celery.signals import (
    celeryd_after_setup,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
)

from worker.machine import code_version
from worker.services import node

# Of this worker; a process of its pool is forked and finds it here.
_queues: list[str] = []


@celeryd_after_setup.connect
def remember_queues(instance: object = None, **_: object) -> None:
    _queues[:] = sorted(instance.app.amqp.queues.consume_from)
    code_version()  # now: a process that is forked after an upgrade runs the old code still


@worker_process_init.connect
def process_begins(**_: object) -> None:
    """In each process of a prefork pool. A solo pool says so, too, before its queues are known: see below."""
    if _queues:
        node.keep_beating(list(_queues))


@worker_ready.connect
def worker_begins(sender: object = None, **_: object) -> None:
    """Where the worker's own process runs the jobs (solo, threads)."""
    if "prefork" not in type(sender.pool).__module__:
        node.keep_beating(list(_queues))


@worker_process_shutdown.connect
@worker_shutdown.connect
def process_ends(**_: object) -> None:
    node.leave(name=node.name_of_process())
