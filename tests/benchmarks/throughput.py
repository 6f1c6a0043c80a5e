"""Judgements that 200 raters without think time get held per second and per core, on PostgreSQL and four web processes.

    python -m tests.benchmarks.throughput [--quick]

A rater sends what the judging page sends: each submit leases the next task, which was fetched ahead or came with the
lease before, and a page is loaded where another took that task. Raters are threads of four processes on the same
machine. A core of the server is what the web processes and PostgreSQL, a cluster of its own, used. Afterwards
the ledger is compared: what was acknowledged is stored once, as it was sent. --quick has 40 raters and ten seconds.
"""

import json
import random
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg

from tests.benchmarks.__main__ import machine
from tests.benchmarks.sockets import Cost
from tests.soak import ledger
from tests.soak.browser import Browser
from tests.soak.house import House
from tests.soak.rater import Sent
from tests.soak.services import Postgres

QUICK = "--quick" in sys.argv
RATERS, SECONDS, TASKS, OVERLAP = (40, 10, 500, 3) if QUICK else (200, 60, 5000, 3)
CLIENTS = 4  # processes that the raters are threads of
SLUG = "throughput"
REFRESH = 10  # so seldom the page asks how many tasks are left
Judged = tuple[Sent, float, float]  # what was sent, and the milliseconds of its submit and from there to the next page
Page = tuple[str, dict] | None  # where an answer goes, and what the page knows


def judge(ports: list[int], user: int, session: str, until: float) -> list[Judged]:
    """One rater, until the time is over."""
    browser, done = Browser(ports, session, random.Random(user)), []
    found, ahead = browser.next_page(SLUG), None
    while found and time.time() < until:
        url, data = found
        ahead = ahead or fetched(browser)
        sent = Sent(user, uuid4().hex, [[response["id"]] for response in data["responses"]], f"because {uuid4().hex}")
        answer = {"outcome": "ranking", "ranking": sent.ranking, "strength": 2, "rationale": sent.note, **data["fixed"]}
        body = {"answer": answer, "key": sent.key, "active_ms": 1, "lease": True, "left": len(done) % REFRESH == 0}
        started = time.perf_counter()
        sent.status, text, _ = browser.once("POST", f"{url}submit/", body | {"ahead": ahead.get("shown_order", [])})
        stored = time.perf_counter()
        found, ahead = onward(browser, json.loads(text), ahead)
        done.append((sent, (stored - started) * 1000, (time.perf_counter() - stored) * 1000))
    assert not browser.faults, browser.faults
    return done


def fetched(browser: Browser) -> dict:
    """The task that lies ahead, which is not taken; empty where there is none."""
    status, text, _ = browser.send("GET", f"/p/{SLUG}/judge/ahead/")
    return json.loads(text) if status == 200 else {}


def onward(browser: Browser, lease: dict, ahead: dict) -> tuple[Page, dict | None]:
    """The next page and what lies ahead of it: what was fetched ahead if that was leased, else the page is loaded."""
    same = all(lease.get(name) == ahead.get(name) for name in ("task", "shown_order"))
    if "assignment" in lease and same and lease["revision"] == ahead["data"]["revision"]:
        return (lease["next"], ahead["data"]), lease.get("ahead")
    return browser.page(lease["next"]), None


def crowd(ports: list[int], sessions: list[tuple[int, str]], start: float) -> list[Judged]:
    """Raters of one client process, who all begin at `start`."""
    judged: list[list[Judged]] = []
    time.sleep(max(0, start - time.time()))
    act = lambda user, session: judged.append(judge(ports, user, session, start + SECONDS))  # noqa: E731
    threads = [threading.Thread(target=act, args=one) for one in sessions]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(judged) == len(sessions), "a rater left early"
    return [one for each in judged for one in each]


def line(name: str, ours: float, unit: str, target: str | None = None, holds: bool | None = None) -> None:
    name = f"{RATERS} raters without think time: {name}"
    figures = {"ours": ours, "peer": None, "unit": unit, "ratio": None, "target": target, "holds": holds}
    print(json.dumps({"name": name, **figures, "machine": machine()}), flush=True)


def report(judged: list[Judged], seconds: float, used: dict[str, float], wrong: list[str]) -> None:
    line("judgements held", round(len(judged) / seconds), "/s")
    line("judgements held per core of the server", round(len(judged) / sum(used.values())), "/s per core")
    for who, busy in used.items():
        line(f"processor of {who}", round(busy / seconds, 2), "cores")
    for what, times in (("submit", [one[1] for one in judged]), ("next page", [one[2] for one in judged])):
        cuts = statistics.quantiles(times, n=100)
        for percent in (50, 95, 99):
            line(f"{what}, p{percent}", round(cuts[percent - 1]), "ms")
    line(f"lost, doubled or changed of {len(judged):,} acknowledged", len(wrong), "judgements", "0", not wrong)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Postgres() as postgres,
        House(Path(folder), DATABASE_URL=f"{postgres.server}/postgres") as house,
        ProcessPoolExecutor(CLIENTS, get_context("spawn")) as clients,
    ):
        project, sessions = house.seed(SLUG, TASKS, OVERLAP, RATERS)
        people = list(sessions.items())
        master = psutil.Process(int((postgres.folder / "data" / "postmaster.pid").read_text().split()[0]))
        start = time.time() + 10  # the clients are imported by then
        jobs = [clients.submit(crowd, house.ports, people[n::CLIENTS], start) for n in range(CLIENTS)]
        time.sleep(start - time.time() + 1)  # all have their connections
        webs = [psutil.Process(web.pid) for web in house.webs]
        cost, began = Cost(**{"web processes": webs, "PostgreSQL": [master, *master.children()]}), time.time()
        time.sleep(SECONDS - 2)
        used, seconds = cost.since(), time.time() - began
        judged = [one for job in jobs for one in job.result()]
        with psycopg.connect(f"{postgres.server}/postgres") as link:
            faults = ledger.faults(link, project, [one[0] for one in judged])
        wrong = [fault for fault in faults if "starved" not in fault]  # the time was over before the tasks were
        print("\n".join(wrong[:20]), file=sys.stderr)
        report(judged, SECONDS, {who: busy * SECONDS / seconds for who, busy in used.items()}, wrong)


if __name__ == "__main__":
    main()
