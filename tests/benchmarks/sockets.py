"""500 open job pages at 100 events a second: does each get every event once and in order, how late, at what cost?

    python -m tests.benchmarks.sockets [--quick]

Four web processes, PostgreSQL and a Redis of its own. One process reports as a job body does, 100 metric points a
second, each with the time at which it was reported; the job writes what was reported four times a second. The delay
is until the point was read by the client. --quick has 100 sockets and ten seconds.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from websockets.asyncio.client import connect

from tests.benchmarks.__main__ import machine
from tests.postgres import own_database
from tests.site import ROOT
from tests.soak.house import House
from tests.soak.services import Redis

QUICK = "--quick" in sys.argv
SOCKETS, SECONDS, RATE, PEOPLE = (100, 10, 100, 20) if QUICK else (500, 60, 100, 50)
SEED = """
import json
from django.test import Client
from annotate.models import Role, User
from annotate.services.project import add_member, create_project
from worker.services.job import launch
project = create_project(slug="live", name="Live")
sessions = []
for n in range({people}):
    user = User.objects.create_user(f"reader-{{n}}")
    add_member(project=project, user=user, role=Role.RESEARCHER)
    browser = Client()
    browser.force_login(user)
    sessions.append(browser.cookies["sessionid"].value)
print(json.dumps([launch(project=project, kind="train", params={{}}, queue="here").pk, sessions]))
"""
WRITER = """
import sys, time
from worker.models import Job
from worker.progress import Progress, beating
from worker.services.claim import claim
progress = Progress(claim({pk}))
print("ready", flush=True)
sys.stdin.readline()
with beating(progress):
    started = time.time()
    for n in range({events}):
        time.sleep(max(0, started + n / {rate} - time.time()))
        progress.report("reporting", n + 1, {events}, {{"step": n + 1, "sent": time.time()}})
    progress.finish(lambda: {{}})
"""


@dataclass
class Reader:
    """A job page without the screen: every event that came, and how late."""

    numbers: list[int] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    ended: bool = False

    async def read(self, url: str, session: str) -> None:
        headers = {"Cookie": f"sessionid={session}", "Origin": url.replace("ws:", "http:").partition("/ws/")[0]}
        async with connect(url, additional_headers=headers, open_timeout=60, max_size=None) as socket:
            async for text in socket:
                now, payload = time.time(), json.loads(text)
                self.numbers += [event["number"] for event in payload["events"]]
                self.delays += [now - event["sent"] for event in payload["events"] if "sent" in event]
                self.ended = payload["ended"]


class Cost:
    """Seconds of processor that groups of processes take."""

    def __init__(self, **groups: list[psutil.Process]) -> None:
        self.groups = groups
        self.before = self.now()

    def now(self) -> dict[str, float]:
        return {name: sum(sum(one.cpu_times()[:2]) for one in group) for name, group in self.groups.items()}

    def since(self) -> dict[str, float]:
        return {name: seconds - self.before[name] for name, seconds in self.now().items()}


async def watch(
    house: House, pk: int, sessions: list[str], writer: subprocess.Popen
) -> tuple[list[Reader], dict, float]:
    """All readers, once the job has ended and every socket was closed; the cores' seconds, and the seconds."""
    readers = [Reader() for _ in range(SOCKETS)]
    tasks = []
    for n, reader in enumerate(readers):
        url = f"ws://127.0.0.1:{house.ports[n % len(house.ports)]}/ws/jobs/{pk}/?after=0"
        tasks.append(asyncio.create_task(reader.read(url, sessions[n % len(sessions)])))
    while not all(reader.numbers for reader in readers):
        await asyncio.sleep(0.1)
        [task.result() for task in tasks if task.done()]  # who was refused says so
    webs = [psutil.Process(web.pid) for web in house.webs]
    cost, started = Cost(web=webs, job=[psutil.Process(writer.pid)]), time.perf_counter()
    writer.stdin.write("go\n")
    writer.stdin.flush()
    await asyncio.sleep(SECONDS * 0.95)
    used, seconds = cost.since(), time.perf_counter() - started
    await asyncio.wait_for(asyncio.gather(*tasks), 120)
    return readers, used, seconds


def line(name: str, ours: float, unit: str, target: str | None = None, holds: bool | None = None) -> None:
    name = f"{SOCKETS} open sockets, {RATE} job events a second: {name}"
    figures = {"ours": ours, "peer": None, "unit": unit, "ratio": None, "target": target, "holds": holds}
    print(json.dumps({"name": name, **figures, "machine": machine()}), flush=True)


def faults(readers: Iterable[Reader], events: int) -> dict[str, int]:
    """Events that did not come, came twice, or came before an earlier one, over all sockets."""
    wanted = set(range(1, events + 1))
    lost = sum(len(wanted - set(reader.numbers)) for reader in readers)
    twice = sum(len(reader.numbers) - len(set(reader.numbers)) for reader in readers)
    order = sum(a > b for reader in readers for a, b in zip(reader.numbers, reader.numbers[1:], strict=False))
    return {"lost": lost, "twice": twice, "out of order": order}


def report(readers: list[Reader], used: dict, seconds: float, events: int) -> None:
    for what, n in faults(readers, events).items():
        line(f"events {what}, of {events * SOCKETS:,} to be read", n, "events", "0", n == 0)
    line("sockets that were told of the end", sum(reader.ended for reader in readers), "sockets", str(SOCKETS),
         all(reader.ended for reader in readers))  # fmt: skip
    delays = [delay for reader in readers for delay in reader.delays]
    cuts = statistics.quantiles(delays, n=100)
    for percent in (50, 95, 99):
        line(f"delay from report to page, p{percent}", round(cuts[percent - 1] * 1000), "ms")
    for who, busy in used.items():
        line(f"processor of {'four web processes' if who == 'web' else 'the job'}", round(busy / seconds, 2), "cores")


def main() -> None:
    events = RATE * SECONDS
    with (
        tempfile.TemporaryDirectory() as folder,
        own_database() as database,
        Redis() as redis,
        House(Path(folder), DATABASE_URL=database, REDIS_URL=redis.url) as house,
    ):
        pk, sessions = json.loads(house.run(SEED.format(people=PEOPLE)).splitlines()[-1])
        code = WRITER.format(pk=pk, events=events, rate=RATE)
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, env=house.environment, **pipes) as writer:
            assert writer.stdout.readline() == "ready\n"
            readers, used, seconds = asyncio.run(watch(house, pk, sessions, writer))
        told = house.run(f"from worker.models import JobEvent; print(JobEvent.objects.filter(job={pk}).count())")
        report(readers, used, seconds, int(told))


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    main()
