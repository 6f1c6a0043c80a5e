"""A real Celery worker writes its node by itself and takes it away when it ends."""

import contextlib
import json
import signal
import sqlite3
from uuid import uuid4

import pytest

from tests.migrated import on_sqlite
from tests.site import Site

BUSY = """
import time
from django.conf import settings
from annotate.services.project import create_project
from worker.models import Job, Node
from worker.services.job import launch
job = launch(project=create_project(slug="p", name="P"), kind="train", params={"do": "spin"}, queue="QUEUE")
seen = set()
while len(seen) < 5 and job.state in ("queued", "running"):
    time.sleep(0.05)
    job.refresh_from_db()
    if job.state == "running":
        seen |= set(Node.objects.filter(name=job.worker, seen_at__gt=job.started_at).values_list("seen_at"))
print(len(seen), job.state)
(settings.VAR_DIR / "enough").touch()
"""


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_worker_shows_itself_and_leaves(tmp_path, pool):
    queue = f"t{uuid4().hex[:8]}"
    site = Site(tmp_path, TEST_QUEUE=queue, DATABASE_URL=on_sqlite(tmp_path / "touchstone.sqlite3"))
    with contextlib.ExitStack() as stack:
        stack.callback(site.__exit__)
        options = ["-Q", f"{queue},{queue}b", "--pool", pool, "-c", "1", "-n", queue, "--loglevel", "ERROR"]
        worker = site.start("-m", "celery", "-A", "tests.worker.app", "worker", *options)
        site.wait_until(lambda: nodes(tmp_path))
        (node,) = nodes(tmp_path)
        assert json.loads(node["queues"]) == [queue, f"{queue}b"]
        assert node["device"]
        assert node["memory_total"] > 2**20
        assert len(node["version"]) == 12
        assert site.run(BUSY.replace("QUEUE", queue)).split() == ["5", "running"]
        assert (int(node["name"].rpartition(":")[2]) == worker.pid) == (pool == "solo")
        worker.send_signal(signal.SIGTERM)
        site.wait_until(lambda: not nodes(tmp_path))


def nodes(folder):
    with contextlib.closing(sqlite3.connect(folder / "touchstone.sqlite3")) as link:
        link.row_factory = sqlite3.Row
        return link.execute("SELECT * FROM worker_node").fetchall()
