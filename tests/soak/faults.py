"""One function for each kind of fault: it does the fault, undoes it, and returns the seconds until things went on."""

import contextlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from celery import Celery

from tests.soak.clients import never_read, slow_bodies, slow_headers, storm
from tests.soak.scene import Scene, at_once

HOUR = 3600
# Where a job comes to in this order: see app.py.
PLACES = ("claim", "reading", "fitting", "writing", "storing", "publishing")


def web_killed(scene: Scene) -> float:
    """kill -9; until the process that takes its place has answered a rater."""
    n = scene.chance.randrange(len(scene.house.webs))
    since = time.monotonic()
    scene.house.kill(n)
    return scene.until_act(since, scene.house.ports[n])


def worker_killed(scene: Scene) -> float:
    """kill -9 of the whole, whatever it does; until a job moves that was not ended."""
    n = scene.chance.randrange(len(scene.house.workers))
    since, after = time.monotonic(), scene.last_event()
    scene.house.kill_worker(n)
    return scene.until_progress(since, after)


def killed_at(place: str, scene: Scene) -> float:
    """kill -9 of the process that runs a job, at that place of it; until the job is run again, or another moves."""
    caught = scene.house.traps / f"{place}.caught"
    (scene.house.traps / place).touch()
    scene.seconds_until(caught.exists, time.monotonic())
    since, after = time.monotonic(), scene.last_event()
    scene.seconds_until(caught.read_text, since)
    worker = caught.read_text()
    caught.unlink()
    mine = scene.query("SELECT id, attempt FROM worker_job WHERE worker = %s AND state = 'running'", worker)
    if not mine:  # it had ended, and the message was not acknowledged
        return scene.until_progress(since, after)
    again = "SELECT 1 FROM worker_job WHERE id = %s AND (attempt > %s OR state IN ('done', 'failed', 'cancelled'))"
    return scene.seconds_until(lambda: scene.query(again, *mine[0]), since)


def redis_lost(scene: Scene) -> float:
    """Ended, and started again with nothing in it."""
    since, after = time.monotonic(), scene.last_event()
    scene.redis.kill()
    time.sleep(scene.chance.uniform(0.2, 1.5))
    scene.redis.start()
    return scene.until_both(since, after)


def postgres_restarted(mode: str, scene: Scene) -> float:
    since, after = time.monotonic(), scene.last_event()
    scene.postgres.restart(mode)
    back = time.monotonic()
    return back - since + scene.until_both(back, after)


def disk_full(scene: Scene) -> float:
    """Until a job has failed for it; then there is room. The time is from then until a job is done."""
    failed = """SELECT 1 FROM worker_job job JOIN worker_jobevent event ON event.job_id = job.id WHERE event.id > %s
                AND event.data->>'state' = 'failed' AND job.advice LIKE '%%disk is full%%'"""
    before = scene.last_event()  # by number, for the clocks jump meanwhile
    filler = scene.disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12):  # to the last page
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    try:
        since = time.monotonic()
        scene.until_act(since)  # judging needs no file
        scene.seconds_until(lambda: scene.query(failed, before), since)
    finally:
        filler.unlink()
    since, after = time.monotonic(), scene.last_event()
    return scene.seconds_until(lambda: scene.query(
        "SELECT 1 FROM worker_jobevent WHERE id > %s AND kind = 'state' AND data->>'state' = 'done'", after), since
    )  # fmt: skip


def clock_jumps(whose: str, hours: int, scene: Scene) -> float:
    """And stays so for a while: at the end the clock goes right again, which is a jump, too."""
    since, after = time.monotonic(), scene.last_event()
    scene.clocks[whose].set(hours * HOUR)
    took = scene.until_both(since, after)
    time.sleep(3)
    since, after = time.monotonic(), scene.last_event()
    scene.clocks[whose].set(0)
    return max(took, scene.until_both(since, after))


def delivered_twice(scene: Scene) -> float:
    """Every message of every unfinished job comes five times more, to both workers; and those of ended ones, too."""
    since, after = time.monotonic(), scene.last_event()
    rows = scene.query("SELECT id, queue FROM worker_job ORDER BY id DESC LIMIT 10")
    with Celery(broker=scene.redis.url).connection() as link:
        for pk, queue in rows * 5:
            Celery(broker=scene.redis.url).send_task("worker.run", args=[pk], queue=queue, connection=link)
    return scene.until_progress(since, after)


def slow_clients(scene: Scene) -> float:
    """Some dozens to each process, for seconds; until a rater who came after them was answered by each."""
    since = time.monotonic()
    took = []

    def others() -> None:
        time.sleep(1)
        began = time.monotonic()
        took.extend(scene.until_act(began, port) for port in scene.house.ports)

    acts = [partial(act, scene) for act in (slow_headers, slow_bodies, never_read)]
    at_once(others, *acts)
    return max(took, default=time.monotonic() - since)


def socket_storm(scene: Scene) -> float:
    """Hundreds of sockets come and go, half of them without a word."""
    storm(scene)
    since, after = time.monotonic(), scene.last_event()
    return scene.until_both(since, after)


KINDS: dict[str, Callable[[Scene], float]] = {
    "web process killed": web_killed,
    "worker killed": worker_killed,
    **{f"worker killed at {place}": partial(killed_at, place) for place in PLACES},
    "Redis restarted empty": redis_lost,
    "PostgreSQL restarted": partial(postgres_restarted, "fast"),
    "PostgreSQL crashed": partial(postgres_restarted, "immediate"),
    "disk full": disk_full,
    "clock of the house an hour ahead": partial(clock_jumps, "house", 1),
    "clock of the house an hour back": partial(clock_jumps, "house", -1),
    "clock of the database an hour ahead": partial(clock_jumps, "database", 1),
    "clock of the database an hour back": partial(clock_jumps, "database", -1),
    "messages delivered again": delivered_twice,
    "slow clients": slow_clients,
    "WebSocket storm": socket_storm,
}


def possible(clocks: dict, disk: Path | None) -> list[str]:
    """Those that can be done here."""
    return [kind for kind in KINDS if (disk or kind != "disk full") and (clocks or not kind.startswith("clock"))]
