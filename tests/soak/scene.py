"""What the faults are done to, and how it is seen that the site goes on."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.soak.browser import Browser
from tests.soak.clock import Clock
from tests.soak.house import House
from tests.soak.services import Postgres, Redis

PATIENCE = 120.0  # seconds; the bound is for a dead house, not a promise of speed


class NotRecovered(Exception):
    """Nothing was acknowledged, or no job moved, for the whole of the patience."""


@dataclass
class Scene:
    house: House
    redis: Redis
    postgres: Postgres
    database: str
    clocks: dict[str, Clock]  # of the house, and of the database's machine; {} where there is no compiler
    disk: Path | None  # where the house writes its files, if that can be filled
    chance: random.Random
    slug: str
    project: int
    admin: Browser
    acts: dict[int, float] = field(default_factory=dict)  # by port: when the last answered request was sent
    link: psycopg.Connection | None = None  # kept by `query`, which is asked twenty times a second
    turn: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, port: int, asked: float) -> None:
        self.acts[port] = max(asked, self.acts.get(port, 0))

    def query(self, sql: str, *values: object) -> list[tuple]:
        """Asked again while the server is away."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with self.turn:
                    return self._linked().execute(sql, values).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def _linked(self) -> psycopg.Connection:
        if self.link is None or self.link.closed:
            self.link = psycopg.connect(self.database, autocommit=True, connect_timeout=3)
        return self.link

    def seconds_until(self, true: Callable[[], object], since: float) -> float:
        while not true():
            if time.monotonic() - since > PATIENCE:
                raise NotRecovered
            time.sleep(0.05)
        return time.monotonic() - since

    def until_act(self, since: float, port: int | None = None) -> float:
        """Until a request that a rater sent after `since` was answered, by that process if a port is given."""
        return self.seconds_until(
            lambda: (self.acts.get(port, 0) if port else max(self.acts.values(), default=0)) >= since, since
        )

    def last_event(self) -> int:
        return self.query("SELECT coalesce(max(id), 0) FROM worker_jobevent")[0][0]

    def until_progress(self, since: float, after: int) -> float:
        """Until any job told something past the event with this id."""
        return self.seconds_until(lambda: self.last_event() > after, since)

    def until_both(self, since: float, after: int) -> float:
        return max(self.until_act(since), self.until_progress(since, after))


def at_once(*acts: Callable[[], None]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
