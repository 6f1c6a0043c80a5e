"""Resident memory of one web process that has served every kind of page: judging, jobs, versions, the inspector.

python -m tests.benchmarks.web_memory [--quick]
"""

import json
import re
import tempfile
from pathlib import Path

from tests.site import Site

TARGET_MB = 150
SEED = """
from django.test import Client
from annotate.models import User
from annotate.world import make_world
from worker.services.demo import create_demo
create_demo(make_world(questions=48, pool=4, candidates=8, open_pairs=40))
client = Client()
client.force_login(User.objects.get(username="admin"))
print(client.cookies["sessionid"].value)
"""
ROOMS = ("", "judge/", "items/", "items/1/", "members/", "settings/", "jobs/", "jobs/1/", "train/", "versions/")
INSIDE = ("", "heatmap/", "length/", "drift/")
PAGES = [f"/p/demo/{room}" for room in ROOMS] + [f"/p/demo/versions/1/{page}" for page in INSIDE]


def resident_mb(pid: int) -> float:
    """VmRSS of a Linux process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        cookie = {"Cookie": f"sessionid={site.run(SEED).strip()}"}
        site.manage("train", "demo", "--recipe", "heads", "--wait", "--json")
        for path in PAGES * 3:
            site.get(path, cookie)
        mb = round(resident_mb(site.web.pid), 1)
    name = f"web process after {len(PAGES) * 3} pages of every room"
    print(json.dumps({"name": name, "ours": mb, "unit": "MB", "target": f"< {TARGET_MB}", "holds": mb < TARGET_MB}))


if __name__ == "__main__":
    main()
