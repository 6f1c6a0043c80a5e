"""A real Celery worker writes its node by itself and takes it away when it ends."""

import json
import signal
from uuid import uuid4

import pytest

from tests.site import Site

NODES = """
import json
from worker.models import Node
print(json.dumps(list(Node.objects.values("name", "queues", "device"))))
"""


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_worker_shows_itself_and_leaves(tmp_path, pool):
    queue = f"t{uuid4().hex[:8]}"
    with Site(tmp_path, TEST_QUEUE=queue) as site:
        options = ["-Q", f"{queue},{queue}b", "--pool", pool, "-c", "1", "-n", queue, "--loglevel", "ERROR"]
        worker = site.start("-m", "celery", "-A", "tests.worker.app", "worker", *options)
        site.wait_until(lambda: nodes(site))
        (node,) = nodes(site)
        assert node["queues"] == [queue, f"{queue}b"]
        assert node["device"]
        assert (int(node["name"].rpartition(":")[2]) == worker.pid) == (pool == "solo")
        worker.send_signal(signal.SIGTERM)
        site.wait_until(lambda: not nodes(site))


def nodes(site):
    return json.loads(site.run(NODES).splitlines()[-1])
