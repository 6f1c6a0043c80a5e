"""One round: raters over four web processes that die at random, until every slot is filled; then the ledger."""

import random
import threading
import time
from dataclasses import dataclass

import psycopg

from tests.soak import ledger
from tests.soak.browser import Browser
from tests.soak.house import WEB, House
from tests.soak.rater import Rater

EXPIRE = "UPDATE annotate_assignment SET expires_at = now() - interval '1 second' WHERE id = %s AND state = 'leased'"


@dataclass(frozen=True)
class Round:
    """What happened, and what is wrong: a soak passes when `faults` is empty."""

    judgements: int
    refused: int
    kills: int
    seconds: float
    faults: list[str]


def soak(house: House, database: str, *, slug: str, tasks: int, overlap: int, raters: int, patience: float) -> Round:
    """Raises nothing for what the site does wrong: that is in the result."""
    project, sessions = house.seed(slug, tasks, overlap, raters)
    chance = random.Random(slug)
    with psycopg.connect(database, autocommit=True) as link:
        expire = lambda url: link.execute(EXPIRE, [int(url.strip("/").split("/")[-1])])  # noqa: E731
        crew = [_rater(house, user, slug, session, expire) for user, session in sessions.items()]
        started, (kills, late) = time.monotonic(), _work(house, crew, link, project, chance, patience)
        sent = [one for rater in crew for one in rater.sent]
        faults = [f"rater {rater.user} left early: {rater.error!r}" for rater in crew if rater.error]
        faults += [fault for rater in crew for fault in rater.browser.faults] + late
        faults += ledger.faults(link, project, sent)
    acknowledged = sum(one.status == 200 for one in sent)
    return Round(acknowledged, len(sent) - acknowledged, kills, time.monotonic() - started, faults)


def _rater(house: House, user: int, slug: str, session: str, expire) -> Rater:
    chance = random.Random(f"{slug} {user}")
    return Rater(user, slug, Browser(house.ports, session, chance), expire, chance)


def _work(house, crew, link, project, chance, patience) -> tuple[int, list[str]]:
    """Everybody works and processes die, until every task is full. Returns the kills, and a fault if it never was."""
    over, kills, until = threading.Event(), 0, time.monotonic() + patience
    threads = [threading.Thread(target=rater.work, args=[over]) for rater in crew]
    for thread in threads:
        thread.start()
    while (left := ledger.unfinished(link, project)) and time.monotonic() < until:
        house.kill(chance.randrange(WEB))
        kills += 1
        _pause(link, project, chance.uniform(2, 4))
    over.set()
    for thread in threads:
        thread.join()
    return kills, [f"{left} tasks were not finished in {patience} s"] if left else []


def _pause(link, project, seconds) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and ledger.unfinished(link, project):
        time.sleep(0.2)
