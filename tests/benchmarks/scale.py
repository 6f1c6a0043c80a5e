"""Server times at 100,000 tasks, 1,000,000 judgements and 200 raters, on PostgreSQL and four web processes.

    python -m tests.benchmarks.scale [--quick]

Twenty raters judge at once, each about a second after the answer before (people take longer). A time is from
the request read to the first byte of its answer, as the server sees it. Pages are those of an admin. Then everything
is exported, and the memory of the process that does it is looked at all the while. --quick has a twentieth of the rows.
"""

import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from uuid import uuid4

from tests.benchmarks.__main__ import machine
from tests.benchmarks.import_export import memory
from tests.benchmarks.web.fill import SLUG, fill, sessions
from tests.postgres import own_database
from tests.soak.browser import Browser
from tests.soak.house import House

QUICK = "--quick" in sys.argv
TASKS, JUDGEMENTS, RATERS = (5_000, 50_000, 50) if QUICK else (100_000, 1_000_000, 200)
AT_ONCE, ROUNDS, PAUSE = 20, 15 if QUICK else 40, 1.0
PAGES = ("annotate:project", "annotate:items", "annotate:members", "annotate:review", "annotate:mine",
         "inspector:agreement", "inspector:disputes", "inspector:raters")  # fmt: skip
PAGE_MS = 500
# What ends the address of a request: leasing, the page ahead, and a submit, which leases and brings the page ahead too.
KINDS = {"next": "/judge/", "ahead": "/ahead/", "submit": "/submit/"}


class TimedHouse(House):
    application = "tests.benchmarks.web.timed:application"


class TimedBrowser(Browser):
    """Keeps the server's milliseconds of each request by what it was for."""

    def __init__(self, ports: list[int], session: str, chance: random.Random) -> None:
        super().__init__(ports, session, chance)
        self.took: dict[str, list[float]] = {}

    def heard(self, method: str, path: str, headers) -> None:
        kind = next((kind for kind, end in KINDS.items() if path.endswith(end)), "page")
        self.took.setdefault(kind, []).append(float(headers["X-Server-Ms"]))


def judge(browser: TimedBrowser, slug: str, rounds: int) -> None:
    """As people do, and every fifth time from the start: the queue, the page, the page ahead, and then submits."""
    time.sleep(PAUSE * browser.chance.random() * 2)  # they do not come in one instant
    url = data = None
    for number in range(rounds):
        if number % 5 == 0:
            url, data = browser.next_page(slug)
            browser.send("GET", f"/p/{slug}/judge/ahead/")
        ranking = [[response["id"]] for response in data["responses"]]
        answer = {"outcome": "ranking", "ranking": ranking, "strength": 2, **data["fixed"]}
        body = {"answer": answer, "key": uuid4().hex, "active_ms": 1, "lease": True}
        status, text, _ = browser.send("POST", f"{url}submit/", body)
        assert status == 200, text
        url, data = browser.page(json.loads(text)["next"])
        time.sleep(PAUSE * random.random() * 2)


def raters_at_work(house: House, ids: list[str], slug: str) -> dict[str, list[float]]:
    """All milliseconds of twenty raters, after a few untimed judgements that warm the processes."""
    crew = [TimedBrowser(house.ports, session, random.Random(session)) for session in ids]
    for rounds in (5, ROUNDS):
        for browser in crew:
            browser.took.clear()
        threads = [threading.Thread(target=judge, args=[browser, slug, rounds]) for browser in crew]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    assert not any(browser.faults for browser in crew)
    return {kind: [ms for browser in crew for ms in browser.took[kind]] for kind in (*KINDS, "page")}


def page_times(browser: TimedBrowser, path: str) -> list[float]:
    browser.took.clear()
    for _ in range(6):
        status, text, _ = browser.send("GET", path)
        assert status == 200, (path, status, text[:300])
    return browser.took["page"][1:]


def line(name: str, ours: float, target: float | None, unit: str = "ms", **more: object) -> None:
    size = f"{TASKS:,} tasks, {JUDGEMENTS:,} judgements"
    figures = {"ours": round(ours, 1), "peer": None, "unit": unit, "ratio": None}
    bound = {"target": target and f"≤ {target}", "holds": None if QUICK or target is None else ours <= target}
    print(json.dumps({"name": f"{name} at {size}", **figures, **bound, "machine": machine(), **more}), flush=True)


def pages() -> dict[str, str]:
    """Addresses of the project's big pages by name."""
    from django.urls import reverse

    names = {name.split(":")[1].replace("_", " "): reverse(name, args=[SLUG]) for name in PAGES}
    return {"home": "/", **names, "items with a word": names["items"] + "?q=item-77"}


def export(house: House, session: str) -> None:
    """Everything goes out over HTTP: when it begins, how long it takes, and what it adds to the web process."""
    url = f"http://127.0.0.1:{house.ports[0]}/p/{SLUG}/export/file/?format=touchstone&container=jsonl"
    held, started = [memory(house.webs[0].pid)], time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Cookie": f"sessionid={session}"})) as answer:
        assert answer.read(1) == b"{"
        line("export begins", (time.perf_counter() - started) * 1000, 2000)
        size = 1
        while data := answer.read(2**20):
            size += len(data)
            held.append(memory(house.webs[0].pid))
    seconds, tenth = time.perf_counter() - started, max(held[: len(held) // 10])
    line("export: memory of its web process in the first tenth", tenth - held[0], None, unit="MiB more")
    line("export: memory of its web process to the end", max(held) - held[0], None, unit="MiB more")
    line("export: to the end", seconds, None, unit=f"s for {size / 2**20:,.0f} MiB")


def main(database: str, folder: Path) -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    from annotate.services.tally import count_waiting

    started = time.perf_counter()
    fill(TASKS, JUDGEMENTS, RATERS)
    print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    started, counted = time.perf_counter(), count_waiting(seconds=3600)
    print(f"counted {counted:,} judgements in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # a server does so by itself, in the months that a million judgements take
    with TimedHouse(folder, DATABASE_URL=database) as house:
        took = raters_at_work(house, sessions(f"rater-{n}" for n in range(AT_ONCE)), SLUG)
        for kind, times in took.items():
            p95 = statistics.quantiles(times, n=20)[-1]
            line(f"{kind}, p95 of {AT_ONCE} raters at once", p95, 60, median=round(statistics.median(times), 1))
        alice = TimedBrowser(house.ports[:1], sessions(["alice"])[0], random.Random(0))
        for name, path in pages().items():
            line(f"page: {name}", statistics.median(page_times(alice, path)), PAGE_MS)
        export(house, alice.cookies["sessionid"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, own_database() as database:
        os.environ |= {"VAR_DIR": folder, "DATABASE_URL": database, "LOG_LEVEL": "ERROR"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        main(database, Path(folder))
