"""One round: raters, trainings and scorings over a house in which things break; then the ledger and all the rest."""

import contextlib
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg

from tests.soak import checks, clock, ledger
from tests.soak.browser import Browser
from tests.soak.clock import Clock
from tests.soak.faults import KINDS
from tests.soak.house import House
from tests.soak.lab import Researcher
from tests.soak.rater import Rater
from tests.soak.scene import NotRecovered, Scene, at_once
from tests.soak.services import Postgres, Redis, small_disk

EXPIRE = """UPDATE annotate_assignment SET expires_at = now() - interval '1 second'
            WHERE id = %s AND state = 'leased' RETURNING 1"""
QUICK = {"JOB_HEARTBEAT_SECONDS": "0.5", "OMP_NUM_THREADS": "1"}
ADMINS = 3  # two train and score; the third looks at pages


@dataclass(frozen=True)
class Incident:
    kind: str
    seconds: float | None  # until things went on; None when they did not


@dataclass
class Round:
    """What happened, and what is wrong: a soak passes when `faults` is empty."""

    incidents: list[Incident] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    judgements: int = 0
    refused: int = 0
    trainings: int = 0
    retries: int = 0
    seconds: float = 0


@contextlib.contextmanager
def stage(
    webs: int = 4, stale: float = 4
) -> Iterator[tuple[House, Redis, Postgres, str, dict[str, Clock], Path | None]]:
    """A house with services of its own, all of which may be broken; `stale`: seconds until a job is taken up again."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="touchstone-soak-")))
        folder.chmod(0o755)  # PostgreSQL's user reads its clock here
        clocks = {}
        for name in ("house", "database") if not clock.missing() else ():
            (folder / name).mkdir()
            clocks[name] = Clock(folder / name)
        disk = stack.enter_context(small_disk(folder / "var"))
        redis = stack.enter_context(Redis())
        postgres = stack.enter_context(Postgres(clocks["database"].environment if clocks else None))
        database = f"{postgres.server}/postgres"
        places = {"VAR_DIR": str(folder / "var"), "DATABASE_URL": database, "REDIS_URL": redis.url}
        more = QUICK | {"JOB_STALE_SECONDS": str(stale)} | (clocks["house"].environment if clocks else {})
        house = stack.enter_context(House(folder, webs=webs, workers=2, **places, **more))
        yield house, redis, postgres, database, clocks, disk


def soak(stage_: tuple, kinds: Sequence[str], *, slug: str, tasks: int, raters: int, pace: float) -> Round:
    """Those of jobs in two rows, and beside them all others, while everybody works.

    Raises nothing for what the site does wrong.
    """
    house, redis, postgres, database, clocks, disk = stage_
    project, sessions = house.seed(slug, tasks, overlap=3, raters=raters, admins=ADMINS)
    chance, started = random.Random(slug), time.monotonic()
    *people, first, second, third = sessions.items()
    browser = lambda session: Browser(house.ports, session, random.Random(f"{slug} {session}"))  # noqa: E731
    scene = Scene(house, redis, postgres, database, clocks, disk, chance, slug, project, browser(third[1]))
    lab = [Researcher(slug, browser(session)) for _, session in (first, second)]
    expire = lambda url: scene.query(EXPIRE, int(url.strip("/").split("/")[-1]))  # noqa: E731
    crew = [
        Rater(user, slug, browser(session), expire, random.Random(f"{slug} {user}"), pace) for user, session in people
    ]
    for rater in crew:
        rater.browser.answered = scene.heard
    done = Round()
    _work(scene, crew, lab, kinds, done)
    sent = [one for rater in crew for one in rater.sent]
    everybody = [*crew, *lab]
    done.faults += [f"{type(one).__name__} left early: {one.error!r}" for one in everybody if one.error]
    done.faults += [fault for one in everybody for fault in one.browser.faults]
    done.faults += [fault for one in lab for fault in one.faults]
    with psycopg.connect(database, autocommit=True) as link:
        done.faults += ledger.faults(link, project, sent)
    done.faults += checks.faults(scene, disk or house.folder / "var")
    done.judgements = sum(one.status == 200 for one in sent)
    done.refused = len(sent) - done.judgements
    done.trainings, done.retries = sum(one.trained for one in lab), sum(one.retried for one in lab)
    done.seconds = time.monotonic() - started
    return done


def _work(scene: Scene, crew: list[Rater], lab: list[Researcher], kinds: Sequence[str], done: Round) -> None:
    """Everybody works until all faults are over, no job is left, and every task is full."""
    enough, over = threading.Event(), threading.Event()
    threads = [threading.Thread(target=rater.work, args=[over], daemon=True) for rater in crew]
    researchers = [threading.Thread(target=one.work, args=[enough], daemon=True) for one in lab]
    [thread.start() for thread in threads + researchers]
    try:
        scene.until_progress(time.monotonic(), 0)
        of_jobs = [kind for kind in kinds if kind.startswith(("worker", "disk"))]
        others = [kind for kind in kinds if kind not in of_jobs]
        at_once(*(partial(_break, scene, part, done) for part in (of_jobs[::2], of_jobs[1::2], others)))
    except NotRecovered:
        done.faults.append("nothing ever moved")
    enough.set()
    [thread.join() for thread in researchers]
    for rater in crew:
        rater.pace = 0
    since = time.monotonic()
    with contextlib.suppress(NotRecovered):
        scene.seconds_until(lambda: not _left(scene) and not checks.unfinished(scene), since)
    over.set()
    [thread.join() for thread in threads]


def _break(scene: Scene, kinds: Sequence[str], done: Round) -> None:
    for kind in kinds:
        done.incidents.append(_incident(scene, kind))


def _incident(scene: Scene, kind: str) -> Incident:
    try:
        done = Incident(kind, KINDS[kind](scene))
    except NotRecovered:
        done = Incident(kind, None)
    print(done, file=sys.stderr, flush=True)
    return done


def _left(scene: Scene) -> int:
    return scene.query(ledger.OPEN, scene.project)[0][0]
